#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Advice from records of a small real experiment: what it answers, what it says of records that differ, and one line
where it has none. Nothing here asks who is faster.

Usage: advise_test.py HARNESS SOURCE [unittest arguments]
"""

import json
import os
import pathlib
import shutil
import tempfile
import unittest

from command_line import SMALL, Case, main, require, run


class NoRecords(Case):
    """What needs no rights."""

    def test_without_records_there_is_one_line_that_says_what_to_do(self):
        self.refused(2, "advise", says=["no record answers this", "of download", "--measure"])
        self.refused(2, "advise", "--no-measure", "--workload=rr", says=["of rr", "leave out --no-measure"])
        os.environ["WAGGLE_RESULTS"] = str(self.directory / "none")
        self.refused(2, "advise", says=["no record answers this"])
        self.refused(2, "advise", str(self.directory), says=["there is no record in"])
        self.refused(1, "advise", str(self.directory / "none.json"), says=["none.json", "No such file"])

    def test_wrong_use(self):
        self.refused(2, "advise", "--goal=speed", says=["--goal", "goodput, latency, cpu"])
        self.refused(2, "advise", "--workload=ftp", says=["--workload", "download"])
        self.refused(2, "advise", "--size=much", says=["--size"])
        self.refused(2, "advise", "--workload=rr", "--size=1GiB", says=["--size says nothing to the workload rr"])
        self.refused(2, "advise", "--measure", "--no-measure", says=["exclude each other"])
        self.refused(2, "advise", "--measure", str(self.directory), says=["--measure asks no records"])
        self.refused(2, "advise", "--datapaths=udp", says=["no option '--datapaths'"])


class Advice(Case):
    @classmethod
    def setUpClass(cls):
        require(os.getuid() == 0, "only root may make network namespaces")
        cls.place = tempfile.TemporaryDirectory(prefix="waggle-advise-")
        cls.records = pathlib.Path(cls.place.name)
        for name, arguments in (("bulk", ["--datapaths=sendfile,read_write,udp,dpdk", "--size=4MiB"]),
                                ("rr", ["--datapaths=sendfile,udp", "--workload=rr", "--seconds=0.2"]),
                                ("idle", ["--datapaths=sendfile,udp", "--workload=idle", "--seconds=0.2"])):
            done = run("compare", *arguments, *SMALL[1:3], "--probed=0", "--placement=any", f"--output={cls.records / name}.json")
            assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def advice(self, *arguments):
        done = run("advise", *arguments, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)
        return json.loads(done.stdout)

    def summary(self, name, label):
        record = json.loads((self.records / f"{name}.json").read_text())
        (found,) = [one for one in record["contestants"] if one["label"] == label]
        return found["summary"]

    def test_figures_are_those_of_the_record(self):
        told = self.advice(str(self.records), "--size=4MiB")
        self.assertEqual(told["record"]["file"], "bulk.json")
        self.assertEqual(told["record"]["differences"], [])
        self.assertEqual((told["goal"], told["figure"], told["measured"]), ("goodput", "goodput", False))
        self.assertEqual({one["label"] for one in told["candidates"]}, {"sendfile", "read_write", "udp"})
        self.assertIn(told["take"], [one["label"] for one in told["candidates"] if one["alike"]])
        for one in told["candidates"]:
            summary = self.summary("bulk", one["label"])
            self.assertEqual(one["value"]["median"], summary["goodput_bits_per_second"]["median"])
            # The kernel counts the machine's time in ticks, of which so short a run may have none.
            whole = "machine" if told["cpu_figure"] == "cpu.machine_per_gib" else "processes"
            self.assertEqual(one["cpu"]["median"], summary["cpu_seconds_per_gib"][whole]["median"])
            self.assertEqual(one["ratio"] is None, one["label"] == told["take"])
        # Two runs show nothing, and what was made over vhost does not compare with what was made over a veth.
        self.assertEqual(told["sure"]["level"], "low")
        self.assertIn("too few runs", told["answer"])
        self.assertTrue(any("dpdk" in line for line in told["besides"] + [one["label"] for one in told["absent"]]))

    def test_needs_come_from_the_registry(self):
        told = self.advice(str(self.records), "--workload=rr", "--goal=latency")
        self.assertEqual(told["operation"], "rr")
        for one in told["candidates"]:
            self.assertEqual(one["p50"], self.summary("rr", one["label"])["latency_ns"]["rr"]["p50"])
        listed = {one["name"]: one for one in json.loads(run("list", "--json").stdout)["datapaths"]}
        self.assertEqual(listed["sendfile"]["needs"], [])
        self.assertLessEqual({"root", "interface"}, {need["kind"] for need in listed["afxdp"]["needs"]})
        self.assertLessEqual({"hugepages", "core"}, {need["kind"] for need in listed["dpdk"]["needs"]})
        for one in told["candidates"]:
            self.assertEqual([need["kind"] for need in one["needs"]], [need["kind"] for need in listed[one["label"]]["needs"]])

    def test_the_first_line_is_the_answer(self):
        for arguments in (["--size=4MiB"], ["--size=4MiB", "--goal=cpu"], ["--workload=rr"], ["--workload=idle"]):
            with self.subTest(arguments=arguments):
                told = self.advice(str(self.records), *arguments)
                done = run("advise", str(self.records), *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout.splitlines()[0], told["answer"])
                self.assertIn(f"Record: {told['record']['file']}", done.stdout)
                for reason in told["sure"]["because"]:
                    self.assertIn(reason, done.stdout)
        self.refused(2, "advise", str(self.records), "--workload=idle", "--goal=latency", says=["choose --goal=cpu"])

    def test_what_differs_is_said(self):
        told = self.advice(str(self.records))
        self.assertEqual([one["option"] for one in told["record"]["differences"]], ["size"])
        self.assertIn("--size=4MiB was measured, 1GiB is the default", told["sure"]["because"])
        told = self.advice(str(self.records), "--size=8MiB")
        self.assertIn("--size=8MiB is asked, 4MiB was measured", told["sure"]["because"])
        self.refused(2, "advise", str(self.records), "--size=64MiB", says=["bulk.json", "--size=64MiB is asked, 4MiB was measured"])
        self.refused(2, "advise", str(self.records), "--link=loopback", says=["of download over loopback"])

    def test_records_of_other_machines_are_left_aside(self):
        other = self.directory / "other"
        shutil.copytree(self.records, other)
        record = json.loads((other / "bulk.json").read_text())
        record["environment"]["hosts"][0]["cpu"]["online"] += 62
        record["created"] = "2199-01-01T00:00:00Z"
        (other / "bulk.json").write_text(json.dumps(record))
        self.refused(2, "advise", str(other), "--size=4MiB", says=["1 record of other machines"])
        told = self.advice(str(other), str(self.records), "--size=4MiB")
        self.assertEqual(len(told["aside"]), 1)
        self.assertNotIn("2199", told["record"]["created"])

    def test_a_measurement_is_kept_as_that_of_compare_is(self):
        os.environ["WAGGLE_RESULTS"] = str(self.directory / "results")
        # As short as it gets: what fits into a second is three runs of each.
        done = run("advise", "--measure", "--time=1s", "--size=64KiB", "--link=loopback", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertTrue(told["measured"])
        self.assertEqual(told["record"]["link"], "loopback")
        self.assertNotIn("simulated", [one["label"] for one in told["candidates"]])
        (path,) = pathlib.Path(os.environ["WAGGLE_RESULTS"]).glob("*.json")
        self.assertEqual(path.name, told["record"]["file"])
        self.assertRegex(path.name, "-download-compare.json$")
        self.assertEqual(run("show", str(path)).returncode, 0)
        again = self.advice("--size=64KiB", "--link=loopback", "--no-measure")
        self.assertEqual((again["record"]["file"], again["measured"]), (path.name, False))


if __name__ == "__main__":
    main()
