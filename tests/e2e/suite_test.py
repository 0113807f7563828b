#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Suites as a user meets them: records, going on after a stop, what cannot run here, bad input.

Usage: suite_test.py HARNESS SOURCE [unittest arguments]
"""
import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

from command_line import DEADLINE, HARNESS, SOURCE, Case, main, require, run
from hosts import named_namespaces, wait_until

TINY = """
title = "Two points, two datapaths"
claims = ["Z0"]
[defaults]
datapaths = ["sendfile", "udp"]
runs = 1
warmups = 0
probed_runs = 0
placement = "any"
[[experiment]]
id = "size"
title = "Goodput against size"
size = ["64KiB", "1MiB"]
"""
SLOW = """
title = "Too long to wait for"
[[experiment]]
id = "first"
datapaths = "sendfile"
size = "64KiB"
runs = 1
warmups = 0
probed_runs = 0
placement = "any"
[[experiment]]
id = "second"
datapaths = "sendfile"
workload = "rr"
seconds = "40s"
runs = 1
warmups = 0
probed_runs = 0
"""


def problems(record):
    """What does not match the schema; nothing where that cannot be tried."""
    try:
        import jsonschema
    except ImportError:
        return []
    schema = json.loads((SOURCE / "results" / "record.schema.json").read_text())
    return [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in jsonschema.Draft7Validator(schema).iter_errors(record)]


def agents():
    """Processes of the program under test."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/exe"):
        try:
            if os.readlink(entry) == os.path.realpath(HARNESS):
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


class SuiteCase(Case):
    def suite(self, text, name="mine"):
        path = self.directory / f"{name}.toml"
        path.write_text(text)
        return str(path)


class Files(SuiteCase):
    """What needs no rights."""

    def test_bad_input_is_one_line_with_its_place(self):
        for text, says in ((TINY + "sizes = 1\n", ":14:1: an experiment has no key 'sizes'; did you mean size?"),
                           (TINY + "mtu = 1\n", ":14:7: mtu: 1 is out of bounds"),
                           ("title = \n", ":1:"), ("", ":1:1: a suite has a title")):
            with self.subTest(says=says):
                path = self.suite(text)
                self.refused(2, "suite", path, says=[path + says])
        self.refused(2, "suite", "quik", says=["did you mean quick?"])
        self.refused(1, "suite", "/nonexistent.toml", says=["No such file"])
        self.refused(2, "suite", self.suite(TINY), "--any-revision", says=["--resume"])
        self.refused(2, "suite", self.suite(TINY), "--runs=2", "--budget=1s", says=["--runs says it all"])
        self.refused(1, "suite", self.suite(TINY), "--output=/proc/nowhere", says=["/proc/nowhere"])

    def test_a_sweep_of_more_runs_than_anybody_waits_for(self):
        path = self.suite(TINY.replace("runs = 1", "runs = 9000"))
        self.refused(2, "suite", path, says=["36,000 runs", " h ", "--yes"])
        self.assertEqual(run("suite", path, "--dry-run").returncode, 0)

    def test_what_would_be_measured(self):
        told = json.loads(run("suite", self.suite(TINY), "--dry-run", "--json").stdout)
        self.assertEqual([one["point"] for one in told["experiments"]], [{"size": "64KiB"}, {"size": "1MiB"}])
        self.assertEqual(told["runs"], 4)
        table = run("suite", self.suite(TINY), "--list").stdout
        self.assertIn("size, size=64KiB", table)
        self.assertEqual(list(self.directory.glob("*.json")), [])

    def test_the_list_names_those_that_come_with_it(self):
        names = {one["name"]: one for one in json.loads(run("list", "--json").stdout)["suites"]}
        self.assertEqual(set(names), {path.stem for path in (SOURCE / "workloads" / "suites").glob("*.toml")})
        self.assertGreater(names["full"]["seconds"], 60)
        self.assertRegex(run("list").stdout, r"\n  quick +[^\n]+about [0-9]")


class Suites(SuiteCase):
    """What makes experiments."""

    def setUp(self):
        require(os.getuid() == 0, "only root may make network namespaces")
        super().setUp()
        self.folder = self.directory / "records"
        self.devices, self.named, self.running = sorted(os.listdir("/sys/class/net")), named_namespaces(), agents()

    def tearDown(self):
        wait_until(lambda: set(agents()) <= set(self.running), "the end of all agents")
        self.assertEqual(sorted(os.listdir("/sys/class/net")), self.devices)
        self.assertEqual(named_namespaces(), self.named)

    def records(self):
        return {path.name: json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))}

    def test_each_experiment_leaves_a_record_and_resuming_measures_what_is_missing(self):
        path = self.suite(TINY)
        call = ("suite", path, f"--output={self.folder}", "--json")
        done = run(*call)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual([pathlib.Path(one["file"]).name for one in told["records"]],
                         ["mine-size-64KiB.json", "mine-size-1MiB.json"])
        self.assertEqual(len(done.stderr.splitlines()), 2)
        records = self.records()
        suite = records["mine-size-1MiB.json"]["suite"]
        self.assertEqual({name: suite[name] for name in ("name", "experiment", "title", "point")},
                         {"name": "mine", "experiment": "size", "title": "Goodput against size", "point": {"size": "1MiB"}})
        self.assertNotEqual(suite["digest"], records["mine-size-64KiB.json"]["suite"]["digest"])
        self.assertEqual(problems(records["mine-size-1MiB.json"]), [])
        self.assertEqual({one["label"]: one["status"] for one in records["mine-size-1MiB.json"]["contestants"]},
                         {"sendfile": "ok", "udp": "ok"})
        self.assertEqual(run("show", str(self.folder / "mine-size-1MiB.json")).returncode, 0)
        self.refused(2, *call, says=["has records already", "--resume"])

        kept = (self.folder / "mine-size-64KiB.json").read_bytes()
        (self.folder / "mine-size-1MiB.json").unlink()
        done = run(*call, "--resume")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([one["measured"] for one in json.loads(done.stdout)["records"]], [False, True])
        self.assertEqual((self.folder / "mine-size-64KiB.json").read_bytes(), kept)
        self.assertEqual(sorted(self.records()), ["mine-size-1MiB.json", "mine-size-64KiB.json"])
        # Other settings, or another build of the program, make another measurement; the old record is not lost.
        record = self.folder / "mine-size-64KiB.json"
        record.write_text(record.read_text().replace('"revision":"', '"revision":"0', 1))
        done = run("suite", self.suite(TINY), f"--output={self.folder}", "--resume", "--json")
        self.assertEqual([one["measured"] for one in json.loads(done.stdout)["records"]], [True, False], done.stderr)
        self.assertIn("of another build", done.stderr)
        self.assertTrue((self.folder / "mine-size-64KiB.json.old").exists())
        done = run("suite", self.suite(TINY.replace("[defaults]", '[defaults]\nsink = "discard"')), f"--output={self.folder}",
                   "--resume", "--json")
        self.assertEqual([one["measured"] for one in json.loads(done.stdout)["records"]], [True, True], done.stderr)

    def test_what_cannot_run_here_is_a_record_that_says_why(self):
        path = self.suite(TINY + """
[[experiment]]
id = "nic"
link = "nic"
size = "64KiB"
[[experiment]]
id = "clients"
clients = 1024
size = "64KiB"
""")
        done = run("suite", path, f"--output={self.folder}", "--json", preexec_fn=few_files)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([one["status"] for one in json.loads(done.stdout)["records"]], ["ok", "ok", "unavailable", "unavailable"])
        for name, says in (("mine-nic.json", "two NICs"), ("mine-clients.json", "open files")):
            record = json.loads((self.folder / name).read_text())
            self.assertEqual(problems(record), [])
            for contestant in record["contestants"]:
                self.assertEqual(contestant["status"], "unavailable")
                self.assertIn(says, contestant["reason"])
            self.assertEqual(run("show", str(self.folder / name)).returncode, 0)
        only = self.suite(TINY.replace("[defaults]", '[defaults]\nlink = "nic"'), "only")
        done = run("suite", only, "--quiet")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (3, 1), done.stderr)
        self.assertIn("nothing could run", done.stderr)

    def test_a_bad_link_is_one_for_all(self):
        path = self.suite(TINY.replace('size = ["64KiB", "1MiB"]', """
size = "4MiB"
middle = true
offloads = false
loss = [0, 0.05]
datapaths = ["sendfile", "udp"]
"""))
        done = run("suite", path, f"--output={self.folder}", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        for name, lossy in (("mine-size-0.json", False), ("mine-size-0.05.json", True)):
            record = json.loads((self.folder / name).read_text())
            for contestant in record["contestants"]:
                with self.subTest(file=name, contestant=contestant["label"]):
                    self.assertEqual(contestant["status"], "ok", contestant.get("reason"))
            modes = {mode["name"]: mode["granted"] for mode in record["environment"]["links"]["veth"]["modes"]}
            self.assertEqual(modes["loss"], "0.05" if lossy else "0")

    def test_ctrl_c_leaves_what_is_recorded_and_nothing_else(self):
        path = self.suite(SLOW)
        program = subprocess.Popen([HARNESS, "suite", path, "--budget=9s", "-o", self.folder], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.stderr.close)
        self.addCleanup(program.kill)
        wait_until(lambda: program.poll() is not None or list(self.folder.glob("*.json")), "the first record")
        wait_until(lambda: program.poll() is not None or len(set(agents()) - set(self.running)) >= 4, "the second experiment")
        time.sleep(0.5)
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=DEADLINE)
        self.assertEqual(program.returncode, 130, errors)
        self.assertIn("1 of 2 experiments are recorded", errors)
        # Other bounds would measure everything again.
        self.assertIn(f"`harness suite {path} --budget=9s --output={self.folder} --resume`", errors)
        self.assertEqual(sorted(self.records()), ["mine-first.json"])

    def test_without_rights_nothing_is_written(self):
        os.chmod(self.directory, 0o777)
        program = str(self.directory / "harness")
        pathlib.Path(program).write_bytes(pathlib.Path(HARNESS).read_bytes())
        os.chmod(program, 0o755)
        done = subprocess.run([program, "suite", self.suite(TINY), f"--output={self.folder}"], capture_output=True, text=True,
                              timeout=DEADLINE, user=65534, group=65534, extra_groups=[])
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, r"\Aharness: [^\n]*root[^\n]*\n\Z")
        self.assertEqual(self.records(), {})


def few_files():
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))


if __name__ == "__main__":
    main()
