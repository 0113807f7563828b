# SPDX-License-Identifier: BSD-2-Clause
"""Which records the paper is made of when nobody names any."""

import gzip
import json
import re

from .fault import WrongUse

# A folder that a suite has left: "bulk-20261128-010000".
SUITE = re.compile(r".+-(\d{8}-\d{6})(-\d+)?")


def _holds_records(folder):
    return folder.is_dir() and any(path.name.endswith((".json", ".json.gz")) for path in folder.rglob("*"))


def _is_record(path):
    """Whoever says `doctor --json > results/doctor.json` has not asked for a paper of it."""
    if not path.name.endswith((".json", ".json.gz")) or not path.is_file():
        return False
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return str(json.load(file).get("schema")).startswith("waggle-record/")
    except (OSError, ValueError, AttributeError, EOFError):
        return False


def default(recorded, results):
    """The user's newest suite; else the single records beside it; else those that the repository keeps."""
    suites = [path for path in results.iterdir() if SUITE.fullmatch(path.name)] if results.is_dir() else []
    suites = sorted((path for path in suites if _holds_records(path)), key=lambda path: SUITE.fullmatch(path.name)[1])
    if suites:
        return [str(suites[-1])]
    singles = sorted(str(path) for path in results.glob("*.json*") if _is_record(path))
    if singles:
        return singles
    if _holds_records(recorded):
        return [str(recorded)]
    raise WrongUse(f"there are no records in {results}; `sudo ./testbed suite quick` makes some, or name others")
