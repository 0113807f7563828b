# SPDX-License-Identifier: BSD-2-Clause
"""For tests of records: an experiment and its record, and what does not match the schema. Of tests whose arguments are
HARNESS SOURCE_ROOT."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HARNESS, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(1 if os.environ.get("WAGGLE_REQUIRE_ALL") == "1" else 77)


try:
    import jsonschema
except ImportError:
    skip("no python3-jsonschema; install it with apt-get install python3-jsonschema")
if os.geteuid() != 0:
    skip("only root may make network namespaces; run it with sudo")


def experiment(*arguments, code=0):
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place) / "record.json"
        done = subprocess.run([HARNESS, *arguments, f"--output={path}", "--quiet"], capture_output=True, text=True, timeout=300)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(path.read_text())


SHORT = ("--size=4MiB", "--runs=3", "--warmups=1")
SCHEMA = json.loads((ROOT / "results" / "record.schema.json").read_text())
SCHEMA_1 = json.loads((ROOT / "results" / "record-1.schema.json").read_text())
LISTED = json.loads(subprocess.run([HARNESS, "list", "--json"], capture_output=True, text=True, check=True).stdout)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def party(parties, role):
    """What a list of parties tells of the one of this role."""
    (found,) = [one for one in parties if one["role"] == role]
    return found


def modes_of(contestant, role):
    return {mode["name"]: mode for mode in party(contestant["parties"], role)["facts"]["modes"]}


def problems(record):
    return [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in VALIDATOR.iter_errors(record)]
