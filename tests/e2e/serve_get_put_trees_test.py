#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `harness get` and `put` keep of a file besides its bytes, trees of which some files cannot be moved, trees that hold
the served directory, holes, and unfinished files.

Usage: serve_get_put_trees_test.py HARNESS [unittest arguments].
"""

import json
import os
import shutil
import signal
import subprocess

import transfers
from transfers import DEADLINE, MIB, Proxy, Transfers, environment


class Attributes(Transfers):
    MODES = {"all": 0o666, "private": 0o600, "program": 0o775, "setuid": 0o4755, "tree": 0o777, "tree/shared": 0o664,
             "tree/closed": 0o550, "tree/closed/file": 0o444}
    FILTERED = {"all": 0o640, "private": 0o600, "program": 0o750, "setuid": 0o750, "tree": 0o750, "tree/shared": 0o640,
                "tree/closed": 0o550, "tree/closed/file": 0o440}

    def test_what_is_kept_in_both_directions(self):
        """Modes, filtered by the umask unless --keep-mode; neither times nor owners."""
        self.addCleanup(os.umask, os.umask(0o027))
        at = f"127.0.0.1:{self.serve().port}"
        for command, source, target in (("put", self.local, self.root), ("get", self.root, self.local)):
            here = source / "from"
            for name in ("all", "private", "program", "setuid", "tree/shared", "tree/closed/file"):
                self.make(here / name, 10)
            for name, mode in sorted(self.MODES.items(), reverse=True):
                os.utime(here / name, (1_000_000_000, 1_000_000_000))
                if os.geteuid() == 0:
                    os.chown(here / name, 1234, 1234)
                (here / name).chmod(mode)
            for option, modes in ([], self.FILTERED), (["--keep-mode"], self.MODES):
                with self.subTest(command, option=option):
                    place = f"{command}{len(option)}"
                    (target / place).mkdir()
                    for name in ("all", "private", "program", "setuid", "tree"):
                        if command == "put":
                            self.call("put", "-r", *option, here / name, f"{at}/{place}/{name}")
                        else:
                            self.call("get", "-r", *option, f"{at}/from/{name}", f"{place}/{name}")
                    for name, mode in modes.items():
                        status = (target / place / name).stat()
                        self.assertEqual(oct(status.st_mode & 0o7777), oct(mode & 0o777), name)
                        self.assertGreater(status.st_mtime, 1_000_000_000)
                        self.assertEqual((status.st_uid, status.st_gid), (os.geteuid(), os.getegid()))


class Failures(Transfers):
    def call_for_some(self, *arguments, bad):
        done = subprocess.run([transfers.HARNESS, *map(str, arguments), "--json"], capture_output=True, text=True,
                              timeout=DEADLINE, cwd=self.local, env=environment())
        self.assertEqual(done.returncode, 1, done.stderr)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), len(bad) + 1, done.stderr)
        for name in bad:
            self.assertEqual(sum(name in line for line in lines[:-1]), 1, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual((result["failed"], result["verified"]), (len(bad), False))
        return result

    def fill(self, tree, others):
        """Files of which some have a directory or a FIFO in their place on the other side."""
        names = {f"small{i:03}": 100 for i in range(300)} | {f"large{i}": 300_000 for i in range(4)}
        for name, size in names.items():
            self.make(tree / name, size)
        bad = ["small007", "small150", "large2", "small299"]
        for name in bad[:-1]:
            (others / name).mkdir(parents=True)
        os.mkfifo(others / bad[-1])
        return set(names), bad

    def check(self, names, bad, result, there):
        self.assertEqual(result["files"], len(names) - len(bad))
        for name in names - set(bad):
            self.assertTrue((there / name).is_file(), name)

    def test_put_goes_on(self):
        at = f"127.0.0.1:{self.serve().port}"
        names, bad = self.fill(self.local / "tree", self.root / "tree")
        self.check(names, bad, self.call_for_some("put", "-r", "tree", f"{at}/", bad=bad), self.root / "tree")
        result = self.call_for_some("put", "tree/small007", "tree/small008", f"{at}/tree/", bad=["small007"])
        self.assertEqual(result["files"], 1)

    def test_get_goes_on(self):
        at = f"127.0.0.1:{self.serve().port}"
        names, bad = self.fill(self.root / "tree", self.local / "tree")
        self.check(names, bad, self.call_for_some("get", "-r", f"{at}/tree", bad=bad), self.local / "tree")
        result = self.call_for_some("get", f"{at}/none", f"{at}/tree/small008", ".", bad=["none"])
        self.assertEqual(result["files"], 1)

    def test_what_cannot_be_looked_at_is_a_failure_and_no_special_file(self):
        for i in range(17):  # together longer than any path may be
            self.make(self.local / "/".join(["tree", *["d" * 250] * min(i, 14)]) / f"f{i}", 10)
        at = os.open(self.local / "/".join(["tree", *["d" * 250] * 14]), os.O_RDONLY)
        try:
            for name in "e" * 250, "g" * 250, "h" * 250:
                os.mkdir(name, dir_fd=at)
                below = os.open(name, os.O_RDONLY, dir_fd=at)
                os.close(at)
                at = below
            os.close(os.open("far", os.O_CREAT | os.O_WRONLY, dir_fd=at))
        finally:
            os.close(at)
        server = self.serve()
        done = self.call("put", "-r", "tree", f"127.0.0.1:{server.port}/t", expect=1, partly=True)
        self.assertNotIn("special", done.stderr)
        self.assertRegex(done.stderr, "name too long|longer than")
        shutil.rmtree(self.local / "tree", ignore_errors=True)

    def test_files_that_fail_take_no_handles_from_the_others(self):
        """A server lets a client have 4096 files open; here some 100."""
        for i in range(200):
            self.make(self.root / f"tree/f{i:03}", 70_000)
        for i in range(180):
            (self.local / f"tree/f{i:03}").mkdir(parents=True)
        server = self.serve()
        subprocess.run(["prlimit", f"--pid={server.process.pid}", "--nofile=160:160"], check=True)
        done = self.call("get", "-r", f"127.0.0.1:{server.port}/tree", expect=1, partly=True)
        self.assertNotIn("too many", done.stderr)
        self.assertEqual(len([path for path in (self.local / "tree").iterdir() if path.is_file()]), 20)

    def test_two_names_that_would_become_one(self):
        for name in "a", "b":
            self.make(self.root / name / "f", 10)
            self.make(self.local / name / "f", 10)
        server = self.serve()
        at = f"127.0.0.1:{server.port}"
        done = self.call("get", f"{at}/a/f", f"{at}/b/f", ".", expect=2)
        self.assertIn("would both become 'f'", done.stderr)
        done = self.call("put", "a/f", "b/f", f"{at}/", expect=2)
        self.assertIn("would both become 'f'", done.stderr)
        self.call("put", "-r", "-", f"{at}/x", expect=2)

    def test_a_server_that_changes_nothing_sweeps_nothing(self):
        self.make(self.root / "file", 10)
        kept = self.root / f".waggle-{'a' * 32}.part"
        kept.write_bytes(b"half")
        os.utime(kept, (0, 0))
        server = self.serve("--read-only")
        self.call("get", f"127.0.0.1:{server.port}/file")
        server.stop(signal.SIGTERM)
        self.assertTrue(kept.exists())

    def test_a_directory_without_rights_does_not_end_the_rest(self):
        if os.geteuid() == 0:
            self.skipTest("root may read all of them")
        self.make(self.local / "tree/closed/file", 10)
        self.make(self.local / "tree/open/file", 10)
        (self.local / "tree/closed").chmod(0)
        self.addCleanup((self.local / "tree/closed").chmod, 0o700)
        self.call_for_some("put", "-r", "tree", f"127.0.0.1:{self.serve().port}/", bad=["closed"])
        self.assertTrue((self.root / "tree/open/file").exists())


class Recursion(Transfers):
    def test_a_tree_is_not_copied_into_itself(self):
        self.make(self.root / "sub/file", 10)
        at = f"127.0.0.1:{self.serve().port}"
        before = sorted(self.top.rglob("*"))
        for source, target in ((self.top, ""), (self.top, "sub/new"), (self.root, ""), (self.root / "sub", "sub/in/it")):
            done = self.call("put", "-r", source, f"{at}/{target}", expect=2)
            self.assertIn("inside the tree", done.stderr)
        for target in (self.root / "sub/copy", self.root / "copy", self.root):
            done = self.call("get", "-r", f"{at}/", target, expect=2)
            self.assertIn("inside the tree", done.stderr)
        self.assertEqual(sorted(self.top.rglob("*")), before)
        self.call("put", "-r", self.root / "sub", f"{at}/other")
        self.call("get", "-r", f"{at}/sub", self.root / "third")

    def test_unfinished_files_are_left_out(self):
        for name in ("file", ".waggle-0.part", ".waggle-" + 32 * "0" + ".part"):
            self.make(self.local / "tree" / name, 10)
        done = self.call("put", "-r", "tree", f"127.0.0.1:{self.serve().port}/")
        self.assertIn("2 unfinished files", done.stderr)
        self.assertEqual([path.name for path in (self.root / "tree").iterdir()], ["file"])


class Holes(Transfers):
    def test_holes_stay_holes(self):
        source = self.local / "file"
        with open(source, "wb") as file:
            file.write(b"begin")
            file.seek(40 * MIB + 5)
            file.write(b"middle")
            file.truncate(96 * MIB + 3)
        if source.stat().st_blocks * 512 > MIB:
            self.skipTest("this file system keeps no holes")
        with Proxy(self.serve().port) as proxy:
            self.call("put", "file", f"127.0.0.1:{proxy.port}/file")
            self.assertLess(proxy.bytes["up"], 4 * MIB)
        self.assertLess((self.root / "file").stat().st_blocks * 512, 4 * MIB)
        with Proxy(self.serve().port) as proxy:
            self.call("get", "--sparse", f"127.0.0.1:{proxy.port}/file", "back")
            self.assertLess(proxy.bytes["down"], 4 * MIB)
        self.assertLess((self.local / "back").stat().st_blocks * 512, 4 * MIB)
        content = source.read_bytes()
        self.assertTrue((self.root / "file").read_bytes() == content)
        self.assertTrue((self.local / "back").read_bytes() == content)


class Unfinished(Transfers):
    def test_clean_removes_what_killed_transfers_left(self):
        ours = [self.make(directory / (".waggle-" + 32 * digit + ".part"), 10)
                for directory, digit in ((self.local, "1"), (self.local / "deep/er", "2"))]
        for path in ours:
            path.chmod(0o600)
        other = self.make(self.local / ".waggle-mine.part", 10)
        self.call("clean", f"--work={self.top}", f"--files={self.local}", "--older=1h")
        self.assertTrue(all(path.exists() for path in ours))
        done = self.call("clean", f"--work={self.top}", f"--files={self.local}")
        self.assertIn("2 unfinished files", done.stdout)
        self.assertFalse(any(path.exists() for path in ours))
        self.assertTrue(other.exists())


if __name__ == "__main__":
    transfers.main()
