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
END_OF_PEER = 10  # seconds in which a process must notice that the other one was killed
DATAPATHS = json.loads(subprocess.run([HARNESS, "list", "--json"], capture_output=True, text=True, check=True).stdout)["datapaths"]
PACKET = [d["name"] for d in DATAPATHS if d["carrier"] == "packet" and d["available"]]


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


def hugepages():
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("HugePages_Total"))


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
            [HARNESS, "run", "--workload=rr", "--seconds=30", f"--work={self.work}",
             f"--output={self.work}/record.json", *(arguments or ("--datapath=sendfile",))],
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
        program, agents = self.start("--datapath=sendfile", "--runs=1", "--warmups=0", "--probed=0")
        # The files agent is started first, then the server, then the client.
        os.kill(sorted(agents)[1], signal.SIGKILL)
        _, errors = program.communicate(timeout=DEADLINE)
        self.assertEqual(program.returncode, 1)
        self.assertIn("the server process was killed by signal 9", errors)
        self.assertEqual(self.directories(), [])
        record = json.loads((self.work / "record.json").read_text())
        self.assertEqual(record["pairs"][0]["status"], "failed")
        self.assertEqual(record["pairs"][0]["runs"][0]["status"], "failed")


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
        """Killed at several moments: while it starts, when it works."""
        def check(datapath):
            for victim, name in ((1, "server"), (2, "client")):
                for delay in (0, 0.3, 1.0):
                    if (begun := self.begin(datapath)) is None:
                        return
                    program, agents = begun
                    time.sleep(delay)
                    os.kill(sorted(agents)[victim], signal.SIGKILL)
                    killed = time.monotonic()
                    _, errors = program.communicate(timeout=DEADLINE)
                    self.assertLess(time.monotonic() - killed, END_OF_PEER)
                    self.assertEqual(program.returncode, 1)
                    self.assertRegex(errors, rf"\Aharness: [^\n]*the {name} process was killed by signal 9[^\n]*\n\Z")
                    self.assertEqual(self.directories(), [])
        self.for_each(check)

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


class Host:
    """A network namespace without a name: it lives as long as the process that holds it."""

    def __init__(self, case):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        case.addCleanup(self.holder.wait)
        case.addCleanup(self.holder.kill)
        here = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != here, "a network namespace")

    def command(self, *arguments):
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *arguments]

    def call(self, *arguments):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, check=True).stdout

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class KilledPeer(unittest.TestCase):
    """serve and get between two hosts; one of them is killed in the middle of a transfer."""

    def setUp(self):
        self.server, self.client = Host(self), Host(self)
        subprocess.run(["ip", "link", "add", "waggle0", "netns", str(self.server.holder.pid), "type", "veth", "peer", "name",
                        "waggle0", "netns", str(self.client.holder.pid)], check=True)
        for host, address in ((self.server, "10.77.0.1/30"), (self.client, "10.77.0.2/30")):
            host.call("ip", "address", "add", address, "dev", "waggle0")
            host.call("ip", "link", "set", "lo", "up")
            host.call("ip", "link", "set", "waggle0", "up")
        place = tempfile.TemporaryDirectory(dir="/var/tmp", prefix="killed-")
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        (self.place / "served").mkdir()
        with open(self.place / "served" / "big", "wb") as big:
            big.truncate(8 << 30)  # sparse: long enough to be killed in the middle
        self.pages = hugepages()

    def serve(self, datapath):
        server = self.server.start(HARNESS, "serve", f"--root={self.place}/served", "--listen=10.77.0.1:0", "--anybody",
                                   "--json", f"--datapath={datapath}", "--link=veth")
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.stderr.close)
        line = server.stdout.readline()
        if not line:
            server.wait()
            if server.returncode == 3 and os.environ.get("WAGGLE_REQUIRE_ALL") != "1":
                print(f"skipped: {server.stderr.read().strip()}")
                return None, 0
            self.fail(server.stderr.read())
        return server, json.loads(line)["port"]

    def get(self, datapath, port):
        # A place of its own: what an earlier client has left behind does not show that this one receives.
        into = pathlib.Path(tempfile.mkdtemp(dir=self.place))
        client = self.client.start(HARNESS, "get", f"10.77.0.1:{port}/big", f"{into}/got", f"--datapath={datapath}",
                                   "--link=veth", "--quiet")
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.stderr.close)

        def moving():
            parts = [p for p in into.iterdir() if p.is_file()]
            return client.poll() is not None or any(p.stat().st_blocks > 2048 for p in parts)
        wait_until(moving, "the start of a transfer")
        self.assertIsNone(client.poll(), "the transfer ended early")
        return client

    def nothing_attached(self):
        for host in (self.server, self.client):
            self.assertNotIn("xdp", host.call("ip", "link", "show", "waggle0"))

    def test_the_client_names_a_killed_server_and_the_other_way_round(self):
        for datapath in PACKET:
            if "veth" not in next(d for d in DATAPATHS if d["name"] == datapath)["links"]:
                continue
            for victim in ("server", "client"):
                with self.subTest(datapath=datapath, killed=victim):
                    server, port = self.serve(datapath)
                    if server is None:
                        break
                    client = self.get(datapath, port)
                    killed = time.monotonic()
                    if victim == "server":
                        server.kill()
                        server.wait()
                        _, errors = client.communicate(timeout=DEADLINE)
                        self.assertLess(time.monotonic() - killed, END_OF_PEER)
                        self.assertEqual(client.returncode, 1)
                        self.assertRegex(errors, r"\Aharness: [^\n]+\n\Z")
                    else:
                        client.kill()
                        client.wait()
                        complaint = server.stderr.readline()
                        self.assertLess(time.monotonic() - killed, END_OF_PEER)
                        self.assertIn("a connection ended early", complaint)
                        server.send_signal(signal.SIGTERM)
                        server.wait(timeout=DEADLINE)
                    self.nothing_attached()
                    subprocess.run([HARNESS, "clean"], capture_output=True, check=True)
                    self.assertEqual(hugepages(), self.pages)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
