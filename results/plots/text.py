# SPDX-License-Identifier: BSD-2-Clause
"""Texts: what of them can be drawn, how wide they are, and where their lines break."""

import functools
import unicodedata


def plain(text):
    """One line without control characters, halves of characters and marks of direction."""
    kept = ("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cs", "Cn", "Co", "Cf") else c for c in text)
    return " ".join("".join(" " if unicodedata.category(c) == "Cc" else c for c in kept).split())


@functools.lru_cache(maxsize=None)
def _ruler(path):
    from matplotlib import ft2font

    return ft2font.FT2Font(path, hinting_factor=1)


@functools.lru_cache(maxsize=65536)
def width(path, size, text):
    """Of a text in points, in the font of this file."""
    from matplotlib import ft2font

    font = _ruler(path)
    font.set_size(size, 72)
    font.set_text(text, 0, flags=ft2font.LOAD_NO_HINTING)
    return font.get_width_height()[0] / 64


LONGEST = 4096  # characters that are looked at: a label may be as long as a record likes


def _fitting(word, fits):
    """How many characters of a word fit; at least one. What fits, fits when it is shorter."""
    low, high = 1, 2
    while high < len(word) and fits(word[:high]):
        low, high = high, 2 * high
    high = min(high, len(word))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(word[:middle]) else (low, middle)
    return low


def wrap(text, fits, most=6):
    """Lines of `text` for which `fits(line)` holds; with "…" where `most` of them do not hold it all."""
    lines, line = [], ""
    words = text[:LONGEST].split(" ")
    while words and len(lines) <= most:
        word = words.pop(0)
        longer = f"{line} {word}" if line else word
        if fits(longer):
            line = longer
        elif line:
            lines.append(line)
            line = ""
            words.insert(0, word)
        else:
            cut = _fitting(word, fits)
            lines.append(word[:cut])
            if word[cut:]:
                words.insert(0, word[cut:])
    if line:
        lines.append(line)
    if len(lines) > most:
        last = lines[most - 1]
        while last and not fits(last + " …"):
            last = last[:-1]
        lines = lines[: most - 1] + [last.rstrip() + " …"]
    return lines


def shortened(text, fits):
    """The beginning of a text that fits on a line."""
    return (wrap(text, fits, most=1) or [""])[0]


def listed(names):
    """"a, b and c"."""
    names = list(names)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""
