# SPDX-License-Identifier: BSD-2-Clause
"""report.json as the kinds of plots see it."""

import functools
import json
import sys
from typing import NamedTuple, Optional

from . import shape
from .fault import Fault
from .text import plain

SCHEMA = "waggle-report/"
VERSION = "1"


class Figure(NamedTuple):
    value: float
    low: Optional[float]
    high: Optional[float]
    n: Optional[int]
    grade: Optional[str]
    unit: str


class Contestant:
    """One row of an experiment."""

    def __init__(self, raw):
        self._raw = raw
        self.label = plain(raw["label"])
        self.sender = raw.get("sender") or self.label
        self.receiver = raw.get("receiver") or self.sender
        self.ok = raw.get("status", "ok") == "ok"

    @functools.cached_property
    def _figures(self):
        rows = {}
        for row in self._raw.get("figures") or []:
            if row.get("value") is not None:
                key = (row["name"], row.get("party"), row.get("place"), row.get("of") or "")
                low, high = row.get("low"), row.get("high")
                low, high = (low, high) if low is not None and high is not None else (None, None)
                rows[key] = Figure(row["value"], low, high, row.get("n"), row.get("grade"), row.get("unit") or "")
        return rows

    def figure(self, name, party=None, place=None, of=""):
        """The figure, or None where it was not measured."""
        return self._figures.get((name, party, place, of)) if self.ok else None

    def parties(self, name):
        """The parties that have this figure, each once, in the model's order."""
        return list(dict.fromkeys(key[1] for key in self._figures if key[0] == name and key[1])) if self.ok else []

    @property
    def runs(self):
        """The value of each counted run, in their order."""
        return [run["value"] for run in self._raw.get("runs") or [] if run.get("value") is not None]

    @property
    def timeline(self):
        """(seconds of an interval, rate in each), or None."""
        told = self._raw.get("timeline")
        return (told["interval_s"], told["rate"]) if self.ok and told and told["interval_s"] > 0 else None

    def buckets(self, operation):
        """Pairs (lowest value in ns, samples), ascending."""
        told = (self._raw.get("latency") or {}).get(operation) if self.ok else None
        pairs = [pair for pair in (told or {}).get("buckets") or [] if len(pair) == 2 and pair[1] > 0]
        return sorted((lowest, count) for lowest, count in pairs)

    @property
    def operations(self):
        return sorted(self._raw.get("latency") or {}) if self.ok else []


class Experiment:
    """Contestants over one link: what may share an axis."""

    def __init__(self, raw, report):
        self.id = raw["id"]
        self.link = raw["link"]
        self.title = plain(raw.get("title") or raw["id"])
        self.caption = plain(raw.get("caption") or "")
        self.metric = raw["metric"]["name"]
        self.unit = raw["metric"].get("unit") or ""
        self.bulk = bool(raw.get("bulk"))
        self.record = report.records.get(raw.get("record"), {})
        self._raw = raw
        self._order = report.order

    @functools.cached_property
    def contestants(self):
        """In the order of datapaths, which is the same in every report; all of those that ran."""
        told = [Contestant(raw) for raw in self._raw["contestants"]]
        return sorted((one for one in told if one.ok), key=self.place_of)

    def place_of(self, one):
        far = len(self._order)
        receiver = self._order.get(one.receiver, far) if one.label != one.sender else -1
        return (self._order.get(one.sender, far), receiver, one.label)

    @property
    def left_out(self):
        """Pairs (label, status) of contestants without any figure, each once."""
        rows = [raw for raw in self._raw["contestants"] if raw.get("status", "ok") != "ok"]
        rows += self._raw.get("unavailable") or []
        return sorted({plain(raw["label"]): raw.get("status") or "unavailable" for raw in rows}.items())


class Sweep:
    """Experiments that differ in one setting, over one link."""

    def __init__(self, raw, report):
        self.id = raw["id"]
        self.link = raw["link"]
        self.title = plain(raw.get("title") or raw["id"])
        self.caption = plain(raw.get("caption") or "")
        self.name = raw["x"]["name"]
        self.x_unit = raw["x"].get("unit") or ""
        self.log = bool(raw["x"].get("log"))
        self.points = []
        for point in raw["points"]:
            experiment = report.experiments.get(point["experiment"])
            if experiment is None:
                raise Fault(f"the sweep {self.id} names an experiment that is not there: {point['experiment']}")
            if experiment.link != self.link:
                raise Fault(f"the sweep {self.id} is over {self.link}, but {experiment.id} over {experiment.link}; "
                            "links never share an axis")
            label = point.get("label")
            self.points.append((point["x"], plain(str(point["x"]) if label is None else label), experiment))
        if all(not isinstance(x, str) for x, _, _ in self.points):
            self.points.sort(key=lambda point: point[0])
        else:  # words, in the order in which they were told
            self.log = False
            self.points = [(index, label, experiment) for index, (_, label, experiment) in enumerate(self.points)]
        self.words = any(isinstance(point["x"], str) for point in raw["points"])
        if self.log and self.points and self.points[0][0] <= 0:
            self.log = False

    @property
    def experiments(self):
        return [experiment for _, _, experiment in self.points]


class Report:
    def __init__(self, raw):
        self.datapaths = raw["datapaths"]
        self.order = {name: index for index, name in reversed(list(enumerate(self.datapaths)))}
        self.records = {record["id"]: record for record in raw.get("records") or []}
        self.experiments = {one["id"]: Experiment(one, self) for one in raw["experiments"]}
        if len(self.experiments) != len(raw["experiments"]):
            raise Fault("two experiments have one id")
        self.sweeps = {one["id"]: Sweep(one, self) for one in raw.get("sweeps") or []}

    @functools.cached_property
    def names(self):
        """All datapaths: those of the model's list, then others that contestants name."""
        found = {name for one in self.experiments.values() for c in one.contestants for name in (c.sender, c.receiver)}
        return list(self.datapaths) + sorted(found - set(self.datapaths))


def read(path):
    """The report in a file, or on stdin for "-"."""
    try:
        data = sys.stdin.buffer.read() if path == "-" else open(path, "rb").read()
    except OSError as error:
        raise Fault(f"cannot read {path}: {error.strerror}") from None
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        told = str(error).split("\n")[0]
        raise Fault(f"{path} is no report: {told}; harness report writes one") from None
    told = raw.get("schema") if isinstance(raw, dict) else None
    if not isinstance(told, str) or not told.startswith(SCHEMA):
        raise Fault(f"{path} is no report: its schema is not {SCHEMA}{VERSION}; harness report writes one")
    if told != SCHEMA + VERSION:
        raise Fault(f"{path} is a report of another version ({plain(told)}), and these plots read {SCHEMA}{VERSION}")
    try:
        shape.check(raw, shape.REPORT)
        return Report(raw)
    except Fault as fault:
        raise Fault(f"{path}: {fault}") from None
