# SPDX-License-Identifier: BSD-2-Clause
"""What moving costs the CPUs: per GiB where payload is moved in bulk, per operation elsewhere."""

from .. import units
from ..sheet import Entry
from ..style import INK, PARTS
from . import Kind, by_experiment, register, rows

# (name, figure): the parts of a bar. Softirq work is billed to no process; empty polls are part of what the user's
# part has, and are taken out of it.
PER_GIB = (("user", "cpu.user_per_gib"), ("system", "cpu.system_per_gib"), ("softirq", "cpu.softirq_per_gib"),
           ("empty polls", "cpu.empty_polls_per_gib"))  # fmt: skip
HATCHES = {"softirq": "....", "empty polls": "xxxx", "rest of the machine": "////"}


def parts_of(one, bulk):
    """Pairs (name, value), or nothing where it was not measured."""
    if bulk:
        found = {name: one.figure(figure) for name, figure in PER_GIB}
        if not found["user"] or not found["system"]:
            return []
        values = {name: figure.value for name, figure in found.items() if figure}
        values["user"] = max(0, values["user"] - values.get("empty polls", 0))
        return list(values.items())
    figures = [(party, one.figure("cpu.per_operation", party)) for party in one.parties("cpu.per_operation")]
    values = [(party, figure.value) for party, figure in figures if figure]
    machine = one.figure("cpu.machine_per_operation")
    if values and machine:
        values.append(("rest of the machine", max(0, machine.value - sum(value for _, value in values))))
    return values


def total_of(one, bulk):
    """The whole machine's, which has the interval."""
    return one.figure("cpu.machine_per_gib" if bulk else "cpu.machine_per_operation")


def legend_of(names):
    fills = {name: PARTS[at % len(PARTS)] for at, name in enumerate(names)}
    return fills, [Entry(name, fill=fill, edge=INK, hatch=HATCHES.get(name)) for name, fill in fills.items()]


def polls(one):
    """How often it looked and found nothing, where that is told as a count alone."""
    count = one.figure("empty_polls")
    counted = count and count.value >= 1 and not one.figure("cpu.empty_polls_per_gib")
    return f"{one.label} {units.number(count.value)}" if counted else None


def draw(sheet, subject, strokes):
    contestants, bulk = subject.contestants, subject.what.bulk
    parts = [parts_of(one, bulk) for one in contestants]
    names = list(dict.fromkeys(name for row in parts for name, _ in row))
    order = [name for name, _ in PER_GIB] + ["sender", "receiver"]
    names.sort(key=lambda name: (order.index(name) if name in order else len(order), name == "rest of the machine"))
    fills, legend = legend_of(names)
    sums = [sum(value for _, value in row) for row in parts]
    totals = [total_of(one, bulk) for one in contestants]
    if any(totals):
        legend.append(Entry("whole machine", fill=INK, tick=True))
    unit = "s/GiB" if bulk else "us"
    largest = max([*sums, *(max(total.value, total.high or 0) for total in totals if total)])
    scale = units.Scale(unit, largest)
    texts = [units.number(scale(value)) for value in sums]
    polled = [told for told in map(polls, contestants) if told]
    notes = ["Number: sum of the parts."] + (["Empty polls per run: " + ", ".join(polled) + "."] if polled else [])
    (axes,) = sheet.axes(
        height=1.7 * len(contestants) + 0.4,
        left=sheet.name_width(contestants), keys=True, right=texts,
        xlabel=scale.label("CPU time" if bulk else "CPU time per operation"), legend=legend,
        title=subject.title,
        notes=subject.notes(*notes),
    )  # fmt: skip
    rows.zero_based(sheet, axes, largest, scale)
    sheet.names(axes, contestants, strokes)
    for row, (values, total) in enumerate(zip(parts, totals)):
        start = 0
        for name, value in sorted(values, key=lambda pair: names.index(pair[0])):
            sheet.bar(axes, row, value, start, facecolor=fills[name], edgecolor=INK,
                      hatch=HATCHES.get(name), linewidth=sheet.look.line * 0.5)  # fmt: skip
            start += value
        if total:
            sheet.line(axes, [total.value] * 2, [row - 0.46, row + 0.46], color=INK, linewidth=sheet.look.line * 1.5, zorder=4)
            rows.interval(sheet, axes, row, total)
    rows.at_right(sheet, axes, texts)
    told = []
    for one, values, total in zip(contestants, parts, sums):
        split = ", ".join(f"{name} {units.amount(value, unit)}" for name, value in values if value > 0)
        told.append(f"{one.label} {units.amount(total, unit)} ({split})")
    return rows.sentence(subject.title, told, subject.what.caption)


register(
    Kind(
        name="cpu",
        about="CPU per GiB, stacked into user, system, softirq and empty polls; per operation where little is moved",
        needs="contestant whose CPU time was measured",
        subjects=by_experiment(
            lambda experiment: f"CPU per {'GiB' if experiment.bulk else 'operation'}",
            lambda one, experiment: parts_of(one, experiment.bulk),
        ),
        draw=draw,
    )
)
