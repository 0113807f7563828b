# SPDX-License-Identifier: BSD-2-Clause
"""The command line: records → `harness report` → values, tables and plots → TeX → one PDF, whole or not there."""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from . import asks, claims, drawing, records, tex, typeset, values
from .fault import Fault, WrongUse

HERE = pathlib.Path(__file__).resolve().parent.parent


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise WrongUse(f"{message}; ./testbed paper --help tells more")


def parser():
    made = Parser(prog="./testbed paper", allow_abbrev=False,
                  description="Builds the paper. Every number, table and plot in it comes from the records.",
                  epilog="Without records: the newest suite in $WAGGLE_RESULTS (results), else the records beside it, else those in results/recorded.")  # fmt: skip
    made.add_argument("records", metavar="RECORD", nargs="*", help="records, or folders with records in them")
    made.add_argument("-o", "--output", metavar="FILE", help="the PDF (results/paper.pdf)")
    made.add_argument("--sources", metavar="FOLDER", help="keeps all that TeX reads there, as for a submission")
    made.add_argument("--harness", metavar="PROGRAM", default="harness", help="what makes the report (harness)")
    return made


def report_of(harness, places, folder):
    words = [harness, "report", *places, "--format=tex", f"--output={folder}", "--title=Paper", "--quiet"]
    try:
        done = subprocess.run(words, capture_output=True, check=False)
    except OSError as error:
        raise Fault(f"cannot start {harness}: {error.strerror}") from None
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode != 0:
        kind = {2: WrongUse}.get(done.returncode, Fault)
        raise kind(said.split("\n")[-1].removeprefix("harness: ") or "the report could not be made")
    if said:
        print(said, file=sys.stderr)
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def seconds_of(model):
    """The date of the paper is that of its newest record."""
    newest = max(record["finished"] or record["created"] for record in model["records"])
    return int(datetime.datetime.fromisoformat(newest.replace("Z", "+00:00")).timestamp())


def write(model, folder, report):
    """All that is generated, beside the text that somebody wrote."""
    asked = asks.read()
    experiments, sweeps = asks.experiments(model, asked), asks.sweeps(model, asked)
    told = tex.Values()
    values.of_records(told, model)
    values.of_asks(told, asked)
    values.of_experiments(told, experiments)
    claims.values(told, model)
    (folder / "plots").mkdir()
    for name, title in drawing.draw(report / "report.json", asked["plot"], experiments, sweeps, folder / "plots").items():
        told.set(("plot", name), tex.escaped(title))
    for name, source in {
        "values.tex": told.source(),
        "machines.tex": values.machines(model),
        "claims.tex": claims.by_group(model),
        "claims-table.tex": claims.table(model),
        "claims-counts.tex": claims.counts(model),
    }.items():
        (folder / name).write_text(source, encoding="utf-8")
    (folder / "tables").mkdir()
    for path in sorted((report / "tables").iterdir()):
        (folder / "tables" / path.name).write_text(tex.printable(path.read_text(encoding="utf-8")), encoding="utf-8")


def written(folder):
    """The text itself."""
    for pattern in ("*.tex", "*.sty", "*.bib"):
        for path in HERE.glob(pattern):
            shutil.copy(path, folder)
    shutil.copytree(HERE / "sections", folder / "sections")


def build(harness, places, output, sources=None):
    with tempfile.TemporaryDirectory(prefix="waggle-paper-") as place:
        folder = pathlib.Path(place) / "paper"
        folder.mkdir()
        report = pathlib.Path(place) / "report"
        model = report_of(harness, places, report)
        written(folder)
        write(model, folder, report)
        typeset.typeset(folder, "paper", seconds_of(model))
        try:
            if sources is not None:
                shutil.copytree(folder, sources)
            output.parent.mkdir(parents=True, exist_ok=True)
            part = output.with_name(f".{output.name}.{os.getpid()}")
            shutil.copyfile(folder / "paper.pdf", part)
            os.replace(part, output)
        except OSError as error:
            raise Fault(f"cannot write {error.filename}: {error.strerror}") from None


def interrupted(number, _frame):
    raise SystemExit(128 + number)


def main(arguments):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        options = parser().parse_args(arguments)
        results = pathlib.Path(os.environ.get("WAGGLE_RESULTS") or "results")
        output = pathlib.Path(options.output or results / "paper.pdf")
        places = options.records or records.default(HERE.parent / "results" / "recorded", results)
        sources = pathlib.Path(options.sources) if options.sources else None
        if sources is not None and sources.exists():
            raise WrongUse(f"--sources={sources} is there already; name another folder")
        typeset.check()
        build(options.harness, places, output, sources)
        print(f"Paper: {output}")
    except Fault as fault:
        print(f"paper: {fault}", file=sys.stderr)
        return fault.code
    return 0
