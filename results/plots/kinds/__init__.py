# SPDX-License-Identifier: BSD-2-Clause
"""The kinds of plots. Each file here registers its own; nothing else knows them by name."""

import dataclasses
import importlib
import pkgutil
from typing import Callable

KINDS = {}


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    about: str  # what is drawn, for people who choose
    needs: str  # what a record must have for it, as the end of "there is no …"
    subjects: Callable  # of a report: what there is to draw, as Subjects
    draw: Callable  # (sheet, subject, strokes): draws one, and returns its alternative text
    width: str = "column"  # or "wide"


@dataclasses.dataclass(frozen=True)
class Subject:
    """What one figure is of. `what` is an experiment or a sweep."""

    what: object
    title: str
    contestants: tuple  # those that are drawn
    missing: tuple = ()  # names of those that ran and have nothing to draw
    part: str = ""  # the operation, where there is a figure for each

    @property
    def experiments(self):
        return getattr(self.what, "experiments", [self.what])

    @property
    def left_out(self):
        """Sentences about whom the figure does not show."""
        states = {}
        for experiment in self.experiments:
            for label, status in experiment.left_out:
                states.setdefault(status, set()).add(label)
        drawn = {one.label for one in self.contestants}
        told = []
        for status, words in (("failed", "Failed"), ("unavailable", "Cannot run here")):
            labels = states.get(status, set())
            whole, at_times = sorted(labels - drawn), sorted(labels & drawn)
            told += [f"{words}: {', '.join(whole)}."] if whole else []
            told += [f"{words} at some points: {', '.join(at_times)}."] if at_times else []
        if self.missing:
            told.append(f"Not measured: {', '.join(self.missing)}.")
        return told

    def notes(self, *more):
        """What stands under the figure, besides its title."""
        noisy = any(experiment.record.get("noisy") for experiment in self.experiments)
        noise = ["Measured on a noisy machine."] if noisy and "noisy" not in self.what.caption else []
        return [self.what.caption, " ".join([*more, *noise, *self.left_out])]


def register(kind):
    KINDS[kind.name] = kind


def load():
    """All kinds, by name."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(KINDS.items()))


def split(experiment, has):
    """(contestants that have something to draw, names of the others)."""
    having = [(one, bool(has(one))) for one in experiment.contestants]
    return tuple(one for one, yes in having if yes), tuple(one.label for one, yes in having if not yes)


def by_experiment(title, has, least=1):
    """Finds the experiments of which at least so many contestants have something to draw; `title` is a text, or told
    by the experiment, and `has` is asked of a contestant and its experiment."""

    def find(report):
        for experiment in report.experiments.values():
            drawn, missing = split(experiment, lambda one, of=experiment: has(one, of))
            if len(drawn) >= least:
                what = title(experiment) if callable(title) else title
                yield Subject(experiment, f"{what}: {experiment.title}", drawn, missing)

    return find
