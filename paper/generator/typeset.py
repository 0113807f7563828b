# SPDX-License-Identifier: BSD-2-Clause
"""Runs TeX, so that the same sources give the same bytes, wherever and whenever."""

import os
import re
import shutil
import subprocess

from .fault import Fault, Lacking

INSTALL = "./testbed packages paper installs it"
RERUNS = 5  # a text is set again until its references stand still, at most so often


def _environment(folder, seconds):
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    return kept | {
        "HOME": str(folder), "TEXMFVAR": str(folder / "var"), "TEXMFHOME": str(folder / "none"), "TZ": "UTC", "LC_ALL": "C",
        "SOURCE_DATE_EPOCH": str(seconds), "FORCE_SOURCE_DATE": "1", "openout_any": "p",
        "max_print_line": "1000",
    }  # fmt: skip


def _complaint(log):
    """The first error of TeX, with the line that it stands in."""
    at = re.search(r"^(?:! |[^\n:]+:\d+: ).*$", log, re.MULTILINE)
    return at[0] if at else log.strip().split("\n")[-1]


def failure(program, log):
    """What ends the program: something is not installed, or the text is wrong."""
    if at := re.search(r"File [`']([^']+\.(?:sty|cls|def|fd|tfm))' not found", log):
        return Lacking(f"a paper needs {at[1]}; {INSTALL}")
    return Fault(f"{program} failed: {_complaint(log)}")


def _run(words, folder, environment):
    done = subprocess.run(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)  # fmt: skip
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        raise failure(words[0], said)
    return said


def undefined(log):
    """What the text refers to and nothing defines, of the last pass."""
    return sorted(set(re.findall(r"(?:Reference|Citation) [`']([^']+)' .*undefined", log)))


def check():
    """Fails where TeX is missing: before anything is drawn."""
    for program in ("pdflatex", "bibtex"):
        if shutil.which(program) is None:
            raise Lacking(f"a paper needs {program}; {INSTALL}")


def typeset(folder, name, seconds):
    """Makes NAME.pdf of NAME.tex; returns what TeX said at last."""
    environment = _environment(folder, seconds)
    latex = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-no-shell-escape", name]
    _run(latex, folder, environment)
    _run(["bibtex", "-terse", name], folder, environment)
    _run(latex, folder, environment)
    for _ in range(RERUNS):
        said = _run(latex, folder, environment)
        if "Rerun to get" not in said:
            break
    else:
        raise Fault(f"{name}.tex does not stand still after {RERUNS} passes")
    if lost := undefined(said):
        raise Fault(f"{name}.tex refers to what is nowhere: {', '.join(lost)}")
    return said
