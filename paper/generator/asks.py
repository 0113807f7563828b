# SPDX-License-Identifier: BSD-2-Clause
"""What the paper asks of records, by asks.toml: which experiment of a report each of its names means."""

import pathlib
import tomllib

FILE = pathlib.Path(__file__).resolve().parent.parent / "asks.toml"


def read(path=FILE):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _fits(told, link, workload, wanted):
    suite = told.get("suite") or {}
    own = {"suite": suite.get("name"), "experiment": suite.get("experiment"), "link": link, "workload": workload}
    point = suite.get("point") or {}
    return all(own[name] == value for name, value in wanted.items() if name != "at") and all(
        point.get(name) == value for name, value in wanted.get("at", {}).items()
    )


def experiments(model, asks):
    """The experiment of each name that the records have: the newest that fits the first of `from` that any fits."""
    records = {record["id"]: record for record in model["records"]}
    found = {}
    for name, ask in asks["experiment"].items():
        for wanted in ask["from"]:
            fitting = [
                one
                for one in model["experiments"]
                if one["contestants"] and _fits(records[one["record"]], one["link"], one["workload"], wanted)
            ]
            if fitting:
                found[name] = fitting[-1]
                break
    return found


def sweeps(model, asks):
    """The sweep of each name that the records have."""
    found = {}
    for name, ask in asks["sweep"].items():
        start = "/".join((ask["suite"], ask["experiment"], ask["link"]))
        fitting = [one for one in model["sweeps"] if one["id"] == start or one["id"].startswith(start + "/")]
        if fitting:
            found[name] = fitting[0]
    return found
