#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reports of real records: the same bytes wherever and whenever, figures as the record has them, one line for what
cannot be.

Usage: report_test.py HARNESS SOURCE [unittest arguments]
"""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from command_line import DEADLINE, HARNESS, SMALL, Case, main, run
from hosts import wait_until

TEXT = "--format=md,csv,tex"


def tree(folder):
    """Every file of a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Report(Case):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="waggle-report-")
        cls.records = pathlib.Path(cls.place.name)
        for name, arguments in (("bulk", ["--datapaths=sendfile,read_write,dpdk", "--size=4MiB"]),
                                ("rr", ["--datapaths=sendfile,read_write", "--workload=rr", "--seconds=0.2"])):
            done = run("compare", *arguments, *SMALL[1:3], "--probed=1", "--placement=any", f"--output={cls.records / name}.json")
            assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def report(self, *arguments, records=None, name="report", **options):
        folder = self.directory / name
        done = run("report", str(records or self.records), f"--output={folder}", *arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return folder

    def test_the_same_records_give_the_same_bytes(self):
        first = tree(self.report(TEXT))
        elsewhere = self.directory / "else where" / "deeper"
        shutil.copytree(self.records, elsewhere)
        for path in elsewhere.rglob("*.json"):
            os.utime(path, (1, 1))
        cwd = self.directory / "cwd"
        cwd.mkdir()
        second = tree(self.report(TEXT, records=elsewhere, name="again", cwd=cwd,
                                  environment={"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "HOME": str(self.directory / "home")}))
        self.assertEqual(first.keys(), second.keys())
        for name, content in first.items():
            self.assertEqual(content, second[name], name)
        self.assertLessEqual({"report.json", "report.md", "figures.csv", "runs.csv", "tables/verdicts.tex"}, first.keys())

    def test_figures_are_those_of_the_record(self):
        folder = self.report(TEXT)
        record = json.loads((self.records / "bulk.json").read_text())
        with open(folder / "figures.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        for contestant in record["contestants"]:
            summary = contestant["summary"]
            mine = [row for row in rows if row["record"] == "bulk.json" and row["contestant"] == contestant["label"]]
            (goodput,) = [row for row in mine if row["figure"] == "goodput"]
            self.assertEqual(float(goodput["value"]), summary["goodput_bits_per_second"]["median"])
            self.assertEqual(goodput["link"], contestant["link"])
            (cpu,) = [row for row in mine if row["figure"] == "cpu.per_gib" and row["party"] == ""]
            self.assertEqual(float(cpu["value"]), summary["cpu_seconds_per_gib"]["processes"]["median"])
            for party in summary["parties"]:
                (copies,) = [row for row in mine if row["figure"] == "copies" and row["party"] == party["role"]
                             and row["place"] == "kernel"]
                self.assertEqual(float(copies["value"]), party["copies"]["kernel"]["measured"])
                self.assertEqual(copies["grade"], party["copies"]["kernel"]["grade"])
        with open(folder / "runs.csv", newline="") as file:
            runs = [row for row in csv.DictReader(file) if row["record"] == "bulk.json"]
        self.assertEqual(len(runs), sum(len(contestant["runs"]) for contestant in record["contestants"]))
        # Links never share a table.
        model = json.loads((folder / "report.json").read_text())
        for experiment in model["experiments"]:
            self.assertEqual(experiment["id"].split("/")[1], experiment["link"])
        self.assertEqual(len([one for one in model["experiments"] if one["workload"] == "download"]), 2)
        self.assertTrue(model["verdicts"])

    def test_a_selection(self):
        folder = self.report(TEXT, "--select=datapath=sendfile,workload=download")
        model = json.loads((folder / "report.json").read_text())
        self.assertEqual([one["workload"] for one in model["experiments"]], ["download"])
        self.assertEqual([one["label"] for one in model["experiments"][0]["contestants"]], ["sendfile"])

    def test_records_may_follow_a_list(self):
        folder = self.directory / "after"
        done = run("report", f"--output={folder}", "--select=datapath=sendfile", "--format", "csv,md", str(self.records))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue((folder / "figures.csv").exists() and (folder / "report.md").exists())

    def test_ctrl_c_leaves_nothing_behind(self):
        begun = lambda: list(self.directory.glob("report.??????"))
        with subprocess.Popen([HARNESS, "report", str(self.records), f"--output={self.directory / 'report'}", "--format=svg"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as program:
            wait_until(lambda: program.poll() is not None or begun(), "the folder that is filled")
            program.send_signal(signal.SIGTERM)
            errors = program.communicate(timeout=DEADLINE)[1]
        self.assertEqual(begun(), [])
        # Where plots cannot be drawn, it has ended by then.
        self.assertIn(program.returncode, (130, 3), errors)
        self.assertFalse((self.directory / "report").exists())

    def test_bad_input(self):
        output = f"--output={self.directory / 'report'}"
        records = str(self.records)
        self.refused(2, "report", str(self.directory), output, says=["there is no record in"])
        self.refused(1, "report", str(self.directory / "none.json"), output, says=["none.json", "No such file"])
        whole = (self.records / "bulk.json").read_text()
        for name, text, says in (("truncated", whole[:len(whole) // 2], "is not a record"),
                                 ("foreign", '{"schema": "other"}', "is not a record"),
                                 ("future", whole.replace("waggle-record/2", "waggle-record/9"), "waggle-record/9"),
                                 ("not-whole", whole.replace('"contestants"', '"contestans"', 1), "is not a whole record")):
            with self.subTest(name):
                path = self.directory / f"{name}.json"
                path.write_text(text)
                self.refused(1, "report", str(path), output, says=[f"{name}.json", says])
                path.unlink()
        self.refused(2, "report", records, output, "--select=datapath=sendfil", says=["no record has the datapath sendfil", "sendfile"])
        self.refused(2, "report", records, output, "--select=colour=red", says=["colour"])
        self.refused(2, "report", records, output, "--format=docx", says=["docx"])
        self.refused(2, "report", records, "--plot=goodput", says=["--plot needs a file"])
        self.refused(1, "report", records, TEXT, "--output=/proc/report", says=["/proc/report"])
        self.refused(2, "report", records, TEXT, f"--output={self.records}", says=["something else than a report"])
        self.assertEqual(list(self.directory.iterdir()), [])
        self.assertEqual(len(list(self.records.iterdir())), 2)


if __name__ == "__main__":
    main()
