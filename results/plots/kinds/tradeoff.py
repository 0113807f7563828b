# SPDX-License-Identifier: BSD-2-Clause
"""What is reached against what it costs: a point per contestant; up and to the left is better."""

from .. import units
from ..sheet import Entry
from ..style import QUIET
from . import Kind, Subject, register, rows

COSTS = (("cpu.machine_per_gib", "s/GiB", "CPU of the whole machine"), ("cpu.per_gib", "s/GiB", "CPU of the processes"))
COSTS_OF_OPERATIONS = (
    ("cpu.machine_per_operation", "us", "CPU of the whole machine per operation"),
    ("cpu.per_operation", "us", "CPU of the processes per operation"),
)


def cost_of(experiment):
    """The first cost that at least two contestants have, as all others do that are drawn."""
    for cost in COSTS if experiment.bulk else COSTS_OF_OPERATIONS:
        drawn = [one for one in experiment.contestants if one.figure(cost[0]) and one.figure(experiment.metric)]
        if len(drawn) >= 2:
            return cost, tuple(drawn)
    return None, ()


def subjects(report):
    for experiment in report.experiments.values():
        if experiment.metric in ("goodput", "operations"):
            _, drawn = cost_of(experiment)
            if drawn:
                missing = tuple(one.label for one in experiment.contestants if one not in drawn)
                title = f"{rows.metric_name(experiment.metric)} against CPU: {experiment.title}"
                yield Subject(experiment, title, drawn, missing)


def draw(sheet, subject, strokes):
    experiment = subject.what
    (name, unit, words), _ = cost_of(experiment)
    points = [(one, one.figure(name), one.figure(experiment.metric)) for one in subject.contestants]
    right = max(max(cost.value, cost.high or 0) for _, cost, _ in points)
    top = max(max(gain.value, gain.high or 0) for _, _, gain in points)
    across, up = units.Scale(unit, right), units.Scale(experiment.unit, top)
    values, texts = units.linear_ticks(up(top * 1.08))
    (axes,) = sheet.axes(
        height=14, left=texts, xlabel=across.label(words), ylabel=up.label(rows.metric_name(experiment.metric)),
        legend=[Entry(one.label, strokes[one.label], line=False) for one in subject.contestants],
        title=subject.title, notes=subject.notes("Points: medians; lines: their intervals."),
    )  # fmt: skip
    rows.zero_based(sheet, axes, right, across, room=1.08)
    axes.set_ylim(0, (top or 1) * 1.08)
    sheet.ticks(axes, "y", [value * up.factor for value in values], texts)
    for one, cost, gain in points:
        stroke = strokes[one.label]
        line = {"color": stroke.colour, "linewidth": sheet.look.line * 0.8, "zorder": 2}
        if cost.low is not None:
            sheet.line(axes, [cost.low, cost.high], [gain.value] * 2, **line)
        if gain.low is not None:
            sheet.line(axes, [cost.value] * 2, [gain.low, gain.high], **line)
        sheet.line(axes, [cost.value], [gain.value], zorder=3, clip_on=False, **sheet.marked(stroke, scale=1.35))
    axes.annotate("better", (0.02, 0.97), (0.14, 0.85), xycoords="axes fraction", color=QUIET, va="center_baseline",
                  arrowprops={"arrowstyle": "->", "color": QUIET, "linewidth": sheet.look.line * 0.8})  # fmt: skip
    told = (
        f"{one.label} {units.amount(gain.value, experiment.unit)} at {units.amount(cost.value, unit)}"
        for one, cost, gain in points
    )
    return rows.sentence(subject.title, told, experiment.caption)


register(
    Kind(
        name="tradeoff",
        about="goodput against CPU per GiB (or operations against CPU per operation): a point per datapath",
        needs="experiment with two contestants whose rate and CPU time are known",
        subjects=subjects,
        draw=draw,
    )
)
