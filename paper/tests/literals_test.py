#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No number stands in the paper's source, and what looks for them finds them.

usage: literals_test.py [unittest arguments]
"""

import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

from literals import NAMES, literals  # noqa: E402

PAPER = HERE.parent
SOURCES = sorted([*PAPER.glob("*.tex"), *(PAPER / "sections").glob("*.tex")])


class Literals(unittest.TestCase):
    def test_the_paper_has_none(self):
        self.assertGreater(len(SOURCES), 8)
        found = [f"{path.relative_to(PAPER)}:{line}: {what}" for path in SOURCES for line, what in literals(path.read_text())]
        self.assertEqual(found, [], "numbers come from records: \\measured{…}, \\about{…}, \\compared{…}")

    def test_numbers_are_found(self):
        for text in (
            "sendfile moves 31.2 Gbit/s", "1.34 times", r"in 95\,\% of runs", "a factor of 5", "p99", r"\textbf{17}", "at 75~ns",
            r"\caption{Goodput of 12 runs}", r"\measured{transfer/sendfile/goodput} and 3 more", r"\section{Results of 2026}",
            r"\begin{tikzpicture}\node at (0,1) {2.00};\end{tikzpicture}", r"\begin{tikzpicture}\node {7 copies};\end{tikzpicture}",
            "three times faster", "half a dozen copies", "two-core machine", "twenty-five percent", "it doubles goodput", "twice as fast",
            "a hundred microseconds", "two system calls", "ten runs", r"\ifmeasured{fig/a}{17 Gbit/s}{}", "runs [17]", r"\plotof{size}{size}{5 sizes}",
        ):  # fmt: skip
            with self.subTest(text):
                self.assertTrue(literals(text))

    def test_other_digits_are_left_alone(self):
        for text in (
            r"\measured{latency/udp/latency.p50}", r"\cite{rfc9000,rfc9002}", r"\ref{sec:2}", r"RFC~9002", "% 17 Gbit/s, says a comment",
            r"\theirs{Z0}", r"\begin{tabular}{@{}lp{0.6\linewidth}@{}}", r"\includegraphics[width=3in]{plots/p99}", "IPv4", "CRC32C",
            r"\vspace{2ex}", r"\begin{tikzpicture}[x=1cm]\draw (0,-3.9) -- (0.9,1);\end{tikzpicture}", r"\compared{transfer}{goodput}{a/b2}",
            "two hosts are two namespaces", "one protocol", "first, second", "\\begin{verbatim}\nharness --size=4GiB\n\\end{verbatim}",
        ):  # fmt: skip
            with self.subTest(text):
                self.assertEqual(literals(text), [])

    def test_places_of_what_is_found(self):
        self.assertEqual([line for line, _ in literals("one\n% 2\n\\begin{verbatim}\n3\n\\end{verbatim}\nthen 4")], [6])

    def test_names_are_those_of_commands_that_print_no_argument(self):
        style = (PAPER / "waggle.sty").read_text()
        own = {name for name in re.findall(r"\\newcommand\\([a-z]+)", style) if re.search(rf"\\newcommand\\{name}\[", style)}
        self.assertTrue(own & NAMES.keys())
        # These set their argument as it is.
        self.assertFalse({"code", "quantity", "claimwhy", "claimdoubt", "section", "caption", "emph"} & NAMES.keys())


if __name__ == "__main__":
    unittest.main()
