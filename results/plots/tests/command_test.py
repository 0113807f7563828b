# SPDX-License-Identifier: BSD-2-Clause
"""draw.py from outside: files, their bytes, one line for each fault."""

import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as tree

import synthetic

DRAW = pathlib.Path(__file__).resolve().parent.parent / "draw.py"
KINDS = {"copies", "cpu", "goodput", "latency-cdf", "latency-percentiles", "load", "loss", "scaling", "size", "sweep",
         "switches", "timeline", "tradeoff"}  # fmt: skip


@functools.lru_cache(maxsize=None)
def small():
    return synthetic.small()


def run(*arguments, python=("-I",), **options):
    return subprocess.run([sys.executable, *python, str(DRAW), *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, **options)  # fmt: skip


def content(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="waggle-plots-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.out = self.directory / "out"

    def model(self, report=None, name="model.json"):
        path = self.directory / name
        path.write_text(json.dumps(report or small()), encoding="utf-8")
        return path

    def refused(self, code, *arguments, says=(), **options):
        done = run(*arguments, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertRegex(done.stderr, r"\Aplots: [^\n]+\n\Z")
        self.assertEqual(done.stdout, "")
        for part in says:
            self.assertIn(part, done.stderr)
        return done.stderr


class Files(Case):
    @classmethod
    def setUpClass(cls):
        """Twice the same, with all else different; -I would hide the seed of hashes."""
        cls.both = tempfile.TemporaryDirectory(prefix="waggle-plots-")
        cls.addClassCleanup(cls.both.cleanup)
        cls.places = []
        for number, more in enumerate((
            {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": "1"},
            {"TZ": "Asia/Kolkata", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "77", "COLUMNS": "40"},
        )):  # fmt: skip
            place = pathlib.Path(cls.both.name, str(number))
            place.mkdir()
            (place / "report.json").write_text(json.dumps(small()), encoding="utf-8")
            # What matplotlib would read of its user, and must not here.
            (place / "matplotlibrc").write_text(f"lines.linewidth: {number + 3}\nfont.size: {20 + number}\n")
            done = run("report.json", "out", "--format=svg,pdf", python=(), cwd=place,
                       env={**os.environ, "HOME": str(place), **more})  # fmt: skip
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            cls.places.append(place / "out")

    def test_the_same_bytes_wherever_and_whenever(self):
        first, second = map(content, self.places)
        self.assertEqual(sorted(first), sorted(second))
        self.assertEqual([name for name in first if first[name] != second[name]], [])

    def test_the_index_names_every_file_and_no_other(self):
        files = content(self.places[0])
        index = json.loads(files.pop("plots.json"))
        self.assertEqual(sorted(name for row in index for name in row["files"]), sorted(files))
        self.assertEqual([row["id"] for row in index], sorted(row["id"] for row in index))
        self.assertEqual({row["kind"] for row in index}, KINDS)
        experiments, sweeps = ({one["id"] for one in small()[what]} for what in ("experiments", "sweeps"))
        for row in index:
            self.assertIn(row["experiment"] or row["sweep"], experiments if row["experiment"] else sweeps)
            self.assertEqual(row["files"], [f"{row['id']}.svg", f"{row['id']}.pdf"])
            self.assertTrue(row["alt"].startswith(row["title"]) and re.search(r"\d", row["alt"]), row)

    def test_widths_are_a_column_or_the_page(self):
        for name, data in content(self.places[0]).items():
            if name.endswith(".svg"):
                width = float(tree.fromstring(data).get("width").removesuffix("pt"))
                self.assertIn(round(width / 72, 2), (3.33, 7.0), name)

    def test_text_is_paths_in_svg_and_embedded_in_pdf(self):
        for name, data in content(self.places[0]).items():
            if name.endswith(".svg"):
                self.assertNotIn(b"<text", data, name)
                self.assertNotIn(b"<image", data, name)
            elif name.endswith(".pdf"):
                self.assertIn(b"/FontFile2", data, name)
                self.assertNotIn(b"/Type3", data, name)
                self.assertNotIn(b"CreationDate", data, name)

    def test_figures_carry_their_title_and_alternative_text(self):
        files = content(self.places[0])
        row = json.loads(files["plots.json"])[0]
        self.assertIn(row["alt"], "".join(tree.fromstring(files[row["files"][0]]).itertext()))


class Choice(Case):
    def test_one_figure_into_a_file(self):
        target = self.directory / "deeper" / "figure.pdf"
        done = run(self.model(), "--plot=latency-cdf", "--of=r3/veth", "--output", target)
        self.assertEqual((done.returncode, done.stderr, done.stdout), (0, "", ""))
        self.assertEqual(target.read_bytes()[:5], b"%PDF-")
        self.assertEqual(list(target.parent.iterdir()), [target])

    def test_of_several_somebody_must_choose(self):
        self.refused(2, self.model(), "--plot=goodput", "--output=x.svg", says=["one figure", "--of=ID", "r1/veth"])
        self.refused(2, self.model(), "--of=r1/veth", "--output=x.svg", says=["one figure", "--plot=KIND"])

    def test_slides_from_stdin(self):
        done = run("-", self.out, "--plot=size", "--style=slides", input=json.dumps(small()))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(sorted(content(self.out)), ["plots.json", "size-bulk-size-veth.svg"])
        svg = tree.parse(self.out / "size-bulk-size-veth.svg").getroot()
        self.assertEqual(svg.get("width"), "864pt")

    def test_most(self):
        done = run(self.model(), self.out, "--plot=goodput,switches", "--most=2")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"\Aplots: of \d+ figures the first 2 are drawn[^\n]*\n\Z")
        self.assertEqual(len(content(self.out)), 3)


class Faults(Case):
    def test_wrong_use(self):
        model = self.model()
        for arguments, says in (
            (["--plot=goodptu"], ["'goodptu'", "did you mean goodput?", *KINDS]),
            (["--plot=zzz"], ["there are", *KINDS]),
            (["--format=jpeg"], ["'jpeg'", "svg, pdf, png"]),
            (["--style=poster"], ["'poster'", "paper", "slides"]),
            (["--output=figure.doc"], ["figure.doc", ".svg"]),
            (["--of=r99/veth"], ["r99/veth"]),
            (["--nonsense"], ["--nonsense"]),
            (["--most=x"], ["--most"]),
        ):
            self.refused(2, model, self.out, *arguments, says=says)
        self.refused(2, model, says=["OUTDIR"])
        self.assertFalse(self.out.exists())

    def test_no_matplotlib(self):
        # Without Debian's folder of packages.
        self.refused(3, self.model(), self.out, python=("-I", "-S"),
                     says=["plots need matplotlib (Debian: python3-matplotlib)", "./testbed packages report"])  # fmt: skip

    def test_what_is_no_report(self):
        path = self.directory / "bad.json"
        whole = json.dumps(small())
        for text, says in (
            ("", "is no report"), (whole[: len(whole) // 2], "is no report"), ("[1]", "is no report"),
            ('{"schema": "waggle-record/2"}', "is no report"), ('{"schema": 5}', "is no report"), ("[" * 100000, "is no report"),
            ('{"schema": "waggle-report/2"}', "another version"), ('{"schema": "waggle-report/1"}', "no member 'datapaths'"),
        ):  # fmt: skip
            path.write_text(text)
            self.refused(1, path, self.out, says=["bad.json", says])
        path.write_bytes(b"\xff\xfe\x00{")
        self.refused(1, path, self.out, says=["is no report"])
        self.refused(1, self.directory / "none.json", self.out, says=["No such file"])
        self.refused(1, self.directory, self.out, says=["Is a directory"])
        self.assertFalse(self.out.exists())

    def test_a_member_of_another_kind_is_named_with_its_place(self):
        for change, says in (
            (lambda told: told["experiments"][1].update(contestants=None), "experiments[1].contestants: a list was expected, not null"),
            (lambda told: told["experiments"][0]["contestants"][2]["figures"][0].update(value="9"),
             "experiments[0].contestants[2].figures[0].value: a number was expected, not text"),
            (lambda told: told["experiments"][0]["contestants"][0]["runs"][1].update(value=float("nan")),
             "runs[1].value: a number was expected"),
            (lambda told: told["sweeps"][0]["points"][0].update(experiment="r77/veth"), "r77/veth"),
            (lambda told: told["experiments"].append(told["experiments"][0]), "two experiments have one id"),
        ):  # fmt: skip
            report = json.loads(json.dumps(small()))
            change(report)
            self.refused(1, self.model(report), self.out, says=[says])

    def test_links_never_share_an_axis(self):
        report = json.loads(json.dumps(small()))
        report["sweeps"][0]["points"][0]["experiment"] = next(
            one["id"] for one in report["experiments"] if one["link"] == "loopback"
        )
        self.refused(1, self.model(report), self.out, says=["veth", "loopback", "never share an axis"])

    def test_nothing_to_draw(self):
        report = {"schema": "waggle-report/1", "datapaths": [], "experiments": []}
        says = self.refused(1, self.model(report), self.out, "--plot=copies", says=["nothing to draw"])
        self.assertIn("no contestant whose copies are known", says)
        self.assertFalse(self.out.exists())
        # A report of records without a single number is still a report.
        done = run(self.model(report), self.out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\Aplots: nothing to draw[^\n]*\n\Z")
        self.assertEqual(content(self.out), {"plots.json": b"[]\n"})

    def test_a_place_that_cannot_be_written(self):
        self.out.write_text("a file")
        self.refused(1, self.model(), self.out, "--plot=size", says=["cannot write into", "out"])
        self.refused(1, self.model(), "--plot=size", f"--output={self.out}/x.svg", says=["cannot write into"])
        (self.directory / "taken.svg").mkdir()
        self.refused(1, self.model(), "--plot=size", f"--output={self.directory}/taken.svg", says=["cannot write"])
        self.assertEqual(sorted(content_names(self.directory)), ["model.json", "out", "taken.svg"])

    def test_nothing_is_half_there_after_a_signal(self):
        self.out.mkdir()
        model = self.model(synthetic.report(singles=12, points=2, samples=200))
        for wait_for in (signal.SIGTERM, signal.SIGINT):
            started = subprocess.Popen([sys.executable, "-I", str(DRAW), str(model), str(self.out)], stderr=subprocess.PIPE)
            while started.poll() is None and not any(self.out.glob(".plots-*/*.svg")):
                time.sleep(0.01)
            started.send_signal(wait_for)
            _, told = started.communicate(timeout=30)
            self.assertEqual((started.returncode, told), (128 + wait_for, b""))
            self.assertEqual(content_names(self.out), [])


def content_names(directory):
    return [path.name for path in directory.iterdir()]
