#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command line as a user meets it: wrong use, faults, JSON, colour, pipes, signals.

Usage: cli_test.py HARNESS SOURCE [unittest arguments]
"""

import fcntl
import itertools
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

HARNESS = ""
SOURCE = pathlib.Path()
DEADLINE = 120  # seconds that no call here comes near
SMALL = ["--size=4MiB", "--runs=2", "--warmups=0", "--probed=0", "--placement=any"]


def require(condition, reason):
    """Skips the test, or fails it where everything must be testable."""
    if not condition:
        if os.environ.get("WAGGLE_REQUIRE_ALL") == "1":
            raise AssertionError(reason)
        raise unittest.SkipTest(reason)


def run(*arguments, environment=None, **options):
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "WAGGLE_TOKEN")}
    env.update(environment or {})
    return subprocess.run([HARNESS, *arguments], capture_output=True, text=True, timeout=DEADLINE, env=env, **options)


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="waggle-cli-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        os.environ["WAGGLE_RESULTS"] = directory.name

    def refused(self, code, *arguments, says=(), **options):
        """The call ends with `code` and exactly one line on stderr that holds all of `says`."""
        done = run(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Aharness: [^\n]+\n\Z")
        for part in says:
            self.assertIn(part, done.stderr)
        return done


class WrongUse(Case):
    def test_nonsense_datapath_lists_the_names(self):
        self.refused(2, "run", "--datapath=nonsense", says=["no datapath is called 'nonsense'", "sendfile", "splice"])

    def test_misspelt_command(self):
        self.refused(2, "comapre", says=["there is no command 'comapre'", "did you mean compare?"])

    def test_no_command(self):
        self.refused(2, says=["no command was given", "compare", "run", "--help"])

    def test_misspelt_option(self):
        self.refused(2, "run", "--datpath=sendfile", says=["run has no option '--datpath'", "did you mean --datapath?"])

    def test_unknown_option(self):
        self.refused(2, "run", "--zzzzzzzzz", says=["--zzzzzzzzz", "harness run --help"])

    def test_a_link_that_the_datapath_lacks(self):
        self.refused(2, "run", "--datapath=sendfile", "--link=vhost", says=["does not run over vhost", "--link=veth"])

    def test_options_that_say_nothing_to_the_link(self):
        self.refused(2, "run", "--pci=0000:01:00.0,0000:02:00.0", says=["--pci says nothing to the link auto"])
        self.refused(2, "run", "--link=loopback", "--napi=threaded", says=["--napi says nothing to the link loopback"])

    def test_an_option_of_a_datapath_is_set_once(self):
        self.refused(2, "run", "--mmap-window=1MiB", "--set", "mmap.window=2MiB", says=["mmap.window is set twice"])

    def test_carriers_do_not_mix(self):
        self.refused(2, "run", "--datapath=udp+splice", says=["udp and splice do not share a carrier"])

    def test_stray_argument(self):
        self.refused(2, "run", "sendfile", says=["run does not know what to do with 'sendfile'"])

    def test_bad_sizes(self):
        for size in ("1XiB", "-1", "", "1e99GiB", "many"):
            with self.subTest(size=size):
                self.refused(2, "run", f"--size={size}", says=["--size"])

    def test_mtu_out_of_range(self):
        for mtu in ("67", "65536", "big"):
            with self.subTest(mtu=mtu):
                self.refused(2, "run", f"--mtu={mtu}", says=["--mtu"])

    def test_choice(self):
        self.refused(2, "run", "--sink=nowhere", says=["--sink", "'nowhere'", "discard, file, tmpfs"])

    def test_cpu_that_is_not_there(self):
        self.refused(2, "run", "--client-cpu=4095", says=["--client-cpu", "4095", "choose one of"])

    def test_cpus(self):
        self.refused(2, "run", "--cpus=close", says=["--cpus=close names no two CPUs", "near, far, siblings, or N,M"])
        self.refused(2, "run", "--cpus=0,4095", says=["no CPU 4095", "choose two of"])
        self.refused(2, "run", "--cpus=near", "--server-cpu=0", says=["--cpus says it all", "--server-cpu"])
        self.refused(2, "run", "--placement=here", says=["'here'", "same, report, any"])
        self.refused(2, "doctor", "--cpus=close", says=["--cpus=close"])

    def test_nothing_could_be_verified(self):
        self.refused(2, "run", "--sender=sendfile", "--receiver=splice", "--sink=discard",
                     says=["splice cannot discard", "nothing could be verified", "--sink=tmpfs"])

    def test_datapath_that_does_not_receive(self):
        self.refused(2, "run", "--sender=read_write", "--receiver=sendfile", says=["sendfile does not receive"])

    def test_parameter_of_another_workload(self):
        self.refused(2, "run", "--runs=3", "--budget=5s", says=["--runs says it all", "leave out", "--budget"])
        self.refused(2, "clean", "--older=24h", says=["--older says nothing without --files"])
        self.refused(2, "run", "--workload=rr", "--size=1GiB", says=["--size says nothing to the workload rr", "--request"])
        self.refused(2, "run", "--workload=rr", "--sink=file", says=["--sink says nothing to the workload rr"])
        self.refused(2, "run", "--workload=idle", "--cache=cold", says=["--cache says nothing to the workload idle"])
        self.refused(2, "run", "--workload=rand-read", "--huge", says=["--huge says nothing to the workload rand-read"])

    def test_a_datapath_named_twice(self):
        self.refused(2, "compare", "--datapaths=sendfile,mmap,sendfile", says=["sendfile is named twice", "leave one"])
        self.refused(2, "compare", "--datapaths=splice,splice+read_write", says=["splice is named twice"])

    def test_like_what_cannot_be(self):
        good = {"schema": "waggle-record/1",
                "spec": {"workload": "rr", "parameters": {"clients": 1, "seed": 1, "request": 64}, "channel": {},
                         "cpus": "auto", "work": "/var/tmp", "pairs": [{"sender": "sendfile", "receiver": "splice"}]}}
        for change, says in (
                ({"schema": "waggle-record/99"}, "waggle-record/99"),
                ({"schema": "something"}, "not a record"),
                ({"pairs": [{"sender": "pigeon", "receiver": "pigeon"}]}, "no datapath is called 'pigeon'"),
                ({"pairs": 2 * good["spec"]["pairs"]}, "the record compares 2 pairs"),
                ({"workload": "bulk"}, "'bulk' is none of its values"),
                ({"parameters": {"size": 1}}, "--size says nothing to the workload rr"),
                ({"parameters": {"request": "much"}}, "request: 'much' is not a size"),
                ({"feathers": 1}, "there is no option 'feathers'"),
                ({"queues": 0}, "queues: 0 is out of bounds; give 1 to 64"),
                ({"channel": {"wait": "nap"}}, "wait: 'nap' is none of its values"),
                ({"channel": {"settings": {"splice.pipe": "much"}}}, "splice.pipe=much makes no sense"),
                ({"file": "/nonexistent/film", "workload": "download", "parameters": {}}, "/nonexistent/film")):
            with self.subTest(change=change):
                record = {**good, "schema": change.pop("schema", good["schema"]), "spec": {**good["spec"], **change}}
                path = self.directory / "record.json"
                path.write_text(json.dumps(record))
                code = 1 if "film" in says or "not a record" in says else 2
                self.refused(code, "run", f"--like={path}", says=[says])
        self.refused(1, "run", "--like=/nonexistent/record", says=["/nonexistent/record", "No such file"])

    def test_unknown_workload(self):
        self.refused(2, "run", "--workload=bulk", says=["--workload", "small-files"])

    def test_contradicting_repetitions(self):
        self.refused(2, "run", "--least-runs=5", "--most-runs=3", says=["--least-runs <= --most-runs"])
        self.refused(2, "run", "--runs=5", "--most-runs=3", says=["--runs"])

    def test_an_empty_value(self):
        for command, option in (("run", "--datapath="), ("serve", "--root="), ("clean", "--work=")):
            self.refused(2, command, option, "--json", says=[f"{option} has no value"])
        self.refused(2, "run", "--help=1", says=["--help takes no value"])
        for seed in "-1", "99999999999999999999", "4294967296":
            self.refused(2, "run", f"--seed={seed}", says=["--seed"])

    def test_setting_of_no_datapath(self):
        self.refused(2, "run", "--set=read_write.bufer=1MiB", says=["read_write has no option 'bufer'"])
        self.refused(2, "run", "--set=buffer", says=["NAME.OPTION=VALUE"])


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
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Aharness: [^\n]*No space left on device[^\n]*\n\Z")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([HARNESS, "list"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write the output: No space left on device", done.stderr)


class Output(Case):
    def test_help_has_examples(self):
        for command in ("run", "compare", "list", "doctor", "show", "clean", "serve", "get", "put"):
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
            while set(self.directory.iterdir()) == before and time.monotonic() < end:
                select.select([], [], [], 0.01)
            process.send_signal(sent)
            output, errors = process.communicate(timeout=DEADLINE)
            self.assertEqual(process.returncode, 130, errors)
            self.assertRegex(errors, r"\Aharness: [^\n]+\n\Z")
            self.assertEqual(output, "")
            self.assertEqual(set(self.directory.iterdir()), before)

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
    HARNESS = os.path.abspath(sys.argv[1])
    SOURCE = pathlib.Path(sys.argv[2])
    program = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun > 0 and len(result.skipped) == result.testsRun:
        sys.exit(77)
