# SPDX-License-Identifier: BSD-2-Clause
"""Runs TeX, so that the same sources give the same bytes, wherever and whenever."""

import os
import re
import shutil
import subprocess

from .fault import Fault, Lacking

INSTALL = "./testbed packages paper installs it"
# A text is set again until its references stand still.
PASSES = (("pdflatex",), ("bibtex", "pdflatex"), ("pdflatex",))


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


def _run(words, folder, environment):
    done = subprocess.run(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)  # fmt: skip
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        raise Fault(f"{words[0]} failed: {_complaint(said)}")
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
    said = ""
    for programs in PASSES:
        for program in programs:
            said = _run(latex if program == "pdflatex" else ["bibtex", "-terse", name], folder, environment)
    if lost := undefined(said):
        raise Fault(f"{name}.tex refers to what is nowhere: {', '.join(lost)}")
    return said
