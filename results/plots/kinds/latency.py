# SPDX-License-Identifier: BSD-2-Clause
"""Distributions of latency: the share of operations that took no longer, and the tail on HdrHistogram's scale."""

import math

from .. import units
from ..sheet import Entry
from . import Kind, Subject, register, rows, split

LEAST = 20  # samples; fewer are no distribution
BEYOND = 10  # samples that must lie beyond a percentile for it to be drawn
SPREAD = 30  # a larger ratio is drawn on a log axis


def total(pairs):
    return sum(count for _, count in pairs)


def subjects(what):
    def find(report):
        for experiment in report.experiments.values():
            for operation in sorted({name for one in experiment.contestants for name in one.operations}):
                drawn, missing = split(experiment, lambda one, of=operation: total(one.buckets(of)) >= LEAST)
                if drawn:
                    title = f"{what} of {operation}: {experiment.title}"
                    yield Subject(experiment, title, drawn, missing, operation)

    return find


def steps(pairs):
    """(ns, share of samples at or below), at every bucket, from zero."""
    whole, below, xs, ys = total(pairs), 0, [max(pairs[0][0], 1)], [0.0]
    for lowest, count in pairs:
        below += count
        xs.append(max(lowest, 1))
        ys.append(below / whole)
    return xs, ys


def at_share(pairs, share):
    """The percentile's bucket."""
    whole, below = total(pairs), 0
    for lowest, count in pairs:
        below += count
        if below >= share * whole:
            return lowest
    return pairs[-1][0]


def time_ticks(low, high, most):
    """Powers of ten, each with its own unit: one unit does not fit from nanoseconds to seconds."""
    ticks = units.log_ticks(low, high, most)
    return ticks, [units.tick(tick, "ns") for tick in ticks]


def legend_of(contestants, strokes, operation):
    return [Entry(f"{one.label} ({total(one.buckets(operation)):,})", strokes[one.label]) for one in contestants]


def tail_sentence(subject):
    told = []
    for one in subject.contestants:
        at = [(name, one.figure(f"latency.{key}", of=subject.part)) for name, key in
              (("median", "p50"), ("p99", "p99"), ("p99.9", "p999"))]  # fmt: skip
        texts = [f"{name} {units.amount(figure.value, 'ns')}" for name, figure in at if figure]
        told.append(f"{one.label} " + (", ".join(texts) or "too few samples for percentiles"))
    return rows.sentence(subject.title, told, subject.what.caption)


def marks(xs, count):
    """Where markers go along a line: evenly by position, not by point, since buckets are dense in places."""
    wanted = [xs[0] + (xs[-1] - xs[0]) * (at + 0.5) / count for at in range(count)]
    return sorted({min(range(len(xs)), key=lambda index: abs(xs[index] - x)) for x in wanted})


def draw_cdf(sheet, subject, strokes):
    curves = [steps(one.buckets(subject.part)) for one in subject.contestants]
    low = min(xs[0] for xs, _ in curves)
    # The last ten-thousandth would take most of the axis; it is what the other plot is for.
    high = max(at_share(one.buckets(subject.part), 0.9999) for one in subject.contestants)
    high = max(high, low * 1.5)
    (axes,) = sheet.axes(
        height=13, left=["100 %"], ylabel="Operations", xlabel="Latency",
        legend=legend_of(subject.contestants, strokes, subject.part), title=subject.title,
        notes=subject.notes("In brackets: samples."),
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(low * 0.9, high * 1.1)
    axes.set_ylim(0, 1.01)
    sheet.ticks(axes, "x", *time_ticks(low * 0.9, high * 1.1, 6))
    sheet.ticks(axes, "y", [0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    for at, (one, (xs, ys)) in enumerate(zip(subject.contestants, curves)):
        options = sheet.marked(strokes[one.label], line=True, scale=0.85)
        where = marks([share + at * 0.02 for share in ys], 5)
        sheet.line(axes, xs, ys, drawstyle="steps-post", markevery=where, **options)
    return tail_sentence(subject)


def tail(pairs):
    """(1 / (1 - q), ns) up to the last percentile that enough samples lie beyond."""
    whole, below, xs, ys = total(pairs), 0, [], []
    for lowest, count in pairs:
        # Before this bucket's samples `below` are shorter: that is where its value begins to hold.
        if whole - below < BEYOND:
            break
        xs.append(whole / (whole - below))
        ys.append(lowest)
        below += count
    xs.append(max(xs[-1], whole / BEYOND))
    ys.append(ys[-1])
    return xs, ys


def share_text(nines):
    return f"{100 * (1 - 10.0**-nines):.{max(0, nines - 2)}f} %"


def draw_percentiles(sheet, subject, strokes):
    curves = [tail(one.buckets(subject.part)) for one in subject.contestants]
    low, high = min(min(ys) for _, ys in curves), max(max(ys) for _, ys in curves)
    reach = max(max(xs) for xs, _ in curves)
    scale = units.Scale("ns", high)
    log = low > 0 and high / low > SPREAD
    if log:
        places, texts = time_ticks(low * 0.8, high * 1.25, 6)
    else:
        values, texts = units.linear_ticks(scale(high * 1.08))
        places = [value * scale.factor for value in values]
    (axes,) = sheet.axes(
        height=13, left=texts, right=["%"], xlabel="Percentile",
        ylabel="Latency" if log else scale.label("Latency"),
        legend=legend_of(subject.contestants, strokes, subject.part), title=subject.title,
        notes=subject.notes(f"In brackets: samples. Lines end where fewer than {BEYOND} samples lie beyond."),
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(1, max(reach, 11) * 1.05)
    if log:
        axes.set_yscale("log")
        axes.set_ylim(low * 0.8, high * 1.25)
    else:
        axes.set_ylim(0, (high or 1) * 1.08)
    nines = range(1, math.floor(math.log10(max(reach, 11) * 1.04)) + 1)
    sheet.ticks(axes, "x", [1, 2, *(10.0**nine for nine in nines)], ["0", "50 %", *map(share_text, nines)])
    sheet.ticks(axes, "y", places, texts)
    for at, (one, (xs, ys)) in enumerate(zip(subject.contestants, curves)):
        options = sheet.marked(strokes[one.label], line=True, scale=0.85)
        where = marks([math.log10(x) + at * 0.05 for x in xs], 5)
        sheet.line(axes, xs, ys, markevery=where, **options)
    return tail_sentence(subject)


NEEDS = f"operation with latencies of at least {LEAST} samples"
register(
    Kind("latency-cdf", "the share of operations by latency", NEEDS, subjects("Latency"), draw_cdf)
)
register(
    Kind("latency-percentiles", "latency by percentile, on HdrHistogram's scale (1 / (1 - q))", NEEDS,
         subjects("Percentiles of latency"), draw_percentiles)  # fmt: skip
)
