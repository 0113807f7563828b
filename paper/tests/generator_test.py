#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the generator makes of a report: the report's numbers and no others, and nothing of what it lacks.

usage: generator_test.py [unittest arguments]. Needs Python 3.11, no TeX.
"""

import pathlib
import re
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "results")]

if sys.version_info < (3, 11):
    print("skipped: needs Python 3.11")
    sys.exit(77)

from generator import asks, claims, command, records, tex, typeset, values  # noqa: E402
from generator.fault import WrongUse  # noqa: E402


def figure(name, value, unit="", low=None, high=None, **others):
    return {"name": name, "unit": unit, "party": None, "place": None, "of": "", "value": value, "low": low, "high": high,
            "coverage": 0.97 if low else None, "n": 7, "grade": None, **others}  # fmt: skip


def contestant(label, goodput):
    return {
        "label": label, "sender": label, "receiver": label, "status": "ok", "runs": [{"value": goodput}] * 7,
        "latency": {"get": {"count": 9}, "put": {"count": 3}},
        "figures": [
            figure("goodput", goodput, "bit/s", goodput * 0.9, goodput * 1.1),
            figure("copies", 1.034, "B/B", party="sender", grade="traced"),
            figure("latency.p50", 12300.0, "ns", of="get"), figure("latency.p50", 99.0, "ns", of="put"),
            figure("counter", 5.0, of="naps"), figure("cpu.share", 0.95), figure("memory", 3 * 2**20, "B"),
        ],
    }  # fmt: skip


def experiment(number, link, suite_point=None):
    return {
        "id": f"r{number}/{link}", "record": f"r{number}", "workload": "download", "link": link, "link_text": f"{link}, MTU 1500",
        "title": "download of 1 MiB", "metric": {"name": "goodput", "unit": "bit/s", "better": "more"}, "caption": "n = 7", "warnings": [],
        "contestants": [contestant("read_write", 1.5e9), contestant("sendfile", 31.25e9)],
        "comparisons": [{"a": "sendfile", "b": "read_write", "metric": "goodput", "ratio": 20.8, "low": 19.0, "high": 22.0,
                         "differs": True, "sentence": "sendfile moves 20.8 times (19–22) what read_write does."}],
        "unavailable": [{"label": "dpdk", "status": "unavailable", "reason": "no hugepages", "hint": ""}],
    }  # fmt: skip


def record(number, suite=None):
    return {"id": f"r{number}", "created": f"2026-11-2{number}T10:00:00Z", "finished": f"2026-11-2{number}T10:00:09Z", "suite": suite,
            "noisy": False, "noise": [], "machine": "2 × CPU_1", "revision": "a" * 40, "placement": "",
            "environment": [{"name": "cpu.model", "value": "100% \\fast_$CPU"}, {"name": "memory_bytes", "value": str(2**30)}]}  # fmt: skip


def rule(outcome, experiment_id, why="because"):
    return {"says": "it does", "rule": "x", "outcome": outcome, "ours": "1", "why": why, "experiment": experiment_id}


def verdict(claim, outcome, rules=(), waits=None):
    return {"claim": claim, "group": "Zero-copy table", "text": f"Text of {claim}.", "theirs": "2 copies", "doubt": "", "verdict": outcome,
            "ours": "1.03", "why": "so it is", "waits_for": waits, "rules": list(rules)}  # fmt: skip


def model(*suites):
    suites = suites or (None,)
    return {
        "records": [record(index + 1, suite) for index, suite in enumerate(suites)],
        "experiments": [experiment(index + 1, "veth") for index in range(len(suites))],
        "sweeps": [{"id": "bulk/discard/veth"}],
        "verdicts": [
            verdict("Z0", "holds", [rule("holds", "r1/veth", "1.03 copies/B")]), verdict("Z1", "not shown", [rule("not shown", "")]),
            verdict("Z6", "cannot run here"), verdict("X5", "waits", waits="sockmap"),
        ],
    }  # fmt: skip


def told(report):
    asked = asks.read()
    made = tex.Values()
    values.of_records(made, report)
    values.of_asks(made, asked)
    values.of_experiments(made, asks.experiments(report, asked))
    claims.values(made, report)
    return made.all


class Generator(unittest.TestCase):
    def test_numbers_are_the_reports(self):
        made = told(model())
        self.assertEqual(made["fig/transfer/sendfile/goodput"], r"\quantity{31.2}{28.1--34.4}{\giga\bit\per\second}")
        self.assertEqual(made["fig/transfer/read_write/goodput"], r"\quantity{1.50}{1.35--1.65}{\giga\bit\per\second}")
        self.assertEqual(made["fig/transfer/sendfile/copies/sender"], r"\quantity{1.03}{}{}")
        self.assertEqual(made["grade/transfer/sendfile/copies/sender"], "traced")
        self.assertEqual(made["fig/transfer/sendfile/latency.p50"], r"\quantity{12.3}{}{\micro\second}")
        self.assertEqual(made["fig/transfer/sendfile/cpu.share"], r"\quantity{95.0}{}{\percent}")
        self.assertEqual(made["fig/transfer/sendfile/memory"], r"\quantity{3.00}{}{\mebi\byte}")
        sentence = "sendfile moves 20.8 times (19--22) what read\\_write does."
        self.assertEqual(made["compared/transfer/goodput/sendfile/read_write"], sentence)
        self.assertEqual(made["compared/transfer/goodput/read_write/sendfile"], sentence)
        self.assertEqual((made["of/transfer/runs"], made["of/transfer/differ"], made["of/transfer/pairs"]), ("7", "1", "1"))
        self.assertEqual((made["all/records"], made["all/days"]), ("1", "2026-11-21"))
        self.assertEqual((made["claims/all"], made["claims/holds"], made["claims/waits"]), ("4", "1", "1"))

    def test_what_was_not_measured_has_no_name(self):
        made = told(model())
        for name in ("fig/latency/udp/latency.p50", "of/small/title", "fig/transfer/udp/goodput", "fig/receive/sendfile/copies/receiver"):
            self.assertNotIn(name, made)
        self.assertEqual(made["made by/small"], r"\code{sudo ./testbed suite small-files}")

    def test_too_few_rounds_are_counted_and_make_no_sentence(self):
        report = model()
        report["experiments"][0]["comparisons"][0] |= {"low": None, "high": None, "n": 3}
        made = told(report)
        self.assertEqual(made["few/transfer/goodput/read_write/sendfile"], "3")
        self.assertNotIn("compared/transfer/goodput/read_write/sendfile", made)

    def test_the_machine_is_that_of_all_records(self):
        report = model(None, None)
        for one, share in zip(report["records"], ("0.25", "0.125"), strict=True):
            one["environment"].append({"name": "steal_share", "value": share})
        self.assertIn(r"at most & 25 \% \\", values.machines(report))

    def test_an_interval_that_covers_less_says_so(self):
        few = figure("goodput", 2e9, "bit/s", 1e9, 3e9)
        few["coverage"] = 0.75
        self.assertEqual(values.quantity(few), r"\quantity{2.00}{1.00--3.00, covers 75 \%}{\giga\bit\per\second}")

    def test_the_first_line_that_fits_decides_and_then_the_newest(self):
        bulk = {"name": "bulk", "experiment": "discard", "title": "", "point": {"size": "256MiB"}}
        other = {"name": "bulk", "experiment": "discard", "title": "", "point": {"size": "1MiB"}}
        quick = {"name": "quick", "experiment": "download", "title": "", "point": {}}
        for suites, wanted in (
            ((quick, bulk, other), "r2/veth"), ((bulk, bulk), "r2/veth"), ((quick, other), "r1/veth"), ((None, other), "r2/veth"),
        ):  # fmt: skip
            with self.subTest(suites):
                self.assertEqual(asks.experiments(model(*suites), asks.read())["transfer"]["id"], wanted)
        self.assertEqual(list(asks.sweeps(model(), asks.read())), ["size"])

    def test_the_text_asks_for_what_can_be_told(self):
        """Names in the text are those of asks.toml, and figures those that reports have."""
        asked = asks.read()
        paper = HERE.parent
        text = "".join(path.read_text() for path in sorted((paper / "sections").glob("*.tex")))
        figures = set(re.findall(r"`(?:\.)?([a-z0-9._]+)`", (paper.parent / "results" / "README.md").read_text()))
        figures |= {f"latency.{p}" for p in ("p50", "p90", "p99", "p999", "max")}
        figures |= {name + per for name in ("mode_switches", "system_calls", "context_switches") for per in ("_per_mib", "_per_operation")}
        for name in re.findall(r"\\measured\{([^{}#]+)\}", text):
            parts = name.split("/")
            self.assertIn(parts[0], asked["experiment"], name)
            self.assertIn(parts[2], figures, name)
            self.assertLessEqual(set(parts[3:]), {"sender", "receiver", "kernel", "user"}, name)
        for name in re.findall(r"\\(?:about|compared|copiesof|tableof)\{([a-z-]+)[/}]", text):
            self.assertIn(name, asked["experiment"])
        # A figure that may not be there is named only where it is.
        for name in re.findall(r"\\ref\{fig:([a-z-]+)\}", text):
            self.assertTrue(name == "copies" or f"\\ifplot{{{name}}}{{" in text, name)
        plots = re.findall(r"\\plotof\*?\{([a-z-]+)\}\{([a-z-]+)\}", text)
        self.assertEqual({name for name, _ in plots}, asked["plot"].keys())
        for name, of in plots:
            self.assertEqual(asked["plot"][name]["of"], of)
            self.assertIn(of, asked["experiment"] | asked["sweep"])
        for name in re.findall(r"\\(?:madeby|lacks\{[^{}]*\})\{([a-z-]+)\}", text):
            self.assertIn(name, asked["experiment"] | asked["sweep"])
        made = told(model())
        for kind, pattern in (("all", r"\\records\{([a-z ]+)\}"), ("claims", r"\\claimcount\{([a-z-]+)\}")):
            for name in re.findall(pattern, text):
                self.assertIn(f"{kind}/{name}", made)

    def test_asks_are_of_suites_that_are_there(self):
        suites = {path.stem: path.read_text() for path in (HERE.parent.parent / "workloads" / "suites").glob("*.toml")}
        asked = asks.read()
        lines = [line for ask in asked["experiment"].values() for line in ask["from"] if "suite" in line]
        for line in [*lines, *asked["sweep"].values()]:
            self.assertRegex(suites[line["suite"]], rf'(?m)^id = "{line["experiment"]}"$')
        for ask in [*asked["experiment"].values(), *asked["sweep"].values()]:
            self.assertIn(ask["made_by"].removeprefix("suite "), suites)

    def test_texts_are_printed_and_never_obeyed(self):
        self.assertEqual(tex.escaped(r"\input{x} 5 % $_#&~^ <a> `b_c`"),
                         r"\textbackslash{}input\{x\} 5 \% \$\_\#\&\textasciitilde{}\textasciicircum{} "
                         r"\textless{}a\textgreater{} \code{b\_c}")  # fmt: skip
        self.assertEqual(tex.escaped("`harness --mtu=1` --"), r"\code{harness -{}-mtu=1} -{}-")
        self.assertEqual(tex.escaped("ä → 中\x1b\n–"), r"ä \ensuremath{\rightarrow} ?? --")
        self.assertIsNone(tex.key("fig", "a}\\input{x"))
        self.assertIn(r"100\% \textbackslash{}fast\_\$CPU", values.machines(model()))
        self.assertNotIn("中", tex.printable("中"))

    def test_claims(self):
        text = claims.by_group(model())
        self.assertIn(r"\claim{Z0}{Text of Z0.}{2 copies}{\outcome{holds}}", text)
        self.assertIn(r"\claimrule{it does}{\outcome{holds}}{1.03 copies/B}", text)
        self.assertIn(r"\claimsunasked{Z1}", text)
        self.assertIn(r"\claimswaiting{X5 for sockmap}", text)
        self.assertIn(r"\claim{Z6}", text)
        self.assertEqual(claims.table(model()).count(r"\outcome{"), 4)
        self.assertTrue(claims.counts(model()).endswith("all & 1 & -- & 1 & 1 & 1 \\\\\n"))
        # Each outcome that a report may have is one that the style prints.
        style = (HERE.parent / "waggle.sty").read_text()
        self.assertIn("& -- &", claims.table(model() | {"verdicts": [verdict("Z0", "waits") | {"ours": ""}]}))
        for outcome in claims.OUTCOMES:
            self.assertIn(f"wg@outcome@{tex.slug(outcome)}\\endcsname", style)

    def test_its_date_is_that_of_the_newest_record(self):
        self.assertEqual(command.seconds_of(model(None, None)), 1795341609)

    def test_a_package_that_is_missing_is_the_machines_fault(self):
        missing = typeset.failure("pdflatex", "./paper.tex:15: LaTeX Error: File `tikz.sty' not found.\n")
        self.assertEqual((missing.code, str(missing)), (3, "a paper needs tikz.sty; ./testbed packages paper installs it"))
        wrong = typeset.failure("pdflatex", "This is pdfTeX\n./paper.tex:15: Undefined control sequence.\nl.15 \\x\n")
        self.assertEqual((wrong.code, str(wrong)), (1, "pdflatex failed: ./paper.tex:15: Undefined control sequence."))

    def test_undefined_references_are_found(self):
        log = "LaTeX Warning: Reference `fig:x' on page 1 undefined on input line 5.\nLaTeX Warning: Citation `y' on page 2 undefined on input"
        self.assertEqual(typeset.undefined(log), ["fig:x", "y"])

    def test_records_by_default(self):
        with tempfile.TemporaryDirectory() as place:
            top = pathlib.Path(place)
            recorded, results = top / "recorded", top / "results"
            with self.assertRaisesRegex(WrongUse, "there are no records in"):
                records.default(recorded, results)
            recorded.mkdir()
            (recorded / "a.json.gz").write_text("")
            results.mkdir()
            (results / "record.schema.json").write_text("{}")
            self.assertEqual(records.default(recorded, results), [str(recorded)])
            for folder in ("", "quick-20261128-010000", "bulk-20261127-010000", "report", "recorded"):
                (results / folder).mkdir(parents=True, exist_ok=True)
                self_made = results / folder / "a.json"
                self_made.write_text('{"schema": "waggle-record/2"}')
            (results / "doctor.json").write_text('{"checks": []}')
            self.assertEqual(records.default(recorded, results), [str(results / "quick-20261128-010000")])
            for folder in ("quick-20261128-010000", "bulk-20261127-010000"):
                (results / folder / "a.json").unlink()
            self.assertEqual(records.default(recorded, results), [str(results / "a.json")])


if __name__ == "__main__":
    unittest.main()
