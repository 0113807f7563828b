# SPDX-License-Identifier: BSD-2-Clause
"""What of report.json is read here, and what it must look like. Members that are not named are not looked at."""

from .fault import Fault


class Maybe:
    """May be null, or not there."""

    def __init__(self, shape):
        self.shape = shape


class Map:
    """An object with any names, all of whose values are alike."""

    def __init__(self, shape):
        self.shape = shape


class OneOf(tuple):
    """One of some words."""


NUMBER = "a number"
LARGEST = 1e300  # beyond it, and for NaN, axes have no place
FIGURE = {
    "name": str, "unit": Maybe(str), "party": Maybe(str), "place": Maybe(str), "of": Maybe(str),
    "value": Maybe(NUMBER), "low": Maybe(NUMBER), "high": Maybe(NUMBER), "n": Maybe(NUMBER), "grade": Maybe(str),
}  # fmt: skip
LATENCY = {"count": NUMBER, "buckets": Maybe([[NUMBER]])}
CONTESTANT = {
    "label": str, "sender": Maybe(str), "receiver": Maybe(str), "status": Maybe(str), "reason": Maybe(str),
    "runs": Maybe([{"value": Maybe(NUMBER)}]),
    "timeline": Maybe({"interval_s": NUMBER, "rate": [NUMBER]}),
    "latency": Maybe(Map(Maybe(LATENCY))),
    "figures": Maybe([FIGURE]),
}  # fmt: skip
EXPERIMENT = {
    "id": str, "record": Maybe(str), "link": str, "title": Maybe(str), "caption": Maybe(str),
    "metric": {"name": str, "unit": Maybe(str), "better": Maybe(str)},
    "bulk": Maybe(bool), "idle": Maybe(bool),
    "contestants": [CONTESTANT],
    "unavailable": Maybe([{"label": str, "status": Maybe(str), "reason": Maybe(str)}]),
}  # fmt: skip
SWEEP = {
    "id": str, "title": Maybe(str), "link": str, "caption": Maybe(str),
    "x": {"name": str, "unit": Maybe(str), "log": Maybe(bool)},
    "points": [{"x": OneOf((NUMBER, str)), "label": Maybe(str), "experiment": str}],
}  # fmt: skip
REPORT = {
    "schema": str, "datapaths": [str],
    "records": Maybe([{"id": str, "headline": Maybe(str), "noisy": Maybe(bool)}]),
    "experiments": [EXPERIMENT],
    "sweeps": Maybe([SWEEP]),
}  # fmt: skip

WORDS = {str: "text", bool: "true or false"}


def _word(shape):
    if isinstance(shape, OneOf):
        return " or ".join(_word(one) for one in shape)
    return "an object" if isinstance(shape, (dict, Map)) else "a list" if isinstance(shape, list) else WORDS.get(shape, shape)


def _found(value):
    for kind, word in ((bool, "true or false"), (str, "text"), (dict, "an object"), (list, "a list")):
        if isinstance(value, kind):
            return word
    return "null" if value is None else "a number"


def _is(value, shape):
    if isinstance(shape, OneOf):
        return any(_is(value, one) for one in shape)
    if shape == NUMBER:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST < value < LARGEST
    if isinstance(shape, (dict, Map)):
        return isinstance(value, dict)
    return isinstance(value, list if isinstance(shape, list) else shape)


def check(value, shape, place=""):
    """Fails with the place of the first value that is not as it must be."""
    if isinstance(shape, Maybe):
        if value is not None:
            check(value, shape.shape, place)
        return
    if not _is(value, shape):
        raise Fault(f"{place or 'the whole'}: {_word(shape)} was expected, not {_found(value)}")
    if isinstance(shape, dict):
        for name, inner in shape.items():
            if name not in value and not isinstance(inner, Maybe):
                raise Fault(f"{place or 'the whole'} has no member '{name}'")
            check(value.get(name), inner, f"{place}.{name}" if place else name)
    elif isinstance(shape, Map):
        for name, one in value.items():
            check(one, shape.shape, f"{place}.{name}")
    elif isinstance(shape, list):
        for index, one in enumerate(value):
            check(one, shape[0], f"{place}[{index}]")
