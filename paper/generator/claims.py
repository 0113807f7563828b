# SPDX-License-Identifier: BSD-2-Clause
"""What the documents claim, and how each claim ends: as text by group, as a table of all, as counts."""

from .tex import escaped, slug

OUTCOMES = ("holds", "does not hold", "not shown", "cannot run here", "waits")


def _asked(verdict):
    """Whether any of its rules met a record."""
    return any(rule.get("experiment") for rule in verdict["rules"])


def groups(model):
    found = {}
    for verdict in model["verdicts"]:
        found.setdefault(verdict["group"], []).append(verdict)
    return found


def _rule(rule):
    why = rule.get("why") or rule.get("ours") or ""
    return f"\\claimrule{{{escaped(rule['says'])}}}{{\\outcome{{{slug(rule['outcome'])}}}}}{{{escaped(why)}}}\n"


def _claim(verdict):
    head = (
        f"\\claim{{{escaped(verdict['claim'])}}}{{{escaped(verdict['text'])}}}{{{escaped(verdict['theirs'])}}}"
        f"{{\\outcome{{{slug(verdict['verdict'])}}}}}\n"
    )
    rules = "".join(_rule(rule) for rule in verdict["rules"])
    doubt = f"\\claimdoubt{{{escaped(verdict['doubt'])}}}\n" if verdict["doubt"] else ""
    return head + (rules or f"\\claimwhy{{{escaped(verdict['why'])}}}\n") + doubt


def _ids(verdicts):
    return ", ".join(escaped(one["claim"]) for one in verdicts)


def by_group(model):
    """One section per group: claims that were asked in full, others in a sentence."""
    made = []
    for group, verdicts in groups(model).items():
        told = [one for one in verdicts if _asked(one) or (not one["rules"] and one["verdict"] != "waits")]
        unasked = [one for one in verdicts if one["rules"] and not _asked(one)]
        waiting = [one for one in verdicts if one["verdict"] == "waits"]
        made.append(f"\\claimgroup{{{escaped(group)}}}\n")
        made += [_claim(one) for one in told]
        if unasked:
            made.append(f"\\claimsunasked{{{_ids(unasked)}}}\n")
        if waiting:
            parts = "; ".join(f"{escaped(one['claim'])} for {escaped(one['waits_for'] or '')}" for one in waiting)
            made.append(f"\\claimswaiting{{{parts}}}\n")
    return "".join(made)


def table(model):
    """All claims as rows."""
    rows = []
    for group, verdicts in groups(model).items():
        rows.append(f"\\claimsrow{{{escaped(group)}}}\n")
        for one in verdicts:
            cells = (escaped(one["claim"]), escaped(one["text"]), escaped(one["theirs"]) or "--", escaped(one["ours"]) or "--")
            rows.append(" & ".join((*cells, f"\\outcome{{{slug(one['verdict'])}}}")) + " \\\\\n")
    return "".join(rows)


def counts(model):
    """Rows: a group, and how many of its claims end in each way."""
    rows = []
    all_verdicts = model["verdicts"]
    for group, verdicts in [*groups(model).items(), (None, all_verdicts)]:
        cells = [sum(one["verdict"] == outcome for one in verdicts) for outcome in OUTCOMES]
        texts = [str(each) if each else "--" for each in cells]
        if group is None:
            rows.append("\\midrule\n")
        rows.append(" & ".join((escaped(group or "all"), *texts)) + " \\\\\n")
    return "".join(rows)


def values(values, model):
    """Counts, and the outcome of each claim with what it rests on."""
    verdicts = model["verdicts"]
    values.set(("claims", "all"), str(len(verdicts)))
    for outcome in OUTCOMES:
        values.set(("claims", slug(outcome)), str(sum(one["verdict"] == outcome for one in verdicts)))
    values.set(("claims", "asked"), str(sum(_asked(one) for one in verdicts)))
    for one in verdicts:
        values.set(("claim", one["claim"]), f"\\outcome{{{slug(one['verdict'])}}}")
        values.set(("claim", one["claim"], "theirs"), escaped(one["theirs"] or "no figure"))
