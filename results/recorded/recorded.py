#!/usr/bin/python3 -I
# SPDX-License-Identifier: BSD-2-Clause
"""What this repository shows of its recorded sets, from their records alone. README.md beside this file tells more."""

import argparse
import gzip
import hashlib
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

# Nothing is left in the folder of the program, which may belong to somebody else.
sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path[:0] = [str(TOP / "results"), str(TOP / "paper")]

from generator import asks  # noqa: E402
from plots import style  # noqa: E402
from plots.fault import Lacking  # noqa: E402

MARKED = re.compile(r"(<!-- recorded: (\S+) -->\n).*?(<!-- recorded, end -->)", re.DOTALL)
DRAWN_WITH = "plots/drawn-with.json"
MOST_BYTES = 8 << 20


class Fault(Exception):
    """One line for people."""

    code = 1


def toml(path):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def sets():
    return sorted(path.parent for path in HERE.glob("*/set.toml"))


def records():
    return sorted(HERE.glob("*/*.json.gz"))


def run(words):
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    except OSError as error:
        raise Fault(f"cannot start {words[0]}: {error.strerror}") from None
    if done.returncode != 0:
        fault = Fault(done.stderr.strip().split("\n")[-1])
        fault.code = done.returncode
        raise fault


def drawn_with():
    """What the bytes of a plot depend on, besides the records and results/plots."""
    style.apply(style.LOOKS["paper"])
    import matplotlib
    from matplotlib import ft2font

    font = hashlib.sha256(pathlib.Path(style.font_file("Regular")).read_bytes()).hexdigest()[:16]
    return {"matplotlib": matplotlib.__version__, "freetype": ft2font.__freetype_version__, "font": font}


def section(report, name):
    """Caption and table of an experiment, as the report has them."""
    lines = report.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0].split("\n")
    caption = next(line for line in lines if line.startswith("**"))
    return "\n".join([caption, "", *(line for line in lines if line.startswith("|"))])


def table(rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def claims(model):
    words = toml(HERE / "words.toml")
    lacking = [verdict["claim"] for verdict in model["verdicts"] if verdict["claim"] not in words]
    if lacking:
        raise Fault(f"results/recorded/words.toml has no words for {', '.join(lacking)}")
    rows = [("claim", "in a few words", "verdict"), ("---", "---", "---")]
    waiting = {}
    for verdict in model["verdicts"]:
        name = verdict["claim"]
        if verdict["verdict"] == "waits":
            waiting.setdefault(verdict["waits_for"], []).append(f"{name} ({words[name]})")
        else:
            rows.append((name, words[name], f"**{verdict['verdict']}**"))
    told = "; ".join(f"{', '.join(names)}: {part}" for part, names in waiting.items())
    return table(rows) + (f"\n\nThese wait for parts that are not built. {told}.\n" if told else "\n")


def machines(model):
    named = "; ".join(f"{toml(one / 'set.toml')['label']} (`results/recorded/{one.name}`)" for one in sets())
    noisy = sum(record["noisy"] for record in model["records"])
    suites = sorted({(record["suite"] or {}).get("name") or record["workload"] for record in model["records"]})
    noise = f"; of {noisy} of them the machine says that it was noisy" if noisy else ""
    return f"Recorded on: {named}. {len(model['records'])} records of {', '.join(suites)}{noise}."


class Shown:
    """All that is generated: texts of files by their names, plots, and how those were drawn (or why they were not)."""

    def __init__(self, harness):
        self.files, self.plots, self.with_what, self.lacking = {}, {}, None, None
        parts = {"results": "Nothing is recorded yet.\n", "claims": "Nothing is recorded yet.\n"}
        if records():
            with tempfile.TemporaryDirectory(prefix="waggle-recorded-") as place:
                parts = self.parts(harness, pathlib.Path(place))
        readme = (TOP / "README.md").read_text(encoding="utf-8")
        if {found[2] for found in MARKED.finditer(readme)} != set(parts):
            raise Fault(f"README.md must have places for {', '.join(parts)}, each once: <!-- recorded: NAME -->, <!-- recorded, end -->")
        self.files[TOP / "README.md"] = MARKED.sub(lambda found: f"{found[1]}{parts[found[2]]}{found[3]}", readme)

    def parts(self, harness, place):
        run([harness, "report", HERE, "--format=md", f"--output={place / 'report'}", "--title=Recorded results", "--quiet"])
        model = json.loads((place / "report" / "report.json").read_text(encoding="utf-8"))
        if model["left_out"]:
            raise Fault("; ".join(model["left_out"]))
        report = (place / "report" / "report.md").read_text(encoding="utf-8")
        self.files[HERE / "report.md"] = report
        shows = toml(HERE / "shows.toml")
        experiments = asks.experiments(model, shows)
        text = [machines(model)]
        try:
            self.with_what = drawn_with()
            self.draw(place, shows["plot"], experiments)
        except Lacking as fault:
            self.lacking = str(fault)
        for name, plot in shows["plot"].items():
            if plot["of"] in experiments:
                alt = self.plots[name][1] if name in self.plots else kept_alt(name)
                text.append(f'<img src="results/recorded/plots/{name}.svg" alt="{html.escape(alt)}">')
                text.append(experiments[plot["of"]]["caption"] + ".")
        text += [section(report, experiments[name]["id"]) for name in shows["tables"] if name in experiments]
        return {"results": "\n\n".join(text) + "\n", "claims": claims(model)}

    def draw(self, place, plots, experiments):
        for name, plot in plots.items():
            if plot["of"] not in experiments:
                continue
            words = [f"--plot={plot['kind']}", f"--of={experiments[plot['of']]['id']}"]
            run([sys.executable, "-I", TOP / "results" / "plots" / "draw.py", place / "report" / "report.json", place / name, *words])
            (one,) = json.loads((place / name / "plots.json").read_text(encoding="utf-8"))
            self.plots[name] = ((place / name / one["files"][0]).read_bytes(), one["alt"])


def kept_alt(name):
    """The alternative text, which has the main numbers, of a plot as it is in the repository."""
    path = HERE / "plots" / f"{name}.svg"
    found = re.search(r"<dc:description>(.*?)</dc:description>", path.read_text(encoding="utf-8") if path.exists() else "", re.DOTALL)
    return html.unescape(found[1]) if found else ""


def write(shown):
    if shown.lacking:
        fault = Fault(shown.lacking)
        fault.code = 3
        raise fault
    for path, text in shown.files.items():
        path.write_text(text, encoding="utf-8")
    shutil.rmtree(HERE / "plots", ignore_errors=True)
    if shown.plots:
        (HERE / "plots").mkdir()
        (HERE / DRAWN_WITH).write_text(json.dumps(shown.with_what, indent=1) + "\n", encoding="utf-8")
    for name, (content, _alt) in shown.plots.items():
        (HERE / "plots" / f"{name}.svg").write_bytes(content)


def differences(shown):
    """What in the repository is not what its records give, a line each."""
    found = []
    for path, text in shown.files.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            found.append(f"{path.relative_to(TOP)} is not what the records give")
    if shown.lacking:
        return found
    here = {path.stem for path in (HERE / "plots").glob("*.svg")}
    found += [f"plots/{name}.svg: not what is shown" for name in sorted(here ^ set(shown.plots))]
    same = (HERE / DRAWN_WITH).exists() and json.loads((HERE / DRAWN_WITH).read_text()) == shown.with_what
    for name in sorted(here & set(shown.plots)):
        content, alt = shown.plots[name]
        # Another matplotlib draws other bytes of the same numbers.
        if kept_alt(name) != alt or (same and (HERE / "plots" / f"{name}.svg").read_bytes() != content):
            found.append(f"plots/{name}.svg is not what the records give")
    return found


def shown_command(words):
    """Without the folders of a machine that nobody else has, and without the place of the records."""
    shown = [os.path.basename(word) if word.startswith("/") else word for word in words]
    return [word for word in shown if not word.startswith("--output=")]


def packed_record(path):
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Fault(f"cannot read {path}: {error}") from None
    if not isinstance(record, dict) or not str(record.get("schema")).startswith("waggle-record/"):
        raise Fault(f"{path} is not a record")
    record["command_line"] = shown_command(record.get("command_line", []))
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
    return gzip.compress(text.encode("utf-8"), 9, mtime=0)


def add(folder, name):
    """Takes the place of the set of that name. In a record only its command line changes: folders of that machine are nobody's business."""
    found = [path for path in sorted(folder.glob("*.json")) if path.is_file()] if folder.is_dir() else []
    if not found:
        raise Fault(f"there is no record in {folder}")
    place = HERE / name
    if not (place / "set.toml").exists():
        raise Fault(f"{place.relative_to(TOP)}/set.toml must say first what that machine is; README.md beside it tells how")
    # All of them are read before one of the old goes.
    packed = {path.name + ".gz": packed_record(path) for path in found}
    for old in place.glob("*.json.gz"):
        old.unlink()
    for file, content in packed.items():
        (place / file).write_bytes(content)
    size = sum(map(len, packed.values()))
    print(f"{place.relative_to(TOP)}: {len(found)} records, {size / 1e6:.1f} MB")
    if size > MOST_BYTES:
        print(f"recorded: that is more than {MOST_BYTES >> 20} MiB, which is much for a repository", file=sys.stderr)


def main():
    options = argparse.ArgumentParser(prog="./testbed recorded", allow_abbrev=False, description=__doc__)
    options.add_argument("--harness", default="harness", help="what makes the report (harness)")
    options.add_argument("--check", action="store_true", help="write nothing; 1 where something is not what the records give")
    options.add_argument("--add", metavar="FOLDER", type=pathlib.Path, help="first take these records as the set of --machine")
    options.add_argument("--machine", default="two-core-vm", help="a folder beside this program (two-core-vm)")
    asked = options.parse_args()
    try:
        if asked.add:
            add(asked.add, asked.machine)
        shown = Shown(asked.harness)
        if not asked.check:
            write(shown)
            print("Written: " + ", ".join(str(path.relative_to(TOP)) for path in shown.files))
            return 0
        for line in differences(shown):
            print(f"recorded: {line}; `./testbed recorded` makes it", file=sys.stderr)
        if shown.lacking:
            print(f"recorded: plots were not compared: {shown.lacking}", file=sys.stderr)
            return 1 if differences(shown) or os.environ.get("WAGGLE_REQUIRE_ALL") == "1" else 77
        return 1 if differences(shown) else 0
    except Fault as fault:
        print(f"recorded: {fault}", file=sys.stderr)
        return fault.code
    except OSError as error:
        print(f"recorded: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
