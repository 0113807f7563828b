# SPDX-License-Identifier: BSD-2-Clause
"""Texts for TeX. Records may be strangers': what they say is printed, never obeyed."""

import re

SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "\0": "{}",
    **{c: "\\" + c for c in "&%$#_{}"},
}  # fmt: skip

# Characters beyond ASCII that tables and sentences use. Of others the fonts may have none, and a paper that does not
# build because of a host's name would be worse than one with a question mark.
BEYOND = {
    "–": "--", "—": "---", "…": r"\dots{}", "·": r"\textperiodcentered{}", "×": r"\texttimes{}", "µ": r"\textmu{}",
    "μ": r"\textmu{}", "→": r"\ensuremath{\rightarrow}", "−": r"\ensuremath{-}", "≥": r"\ensuremath{\ge}",
    "≤": r"\ensuremath{\le}", "±": r"\textpm{}", "°": r"\textdegree{}", "“": "``", "”": "''", "‘": "`", "’": "'",
    "²": r"\texttwosuperior{}", "\u00a0": "~", "\u202f": r"\,",
}  # fmt: skip


def _beyond(c):
    return BEYOND.get(c) or (c if "À" <= c <= "ÿ" else "?")


def escaped(text):
    """A text as it stands, with words in `backquotes` as code."""
    words = " ".join(str(text).split()).replace("--", "-\0-")  # not a dash
    parts = re.split(r"`([^`]*)`", words)
    made = ["".join(SPECIAL.get(c) or (c if " " <= c <= "~" else _beyond(c)) for c in part) for part in parts]
    return "".join(f"\\code{{{part}}}" if index % 2 else part for index, part in enumerate(made))


def printable(source):
    """A source for TeX that the harness has escaped, without characters that the paper's fonts lack."""
    return "".join(c if c == "\n" or " " <= c <= "~" else _beyond(c) for c in source)


def key(*parts):
    """The name of a value, or None where its parts are none: names end up within \\csname."""
    name = "/".join(parts)
    return name if re.fullmatch(r"[A-Za-z0-9_+.,:/ -]+", name) else None


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


class Values:
    """Values by name, as TeX that defines them."""

    def __init__(self):
        self.all = {}

    def set(self, parts, source):
        name = key(*parts)
        if name is not None:
            self.all[name] = source

    def source(self):
        return "".join(f"\\wgset{{{name}}}{{{self.all[name]}}}\n" for name in sorted(self.all))
