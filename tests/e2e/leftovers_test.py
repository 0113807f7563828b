#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""However an experiment ends, nothing is left: no process, device, namespace or mount; after kill -9 a work directory
stays, which the next call or `harness clean` removes.

usage: leftovers_test.py HARNESS
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HARNESS = sys.argv[1]
if os.geteuid() != 0:
    print("skipped: only root may make network namespaces; run it with sudo")
    sys.exit(1 if os.environ.get("WAGGLE_REQUIRE_ALL") == "1" else 77)

DEADLINE = 60


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {DEADLINE} s")
        time.sleep(0.02)


def children_of(pid):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.parent.name))
    return found


def gone(pid):
    """No such process, or one that only waits to be reaped by somebody else."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class Leftovers(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory(dir="/var/tmp", prefix="leftovers-")
        self.work = pathlib.Path(self.place.name)
        self.mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        self.devices = sorted(os.listdir("/sys/class/net"))
        self.named = sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else []

    def tearDown(self):
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text().count("waggle"), self.mounts.count("waggle"))
        self.assertEqual([d for d in os.listdir("/sys/class/net") if d.startswith("waggle")], [])
        named = sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else []
        self.assertEqual([n for n in named if "waggle" in n], [])
        self.place.cleanup()

    def start(self, *arguments):
        """Starts a long experiment and returns it, with its agents, once payload is moving."""
        program = subprocess.Popen(
            [HARNESS, "run", "--datapath=sendfile", "--workload=rr", "--seconds=30", f"--work={self.work}",
             f"--output={self.work}/record.json", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.stderr.close)
        self.addCleanup(lambda: program.poll() is None and program.kill())
        wait_until(lambda: program.poll() is not None or len(children_of(program.pid)) >= 3, "the start of all agents")
        self.assertIsNone(program.poll(), "the experiment ended early")
        return program, children_of(program.pid)

    def directories(self):
        return sorted(path.name for path in self.work.glob("waggle-*"))

    def test_kill_9_leaves_only_the_work_directory_and_clean_removes_it(self):
        program, agents = self.start()
        program.kill()
        program.wait()
        wait_until(lambda: all(gone(pid) for pid in agents), "the death of the agents")
        self.assertEqual(len(self.directories()), 1)
        cleaned = subprocess.run([HARNESS, "clean", f"--work={self.work}", "--json"], capture_output=True, text=True, check=True)
        self.assertEqual(len(json.loads(cleaned.stdout)["removed"]), 1)
        self.assertEqual(self.directories(), [])

    def test_the_next_call_sweeps_what_kill_9_left_but_not_what_is_in_use(self):
        killed, agents = self.start()
        killed.kill()
        killed.wait()
        wait_until(lambda: all(gone(pid) for pid in agents), "the death of the agents")
        left = self.directories()
        running, _ = self.start()
        now = self.directories()
        self.assertEqual(len(now), 1)
        self.assertNotEqual(now, left)
        subprocess.run([HARNESS, "clean", f"--work={self.work}"], check=True, capture_output=True)
        self.assertEqual(self.directories(), now, "a directory in use was removed")
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=DEADLINE)

    def test_signals_end_it_in_order(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number):
                program, agents = self.start()
                program.send_signal(number)
                _, errors = program.communicate(timeout=DEADLINE)
                self.assertEqual(program.returncode, 130)
                self.assertIn("interrupted", errors)
                self.assertTrue(all(gone(pid) for pid in agents))
                self.assertEqual(self.directories(), [])
                self.assertFalse((self.work / "record.json").exists())

    def test_a_dead_agent_is_named(self):
        program, agents = self.start("--runs=1", "--warmups=0", "--probed=0")
        # The files agent is started first, then the server, then the client.
        os.kill(sorted(agents)[1], signal.SIGKILL)
        _, errors = program.communicate(timeout=DEADLINE)
        self.assertEqual(program.returncode, 1)
        self.assertIn("the server process was killed by signal 9", errors)
        self.assertEqual(self.directories(), [])
        record = json.loads((self.work / "record.json").read_text())
        self.assertEqual(record["pairs"][0]["status"], "failed")
        self.assertEqual(record["pairs"][0]["runs"][0]["status"], "failed")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
