# SPDX-License-Identifier: BSD-2-Clause
"""What an experiment is judged by, most often goodput: every run, the median and its interval."""

from .. import units
from ..style import INK, pale
from . import Kind, by_experiment, register, rows


def main_figure(one, experiment):
    return one.figure(experiment.metric)


def draw(sheet, subject, strokes):
    experiment = subject.what
    figures = [main_figure(one, experiment) for one in subject.contestants]
    largest = max(
        max([figure.value, figure.high or 0, *one.runs]) for one, figure in zip(subject.contestants, figures)
    )
    scale = units.Scale(experiment.unit, largest)
    medians = [units.number(scale(figure.value)) for figure in figures]
    (axes,) = sheet.axes(
        height=1.9 * len(figures) + 0.4,
        left=sheet.name_width(subject.contestants), keys=True, right=medians,
        xlabel=scale.label(rows.metric_name(experiment.metric)),
        title=subject.title, notes=subject.notes("Bar and number: median; line: its interval; dots: runs."),
    )  # fmt: skip
    rows.zero_based(sheet, axes, largest, scale)
    sheet.names(axes, subject.contestants, strokes)
    for row, (one, figure) in enumerate(zip(subject.contestants, figures)):
        colour = strokes[one.label].colour
        sheet.bar(axes, row, figure.value, height=0.74, facecolor=pale(colour, 0.3), edgecolor=colour,
                  linewidth=sheet.look.line * 0.5)  # fmt: skip
        runs = one.runs
        # In the order in which they were made, so that a drift is seen.
        heights = [row + 0.27 * (2 * (at + 0.5) / len(runs) - 1) for at in range(len(runs))]
        sheet.line(axes, runs, heights, linestyle="none", marker="o", markersize=sheet.look.marker * 0.55, color=colour,
                  markeredgecolor="white", markeredgewidth=sheet.look.line * 0.3, zorder=5, clip_on=False)  # fmt: skip
        sheet.line(axes, [figure.value] * 2, [row - 0.37, row + 0.37], color=INK, linewidth=sheet.look.line * 1.4, zorder=4)
        rows.interval(sheet, axes, row, figure)
    rows.at_right(sheet, axes, medians)
    told = (
        f"{one.label} {units.amounts(figure.value, figure.low, figure.high, experiment.unit)}"
        for one, figure in zip(subject.contestants, figures)
    )
    return rows.sentence(subject.title, told, experiment.caption)


register(
    Kind(
        name="goodput",
        about="goodput (or what else the workload is judged by) by datapath: every run, median and interval",
        needs="contestant with a median",
        subjects=by_experiment(lambda experiment: f"{rows.metric_name(experiment.metric)} by datapath", main_figure),
        draw=draw,
    )
)
