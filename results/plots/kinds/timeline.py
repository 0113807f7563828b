# SPDX-License-Identifier: BSD-2-Clause
"""Goodput over time within the median run: a strip for each contestant, all with the same axes."""

from .. import units
from . import Kind, by_experiment, register, rows
from ..style import pale

LEAST = 3  # intervals; fewer have no course


def told(one, _):
    return one.timeline is not None and len(one.timeline[1]) >= LEAST


def draw(sheet, subject, strokes):
    contestants = subject.contestants
    largest = max(max(one.timeline[1]) for one in contestants)
    longest = max(len(one.timeline[1]) * one.timeline[0] for one in contestants)
    rate, time = units.Scale("bit/s", largest), units.Scale("s", longest)
    values, texts = units.linear_ticks(rate(largest), most=3)
    strips = sheet.axes(
        height=2.4, gap=0.9, rows=len(contestants), left=texts, right=sheet.name_width(contestants),
        xlabel=time.label("Time within the run"), ylabel=rate.label("Goodput"), title=subject.title,
        notes=subject.notes("The run with the median goodput."),
    )  # fmt: skip
    for axes, one in zip(strips, contestants):
        seconds, rates = one.timeline
        stroke = strokes[one.label]
        edges = [index * seconds for index in range(len(rates) + 1)]
        axes.stairs(rates, edges, fill=True, color=pale(stroke.colour, 0.35))
        axes.stairs(rates, edges, color=stroke.colour, linewidth=sheet.look.line * 0.8)
        axes.set_xlim(0, longest)
        axes.set_ylim(0, (largest or 1) * 1.05)
        last = axes is strips[-1]
        places, names = units.linear_ticks(time(longest), most=6)
        places = [place * time.factor for place in places]
        sheet.ticks(axes, "x", places, names if last else [""] * len(names))
        sheet.ticks(axes, "y", [value * rate.factor for value in values], texts)
        axes.annotate(sheet.name_width([one])[0], (1, 0.5), xycoords="axes fraction", xytext=(0.4 * sheet.em, 0),
                      textcoords="offset points", va="center_baseline", annotation_clip=False)  # fmt: skip
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
