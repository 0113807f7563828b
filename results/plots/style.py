# SPDX-License-Identifier: BSD-2-Clause
"""How plots look: fonts, widths, and one colour, marker and line for each datapath, in every plot of every report."""

import dataclasses
import functools
import json
import logging
import pathlib
import warnings

from .fault import Lacking

INSTALL = "./testbed packages report installs it"
FONT = "LiberationSans"
FONT_FOLDERS = (
    "/usr/share/fonts/truetype/liberation",
    "/usr/share/fonts/truetype/liberation2",
    "/usr/share/fonts/liberation-sans",
    "/usr/share/fonts/liberation",
    "/usr/share/fonts/TTF",
)


@dataclasses.dataclass(frozen=True)
class Look:
    """Sizes in points, widths in inches. Heights are told in the height of the text, `em`."""

    name: str
    text: float
    small: float
    column: float
    wide: float
    line: float
    marker: float
    titled: bool


# The widths are those of a two-column paper with US margins (acmart, IEEEtran), and of a slide of 16:9.
LOOKS = {
    "paper": Look("paper", text=8, small=7, column=3.33, wide=7.0, line=1.1, marker=4.2, titled=False),
    "slides": Look("slides", text=20, small=14, column=12.0, wide=12.0, line=2.8, marker=10, titled=True),
}

MARKERS = {
    "circle": "o", "square": "s", "triangle up": "^", "diamond": "D", "triangle down": "v", "plus": "P", "cross": "X",
    "star": "*", "hexagon": "h", "pentagon": "p", "triangle left": "<", "triangle right": ">", "thin diamond": "d",
    "octagon": "8", "hexagon turned": "H",
}  # fmt: skip
LARGER = {"star": 1.45, "plus": 1.15, "cross": 1.15, "hexagon": 1.15, "pentagon": 1.2, "diamond": 0.88, "square": 0.92}
LINES = {"solid": "-", "dashed": (0, (4, 1.4)), "dotted": (0, (1, 1.3)), "dash dot": (0, (5, 1.3, 1, 1.3))}

INK = "#1A1A1A"
QUIET = "#555555"
GRID = "#DDDDDD"

# Parts of a bar, told apart by lightness alone as well; never colours of datapaths.
PARTS = ("#35508F", "#7FA3D1", "#C9DCEF", "#FFFFFF")
SIDES = {
    ("sender", "kernel"): "#1F3A75",
    ("sender", "user"): "#A9C1E6",
    ("receiver", "kernel"): "#C4772B",
    ("receiver", "user"): "#FBE9D0",
}
GRADE_HATCHES = {"counted": None, "traced": "/////", "modelled": "xxxxx"}


@dataclasses.dataclass(frozen=True)
class Stroke:
    """What tells one contestant from the others."""

    colour: str
    marker: str
    size: float  # of the marker, as a part of the look's
    line: object
    filled: bool  # a pair with another receiver than usual is drawn hollow


@functools.lru_cache(maxsize=1)
def palette():
    return json.loads(pathlib.Path(__file__).with_name("palette.json").read_text(encoding="utf-8"))


def strokes_of(names):
    """A row of the palette for each name: its own, or, in their order, those that are left."""
    table, others = palette()["datapaths"], palette()["others"]
    strange = [name for name in dict.fromkeys(names) if name not in table]
    rows = dict(table)
    rows.update((name, others[index % len(others)]) for index, name in enumerate(strange))
    return rows


def stroke(rows, contestant):
    """The stroke of a contestant: that of its datapath, and of a pair the sender's colour with the receiver's marker."""
    own = rows.get(contestant.label)
    row = own or rows[contestant.sender]
    marker = row["marker"]
    if own is None and contestant.receiver in rows:
        marker = rows[contestant.receiver]["marker"]
    return Stroke(row["colour"], MARKERS[marker], LARGER.get(marker, 1), LINES[row["line"]], own is not None)


def pale(colour, share=0.35):
    """The colour mixed with white: without transparency, which some printers draw as an image."""
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - part) * share):02X}" for part in parts)


def font_file(face):
    for folder in FONT_FOLDERS:
        path = pathlib.Path(folder, f"{FONT}-{face}.ttf")
        if path.is_file():
            return str(path)
    raise Lacking(f"plots need the font Liberation Sans (Debian: fonts-liberation); {INSTALL}")


def apply(look):
    """Sets matplotlib up, and this alone decides: neither the user's matplotlibrc nor their other fonts do."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        import matplotlib
        from matplotlib import font_manager
    except ImportError:
        raise Lacking(f"plots need matplotlib (Debian: python3-matplotlib); {INSTALL}") from None
    warnings.simplefilter("ignore")  # about glyphs that the font lacks, which are drawn as boxes
    regular, bold = font_file("Regular"), font_file("Bold")
    font_manager.fontManager.ttflist = []
    for path in (regular, bold):
        font_manager.fontManager.addfont(path)
    # rcdefaults() would read all of matplotlib's style sheets first.
    dict.update(matplotlib.rcParams, matplotlib.rcParamsDefault)
    matplotlib.rcParams.update(
        {
            "font.family": ["Liberation Sans"],
            "font.size": look.text,
            "text.color": INK,
            "text.parse_math": False,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "axes.linewidth": look.line * 0.5,
            "axes.unicode_minus": True,
            "hatch.linewidth": look.line * 0.55,
            "lines.solid_capstyle": "butt",
            "pdf.fonttype": 42,
            "svg.fonttype": "path",
            "svg.hashsalt": "waggle",
            "path.simplify": True,
            "path.simplify_threshold": 0.1,
        }
    )
    return regular, bold
