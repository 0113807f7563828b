#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the repository shows is what its records give, and what differs is found.

Usage: recorded_test.py HARNESS [unittest arguments]. Works on a copy; draws every plot once, which takes most of its time.
"""

import contextlib
import gzip
import importlib.util
import io
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
TOP = pathlib.Path(__file__).resolve().parents[3]
HARNESS = os.path.abspath(sys.argv.pop(1))


class Recorded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        place = tempfile.TemporaryDirectory(prefix="waggle-recorded-")
        cls.addClassCleanup(place.cleanup)
        cls.top = pathlib.Path(place.name) / "copy"
        for part in ("results/plots", "results/recorded", "paper/generator"):
            shutil.copytree(TOP / part, cls.top / part, ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("README.md", "paper/asks.toml"):
            shutil.copy(TOP / part, cls.top / part)
        program = cls.top / "results" / "recorded" / "recorded.py"
        spec = importlib.util.spec_from_file_location("recorded", program)
        cls.recorded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(cls.recorded)
        cls.shown = cls.recorded.Shown(HARNESS)
        if cls.shown.lacking and os.environ.get("WAGGLE_REQUIRE_ALL") == "1":
            raise AssertionError(cls.shown.lacking)

    def differences(self):
        return self.recorded.differences(self.shown)

    @contextlib.contextmanager
    def changed(self, name, change):
        """A file of the copy that is another for a while."""
        path = self.top / name
        content = path.read_bytes()
        path.write_bytes(change(content))
        yield
        path.write_bytes(content)

    def plots(self):
        if not self.shown.plots:
            self.skipTest(self.shown.lacking or "nothing is recorded")
        return [f"results/recorded/plots/{name}.svg" for name in self.shown.plots]

    def test_the_repository_shows_what_its_records_give(self):
        self.assertEqual(self.differences(), [], "`./testbed recorded` makes it anew")

    def test_a_number_that_somebody_changed_is_found(self):
        mark = b"<!-- recorded: claims -->\n"
        with self.changed("README.md", lambda text: text.replace(mark, mark + b"42\n")):
            self.assertEqual(self.differences(), ["README.md is not what the records give"])

    def test_what_stands_outside_the_marks_is_free(self):
        with self.changed("README.md", lambda text: text + b"More.\n"):
            again = self.recorded.MARKED.findall((self.top / "README.md").read_text())
            made = self.recorded.MARKED.findall(self.shown.files[self.top / "README.md"])
            self.assertEqual(again, made)

    def test_a_plot_that_somebody_changed_is_found(self):
        name = self.plots()[0]
        with self.changed(name, lambda text: text.replace(b"<dc:description>", b"<dc:description>9")):
            self.assertEqual(self.differences(), [f"{name.removeprefix('results/recorded/')} is not what the records give"])

    def test_another_matplotlib_may_draw_other_bytes_of_the_same_numbers(self):
        name = self.plots()[0]
        drawn_with = "results/recorded/plots/drawn-with.json"
        with self.changed(name, lambda text: text + b"\n"), self.changed(drawn_with, lambda _: b'{"matplotlib": "0"}'):
            self.assertEqual(self.differences(), [])
        with self.changed(name, lambda text: text + b"\n"), self.changed(drawn_with, lambda _: json.dumps(self.shown.with_what).encode()):
            self.assertEqual(len(self.differences()), 1)

    def test_every_claim_has_its_words(self):
        claims = self.recorded.toml(TOP / "results" / "claims.toml")
        ids = {claim["id"] for group in claims["group"] for claim in group["claim"]}
        self.assertEqual(set(self.recorded.toml(self.top / "results" / "recorded" / "words.toml")), ids)

    def test_added_records_are_packed_without_folders_of_their_machine(self):
        folder = self.top / "made"
        folder.mkdir()
        (folder / "one.json").write_text(json.dumps({"schema": "waggle-record/2", "command_line": ["/home/somebody/build/harness", "suite", "/tmp/quick.toml", "--output=/tmp/x"], "name": "ä"}))
        place = self.top / "results" / "recorded" / "another"
        place.mkdir()
        with self.assertRaisesRegex(self.recorded.Fault, "must say first what that machine is"):
            self.recorded.add(folder, "another")
        (place / "set.toml").write_text('label = "another"\n')
        (place / "old.json.gz").write_bytes(b"")
        for broken in ('{"schema": "waggle-rec', '{"schema": "waggle-report/1"}'):
            (folder / "two.json").write_text(broken)
            with self.assertRaisesRegex(self.recorded.Fault, "two.json"):
                self.recorded.add(folder, "another")
            self.assertTrue((place / "old.json.gz").exists())
        (folder / "two.json").unlink()
        with contextlib.redirect_stdout(io.StringIO()):
            self.recorded.add(folder, "another")
        self.assertEqual([path.name for path in place.glob("*.gz")], ["one.json.gz"])
        record = json.loads(gzip.decompress((place / "one.json.gz").read_bytes()))
        self.assertEqual(record, {"schema": "waggle-record/2", "command_line": ["harness", "suite", "quick.toml"], "name": "ä"})
        shutil.rmtree(place)
        with self.assertRaisesRegex(self.recorded.Fault, "there is no record in"):
            self.recorded.add(place, "another")


if __name__ == "__main__":
    unittest.main()
