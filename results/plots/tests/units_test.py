# SPDX-License-Identifier: BSD-2-Clause
"""Numbers as people read them."""

import unittest

from plots import text, units


class Numbers(unittest.TestCase):
    def test_three_digits(self):
        told = {31.24e0: "31.2", 4130: "4,130", 0.05123: "0.0512", 9.999: "10.0", 0: "0", 123456: "123,000", -2.5: "−2.50"}
        for value, words in told.items():
            self.assertEqual(units.number(value), words)

    def test_the_prefix_keeps_the_largest_above_one(self):
        for value, unit, words in (
            (3.1e10, "bit/s", "31.0 Gbit/s"), (65536, "B", "64.0 KiB"), (482, "ns", "482 ns"), (1500, "ns", "1.50 µs"),
            (0.084, "s/GiB", "84.0 ms/GiB"), (12.5, "us", "12.5 µs"), (0, "bit/s", "0 bit/s"), (2.5, "", "2.50"),
            (7, "parsec", "7.00 parsec"), (2e6, "1/s", "2.00 million/s"),
        ):  # fmt: skip
            self.assertEqual(units.amount(value, unit), words)
        self.assertEqual(units.amounts(2e9, 1.9e9, 2.1e9, "bit/s"), "2.00 (1.90–2.10) Gbit/s")
        self.assertEqual(units.amounts(2e9, None, None, "bit/s"), "2.00 Gbit/s")

    def test_linear_ticks_are_round_few_and_from_zero(self):
        for largest in (1e-7, 0.3, 1, 4.99, 5, 31.2, 999, 1e12):
            values, texts = units.linear_ticks(largest)
            self.assertEqual(values[0], 0)
            self.assertLessEqual(values[-1], largest * (1 + 1e-9))
            self.assertTrue(2 <= len(values) <= 6, (largest, values))
            self.assertEqual(len(set(texts)), len(texts))
        self.assertEqual(units.linear_ticks(31.2)[1], ["0", "10", "20", "30"])

    def test_log_ticks_lie_inside(self):
        for low, high in ((1, 1e6), (2e3, 3e3), (0.5, 80), (1e-9, 1e9), (1200, 9e4)):
            ticks = units.log_ticks(low, high)
            self.assertTrue(all(low * 0.99 <= tick <= high * 1.01 for tick in ticks), ticks)
            self.assertTrue(1 <= len(ticks) <= 7, ticks)


class Texts(unittest.TestCase):
    def test_what_no_font_and_no_xml_has(self):
        self.assertEqual(text.plain("a\nb\tc\x00d\x1b[1m \ud800 \u202eab"), "a b c d [1m � �ab")

    def test_lines_hold_all_or_say_that_they_do_not(self):
        fits = lambda line: len(line) <= 10  # noqa: E731
        self.assertEqual(text.wrap("one two three four", fits), ["one two", "three four"])
        self.assertEqual("".join(text.wrap("x" * 25, fits)), "x" * 25)
        short = text.wrap("one two three four five six", fits, most=2)
        self.assertEqual(len(short), 2)
        self.assertTrue(short[1].endswith("…") and all(map(fits, short)), short)
        self.assertEqual(text.shortened("short", fits), "short")

    def test_a_text_as_long_as_a_record_likes_takes_no_longer(self):
        asked = []
        lines = text.wrap("x" * 10**7 + " y" * 10**5, lambda line: asked.append(line) or len(line) <= 40)
        self.assertEqual((len(lines), lines[0], lines[-1][-1]), (6, "x" * 40, "…"))
        self.assertLess(len(asked), 200)

    def test_lists(self):
        self.assertEqual([text.listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])],
                         ["", "a", "a and b", "a, b and c"])  # fmt: skip
