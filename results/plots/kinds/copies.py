# SPDX-License-Identifier: BSD-2-Clause
"""Copies per byte of payload, stacked by side and place, hatched by how they are known."""

from .. import units
from ..sheet import Entry
from ..style import GRADE_HATCHES, INK, SIDES
from . import Kind, by_experiment, register, rows

# Roles without colours of their own take these, in order.
MORE = ("#6A6A6A", "#CFCFCF", "#3F6F4F", "#BFDFC8")


def segments(one):
    """Pairs ((party, place), figure), in the model's order of parties."""
    found = ((party, place) for party in one.parties("copies") for place in ("kernel", "user"))
    return [(key, one.figure("copies", *key)) for key in found if one.figure("copies", *key)]


def light(colour):
    return sum(int(colour[at : at + 2], 16) for at in (1, 3, 5)) > 380


def colours_of(contestants):
    keys = dict.fromkeys(key for one in contestants for key, _ in segments(one))
    strange = [key for key in keys if key not in SIDES]
    return {key: SIDES.get(key) or MORE[strange.index(key) % len(MORE)] for key in keys}


def modelled(one):
    """What the datapath's model says, where that differs from what was measured."""
    total, model = one.figure("copies"), one.figure("copies.modelled")
    differs = total and model and abs(total.value - model.value) > 0.05 * max(total.value, model.value, 0.1)
    return model.value if differs else None


def total_of(one):
    told = one.figure("copies")
    return told.value if told else sum(figure.value for _, figure in segments(one))


def draw(sheet, subject, strokes):
    contestants = subject.contestants
    totals = [total_of(one) for one in contestants]
    colours = colours_of(contestants)
    grades = {figure.grade for one in contestants for _, figure in segments(one) if figure.value > 0}
    drawn = {key for one in contestants for key, figure in segments(one) if figure.value > 0}
    legend = [Entry(f"{party}, {place}", fill=colours[party, place], edge=INK) for party, place in colours
              if (party, place) in drawn]  # fmt: skip
    legend += [Entry(grade, fill="white", edge=INK, hatch=hatch) for grade, hatch in GRADE_HATCHES.items() if grade in grades]
    models = [modelled(one) for one in contestants]
    if any(model is not None for model in models):
        legend.append(Entry("model, where it differs", fill=INK, tick=True))
    texts = [f"{total:.2f}" for total in totals]
    (axes,) = sheet.axes(
        height=1.7 * len(contestants) + 0.4,
        left=sheet.name_width(contestants), keys=True, right=texts,
        xlabel="Copies per byte of payload", legend=legend,
        title=subject.title, notes=subject.notes(),
    )  # fmt: skip
    largest = max([*totals, *(model or 0 for model in models)])
    rows.zero_based(sheet, axes, largest, units.Scale("B/B", largest))
    sheet.names(axes, contestants, strokes)
    for row, one in enumerate(contestants):
        start = 0
        for key, figure in segments(one):
            colour = colours[key]
            # Once filled and hatched, once outlined: the hatch takes its colour from the edge.
            hatch = GRADE_HATCHES.get(figure.grade)
            if figure.value > 0:
                sheet.bar(axes, row, figure.value, start, facecolor=colour, hatch=hatch, linewidth=0,
                          edgecolor=INK if light(colour) else "white")  # fmt: skip
                sheet.bar(axes, row, figure.value, start, fill=False, edgecolor=INK, linewidth=sheet.look.line * 0.5)
            start += figure.value
        if models[row] is not None:
            sheet.line(axes, [models[row]] * 2, [row - 0.48, row + 0.48], color=INK, linewidth=sheet.look.line * 1.5, zorder=4)
    rows.at_right(sheet, axes, texts)
    told = []
    for one, text in zip(contestants, texts):
        parts = ", ".join(f"{party} {place} {figure.value:.2f} {figure.grade}"
                          for (party, place), figure in segments(one) if figure.value > 0)  # fmt: skip
        told.append(f"{one.label} {text}" + (f" ({parts})" if parts else ""))
    return rows.sentence(subject.title, told, subject.what.caption)


register(
    Kind(
        name="copies",
        about="copies per byte, stacked by side and place, hatched by grade",
        needs="contestant whose copies are known",
        subjects=by_experiment("Copies per byte", lambda one, _: segments(one)),
        draw=draw,
    )
)
