# SPDX-License-Identifier: BSD-2-Clause
"""A figure whose parts have their places before anything is drawn: axes, legend, and what stands under them.

Everything is measured in points here. matplotlib could find the places itself and draw axes, but takes longer for it than
for all the rest.
"""

from . import text
from .style import GRID, INK

PAD = 0.45  # between parts, in heights of the text


class Entry:
    """A line of the legend: a stroke's line and marker, or a filled patch."""

    def __init__(self, label, stroke=None, fill=None, hatch=None, edge=None, line=True, tick=False):
        self.label, self.stroke, self.fill, self.hatch, self.edge = label, stroke, fill, hatch, edge
        self.line, self.tick = line, tick


class Sheet:
    def __init__(self, look, fonts, width="column"):
        self.look = look
        self.em = look.text
        self.width = 72 * (look.wide if width == "wide" else look.column)
        self._regular, self._bold = fonts
        self.figure = None

    def measure(self, words, size=None, bold=False):
        return text.width(self._bold if bold else self._regular, size or self.look.text, words)

    def _wrapped(self, words, size, bold=False, most=6):
        return text.wrap(words, lambda line: self.measure(line, size, bold) <= self.width - self.em, most)

    def _name(self, words):
        """A name at the side of the axes, which takes at most two fifths of the width."""
        return text.shortened(words, lambda line: self.measure(line) <= self.width * 0.4)

    def _legend_rows(self, entries):
        """The entries in rows of one width, and the width of a column."""
        if not entries:
            return [], 0
        widest = max(self.measure(entry.label) for entry in entries) + 3.6 * self.em
        columns = max(1, min(len(entries), int((self.width - self.em) / widest)))
        rows = -(-len(entries) // columns)
        columns = -(-len(entries) // rows)
        return [entries[at * columns : (at + 1) * columns] for at in range(rows)], widest

    def axes(self, height, left, right=(), xlabel="", ylabel="", legend=(), title="", notes=(), columns=1,
             gap=1.2, keys=False):  # fmt: skip
        """Makes the figure; returns its axes, which stand side by side. `left` and `right` are the texts that will
        stand at their sides; `keys` leaves room for a marker beside each on the left."""
        from matplotlib.figure import Figure

        em, look = self.em, self.look
        title_lines = self._wrapped(title, em * 1.1, bold=True, most=2) if look.titled and title else []
        told = ([title] if title and not look.titled else []) + [note for note in notes if note]
        note_lines = [line for note in told for line in self._wrapped(note, look.small)]
        entries, entry_width = self._legend_rows(list(legend))

        before = max((self.measure(words) for words in left), default=0) + 0.7 * em
        before += (1.2 * em if keys else 0) + (1.5 * em if ylabel else 0.2 * em)
        after = max((self.measure(words) for words in right), default=0) + 0.8 * em

        parts = {
            "top": PAD * em + (len(title_lines) * 1.45 + 0.6 if title_lines else 0) * em,
            "plot": height * em,
            "ticks": 1.45 * em + (1.35 * em if xlabel else 0),
            "legend": len(entries) * 1.3 * em + (PAD * em if entries else 0),
            "notes": len(note_lines) * 1.22 * look.small + PAD * em,
        }
        total = sum(parts.values())
        self.figure = Figure(figsize=(self.width / 72, total / 72), dpi=72, facecolor="white")
        self.height = total

        bottom = parts["ticks"] + parts["legend"] + parts["notes"]
        panel = (self.width - before - after - (columns - 1) * gap * em) / columns
        made = []
        for column in range(columns):
            made.append(self._bare(before + column * (panel + gap * em), bottom, panel, height * em))
        self.panel = panel
        middle = before + (self.width - before - after) / 2
        if xlabel:
            self.text(middle, bottom - 2.45 * em, xlabel, ha="center")
        if ylabel:
            self.text(1.05 * em, bottom + parts["plot"] / 2, ylabel, ha="center", va="center", rotation=90,
                      rotation_mode="anchor")  # fmt: skip
        for index, line in enumerate(title_lines):
            self.text(em / 2, total - PAD * em - (index + 1) * 1.3 * em * 1.1 + 0.3 * em, line, fontsize=em * 1.1,
                      fontweight="bold")  # fmt: skip
        self._draw_legend(entries, entry_width, parts["notes"] + parts["legend"] - PAD * em)
        for index, line in enumerate(note_lines):
            self.text(em / 2, parts["notes"] - 0.25 * em - (index + 1) * 1.22 * look.small + 0.25 * look.small, line,
                      fontsize=look.small, color="#444444")  # fmt: skip
        return made

    def _bare(self, x, y, width, height):
        """Axes of which matplotlib draws nothing itself: its ticks alone would double the time of a figure."""
        axes = self.figure.add_axes((x / self.width, y / self.height, width / self.width, height / self.height))
        axes.set_axis_off()
        self.line(axes, [0, 0, 1], [1, 0, 0], transform=axes.transAxes, color=INK, linewidth=self.look.line * 0.5,
                  clip_on=False, zorder=2.5)  # fmt: skip
        return axes

    def line(self, axes, xs, ys, transform=None, **options):
        """As axes.plot(), which would look for limits that are known."""
        from matplotlib.lines import Line2D

        axes.add_artist(Line2D(xs, ys, transform=transform or axes.transData, **options))

    def bar(self, axes, row, length, start=0, height=0.68, **options):
        """A horizontal bar around `row`."""
        from matplotlib.patches import Rectangle

        box = Rectangle((start, row - height / 2), length, height, transform=axes.transData, **options)
        axes.add_artist(box)

    def label(self, axes, x, y, words, transform, right=0.0, up=0.0, **options):
        """A text at a place of the axes, moved by so many points."""
        from matplotlib.text import Text
        from matplotlib.transforms import ScaledTranslation

        moved = ScaledTranslation(right / 72, up / 72, self.figure.dpi_scale_trans)
        axes.add_artist(Text(x, y, words, transform=transform + moved, clip_on=False, **options))

    def text(self, x, y, words, **options):
        """At a place of the figure."""
        return self.figure.text(x / 72, y / 72, words, transform=self.figure.dpi_scale_trans, **options)

    def ticks(self, axes, axis, positions, texts, grid=True):
        """Exactly these, once scale and limits are set."""
        positions, em = list(positions), self.em
        across = axis == "x"
        transform = axes.get_xaxis_transform() if across else axes.get_yaxis_transform()

        def drawn(along, other, **options):
            xs, ys = (along, other) if across else (other, along)
            self.line(axes, xs, ys, transform=transform, clip_on=False, **options)

        if grid:
            gap = float("nan")
            along = [value for position in positions for value in (position, position, gap)]
            drawn(along, [0, 1, gap] * len(positions), color=GRID, linewidth=self.look.line * 0.4, zorder=0.5)
        drawn(positions, [0] * len(positions), color=INK, linestyle="none", marker=3 if across else 0,
              markersize=0.25 * em, markeredgewidth=self.look.line * 0.5)  # fmt: skip
        for position, words in zip(positions, texts):
            if words and across:
                # One at the end of an axis stays within the figure.
                x, half = transform.transform((position, 0))[0], self.measure(words) / 2
                moved = max(0, half - x) - max(0, x + half - self.width)
                self.label(axes, position, 0, words, transform, right=moved, up=-0.5 * em, ha="center", va="top")
            elif words:
                self.label(axes, 0, position, words, transform, right=-0.5 * em, ha="right", va="center_baseline")

    def names(self, axes, contestants, strokes):
        """The names of rows at the left, with the marker of each."""
        axes.set_ylim(len(contestants) - 0.5, -0.5)
        transform = axes.get_yaxis_transform()
        x = -0.75 * self.em / self.panel
        for row, one in enumerate(contestants):
            self.label(axes, 0, row, self._name(one.label), transform, right=-1.5 * self.em, ha="right",
                       va="center_baseline")  # fmt: skip
            self.line(axes, [x], [row], transform=transform, clip_on=False, **self.marked(strokes[one.label]))

    def marked(self, stroke, line=False, scale=1.0):
        """How matplotlib draws a stroke's marker, and its line if that is asked for."""
        return {
            "color": stroke.colour,
            "marker": stroke.marker,
            "markersize": self.look.marker * stroke.size * scale,
            "markerfacecolor": stroke.colour if stroke.filled else "white",
            "markeredgecolor": stroke.colour,
            "markeredgewidth": self.look.line * 0.6,
            "linestyle": stroke.line if line else "none",
            "linewidth": self.look.line,
        }

    def name_width(self, contestants):
        return [self._name(one.label) for one in contestants]

    def _draw_legend(self, rows, width, top):
        from matplotlib.lines import Line2D
        from matplotlib.patches import Rectangle

        em = self.em
        transform = self.figure.dpi_scale_trans
        for down, row in enumerate(rows):
            for across, entry in enumerate(row):
                x, y = em / 2 + across * width, top - (down + 0.5) * 1.3 * em
                x0, x1 = x, x + 2.1 * em
                if entry.tick:
                    ends = [(x0 + x1) / 144] * 2, [(y - 0.45 * em) / 72, (y + 0.45 * em) / 72]
                    self.figure.add_artist(Line2D(*ends, transform=transform, color=entry.fill, linewidth=self.look.line * 1.5))
                elif entry.stroke:
                    options = self.marked(entry.stroke, line=entry.line)
                    xs = [x0 / 72, (x0 + x1) / 144, x1 / 72]
                    line = Line2D(xs, [y / 72] * 3, transform=transform, markevery=[1], **options)
                    self.figure.add_artist(line)
                else:
                    box = (x0 / 72, (y - 0.4 * em) / 72), (x1 - x0) / 72, 0.8 * em / 72
                    patch = Rectangle(*box, transform=transform, facecolor=entry.fill, edgecolor=entry.edge,
                                      hatch=entry.hatch, linewidth=self.look.line * 0.5)  # fmt: skip
                    self.figure.add_artist(patch)
                self.text(x1 + 0.4 * em, y, entry.label, va="center_baseline")

