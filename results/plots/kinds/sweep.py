# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of a figure while one setting changes: size, loss, clients, offered load, or any other."""

from .. import units
from ..sheet import Entry
from . import Kind, Subject, register, rows

SPREAD = 30  # a larger ratio of values is drawn on a log axis
PERCENTILES = (("latency.p50", "median"), ("latency.p99", "p99"))
# Which kind a swept setting belongs to, by a part of its name.
BY_NAME = (("size", "size"), ("loss", "loss"), ("reorder", "loss"), ("clients", "scaling"), ("queues", "scaling"))


def kind_of(sweep):
    return next((kind for part, kind in BY_NAME if part in sweep.name), "sweep")


def words(name):
    """A setting as the label of an axis."""
    told = name.split(".")[-1].replace("_", " ").replace("-", " ")
    return {"mtu": "MTU", "rate": "Offered load (operations per second)"}.get(told, told.capitalize())


def series(sweep, figure_of):
    """For each contestant of any point, by label: itself as it is first met, and its (x, figure) where it has one."""
    found = {}
    for x, _, experiment in sweep.points:
        for one in experiment.contestants:
            figure = figure_of(one, experiment)
            entry = found.setdefault(one.label, (one, []))
            if figure:
                entry[1].append((x, figure))
    return found


def subject_of(sweep, title, figure_of, part=""):
    found = series(sweep, figure_of)
    drawn = tuple(one for one, points in found.values() if points)
    missing = tuple(label for label, (_, points) in found.items() if not points)
    enough = len({x for _, points in found.values() for x, _ in points}) >= 2
    return Subject(sweep, title, drawn, missing, part) if enough else None


def metric_of(one, experiment):
    return one.figure(experiment.metric)


def subjects(kind):
    def find(report):
        for sweep in report.sweeps.values():
            if kind_of(sweep) == kind and sweep.points and len({one.metric for one in sweep.experiments}) == 1:
                subject = subject_of(sweep, sweep.title, metric_of)
                if subject:
                    yield subject

    return find


def load_subjects(report):
    """Latency of each operation, where the workload is judged by operations: against load or whatever is swept."""
    for sweep in report.sweeps.values():
        if any(one.bulk for one in sweep.experiments):
            continue
        names = {name for one in sweep.experiments for c in one.contestants for name in c.operations}
        for operation in sorted(names):
            title = f"Latency of {operation}: {sweep.title}"
            subject = subject_of(sweep, title, lambda one, _: one.figure("latency.p50", of=operation), operation)
            if subject:
                yield subject


def axis_of_values(sheet, figures, unit):
    """Whether it is a log axis, its limits, the places of its ticks, their texts and the scale."""
    tops = [max(figure.value, figure.high or 0) for figure in figures]
    lows = [figure.value if figure.low is None or figure.low <= 0 else figure.low for figure in figures]
    top, low = max(tops), min(lows)
    scale = units.Scale(unit, top)
    if low > 0 and top / low > SPREAD:
        places = units.log_ticks(low * 0.8, top * 1.25, 6)
        own = unit in ("ns", "us", "s")
        texts = [units.tick(place, unit) if own else units.brief(scale(place)) for place in places]
        return True, (low * 0.8, top * 1.25), places, texts, None if own else scale
    values, texts = units.linear_ticks(scale(top * 1.06))
    return False, (0, (top or 1) * 1.06), [value * scale.factor for value in values], texts, scale


def axis_of_setting(sheet, axes, sweep):
    """Ticks at the points that were measured, as many as have room."""
    xs, labels = [x for x, _, _ in sweep.points], [label for _, label, _ in sweep.points]
    if sweep.log:
        axes.set_xscale("log", base=2 if sweep.x_unit == "B" else 10)
        margin = (xs[-1] / xs[0]) ** 0.04 if xs[-1] > xs[0] else 2
        left, right = xs[0] / margin, xs[-1] * margin
    else:
        margin = (xs[-1] - xs[0]) * 0.04 or 0.5
        left, right = xs[0] - margin, xs[-1] + margin
    axes.set_xlim(left, right)
    place = axes.transAxes.inverted().transform
    at = [sheet.panel * place(axes.transData.transform((x, 1)))[0] for x in xs]
    kept, end = [], -sheet.width
    for index, label in enumerate(labels):
        half = sheet.measure(label) / 2
        if at[index] - half >= end:
            kept.append(index)
            end = at[index] + half + 0.5 * sheet.em
    sheet.ticks(axes, "x", [xs[index] for index in kept], [labels[index] for index in kept])


def draw_lines(sheet, axes, found, strokes):
    """Lines with markers at the medians; intervals as thin bars."""
    for label, (_, points) in found.items():
        if points:
            stroke = strokes[label]
            xs, ys = [x for x, _ in points], [figure.value for _, figure in points]
            for x, figure in points:
                if figure.low is not None:
                    sheet.line(axes, [x, x], [figure.low, figure.high], color=stroke.colour,
                               linewidth=sheet.look.line * 0.7, zorder=2)  # fmt: skip
            sheet.line(axes, xs, ys, zorder=3, **sheet.marked(stroke, line=True))


def sentence(subject, found, unit):
    told = []
    for label, (_, points) in found.items():
        if points:
            names = {x: name for x, name, _ in subject.what.points}
            ends = [points[0], points[-1]] if len(points) > 1 else points
            told.append(f"{label} " + ", ".join(f"{units.amount(f.value, unit)} at {names[x]}" for x, f in ends))
    return rows.sentence(subject.title, told, subject.what.caption)


def in_order(subject, found):
    """The same contestants in the order of datapaths."""
    first = subject.experiments[0]
    return dict(sorted(found.items(), key=lambda pair: first.place_of(pair[1][0])))


def draw(sheet, subject, strokes):
    sweep, first = subject.what, subject.experiments[0]
    found = in_order(subject, series(sweep, metric_of))
    figures = [figure for _, points in found.values() for _, figure in points]
    log, limits, places, texts, scale = axis_of_values(sheet, figures, first.unit)
    name = rows.metric_name(first.metric)
    (axes,) = sheet.axes(
        height=14, left=texts, xlabel=words(sweep.name), ylabel=scale.label(name) if scale else name,
        legend=[Entry(label, strokes[label]) for label, (_, points) in found.items() if points],
        title=subject.title, notes=subject.notes(),
    )  # fmt: skip
    if log:
        axes.set_yscale("log")
    axes.set_ylim(limits)
    axis_of_setting(sheet, axes, sweep)
    sheet.ticks(axes, "y", places, texts)
    draw_lines(sheet, axes, found, strokes)
    return sentence(subject, found, first.unit)


def draw_load(sheet, subject, strokes):
    sweep, operation = subject.what, subject.part
    panels = []
    for figure_name, title in PERCENTILES:
        found = series(sweep, lambda one, _, name=figure_name: one.figure(name, of=operation))
        panels.append((title, in_order(subject, found)))
    panels = [(title, found) for title, found in panels if any(points for _, points in found.values())]
    figures = [figure for _, found in panels for _, points in found.values() for _, figure in points]
    log, limits, places, texts, scale = axis_of_values(sheet, figures, "ns")
    labels = [label for label, (_, points) in panels[0][1].items() if points]
    all_axes = sheet.axes(
        height=13, columns=len(panels), left=texts, ylabel=scale.label("Latency") if scale else "Latency",
        xlabel=words(sweep.name),
        legend=[Entry(label, strokes[label]) for label in labels], title=subject.title,
        notes=subject.notes("The same axes left and right." if len(panels) > 1 else ""),
    )  # fmt: skip
    for index, (axes, (title, found)) in enumerate(zip(all_axes, panels)):
        if log:
            axes.set_yscale("log")
        axes.set_ylim(limits)
        axis_of_setting(sheet, axes, sweep)
        sheet.ticks(axes, "y", places, texts if index == 0 else [""] * len(texts))
        draw_lines(sheet, axes, found, strokes)
        sheet.label(axes, 0.03, 0.97, title, axes.transAxes, va="top", fontweight="bold")
    return sentence(subject, panels[0][1], "ns")


for _kind, _about, _of in (
    ("size", "goodput (or what else the workload is judged by) against a size", "a size"),
    ("loss", "the same under loss or reordering", "loss or reordering"),
    ("scaling", "the same with more clients or queues", "clients or queues"),
    ("sweep", "the same against any other setting", "another setting"),
):
    _needs = f"sweep over {_of} with two points that have a figure"
    register(Kind(_kind, _about, _needs, subjects(_kind), draw))
register(
    Kind(
        name="load",
        about="latency against offered load, or against what else is swept: median and 99th percentile",
        needs="sweep of a workload of operations, with two points that have latencies",
        subjects=load_subjects,
        draw=draw_load,
        width="wide",
    )
)
