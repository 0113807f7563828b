# SPDX-License-Identifier: BSD-2-Clause
"""Finds numbers that somebody typed into the text of the paper."""

import re

# Commands whose argument is a name, not text: nothing of it is printed as it stands. With how many of such arguments they begin.
NAMES = {
    **dict.fromkeys(("cite", "ref", "label", "input", "bibliography", "bibliographystyle", "begin", "end", "usepackage", "documentclass",
                     "DeclareUnicodeCharacter", "newcommand", "includegraphics", "measured", "grade", "records", "claimcount", "claimed",
                     "theirs", "madeby", "ifmeasured", "ifplot", "tableof", "rowsfrom", "dpath"), 1),
    **dict.fromkeys(("about", "copiesof", "plotof", "setlength"), 2),
    "compared": 3,
}  # fmt: skip
LENGTH = r"-?\d*\.?\d+(?:pt|cm|mm|in|em|ex|\\linewidth|\\textwidth|\\columnwidth)(?![A-Za-z])"
# Words that have a digit and are no number.
TERMS = re.compile(r"\b(?:IPv[46]|CRC32C|XXH3-128|SHA-256|UTF-8|C\+\+23|L[123] cache|RFC[~ ]\d+)\b")
WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    "hundred|thousand|million|half|third|quarter|dozen"
)
# What is counted or measured here: a word for a number before it is a result that somebody typed.
MEASURES = (
    r"percent|per cent|per ?mille|times|fold|[kMGT]?bit|[kMGT]i?B|bytes?|(?:kilo|mega|giga|kibi|mebi|gibi)(?:bit|byte)s?|"
    r"(?:nano|micro|milli)?seconds?|minutes?|cycles|copies|copy|mode switches|context switches|system calls|runs|rounds|records|cores?|"
    r"claims|datapaths|packets per|files per"
)
SPELLED = re.compile(rf"\b(?:{WORDS})(?:[ ~-](?:{WORDS}))*[ ~-](?:\w+[ -])?(?:{MEASURES})\b", re.IGNORECASE)
FACTORS = re.compile(r"\b(?:doubles?|doubled|triples?|tripled|halves|halved|twice|thrice|tenfold)\b", re.IGNORECASE)


def _without_comments(source):
    return "\n".join(re.sub(r"(?<!\\)%.*", "", line) for line in source.split("\n"))


def _blank(at):
    return re.sub(r"[^\n]", " ", at[0])


def _names(source):
    """Without names."""
    for name, count in NAMES.items():
        command = rf"\\{name}(?![A-Za-z])\*?(?:\[[^\[\]]*\])?(?:\{{[^{{}}]*\}}){{1,{count}}}"
        source = re.sub(command, _blank, source)
    return source


def _verbatim(source):
    """Commands to type: they have no results."""
    return re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", _blank, source, flags=re.DOTALL)


def _drawing(source):
    """Places of a drawing, but not the texts of its nodes."""
    place = r"(?:\bat|--|\\draw(?:\[[^\[\]]*\])?)\s*\([-\d.,\s]*\)|\\copyrow\{[-\d.]+\}|\\begin\{(?:tikzpicture|scope)\}\[[^\[\]]*\]"
    return re.sub(place, _blank, source)


def text_of(source):
    """What of a source is printed as it stands, line by line as it was."""
    text = _drawing(_verbatim(_without_comments(source)))
    text = _names(text)
    text = re.sub(r"\\(?:pdf[a-z]+)=-?\d+", " ", text)
    text = re.sub(r"\\\w+\s*" + LENGTH, " ", text)
    text = re.sub(r"(?<=[\w}*])\[[^\[\]\n]*\]", " ", re.sub(LENGTH, " ", text))  # options
    return TERMS.sub(" ", re.sub(r"#+\d", " ", text))


def literals(source):
    """(line, what) of each number in the text."""
    found = []
    for number, line in enumerate(text_of(source).split("\n"), 1):
        for pattern in (re.compile(r"[^\s{}]*\d[^\s{}]*"), SPELLED, FACTORS):
            found += [(number, at[0]) for at in pattern.finditer(line)]
    return found
