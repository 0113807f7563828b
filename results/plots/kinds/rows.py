# SPDX-License-Identifier: BSD-2-Clause
"""What kinds with a row per contestant have in common."""

from .. import units
from ..style import INK
from ..text import listed

METRICS = {"goodput": "Goodput", "operations": "Operations", "cpu.share": "CPUs kept busy"}


def metric_name(metric):
    return METRICS.get(metric, metric.replace(".", " ").replace("_", " "))


def zero_based(sheet, axes, largest, scale, room=1.04):
    """A horizontal axis from zero."""
    limit = (largest or scale.factor) * room
    axes.set_xlim(0, limit)
    values, texts = units.linear_ticks(scale(limit), most=5)
    sheet.ticks(axes, "x", [value * scale.factor for value in values], texts)


def interval(sheet, axes, row, figure, colour=INK):
    """A line over the interval, with an end on each side."""
    if figure.low is not None:
        line = sheet.look.line
        sheet.line(axes, [figure.low, figure.high], [row, row], color=colour, linewidth=line, marker="|",
                   markersize=sheet.look.marker * 1.3, markeredgewidth=line, zorder=4)  # fmt: skip


def at_right(sheet, axes, texts):
    """A text at the end of each row."""
    for row, words in enumerate(texts):
        sheet.label(axes, 1, row, words, axes.get_yaxis_transform(), right=0.4 * sheet.em, va="center_baseline")


def sentence(title, rows, caption):
    """Alternative text: the title, the main numbers and the caption."""
    return f"{title}. {listed(rows)}. {caption}".replace("..", ".").rstrip(". ") + "."
