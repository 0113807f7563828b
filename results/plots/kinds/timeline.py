# SPDX-License-Identifier: BSD-2-Clause
"""Goodput over time within the median run: a strip for each contestant, all with the same axes."""

from .. import units
from ..style import INK, pale
from . import Kind, by_experiment, register, rows

STRIP, GAP = 2.4, 0.9  # heights, in heights of the text
LEAST = 3  # intervals; fewer have no course


def told(one, _):
    return one.timeline is not None and len(one.timeline[1]) >= LEAST


def draw(sheet, subject, strokes):
    from matplotlib.patches import Polygon

    contestants = subject.contestants
    largest = max(max(one.timeline[1]) for one in contestants)
    longest = max(len(one.timeline[1]) * one.timeline[0] for one in contestants)
    rate, time = units.Scale("bit/s", largest), units.Scale("s", longest)
    values, texts = units.linear_ticks(rate(largest), most=3)
    count = len(contestants)
    (axes,) = sheet.axes(
        height=(STRIP + GAP) * count - GAP, left=texts, right=sheet.name_width(contestants),
        xlabel=time.label("Time within the run"), ylabel=rate.label("Goodput"), title=subject.title,
        notes=subject.notes("The run with the median goodput."),
    )  # fmt: skip
    # All strips are one axes, each of them at a height of its own: axes are slow.
    limit = (largest or 1) * 1.05
    pitch = limit * (STRIP + GAP) / STRIP
    axes.set_xlim(0, longest or 1)
    axes.set_ylim(0, pitch * count - limit * GAP / STRIP)
    places, names = units.linear_ticks(time(longest), most=6)
    sheet.ticks(axes, "x", [place * time.factor for place in places], names)
    for row, one in enumerate(contestants):
        seconds, rates = one.timeline
        colour = strokes[one.label].colour
        base = pitch * (count - 1 - row)
        sheet.ticks(axes, "y", [base + value * rate.factor for value in values], texts)
        xs = [edge * seconds for at in range(len(rates)) for edge in (at, at + 1)]
        ys = [base + value for value in rates for _ in range(2)]
        outline = [(0, base), *zip(xs, ys), (xs[-1], base)]
        axes.add_artist(Polygon(outline, transform=axes.transData, facecolor=pale(colour), linewidth=0))
        sheet.line(axes, xs, ys, color=colour, linewidth=sheet.look.line * 0.8)
        sheet.line(axes, [0, longest], [base, base], color=INK, linewidth=sheet.look.line * 0.5, clip_on=False)
        sheet.label(axes, 1, base + limit / 2, sheet.name_width([one])[0], axes.get_yaxis_transform(),
                    right=0.4 * sheet.em, va="center_baseline")  # fmt: skip
    told_of = []
    for one in contestants:
        rates = sorted(one.timeline[1])
        told_of.append(f"{one.label} between {units.amount(rates[0], 'bit/s')} and {units.amount(rates[-1], 'bit/s')}")
    return rows.sentence(subject.title, told_of, subject.what.caption)


register(
    Kind(
        name="timeline",
        about="goodput over time within the median run of each contestant",
        needs=f"run with goodput in at least {LEAST} intervals",
        subjects=by_experiment("Goodput over time", told),
        draw=draw,
    )
)
