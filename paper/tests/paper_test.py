#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The paper as a PDF, of one small record: it builds, says what the record says, and the same record gives the same bytes.

usage: paper_test.py HARNESS SOURCE [unittest arguments]. Needs what ./testbed packages paper installs.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HARNESS = os.path.abspath(sys.argv[1])
SOURCE = pathlib.Path(sys.argv[2]).resolve()
RECORD = SOURCE / "harness" / "record" / "testing" / "version-1.json"
DEADLINE = 120  # seconds that no build comes near


def lacking():
    for program in ("pdflatex", "bibtex", "pdftotext", "pdfinfo", "kpsewhich"):
        if shutil.which(program) is None:
            return f"needs {program}: ./testbed packages paper"
    for style in ("tikz.sty", "lmodern.sty", "booktabs.sty", "microtype.sty"):
        if subprocess.run(["kpsewhich", style], capture_output=True, check=False).returncode != 0:
            return f"needs {style}: ./testbed packages paper"
    probe = "import matplotlib"
    if subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, check=False).returncode != 0:
        return "needs matplotlib: ./testbed packages paper"
    return None


class Paper(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="waggle-paper-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def build(self, *arguments, cwd=None, **environment):
        env = os.environ | {"WAGGLE_RESULTS": str(self.directory / "results"), "TMPDIR": str(self.directory)} | environment
        return subprocess.run([sys.executable, "-I", str(SOURCE / "paper" / "build.py"), f"--harness={HARNESS}", *map(str, arguments)],
                              capture_output=True, text=True, timeout=DEADLINE, cwd=cwd, env=env, check=False)  # fmt: skip

    def built(self, *arguments, **options):
        done = self.build(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_paper_says_what_its_record_says(self):
        sources = self.directory / "sources"
        self.built(RECORD, f"--sources={sources}")
        pdf = self.directory / "results" / "paper.pdf"
        done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True)
        text = " ".join(done.stdout.split())
        for part in ("Which Path Should File Bytes Take?", "not measured", "References", "All claims", "RFC 9002"):
            self.assertIn(part, text)
        rows = re.findall(r"^ *(sendfile|udp) & (\S+)", (sources / "tables" / "r1-veth.tex").read_text(), re.MULTILINE)
        self.assertEqual(len(rows), 2)
        for label, goodput in rows:
            self.assertRegex(text, rf"{label} {re.escape(goodput)}\b")
        self.assertNotIn("??", text)
        # Nothing runs out of its column.
        self.assertNotRegex((sources / "paper.log").read_text("utf-8", "replace"), r"Overfull")
        # What is drawn is vectors, with fonts inside.
        self.assertNotIn(b"/Subtype/Image", pdf.read_bytes().replace(b" ", b""))
        # The sources are whole: TeX alone makes the paper of them.
        (sources / "paper.pdf").unlink()
        subprocess.run(["pdflatex", "-interaction=batchmode", "paper"], cwd=sources, check=True, capture_output=True)
        # Nothing is left of the way.
        self.assertEqual({path.name for path in self.directory.iterdir()}, {"results", "sources"})

    def test_the_same_record_gives_the_same_bytes(self):
        first, second = self.directory / "first.pdf", self.directory / "deeper" / "second.pdf"
        self.built(RECORD, f"--output={first}")
        elsewhere = self.directory / "else where"
        elsewhere.mkdir()
        copy = shutil.copy(RECORD, elsewhere / RECORD.name)
        os.utime(copy, (1, 1))
        home = self.directory / "home"  # where matplotlib keeps what it knows of fonts
        self.built(elsewhere, f"--output={second}", cwd=elsewhere, TZ="Pacific/Kiritimati", LC_ALL="C", HOME=str(home),
                   SOURCE_DATE_EPOCH="1")  # fmt: skip
        self.assertEqual(first.read_bytes(), second.read_bytes())
        # Nothing of the clock.
        told = subprocess.run(["pdfinfo", str(first)], capture_output=True, text=True, check=True).stdout
        self.assertIn("Which Path", told)
        for part in ("CreationDate", "ModDate"):
            self.assertNotIn(part, told)
        self.assertNotIn(b"PTEX", first.read_bytes())

    def test_what_cannot_be(self):
        output = self.directory / "paper.pdf"
        output.write_text("the one from before")
        broken = self.directory / "broken.json"
        broken.write_text("{")
        for code, arguments, says in (
            (2, ["--output"], "expected one argument"), (1, [broken], "is not a record"),
            (1, [self.directory / "none.json"], "No such file"), (2, [RECORD, f"--sources={self.directory}"], "is there already"),
        ):  # fmt: skip
            with self.subTest(says):
                done = self.build(*arguments, *([f"--output={output}"] if arguments != ["--output"] else []))
                self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
                self.assertRegex(done.stderr, r"\Apaper: [^\n]+\n\Z")
                self.assertIn(says, done.stderr)
        self.assertEqual(output.read_text(), "the one from before")
        done = self.build(RECORD, f"--output={output}", PATH="/nonexistent")
        self.assertEqual((done.returncode, done.stderr), (3, "paper: a paper needs pdflatex; ./testbed packages paper installs it\n"))


if __name__ == "__main__":
    reason = lacking()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(1 if os.environ.get("WAGGLE_REQUIRE_ALL") == "1" else 77)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
