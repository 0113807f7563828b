# SPDX-License-Identifier: BSD-2-Clause
"""The command line: what is asked for, one line for what is wrong, and files that are whole or not there."""

import argparse
import difflib
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from . import jobs as drawing
from . import kinds, model, output, style
from .fault import Fault, WrongUse
from .text import plain

FORMATS = tuple(output.WRITERS)
MOST = 2000


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise WrongUse(f"{message}; draw.py --help tells more")


def parser():
    made = Parser(prog="draw.py", allow_abbrev=False, description="Draws the plots of a report, from its report.json.")
    made.add_argument("model", metavar="MODEL.json", help="what harness report wrote; - is stdin")
    made.add_argument("directory", metavar="OUTDIR", nargs="?", help="where figures and their index plots.json go")
    made.add_argument("--format", default="svg", help=f"of {', '.join(FORMATS)}, with commas (svg)")
    made.add_argument("--style", default="paper", help=f"one of {', '.join(style.LOOKS)} (paper)")
    made.add_argument("--plot", metavar="KIND", help="these kinds only, with commas; all: " + ", ".join(kinds.load()))
    made.add_argument("--of", metavar="ID", help="of this experiment or sweep only")
    made.add_argument("--output", metavar="FILE", help="the one figure into this file, in the format of its name")
    made.add_argument("--most", type=int, default=MOST, help=f"so many figures at most ({MOST})")
    return made


def one_of(what, word, known):
    if word not in known:
        near = difflib.get_close_matches(word, known, 1, 0.5)
        hint = f"did you mean {near[0]}? There are" if near else "there are"
        raise WrongUse(f"no {what} is called '{plain(word)}'; {hint} {', '.join(known)}")
    return word


def chosen(options):
    """(kinds, formats, look) as they were asked for."""
    every = kinds.load()
    names = options.plot.split(",") if options.plot is not None else list(every)
    picked = {one_of("plot", name, list(every)): every[name] for name in names}
    look = style.LOOKS[one_of("style", options.style, list(style.LOOKS))]
    formats = options.format.split(",")
    if options.output is not None:
        formats = [pathlib.Path(options.output).suffix[1:].lower()]
        if formats[0] not in FORMATS:
            raise WrongUse(f"--output={options.output} must end with one of {', '.join('.' + one for one in FORMATS)}")
    elif options.directory is None:
        raise WrongUse("neither OUTDIR nor --output says where figures go; draw.py --help tells more")
    return picked, tuple(one_of("format", name, FORMATS) for name in formats), look


def wanted(report, picked, options):
    """The figures that were asked for. There must be one where somebody named a kind or an id."""
    of = options.of
    if of is not None and of not in report.experiments and of not in report.sweeps:
        raise WrongUse(f"there is no experiment or sweep '{plain(of)}' in {options.model}")
    found = [job for job in drawing.found(report, picked) if of is None or job.subject.what.id == of]
    if not found:
        reasons = "; ".join(f"{kind.name}: no {kind.needs}" for kind in picked.values())
        message = f"nothing to draw{f' of {of}' if of else ''}"
        if options.plot or of or options.output:
            raise Fault(f"{message} ({reasons})" if len(picked) == 1 else message)
        print(f"plots: {message}", file=sys.stderr)
    return found


def open_directory(path):
    """A folder inside the one where files will go: what is not whole is there, and leaves with it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        return pathlib.Path(tempfile.mkdtemp(prefix=".plots-", dir=path))
    except OSError as error:
        raise Fault(f"cannot write into {path}: {error.strerror}") from None


def index_of(jobs, alts, formats):
    rows = []
    for job, alt in zip(jobs, alts):
        is_sweep = hasattr(job.subject.what, "points")
        rows.append(
            {
                "id": job.id,
                "kind": job.kind.name,
                "experiment": None if is_sweep else job.subject.what.id,
                "sweep": job.subject.what.id if is_sweep else None,
                "operation": job.subject.part or None,
                "title": job.subject.title,
                "caption": job.subject.what.caption,
                "alt": alt,
                "files": [f"{job.id}.{name}" for name in formats],
            }
        )
    return rows


def into_directory(jobs, setting, directory):
    target = pathlib.Path(directory)
    work = open_directory(target)
    try:
        alts = drawing.draw_all(jobs, setting, lambda job, name: str(work / f"{job.id}.{name}"))
        rows = index_of(jobs, alts, setting.formats)
        names = [name for row in rows for name in row["files"]] + ["plots.json"]
        text = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
        (work / "plots.json").write_text(text, encoding="utf-8")
        for name in names:
            os.replace(work / name, target / name)
    except OSError as error:
        raise Fault(f"cannot write into {target}: {error.strerror}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def into_file(jobs, setting, path):
    if len(jobs) > 1:
        ids = sorted({job.subject.what.id for job in jobs})
        which = "--of=ID chooses" if len(ids) > 1 else "--plot=KIND chooses"
        told = ids if len(ids) > 1 else [job.id for job in jobs]
        more = f" and {len(told) - 5} more" if len(told) > 5 else ""
        raise WrongUse(f"--output holds one figure, and there are {len(jobs)}; {which}: {', '.join(told[:5])}{more}")
    target = pathlib.Path(path)
    work = open_directory(target.parent)
    try:
        whole = work / target.name
        drawing.draw(jobs[0], setting, lambda job, name: str(whole))
        os.replace(whole, target)
    except OSError as error:
        raise Fault(f"cannot write {target}: {error.strerror}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run(arguments):
    options = parser().parse_args(arguments)
    picked, formats, look = chosen(options)
    report = model.read(options.model)
    jobs = wanted(report, picked, options)
    if len(jobs) > options.most and options.output is None:
        print(f"plots: of {len(jobs)} figures the first {options.most} are drawn; draw.py --most draws more", file=sys.stderr)
        jobs = jobs[: max(0, options.most)]
    setting = drawing.Setting(look, style.apply(look), style.strokes_of(report.names), formats)
    if options.output is not None:
        into_file(jobs, setting, options.output)
    else:
        into_directory(jobs, setting, options.directory)


def interrupted(number, _frame):
    raise SystemExit(128 + number)


def main(arguments):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        run(arguments)
    except Fault as fault:
        print(f"plots: {fault}", file=sys.stderr)
        return fault.code
    return 0
