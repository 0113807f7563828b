# SPDX-License-Identifier: BSD-2-Clause
"""Figures, comparisons and facts of the experiments that the paper names, as values for TeX."""

from plots import units

from .tex import escaped

# As the tables of `harness report` write them, in the words of siunitx.
UNITS = {
    "bit/s": r"\bit\per\second", "kbit/s": r"\kilo\bit\per\second", "Mbit/s": r"\mega\bit\per\second",
    "Gbit/s": r"\giga\bit\per\second", "Tbit/s": r"\tera\bit\per\second", "B": r"\byte", "KiB": r"\kibi\byte",
    "MiB": r"\mebi\byte", "GiB": r"\gibi\byte", "TiB": r"\tebi\byte", "ns": r"\nano\second", "µs": r"\micro\second",
    "ms": r"\milli\second", "s": r"\second", "s/GiB": r"\second\per\gibi\byte", "ms/GiB": r"\milli\second\per\gibi\byte",
    "µs/GiB": r"\micro\second\per\gibi\byte", "per second": r"\per\second", "per MiB": r"\per\mebi\byte", "%": r"\percent",
}  # fmt: skip
KNOWN = 0.95  # what is not said of an interval: that it covers so much


def _scaled(figure):
    """(value, low, high, unit), each as text."""
    value, low, high = figure["value"], figure.get("low"), figure.get("high")
    if figure["name"].startswith("copies"):
        return f"{value:.2f}", "", "", ""
    if figure["name"].endswith("share"):
        divisor, unit = 0.01, "%"
    elif figure["unit"] == "1/s":
        divisor, unit = 1, "per second"
    else:
        scale = units.Scale(figure["unit"] or "1", value or 1)
        divisor, unit = scale.factor, scale.unit if figure["unit"] else ""
    texts = [units.number(each / divisor) if each is not None else "" for each in (value, low, high)]
    return *texts, unit


def quantity(figure):
    """\\quantity{31.2}{29.8--33.0}{\\giga\\bit\\per\\second}; what the interval covers is said where it is less than usual."""
    value, low, high, unit = _scaled(figure)
    between = f"{low}–{high}" if low and high else ""
    coverage = figure.get("coverage")
    if between and coverage is not None and coverage < KNOWN:
        between += f", covers {units.brief(100 * coverage)} %"
    return f"\\quantity{{{escaped(value)}}}{{{escaped(between)}}}{{{UNITS.get(unit) or escaped(unit)}}}"


def _operation(contestant):
    """The operation whose latency is meant: the most frequent one."""
    told = contestant.get("latency") or {}
    return max(sorted(told), key=lambda name: told[name]["count"], default="")


def _contestant(values, name, contestant):
    label, main = contestant["label"], _operation(contestant)
    for figure in contestant["figures"]:
        of = figure.get("of") or ""
        if figure["value"] is None or of != (main if figure["name"].startswith("latency.") else ""):
            continue
        parts = [part for part in (figure.get("party"), figure.get("place")) if part]
        values.set(("fig", name, label, figure["name"], *parts), quantity(figure))
        if figure.get("grade"):
            values.set(("grade", name, label, figure["name"], *parts), escaped(figure["grade"]))


def _runs(experiment):
    counts = sorted({len(one["runs"]) for one in experiment["contestants"]})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def of_experiments(values, found):
    for name, experiment in found.items():
        for contestant in experiment["contestants"]:
            _contestant(values, name, contestant)
        for one in experiment["comparisons"]:
            for pair in ((one["a"], one["b"]), (one["b"], one["a"])):
                few = one["low"] is None  # a sentence would say only that
                values.set(("few" if few else "compared", name, one["metric"], *pair), str(one["n"]) if few else escaped(one["sentence"]))
        main = [one for one in experiment["comparisons"] if one["metric"] == experiment["metric"]["name"]]
        facts = {
            "title": escaped(experiment["title"]),
            "link": escaped(experiment["link_text"] or experiment["link"]),
            "caption": escaped(experiment["caption"]),
            "runs": _runs(experiment),
            "contestants": str(len(experiment["contestants"])),
            "pairs": str(len(main)),
            "differ": str(sum(one["differs"] for one in main)),
            "table": "tables/" + escaped(experiment["id"].replace("/", "-")),
        }
        for fact, text in facts.items():
            values.set(("of", name, fact), text)
        absent = [f"{escaped(one['label'])}: {escaped(one['reason'])}" for one in experiment["unavailable"]]
        if absent:
            values.set(("of", name, "absent"), "; ".join(absent))


def of_asks(values, asks):
    """What would measure what was not: for every name, whether it was or not."""
    for kind in ("experiment", "sweep"):
        for name, ask in asks[kind].items():
            values.set(("made by", name), f"\\code{{sudo ./testbed {escaped(ask['made_by'])}}}")


def _environment(record):
    return {one["name"]: one["value"] for one in record["environment"]}


def _listed(words):
    return ", ".join(dict.fromkeys(word for word in words if word))


def of_records(values, model):
    records = model["records"]
    days = sorted({record["created"][:10] for record in records})
    suites = _listed((record["suite"] or {}).get("name", "") for record in records)
    noise = dict.fromkeys(reason for record in records for reason in record["noise"])
    facts = {
        "records": len(records),
        "experiments": len(model["experiments"]),
        "records word": "record" if len(records) == 1 else "records",
        "days": days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}",
        "noisy": sum(record["noisy"] for record in records),
        "machines": "; ".join(dict.fromkeys(record["machine"] for record in records)),
        "revisions": _listed(record["revision"][:12] for record in records),
        "suites": suites or "none (single experiments)",
        "noises": len(noise),
    }
    for name, fact in facts.items():
        values.set(("all", name), escaped(fact))


# Of the environment that a record has, what a reader asks first.
MACHINE = (
    ("machine", "architecture"), ("cpu.model", "CPU"), ("cpu.online", "CPUs online"), ("cpu.virtual", "virtual machine"),
    ("cpu.smt", "SMT"), ("memory_bytes", "memory"), ("kernel", "Linux"), ("clock_source", "clock"), ("compiler", "GCC"),
    ("transparent_hugepages", "transparent huge pages"), ("shmem_hugepages", "huge pages of tmpfs"),
    ("mitigations.spectre_v2", "Spectre v2"), ("steal_share", "stolen by the host, at most"),
)  # fmt: skip


def _fact(name, text):
    if name == "memory_bytes" and text.isdigit():
        return units.amount(float(text), "B")
    if name == "steal_share":
        return f"{units.brief(100 * float(text))} %"
    return {"true": "yes", "false": "no"}.get(text, text)


def _most_stolen(records, machine):
    shares = [told["steal_share"] for one in records if one["machine"] == machine if "steal_share" in (told := _environment(one))]
    return max(shares, key=float, default=None)


def machines(model):
    """Rows of a table for each machine of the records."""
    rows, seen = [], set()
    for record in model["records"]:
        told = _environment(record)
        if record["machine"] in seen:
            continue
        seen.add(record["machine"])
        told["steal_share"] = _most_stolen(model["records"], record["machine"])
        for name, word in MACHINE:
            if told.get(name) is not None:
                rows.append(f"{escaped(word)} & {escaped(_fact(name, told[name]))} \\\\\n")
        if record["placement"]:
            rows.append(f"placement, first record & {escaped(record['placement'])} \\\\\n")
    return "".join(rows)
