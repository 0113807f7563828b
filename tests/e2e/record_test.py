#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A real experiment leaves a record that matches the schema, and the schema refuses broken ones.

usage: record_test.py HARNESS SOURCE_ROOT
"""
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from records import HARNESS, LISTED, ROOT, SCHEMA, SCHEMA_1, SHORT, experiment, jsonschema, modes_of, party, problems

RECORD = experiment("run", "--datapath=sendfile", *SHORT)


class RealRecord(unittest.TestCase):
    def test_the_schema_is_one(self):
        jsonschema.Draft7Validator.check_schema(SCHEMA)

    def test_it_matches(self):
        self.assertEqual(problems(RECORD), [])

    def test_it_holds_what_happened(self):
        (pair,) = RECORD["contestants"]
        self.assertEqual(pair["status"], "ok")
        kinds = [run["kind"] for run in pair["runs"]]
        self.assertEqual(kinds.count("warmup"), 1)
        self.assertGreaterEqual(kinds.count("timed"), 3)
        for run in pair["runs"]:
            self.assertTrue(run["verified"])
            self.assertEqual(run["payload_bytes"], 4 * 2**20)
            self.assertEqual(sum(run["timeline"]["bytes"]), run["payload_bytes"])
            self.assertEqual(run["kind"] == "probed", "trace" in run)
            self.assertAlmostEqual(run["goodput_bits_per_second"], run["payload_bytes"] * 8 / run["seconds"], delta=1)
        self.assertEqual(sorted(run["order"] for run in pair["runs"]), list(range(len(kinds))))
        self.assertEqual(party(pair["parties"], "receiver")["facts"]["incoming"], "read_write")
        for run in pair["runs"]:
            self.assertEqual([(one["role"], one["host"], one["cpu"]) for one in run["parties"]],
                             [("sender", "server", RECORD["spec"]["server_cpu"]), ("receiver", "client", RECORD["spec"]["client_cpu"])])
            self.assertGreater(party(run["parties"], "receiver")["usage"]["peak_memory_bytes"], 0)
        self.assertTrue(RECORD["spec"]["seed"] > 0)

    def test_what_we_ask_of_a_server_is_not_counted_as_its_work(self):
        (pair,) = RECORD["contestants"]
        probed = [run for run in pair["runs"] if run["kind"] == "probed"]
        self.assertGreater(len(probed), 0)
        for run in probed:
            calls = [each["call"] for each in party(run["trace"]["parties"], "sender")["calls"]]
            self.assertIn("sendfile", calls)
            self.assertNotIn("getrusage", calls)

    def test_every_run_tells_what_the_machine_was_like(self):
        placement = RECORD["placement"]
        self.assertEqual(placement["rule"], "same")
        self.assertEqual(placement["cpus"], [{"host": "server", "cpu": RECORD["spec"]["server_cpu"]},
                                             {"host": "client", "cpu": RECORD["spec"]["client_cpu"]}])
        self.assertNotEqual(placement["share"], "")
        (pair,) = RECORD["contestants"]
        counted = 0
        for run in pair["runs"]:
            conditions = run["conditions"]
            if run["kind"] == "moved":
                self.assertTrue(conditions["moved"])
            self.assertGreater(conditions["calibration"]["before"]["arithmetic_ns"], 0)
            self.assertEqual("group" in conditions, run["kind"] == "timed")
            counted += run["kind"] == "timed" and placement["counted"] in (None, conditions["group"])
        self.assertEqual(sum(group["runs"]["sendfile"] for group in placement["groups"]),
                         sum(run["kind"] == "timed" for run in pair["runs"]))
        self.assertIn("placement_ns", RECORD["environment"])
        (host,) = RECORD["environment"]["hosts"]
        self.assertEqual(host["names"], ["server", "client"])
        self.assertEqual(host["kernel"], os.uname().release)
        for name in "throttled_s", "pressure", "cpu":
            self.assertIn(name, host)
        goodput = pair["summary"]["goodput_bits_per_second"]
        self.assertEqual(goodput["runs"], counted)
        self.assertEqual(goodput["coverage"], None if counted < 3 else min(0.95, 1 - 2 ** (1 - counted)))
        self.assertEqual(pair["summary"]["ratio"]["to"], "sendfile")
        latency = pair["summary"]["latency_ns"]["download"]
        self.assertEqual((latency["p90"], latency["p99"], latency["p999"]), (None, None, None))

    def test_records_of_version_1_are_shown_still(self):
        before = ROOT / "harness" / "record" / "testing"
        old = json.loads((before / "version-1.json").read_text())
        self.assertEqual([e.message for e in jsonschema.Draft7Validator(SCHEMA_1).iter_errors(old)], [])
        for options, printed in ((), "version-1.txt"), (("--full",), "version-1-full.txt"):
            done = subprocess.run([HARNESS, "show", *options, before / "version-1.json"], capture_output=True, text=True)
            self.assertEqual(done.stdout, (before / printed).read_text(), done.stderr)
        done = subprocess.run([HARNESS, "show", "--json", before / "version-1.json"], capture_output=True, text=True)
        self.assertEqual(problems(json.loads(done.stdout)), [])

    def test_records_of_before_are_records_still(self):
        old = json.loads((ROOT / "harness" / "record" / "testing" / "version-1.json").read_text())
        old["pairs"] = [pair for pair in old["pairs"] if pair["label"] == "sendfile"]
        del old["placement"]
        for name in "cpus", "placement":
            del old["spec"][name]
        for name in "placement_ns", "throttled_s", "pressure":
            del old["environment"][name]
        for run in old["pairs"][0]["runs"]:
            run.pop("conditions", None)
            del run["round"]
        summary = old["pairs"][0]["summary"]
        del summary["ratio"]
        for name in "coverage", "drift":
            del summary["goodput_bits_per_second"][name]
        summary["latency_ns"]["download"].update(p50=1, p90=2, p99=3, p999=4)
        self.assertEqual([e.message for e in jsonschema.Draft7Validator(SCHEMA_1).iter_errors(old)], [])
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "old.json"
            path.write_text(json.dumps(old))
            done = subprocess.run([HARNESS, "show", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\n  download +– +– +– +– +\S")
        for missing in "how far its CPUs were", "around each run", "belong to one round":
            self.assertIn(missing, done.stderr)

    def test_what_is_no_whole_record_says_where(self):
        broken = copy.deepcopy(RECORD)
        broken["contestants"][0]["runs"][0]["seconds"] = "long"
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "broken.json"
            path.write_text(json.dumps(broken))
            done = subprocess.run([HARNESS, "show", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not a whole record: contestants[0].runs[0].seconds: a number was expected, not string", done.stderr)

    def test_other_workloads_match_too(self):
        for arguments in (
            ("--workload=upload", "--size=1MiB"),
            ("--workload=small-files", "--count=50"),
            ("--workload=metadata", "--count=20"),
            ("--workload=rr", "--seconds=0.1"),
            ("--workload=rand-read", "--size=1MiB", "--count=50"),
            ("--workload=idle", "--seconds=0.2"),
            ("--size=1MiB", "--sink=discard", "--cache=cold", "--clients=2"),
            ("--size=1MiB", "--sink=file", "--link=loopback", "--allow-fallback"),
        ):
            with self.subTest(arguments=arguments):
                record = experiment("run", "--datapath=sendfile", "--runs=2", "--warmups=0", *arguments)
                self.assertEqual(problems(record), [])
                self.assertEqual(record["contestants"][0]["status"], "ok")

    def test_like_a_record_is_the_same_experiment(self):
        given = ("--size=1MiB", "--runs=2", "--warmups=0", "--probed=0", "--sink=file", "--cache=cold", "--allow-fallback",
                 "--queues=2", "--offloads=off", "--cpus=auto", "--placement=any", "--digest=sha256", "--wait=spin",
                 "--send-buffer=1MiB", "--clients=2", "--seed=9", "--mmap-window=1MiB", "--mtu=2000", "--work=/tmp")
        first = experiment("run", "--datapath=sendfile+mmap", *given)
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "first.json"
            path.write_text(json.dumps(first))
            again = experiment("run", f"--like={path}")
            self.assertEqual(again["spec"], first["spec"])
            self.assertEqual(again["contestants"][0]["label"], first["contestants"][0]["label"])
            # What is said besides it holds, and what that makes meaningless is left behind.
            other = experiment("run", f"--like={path}", "--workload=rr", "--seconds=0.1", "--datapath=read_write", "--clients=1")
            expected = copy.deepcopy(first["spec"])
            expected.update(workload="rr", sink="tmpfs", cache="warm", digest="xxh3")
            expected["parameters"] = {"clients": 1, "seed": 1, "sink": "file", "request": 64, "response": 64, "rate": 0.0,
                                      "seconds": 0.1}
            expected["pairs"] = [{"sender": "read_write", "receiver": "read_write", "link": "veth"}]
            expected["channel"]["settings"] = {}
            self.assertEqual(other["spec"], expected)
            # A record of before, whose parameters were those of all workloads.
            old = copy.deepcopy(first)
            old["spec"]["parameters"] = {"size": 2**20, "count": 0, "small_min": 0, "small_max": 16384, "request": 64,
                                         "response": 64, "block": 4096, "depth": 1, "rate": 0.0, "seconds": 1.0,
                                         "upload": False, "clients": 2, "seed": 1, "sink": "file"}
            del old["spec"]["work"]
            path.write_text(json.dumps(old))
            again = experiment("compare", f"--like={path}", "--work=/tmp")
            self.assertEqual(again["spec"], first["spec"])

    def test_none_overwrites_another(self):
        command = [HARNESS, "run", "--datapath=read_write", "--size=64KiB", "--runs=1", "--warmups=0", "--probed=0"]
        with tempfile.TemporaryDirectory() as place:
            environment = {**os.environ, "WAGGLE_RESULTS": place}
            together = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
            named = [output.rsplit("Record: ", 1)[1].splitlines()[0]
                     for output in (program.communicate(timeout=300)[0] for program in together)]
            self.assertEqual(len(set(named)), 3)
            self.assertEqual(sorted(named), sorted(str(path) for path in pathlib.Path(place).iterdir()))
            for path in named:
                self.assertEqual(problems(json.loads(pathlib.Path(path).read_text())), [])
            before = pathlib.Path(named[0]).read_bytes()
            again = subprocess.run([*command, f"--output={named[0]}"], capture_output=True, text=True, timeout=300)
            self.assertEqual(again.returncode, 2)
            self.assertRegex(again.stderr, r"\Aharness: --output: [^\n]+ exists, [^\n]+; [^\n]+\n\Z")
            self.assertEqual(pathlib.Path(named[0]).read_bytes(), before)

    def test_packet_datapaths_match_too(self):
        for datapath in LISTED["datapaths"]:
            if datapath["carrier"] != "packet" or not datapath["available"]:
                continue
            with self.subTest(datapath=datapath["name"]):
                record = experiment("run", f"--datapath={datapath['name']}", *SHORT)
                self.assertEqual(problems(record), [])
                (pair,) = record["contestants"]
                self.assertEqual(pair["link"], datapath["links"][0])
                self.assertIn(pair["link"], record["environment"]["links"])
                self.assertEqual(party(pair["parties"], "sender")["facts"]["carrier"], "packet")
                self.assertGreater(party(pair["summary"]["parties"], "sender")["counters"]["packets_sent"], 0)
                self.assertIn("congestion", modes_of(pair, "sender"))

    def test_granted_is_what_held_during_the_run(self):
        # MTUs of 1500 and 16384 without the headers of IPv4 and UDP. Enough bytes for many round trips: the search takes some.
        for datapath, packet in ("udp", "1472 bytes"), ("dpdk", "16356 bytes"):
            for workload in ("download", "upload"):
                if datapath not in {d["name"] for d in LISTED["datapaths"] if d["available"]}:
                    continue
                with self.subTest(datapath=datapath, workload=workload):
                    record = experiment("run", f"--datapath={datapath}", f"--workload={workload}", "--size=128MiB", "--runs=1",
                                        "--warmups=0", "--probed=0")
                    self.assertEqual(modes_of(record["contestants"][0], "sender")["packet"]["granted"], packet)

    def test_offloads_that_a_datapath_takes_from_the_link_are_told(self):
        if "afxdp" not in {datapath["name"] for datapath in LISTED["datapaths"] if datapath["available"]}:
            self.skipTest("afxdp cannot run here")
        record = experiment("run", "--datapath=afxdp", "--size=1MiB", "--runs=1", "--warmups=0", "--probed=0")
        link = {mode["name"]: mode["granted"] for mode in record["environment"]["links"]["veth"]["modes"]}
        self.assertEqual(link["server tso"], "on")
        for side in ("sender", "receiver"):
            modes = modes_of(record["contestants"][0], side)
            self.assertEqual((modes["tso"]["requested"], modes["tso"]["granted"]), ("on", "off"))

    def test_each_process_of_a_packet_pair_has_its_own_datapath(self):
        for workload in ("download", "upload"):
            with self.subTest(workload=workload):
                record = experiment("run", "--datapath=udp+simulated", f"--workload={workload}", *SHORT)
                parties = record["contestants"][0]["parties"]
                self.assertEqual(party(parties, "sender")["facts"]["outgoing"], "udp")
                self.assertEqual(party(parties, "receiver")["facts"]["outgoing"], "simulated")

    def test_pairs_are_interleaved(self):
        record = experiment("compare", "--datapaths=sendfile,read_write", *SHORT)
        self.assertEqual(problems(record), [])
        timed = sorted((run["order"], pair["label"]) for pair in record["contestants"] for run in pair["runs"] if run["kind"] == "timed")
        labels = [label for _, label in timed]
        self.assertEqual(set(labels[:2]), {"sendfile", "read_write"})


class BrokenRecord(unittest.TestCase):
    """Each of these must be refused."""

    def refused(self, change):
        broken = copy.deepcopy(RECORD)
        change(broken)
        self.assertNotEqual(problems(broken), [], "a broken record passes")

    def test_missing_parts(self):
        for name in SCHEMA["required"]:
            with self.subTest(name=name):
                self.refused(lambda record, name=name: record.pop(name))

    def test_an_unknown_member(self):
        self.refused(lambda record: record.update(extra=1))

    def test_a_good_run_that_was_not_verified(self):
        self.refused(lambda record: record["contestants"][0]["runs"][0].update(verified=False))

    def test_a_timed_run_with_a_trace(self):
        def change(record):
            runs = record["contestants"][0]["runs"]
            timed = next(run for run in runs if run["kind"] == "timed")
            timed["trace"] = {}
        self.refused(change)

    def test_a_failure_without_a_reason(self):
        self.refused(lambda record: record["contestants"][0].update(status="failed"))

    def test_negative_time(self):
        self.refused(lambda record: record["contestants"][0]["runs"][0].update(seconds=-1))

    def test_a_pair_without_summary(self):
        self.refused(lambda record: record["contestants"][0].pop("summary"))

    def test_an_invented_grade(self):
        def change(record):
            record["contestants"][0]["summary"]["parties"][0]["copies"]["kernel"]["grade"] = "guessed"
        self.refused(change)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
