# SPDX-License-Identifier: BSD-2-Clause
"""For tests of the command line, whose arguments are HARNESS SOURCE [unittest arguments]."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HARNESS = os.path.abspath(sys.argv[1])
SOURCE = pathlib.Path(sys.argv[2])
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


def main():
    program = unittest.main(module="__main__", argv=[sys.argv[0], *sys.argv[3:]], exit=False)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun > 0 and len(result.skipped) == result.testsRun:
        sys.exit(77)
