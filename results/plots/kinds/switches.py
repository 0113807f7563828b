# SPDX-License-Identifier: BSD-2-Clause
"""Mode switches per MiB of payload, which span decades: a point has no length that could mislead on a log axis."""

from .. import units
from ..sheet import Entry
from ..style import QUIET, Stroke
from . import Kind, by_experiment, register, rows

NAME = "mode_switches_per_mib"


def points(one):
    """Pairs (party, figure): of each party, or of all of them where there is no more."""
    found = [(party, one.figure(NAME, party)) for party in one.parties(NAME)]
    return [(party, figure) for party, figure in found if figure] or (
        [("all", one.figure(NAME))] if one.figure(NAME) else []
    )


def draw(sheet, subject, strokes):
    contestants = subject.contestants
    parties = list(dict.fromkeys(party for one in contestants for party, _ in points(one)))
    values = [figure.value for one in contestants for _, figure in points(one)]
    positive = [value for value in values if value > 0] or [1]
    low, high = min(positive) / 1.6, max(positive) * 1.6
    if high / low < 30:
        low, high = low / 3, high * 3
    zero = low / 4  # where "none at all" stands, left of the axis's break
    with_zero = any(value == 0 for value in values)
    fills = {party: index == 0 for index, party in enumerate(parties)}
    legend = [Entry(party, Stroke(QUIET, "o", 1.1, "-", filled), line=False) for party, filled in fills.items()]
    totals = [one.figure(NAME) for one in contestants]
    texts = [units.number(total.value) if total else "" for total in totals]
    (axes,) = sheet.axes(
        height=1.6 * len(contestants) + 0.4,
        left=sheet.name_width(contestants), keys=True, right=texts,
        xlabel="Mode switches per MiB", legend=legend if len(parties) > 1 else (),
        title=subject.title, notes=subject.notes("Number: all parties."),
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(zero / 2 if with_zero else low, high)
    ticks = units.log_ticks(low, high, most=6)
    names = [units.brief(tick) for tick in ticks]
    if with_zero:
        sheet.line(axes, [low / 1.4] * 2, [0, 1], axes.get_xaxis_transform(), color=QUIET,
                   linewidth=sheet.look.line * 0.6, linestyle=(0, (1, 2)))  # fmt: skip
    sheet.ticks(axes, "x", [zero, *ticks] if with_zero else ticks, ["0", *names] if with_zero else names)
    sheet.names(axes, contestants, strokes)
    for row, one in enumerate(contestants):
        stroke = strokes[one.label]
        at = [max(figure.value, 0) or zero for _, figure in points(one)]
        sheet.line(axes, [min(at), max(at)], [row, row], color=stroke.colour, linewidth=sheet.look.line * 0.7)
        for x, (party, _) in zip(at, points(one)):
            look = Stroke(stroke.colour, "o", 1.1, "-", fills[party])
            sheet.line(axes, [x], [row], zorder=3 if fills[party] else 2.5, **sheet.marked(look))
    rows.at_right(sheet, axes, texts)
    told = (
        f"{one.label} " + ", ".join(f"{party} {units.number(figure.value)}" for party, figure in points(one))
        for one in contestants
    )
    return rows.sentence(subject.title, told, subject.what.caption)


register(
    Kind(
        name="switches",
        about="mode switches per MiB of each party, on a log axis",
        needs="contestant whose mode switches were counted and that moved payload",
        subjects=by_experiment("Mode switches per MiB", lambda one, _: points(one)),
        draw=draw,
    )
)
