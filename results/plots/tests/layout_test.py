# SPDX-License-Identifier: BSD-2-Clause
"""Texts have room: none leaves its figure, and none lies on another."""

import unittest

import synthetic
from figures_test import KINDS
from plots import jobs, model, sheet, style


def boxes(figure):
    """(text, its box in points)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    shown = [found for found in figure.findobj(Text) if found.get_text().strip() and found.get_visible()]
    return [(found.get_text(), found.get_window_extent(canvas.get_renderer())) for found in shown]


def overlap(one, other):
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    up = min(one.y1, other.y1) - max(one.y0, other.y0)
    return across > 0.5 and up > 1.5


class Layout(unittest.TestCase):
    def check(self, look, twice):
        """One of each kind, and with `twice` one of each number of contestants."""
        report = model.Report(synthetic.report(singles=3, points=7, samples=200))
        fonts, rows = style.apply(look), style.strokes_of(report.names)
        seen = set()
        for job in jobs.found(report, KINDS):
            key = job.kind.name, twice and len(job.subject.contestants)
            if key in seen:
                continue
            seen.add(key)
            made = sheet.Sheet(look, fonts, job.kind.width)
            job.kind.draw(made, job.subject, {one.label: style.stroke(rows, one) for one in job.subject.contestants})
            found = boxes(made.figure)
            for at, (words, box) in enumerate(found):
                inside = box.x0 > -0.5 and box.y0 > -0.5 and box.x1 < made.width + 0.5 and box.y1 < made.height + 0.5
                self.assertTrue(inside, f"{job.id} {look.name}: '{words}' is cut")
                for others, other in found[at + 1 :]:
                    self.assertFalse(overlap(box, other), f"{job.id} {look.name}: '{words}' lies on '{others}'")

    def test_paper(self):
        self.check(style.LOOKS["paper"], True)

    def test_slides(self):
        self.check(style.LOOKS["slides"], False)
