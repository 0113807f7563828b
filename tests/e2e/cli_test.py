#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command line as a user meets it: faults, JSON, colour, pipes, signals.

Usage: cli_test.py HARNESS SOURCE [unittest arguments]
"""

import fcntl
import itertools
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from command_line import DEADLINE, HARNESS, SMALL, SOURCE, Case, main, require, run

class Faults(Case):
    def test_missing_file(self):
        self.refused(1, "run", "--file=/nonexistent/film", says=["/nonexistent/film", "No such file or directory"])

    def test_missing_record(self):
        self.refused(1, "show", str(self.directory / "none.json"), says=["none.json", "No such file or directory"])

    def test_something_else_than_a_record(self):
        (self.directory / "other.json").write_text('{"schema": "something else"}')
        self.refused(1, "show", str(self.directory / "other.json"), says=["other.json is not a record"])

    def test_record_that_cannot_be_written(self):
        """Which is said before anything runs."""
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)
        for place, code in (("/proc/record.json", 1), (fifo, 2)):
            done = run("run", f"--output={place}", *SMALL)
            self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
            self.assertRegex(done.stderr, r"\Aharness: [^\n]*(/proc|FIFO)[^\n]*; [^\n]*\n\Z")

    def test_closed_standard_descriptors(self):
        """What the program opens must not take their numbers."""
        for closed in itertools.chain.from_iterable(itertools.combinations((0, 1, 2), n) for n in (1, 2, 3)):
            with self.subTest(closed=closed):
                shell = " ".join(f"{number}>&-" for number in closed)
                done = subprocess.run(["sh", "-c", f'"$@" {shell}', "sh", HARNESS, "get", "127.0.0.1:1/a", "127.0.0.1:1/b",
                                       str(self.directory)], capture_output=True, text=True, timeout=DEADLINE)
                self.assertEqual(done.returncode, 1)
                self.assertEqual("refused" in done.stderr, 2 not in closed)

    def test_without_root(self):
        require(os.getuid() == 0, "needs root, to become somebody who is not")
        os.chmod(self.directory, 0o777)
        nobody = 65534
        program = shutil.copy(HARNESS, self.directory)  # the build may be where others cannot enter
        done = subprocess.run([program, "run", "--datapath=sendfile", *SMALL], capture_output=True, text=True,
                              timeout=DEADLINE, user=nobody, group=nobody, extra_groups=[])
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, r"\Aharness: [^\n]*root[^\n]*\n\Z")

    def test_port_in_use(self):
        first = subprocess.Popen([HARNESS, "serve", "--json", "--listen=127.0.0.1:0", f"--root={self.directory}"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            port = json.loads(first.stdout.readline())["port"]
            self.refused(1, "serve", f"--listen=127.0.0.1:{port}", f"--root={self.directory}",
                         says=[str(port), "in use", "choose another port"])
        finally:
            first.terminate()
            first.communicate(timeout=DEADLINE)

    def test_full_disk(self):
        require(os.getuid() == 0, "needs root to mount a small tmpfs")
        # A private mount namespace, so that the mount goes away with the process.
        script = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" run --work="$1" --datapath=sendfile --size=64MiB'
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh",
                               str(self.directory), HARNESS], capture_output=True, text=True, timeout=DEADLINE,
                              env={**os.environ, "WAGGLE_RESULTS": tempfile.gettempdir()})
        self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Aharness: [^\n]* need 64 MiB, and 1 MiB are free; [^\n]*\n\Z")

    def test_more_than_there_is(self):
        require(os.getuid() == 0, "needs root to make network namespaces")
        self.refused(3, "run", f"--work={self.directory}", "--size=1024TiB", says=["need 1 PiB, and ", "are free; ", "--work"])
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([HARNESS, "list"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write the output: No space left on device", done.stderr)


class Output(Case):
    def test_help_has_examples(self):
        for command in ("run", "compare", "suite", "report", "advise", "list", "doctor", "show", "clean", "serve", "get", "put"):
            with self.subTest(command=command):
                done = run(command, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(f"\n  harness {command}", done.stdout.split("Examples:")[1])
                self.assertEqual(run("help", command).stdout, done.stdout)

    def test_overview_and_version(self):
        self.assertIn("compare", run("--help").stdout)
        self.assertRegex(run("--version").stdout, r"\Aharness \d+\.\d+\.\d+\n\Z")

    def test_json_of_list(self):
        for arguments in (["list", "--json"], ["--json", "list"]):
            listed = json.loads(run(*arguments).stdout)
            self.assertIn("sendfile", [d["name"] for d in listed["datapaths"] if d["sends"]])
            self.assertIn("rr", [w["name"] for w in listed["workloads"]])

    def test_json_of_doctor(self):
        done = run("doctor", "--json")
        found = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if found["ready"] else 3)
        self.assertIn("datapath sendfile", [c["name"] for c in found["capabilities"]])
        self.assertEqual(set(found["placement"]), {"server_cpu", "client_cpu", "share", "round_trip_ns"})

    def test_placement_alone(self):
        cpu = min(os.sched_getaffinity(0))
        done = run("doctor", "--placement", "--json", f"--cpus={cpu},{cpu}")
        self.assertEqual(json.loads(done.stdout),
                         {"placement": {"server_cpu": cpu, "client_cpu": cpu, "share": "cpu", "round_trip_ns": None}})
        self.assertIn("placement: ", run("doctor", "--placement").stdout)

    def test_json_of_clean(self):
        self.assertEqual(json.loads(run("clean", "--json", f"--work={self.directory}").stdout),
                         {"removed": [], "unfinished_files": 0})


@unittest.skipIf(os.getuid() != 0 and os.environ.get("WAGGLE_REQUIRE_ALL") != "1", "experiments need root")
class Experiments(Case):
    def test_run_prints_its_result_and_nothing_else_in_a_pipe(self):
        done = run("run", "--datapath=sendfile", *SMALL)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("every byte verified in 2 runs", done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        record = done.stdout.split("Record: ")[1].strip().splitlines()[0]
        shown = run("show", record)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertTrue(done.stdout.startswith(shown.stdout), "show prints what run printed")

    def test_json_is_a_valid_record(self):
        done = run("run", "--datapath=sendfile", "--json", *SMALL)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        record = json.loads(done.stdout)
        self.assertEqual(record["contestants"][0]["status"], "ok")
        try:
            import jsonschema
        except ImportError:
            require(False, "python3-jsonschema is not installed")
        schema = json.loads((SOURCE / "results" / "record.schema.json").read_text())
        jsonschema.validate(record, schema)

    def test_compare_ranks_and_says_what_cannot_run(self):
        done = run("compare", "--datapaths=sendfile,read_write,sendfile+splice", "--seed=7", *SMALL)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = [line for line in done.stdout.splitlines() if line.startswith(("sendfile", "read_write"))]
        self.assertEqual(len(rows), 3, done.stdout)
        rates = [float(row.split()[1].replace(",", "")) for row in rows]
        self.assertEqual(rates, sorted(rates, reverse=True))
        self.assertIn("seed 7", done.stdout)

    def test_a_file_of_the_user(self):
        path = self.directory / "film"
        path.write_bytes(os.urandom(3_000_001))
        done = run("run", f"--file={path}", "--json", "--runs=1", "--warmups=0", "--probed=0")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["contestants"][0]["runs"][0]["payload_bytes"], 3_000_001)

    def test_what_the_kernel_does_not_have_is_one_line(self):
        self.refused(3, "run", "--congestion=nonsense", *SMALL, says=["nonsense"])

    def test_every_workload(self):
        few = {"small-files": ["--count=200"], "metadata": ["--count=50"], "rr": ["--seconds=100ms"],
               "rand-read": ["--count=100", "--size=4MiB"], "download": ["--size=4MiB"], "upload": ["--size=4MiB"]}
        for workload in json.loads(run("list", "--json").stdout)["workloads"]:
            name = workload["name"]
            with self.subTest(workload=name):
                done = run("run", f"--workload={name}", "--runs=1", "--warmups=0", "--probed=0", *few.get(name, []))
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_without_bpf(self):
        """Copies are modelled, and the record says why; but who has asked for probes is told that there are none."""
        # CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN are what loading needs; the last one also makes the namespaces, so
        # what is taken away here is the memory of BTF: the kernel's types are hidden by an empty directory.
        script = 'mount -t tmpfs none /sys/kernel/btf && exec "$@"'
        hidden = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", HARNESS, "run", *SMALL[:3]]
        done = subprocess.run([*hidden, "--probed=1"], capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, r"\Aharness: --probed: [^\n]+\n\Z")
        done = subprocess.run(hidden, capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("Not probed, so copies are modelled", done.stdout)

    def test_interrupt_leaves_nothing(self):
        before = set(self.directory.iterdir())
        for sent in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([HARNESS, "run", "--datapath=sendfile", "--size=64MiB", "--runs=1000", "--json",
                                        f"--work={self.directory}"], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            end = time.monotonic() + DEADLINE
            # Its working directory: the file by which it sees that a record can be written is there before, and for a moment.
            while not any(path.is_dir() for path in set(self.directory.iterdir()) - before) and time.monotonic() < end:
                select.select([], [], [], 0.01)
            process.send_signal(sent)
            output, errors = process.communicate(timeout=DEADLINE)
            self.assertEqual(process.returncode, 130, errors)
            self.assertRegex(errors, r"\Aharness: [^\n]+\n\Z")
            self.assertEqual(output, "")
            self.assertEqual(set(self.directory.iterdir()), before)

    def test_interrupt_keeps_what_was_measured(self):
        """A signal ends what is to come; what was measured is recorded, shown and called interrupted."""
        record = self.directory / "record.json"
        for seconds in (1, 2, 4, 8, 16):  # until a timed run has ended on whatever machine this is
            process = subprocess.Popen([HARNESS, "compare", "--datapaths=sendfile,read_write", "--size=1MiB", "--probed=0",
                                        "--warmups=0", "--runs=10000", f"--work={self.directory}", f"--output={record}"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(seconds)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=DEADLINE)
            self.assertEqual(process.returncode, 130, errors)
            self.assertRegex(errors, r"\Aharness: interrupted[^\n]*\n\Z")
            if record.exists():
                break
            self.assertEqual(output, "")
        self.assertIn("Interrupted", output)
        kept = json.loads(record.read_text())
        self.assertIs(kept["interrupted"], True)
        ok = [contestant for contestant in kept["contestants"] if contestant["status"] == "ok"]
        self.assertTrue(ok)
        for contestant in ok:
            self.assertEqual(contestant["summary"]["stopped"], "interrupted")
            self.assertTrue(contestant["summary"]["goodput_bits_per_second"]["median"] > 0)
        self.assertIn("Interrupted", run("show", str(record)).stdout)
        self.assertEqual(set(self.directory.iterdir()), {record})

    def test_kill_leaves_what_clean_removes(self):
        process = subprocess.Popen([HARNESS, "run", "--datapath=sendfile", "--size=64MiB", "--runs=1000",
                                    f"--work={self.directory}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + DEADLINE
        while not any(self.directory.iterdir()) and time.monotonic() < end:
            select.select([], [], [], 0.01)
        self.assertEqual(json.loads(run("clean", "--json", f"--work={self.directory}").stdout)["removed"], [],
                         "what is in use stays")
        process.kill()
        process.wait(DEADLINE)
        while time.monotonic() < end:  # the agents die with the harness, but not in the same instant
            run("clean", f"--work={self.directory}")
            if not any(self.directory.iterdir()):
                return
        self.fail(f"left: {list(self.directory.iterdir())}")


class Terminal(Case):
    def on_terminal(self, *arguments, environment=None, columns=100):
        """Output and exit code of a call whose stdout and stderr are a terminal."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        process = subprocess.Popen([HARNESS, *arguments], stdout=slave, stderr=slave, stdin=slave,
                                   env={**os.environ, "TERM": "xterm", **(environment or {})})
        os.close(slave)
        output = b""
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            output += data
        os.close(master)
        return output.decode(), process.wait(DEADLINE)

    def test_colour_only_where_it_is_wanted(self):
        coloured, _ = self.on_terminal("doctor")
        self.assertIn("\x1b[32m", coloured)
        for plain in (self.on_terminal("doctor", environment={"NO_COLOR": "1"})[0],
                      self.on_terminal("doctor", "--no-color")[0],
                      self.on_terminal("doctor", environment={"TERM": "dumb"})[0], run("doctor").stdout):
            self.assertNotIn("\x1b", plain)

    @unittest.skipIf(os.getuid() != 0 and os.environ.get("WAGGLE_REQUIRE_ALL") != "1", "experiments need root")
    def test_progress_and_width(self):
        shown, code = self.on_terminal("compare", "--datapaths=sendfile,mmap", *SMALL, columns=90)
        self.assertEqual(code, 0, shown)
        self.assertIn(" % ", shown)
        result = shown.split("\x1b[K")[-1]
        for line in re.sub(r"\x1b\[[0-9;]*m", "", result).splitlines():
            self.assertTrue(len(line) <= 90 or line.startswith("Record: "), line)
        quiet, _ = self.on_terminal("run", "--quiet", *SMALL)
        self.assertNotIn("\x1b[K", quiet)


if __name__ == "__main__":
    main()
