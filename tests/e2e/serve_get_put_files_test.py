#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Files, trees and modes through `harness serve`, `get` and `put`, on loopback.

Usage: serve_get_put_files_test.py HARNESS [unittest arguments].
"""

import filecmp
import json
import os
import signal

import transfers
from transfers import MIB, Transfers


class Files(Transfers):
    def make_tree(self, top):
        sizes = [0, 1, 100, 4096, 65535, 65536, 65537, 300_000, 3 * MIB]
        for index, size in enumerate(sizes * 20):
            self.make(top / f"d{index % 7}" / f"e{index % 3}" / f"f{index}", size if index < 20 else size // 50, index)
        (top / "empty").mkdir()
        (top / "d1" / "with space and ü").write_text("x")

    def assert_same_tree(self, one, two):
        compared = filecmp.dircmp(one, two)
        self.assertEqual((compared.left_only, compared.right_only), ([], []))
        _, different, errors = filecmp.cmpfiles(one, two, compared.common_files, shallow=False)
        self.assertEqual((different, errors), ([], []))
        for name in compared.common_dirs:
            self.assert_same_tree(one / name, two / name)

    def test_get(self):
        source = self.make(self.root / "dir" / "file", 5 * MIB + 3)
        server = self.serve()
        for datapath in ("read_write", "mmap", "sendfile", "splice"):
            with self.subTest(datapath):
                done = self.call("get", f"127.0.0.1:{server.port}/dir/file", "copy", "--datapath", datapath)
                self.assertEqual((self.local / "copy").read_bytes(), source.read_bytes())
                self.assertEqual(done.stderr, "")
                self.assertEqual(done.stdout.count("\n"), 1)
                self.assertIn("verified", done.stdout)
        self.assertEqual(self.leftovers(self.top), [])

    def test_get_names(self):
        self.make(self.root / "a", 10)
        self.make(self.root / "b", 0)
        server = self.serve()
        at = f"127.0.0.1:{server.port}"
        self.call("get", f"{at}/a")
        (self.local / "into").mkdir()
        self.call("get", f"{at}/a", f"{at}/b", "into")
        self.assertEqual(sorted(path.name for path in self.local.rglob("*")), ["a", "a", "b", "into"])
        self.call("get", f"{at}/a", f"{at}/b", "nowhere", expect=2)

    def test_json(self):
        self.make(self.root / "file", 1000)
        server = self.serve(token="secret")
        self.assertEqual(server.ready["token"], True)
        done = self.call("get", "--json", f"127.0.0.1:{server.port}/file", token="secret")
        result = json.loads(done.stdout)
        self.assertEqual((result["bytes"], result["files"], result["verified"]), (1000, 1, True))

    def test_put(self):
        server = self.serve()
        for length in (0, 1, 70_000, 5 * MIB + 3):
            for options in ([], ["--durable"], ["--resume"], ["--digest=sha256"]):
                with self.subTest(length=length, options=options):
                    source = self.make(self.local / "file", length, length)
                    source.chmod(0o640)
                    self.call("put", *options, "file", f"127.0.0.1:{server.port}/new")
                    self.assertEqual((self.root / "new").read_bytes(), source.read_bytes())
                    self.assertEqual((self.root / "new").stat().st_mode & 0o7777, 0o640)
        self.assertEqual(self.leftovers(self.root), [])

    def test_trees(self):
        self.make_tree(self.local / "tree")
        server = self.serve()
        at = f"127.0.0.1:{server.port}"
        self.call("put", "-r", "tree", f"{at}/")
        self.assert_same_tree(self.local / "tree", self.root / "tree")
        self.call("put", "-r", "tree", f"{at}/")  # again, over what is there
        self.call("get", "-r", f"{at}/tree", "back")
        self.assert_same_tree(self.local / "tree", self.local / "back")
        self.call("get", f"{at}/tree", "elsewhere", expect=2)
        self.call("put", "tree", f"{at}/elsewhere", expect=2)

    def test_modes_are_filtered_by_the_umask(self):
        for name, mode in (("all", 0o666), ("private", 0o600), ("program", 0o775), ("tree/shared", 0o664)):
            self.make(self.root / name, 10).chmod(mode)
        (self.root / "tree").chmod(0o770)
        server = self.serve()
        at = f"127.0.0.1:{server.port}"

        def modes(*options):
            for name in ("all", "private", "program"):
                self.call("get", *options, f"{at}/{name}", name)
            self.call("get", *options, "-r", f"{at}/tree", f"tree{len(options)}")
            paths = [self.local / name for name in ("all", "private", "program")]
            paths += [self.local / f"tree{len(options)}", self.local / f"tree{len(options)}" / "shared"]
            return [oct(path.stat().st_mode & 0o7777) for path in paths]

        before = os.umask(0o027)
        self.addCleanup(os.umask, before)
        self.assertEqual(modes(), ["0o640", "0o600", "0o750", "0o750", "0o640"])
        self.assertEqual(modes("--keep-mode"), ["0o666", "0o600", "0o775", "0o770", "0o664"])

    def test_stop(self):
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(how=how):
                self.assertEqual(self.serve().stop(how), 0)


if __name__ == "__main__":
    transfers.main()
