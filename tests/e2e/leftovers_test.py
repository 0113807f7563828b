#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""However an experiment ends, nothing is left: no process, device, namespace or mount; after kill -9 a work directory
stays, which the next call or `harness clean` removes.

usage: leftovers_test.py HARNESS [unittest arguments]
"""
import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from hosts import DEADLINE, Host, hugepages, join_hosts, named_namespaces, wait_until

HARNESS = sys.argv[1]
if os.geteuid() != 0:
    print("skipped: only root may make network namespaces; run it with sudo")
    sys.exit(1 if os.environ.get("WAGGLE_REQUIRE_ALL") == "1" else 77)

# The tests may have been started under nohup(1): their processes would inherit that and ignore hangups.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
NUMBERS = itertools.count()
END_OF_PEER = 10  # seconds in which a process must notice that the other one was killed
DATAPATHS = json.loads(subprocess.run([HARNESS, "list", "--json"], capture_output=True, text=True, check=True).stdout)["datapaths"]
PACKET = [d["name"] for d in DATAPATHS if d["carrier"] == "packet" and d["available"]]


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
        self.named = named_namespaces()

    def tearDown(self):
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text().count("waggle"), self.mounts.count("waggle"))
        self.assertEqual([d for d in os.listdir("/sys/class/net") if d.startswith("waggle")], [])
        self.assertEqual(named_namespaces(), self.named)
        self.place.cleanup()

    def start(self, *arguments):
        """Starts a long experiment and returns it, with its agents, once payload is moving."""
        self.record = self.work / f"record-{next(NUMBERS)}.json"
        program = subprocess.Popen(
            [HARNESS, "run", "--workload=rr", f"--work={self.work}",
             f"--output={self.record}", *(arguments or ("--datapath=sendfile",)),
             *(() if any(each.startswith("--seconds") for each in arguments) else ("--seconds=30",))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.stderr.close)
        self.addCleanup(lambda: program.poll() is None and program.kill())
        wait_until(lambda: program.poll() is not None or len(children_of(program.pid)) >= 3, "the start of all agents")
        if program.poll() is not None:
            self.fail(f"the experiment ended early: exit {program.returncode}, {program.stderr.read()}")
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
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                program, agents = self.start()
                program.send_signal(number)
                _, errors = program.communicate(timeout=DEADLINE)
                self.assertEqual(program.returncode, 130)
                self.assertIn("interrupted", errors)
                self.assertTrue(all(gone(pid) for pid in agents))
                self.assertEqual(self.directories(), [])
                self.assertFalse(self.record.exists())

    def test_a_hangup_that_is_ignored_as_by_nohup_ends_nothing(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which processes inherit
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        program, _ = self.start("--datapath=sendfile", "--seconds=1", "--runs=1", "--warmups=0", "--probed=0")
        program.send_signal(signal.SIGHUP)
        _, errors = program.communicate(timeout=DEADLINE)
        self.assertEqual(program.returncode, 0, errors)
        self.assertTrue(self.record.exists())

    def test_a_dead_agent_is_named(self):
        """Whichever it is, the record tells, and has what was measured before."""
        # The host's agent is started first, then the server, then the client.
        for victim, name in enumerate(("host", "server", "client")):
            with self.subTest(name):
                program, agents = self.start("--datapath=sendfile", "--runs=1", "--warmups=0", "--probed=0")
                os.kill(sorted(agents)[victim], signal.SIGKILL)
                _, errors = program.communicate(timeout=DEADLINE)
                self.assertEqual(program.returncode, 1)
                self.assertIn(f"the {name} process was killed by signal 9", errors)
                self.assertEqual(self.directories(), [])
                record = json.loads(self.record.read_text())
                self.assertEqual(record["contestants"][0]["status"], "failed")
                self.assertEqual(record["contestants"][0]["runs"][0]["status"], "failed")
                self.assertEqual(len(record["environment"]["hosts"]), 0 if name == "host" else 1)
                self.assertEqual(any("what the machine was like" in line for line in record["environment"]["noise"]),
                                 name == "host")


class PacketLeftovers(Leftovers):
    """The same, and more, for those that bring XDP programs, hugepages and a transport of their own."""

    def setUp(self):
        super().setUp()
        self.pages = hugepages()

    def tearDown(self):
        self.assertEqual(hugepages(), self.pages)
        super().tearDown()

    def for_each(self, check):
        for datapath in PACKET:
            with self.subTest(datapath=datapath):
                check(datapath)

    def begin(self, datapath):
        """An experiment of one run, or None where this machine lacks something for it."""
        try:
            return self.start(f"--datapath={datapath}", "--runs=1", "--warmups=0", "--probed=0")
        except AssertionError:
            if os.environ.get("WAGGLE_REQUIRE_ALL") == "1":
                raise
            print(f"skipped: {datapath} does not run here")
            return None

    def test_kill_9_leaves_only_the_work_directory_and_clean_removes_it(self):
        def check(datapath):
            if (begun := self.begin(datapath)) is None:
                return
            program, agents = begun
            program.kill()
            program.wait()
            wait_until(lambda: all(gone(pid) for pid in agents), "the death of the agents")
            subprocess.run([HARNESS, "clean", f"--work={self.work}"], capture_output=True, check=True)
            self.assertEqual(self.directories(), [])
            self.assertEqual(hugepages(), self.pages)
        self.for_each(check)

    def test_a_dead_agent_is_named(self):
        """Killed at several moments: while it starts, when it works. The ends of several overlap."""
        def end_of(program):
            _, errors = program.communicate(timeout=DEADLINE)
            return time.monotonic(), errors
        dying = []
        watching = self.enterContext(concurrent.futures.ThreadPoolExecutor(4 * len(PACKET)))
        for datapath in PACKET:
            for victim, name in ((1, "server"), (2, "client")):
                for delay in (0, 0.7):
                    if (begun := self.begin(datapath)) is None:
                        continue
                    program, agents = begun
                    time.sleep(delay)
                    os.kill(sorted(agents)[victim], signal.SIGKILL)
                    dying.append((f"{name} of {datapath} after {delay} s", name, program, time.monotonic(),
                                  watching.submit(end_of, program)))
        for what, name, program, killed, end in dying:
            with self.subTest(what):
                ended, errors = end.result()
                self.assertLess(ended - killed, END_OF_PEER)
                self.assertEqual(program.returncode, 1)
                self.assertRegex(errors, rf"\Aharness: [^\n]*the {name} process was killed by signal 9[^\n]*\n\Z")
        self.assertEqual(self.directories(), [])

    def test_signals_end_it_in_order(self):
        def check(datapath):
            if (begun := self.begin(datapath)) is None:
                return
            program, agents = begun
            program.send_signal(signal.SIGTERM)
            program.communicate(timeout=DEADLINE)
            self.assertEqual(program.returncode, 130)
            self.assertTrue(all(gone(pid) for pid in agents))
            self.assertEqual(self.directories(), [])
        self.for_each(check)

    def test_the_next_call_sweeps_what_kill_9_left_but_not_what_is_in_use(self):
        pass  # nothing of it depends on the datapath


class Transfer:
    """serve and get between two hosts, to be killed in the middle."""

    def __init__(self, case, place, datapath, link, victim, congestion="fixed:100Mbit"):
        self.name = f"{datapath} over {link}, {victim} killed"
        self.case, self.victim = case, victim
        self.place = pathlib.Path(tempfile.mkdtemp(dir=place))
        self.hosts = Host(case), Host(case)
        self.options = [f"--datapath={datapath}", f"--link={link}"]
        if link == "veth":
            join_hosts(*self.hosts)
        else:
            self.options.append(f"--socket={self.place}/socket")
        address = "10.77.0.1" if link == "veth" else "127.0.0.1"
        self.server = self.start(0, "serve", f"--root={place}/served", f"--listen={address}:0", "--anybody", "--json",
                                 f"--congestion={congestion}")
        line = self.server.stdout.readline()
        self.at = f"{address}:{json.loads(line)['port']}" if line else None

    def start(self, host, *arguments):
        process = self.hosts[host].start(HARNESS, *arguments, *self.options)
        for clean_up in (process.stdout.close, process.stderr.close, process.wait, process.kill):
            self.case.addCleanup(clean_up)
        return process

    def get(self):
        self.into = pathlib.Path(tempfile.mkdtemp(dir=self.place))
        self.client = self.start(1, "get", f"{self.at}/big", f"{self.into}/got", "--quiet")

    def received(self):
        """Bytes of the latest client's."""
        blocks = 0
        for part in self.into.iterdir():
            with contextlib.suppress(FileNotFoundError):  # it has just got its name
                blocks += part.stat().st_blocks
        return blocks * 512

    def is_moving(self):
        return self.client.poll() is not None or self.received() > 1 << 20

    def kill(self):
        self.killed = time.monotonic()
        process = self.server if self.victim == "server" else self.client
        process.kill()
        process.wait()

    def check(self):
        """The survivor names what has happened, in time."""
        left = self.killed + END_OF_PEER - time.monotonic()
        if self.victim == "server":
            _, errors = self.client.communicate(timeout=max(left, 0.1))
            self.case.assertEqual(self.client.returncode, 1)
            self.case.assertRegex(errors, r"\Aharness: [^\n]*(has vanished: |nobody listens )[^\n]+\n\Z")
        else:
            self.case.assertTrue(select.select([self.server.stderr], [], [], max(left, 0.1))[0], "the server says nothing")
            self.case.assertRegex(self.server.stderr.readline(), r"\Aa connection ended early: [^\n]* has vanished: [^\n]+\n\Z")
            self.server.terminate()
            self.case.assertEqual(self.server.wait(timeout=DEADLINE), 0)
        for host in self.hosts:
            self.case.assertNotIn("xdp", host.call("ip", "-details", "link", "show"))


class KilledPeer(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(dir="/var/tmp", prefix="killed-")
        self.addCleanup(place.cleanup)
        self.place = place.name
        served = pathlib.Path(place.name) / "served"
        served.mkdir()
        with open(served / "big", "wb") as big:
            big.truncate(8 << 30)  # sparse
        self.pages = hugepages()
        self.addCleanup(self.clean)

    def clean(self):
        """When all processes are gone: whoever was killed has left a directory, and borrowed hugepages."""
        subprocess.run([HARNESS, "clean"], capture_output=True, check=True)
        self.assertEqual(hugepages(), self.pages)

    def transfers(self, links, *arguments):
        """One for each datapath and link that can run here."""
        for datapath in DATAPATHS:
            for link in (link for link in links if link in datapath["links"] and datapath["name"] in PACKET):
                transfer = Transfer(self, self.place, datapath["name"], link, *arguments)
                if transfer.at is not None:
                    yield transfer
                elif transfer.server.wait() == 3 and os.environ.get("WAGGLE_REQUIRE_ALL") != "1":
                    print(f"skipped: {transfer.server.stderr.read().strip()}")
                else:
                    self.fail(transfer.server.stderr.read())

    def get(self, transfers):
        for transfer in transfers:
            transfer.get()
        wait_until(lambda: all(transfer.is_moving() for transfer in transfers), "the start of all transfers")
        for transfer in transfers:
            self.assertIsNone(transfer.client.poll(), f"{transfer.name}: it ended early")

    def test_the_client_names_a_killed_server_and_the_other_way_round(self):
        """All at the same time, since each waits for seconds of silence."""
        transfers = [t for victim in ("server", "client") for t in self.transfers(("veth", "vhost"), victim)]
        self.get(transfers)
        for transfer in transfers:
            transfer.kill()
        for transfer in transfers:
            with self.subTest(transfer.name):
                transfer.check()

    def test_a_killed_client_does_not_hold_up_the_others(self):
        """Where frames wait in memory that it shared with the server."""
        for transfer in self.transfers(("vhost",), "client", "cubic"):
            with self.subTest(transfer.name):
                self.get([transfer])
                first = transfer.client
                self.get([transfer])
                first.kill()
                first.wait()
                before = transfer.received()
                wait_until(lambda: transfer.client.poll() is not None or transfer.received() > before + (64 << 20),
                           "progress of the other client")
                self.assertIsNone(transfer.client.poll())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
