#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Files that others change while `harness get` and `put` transfer them, on loopback.

Usage: serve_get_put_changes_test.py HARNESS [unittest arguments].
"""

import itertools
import os
import shutil
import subprocess
import threading

import transfers
from transfers import DEADLINE, MIB, Proxy, Transfers


class Changes(Transfers):
    def test_only_content_is_a_change(self):
        """A file may get another name, mode or link, be removed and be replaced while it is downloaded."""
        other = self.make(self.top / "other", 1000, 2)
        source = self.root / "file"

        def replace():
            shutil.copy(other, self.root / "new")
            os.rename(self.root / "new", source)

        changes = {
            "rename": lambda: os.rename(source, self.root / "renamed"),
            "unlink": source.unlink,
            "replace": replace,
            "chmod": lambda: source.chmod(0o600),
            "link": lambda: os.link(source, self.root / "link"),
        }
        for name, change in changes.items():
            for datapath in ("sendfile", "read_write"):
                with self.subTest(name, datapath=datapath):
                    content = self.make(source, 24 * MIB, 1).read_bytes()
                    server = self.serve("--datapath", datapath)
                    with Proxy(server.port, at=1 * MIB, then=change) as proxy:
                        self.call("get", "--datapath", datapath, f"127.0.0.1:{proxy.port}/file", "copy")
                    self.assertTrue(proxy.reached.is_set())
                    self.assertEqual((self.local / "copy").read_bytes(), content)
                    for path in list(self.root.iterdir()) + [self.local / "copy"]:
                        path.unlink()

    def test_a_change_in_place_is_found(self):
        source = self.make(self.root / "file", 24 * MIB)
        before = source.stat()

        def change(restore):
            with open(source, "r+b") as file:
                file.seek(23 * MIB)
                file.write(b"changed")
                file.seek(0)
                file.write(b"changed")
            if restore:
                os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))

        for datapath in ("sendfile", "read_write"):
            for restore in (False, True):
                with self.subTest(datapath, restore=restore):
                    server = self.serve("--datapath", datapath)
                    with Proxy(server.port, at=1 * MIB, then=lambda: change(restore)) as proxy:
                        done = self.call("get", "--datapath", datapath, f"127.0.0.1:{proxy.port}/file", expect=1)
                    # By its times, or because what was sent and what is there now have other digests.
                    self.assertRegex(done.stderr, "changed|digest" if restore else "changed")
        self.assertEqual(list(self.local.iterdir()), [])

    def test_a_source_that_changes_is_not_stored(self):
        source = self.make(self.local / "file", 24 * MIB)

        def change(path, restore):
            before = path.stat()
            with open(path, "r+b") as file:
                file.write(b"changed")
            if restore:
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

        for restore in (False, True):
            with self.subTest(restore=restore):
                server = self.serve()
                with Proxy(server.port, watch="up", at=1 * MIB, then=lambda: change(source, restore)) as proxy:
                    done = self.call("put", "file", f"127.0.0.1:{proxy.port}/file", expect=1)
                self.assertRegex(done.stderr, "changed|digest")
                self.assertEqual(list(self.root.iterdir()), [])

    def test_a_small_source_is_stored_whole_or_not_at_all(self):
        """Another process writes over it all the time, as a log or a database does."""
        small = self.make(self.local / "tree/small", 60_000)
        (self.root / "tree").mkdir()
        stored = self.root / "tree/small"
        server = self.serve()
        over = threading.Event()

        def write():
            letters = itertools.cycle(b"abcdefgh")
            while not over.is_set():
                letter = bytes([next(letters)])
                with open(small, "r+b") as file:
                    file.write(letter * 30_000)
                    file.flush()
                    file.write(letter * 30_000)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(20):
                before = b"O" * 60_000
                stored.write_bytes(before)
                done = subprocess.run([transfers.HARNESS, "put", "-r", "tree", f"127.0.0.1:{server.port}/",
                                       "--datapath=read_write"], capture_output=True, text=True, timeout=DEADLINE,
                                      cwd=self.local)
                self.assertIn(done.returncode, (0, 1), done.stderr)
                if done.returncode == 1:
                    self.assertRegex(done.stderr, "small.*(changed|digest)")
                    self.assertEqual(stored.read_bytes(), before)
        finally:
            over.set()
            writer.join()

    def test_a_file_that_changes_is_not_called_done(self):
        source = self.make(self.root / "file", 8 * MIB)
        server = self.serve()

        def change():
            with open(source, "r+b") as file:
                file.truncate(4 * MIB)

        with Proxy(server.port, at=1 * MIB, then=change) as proxy:
            self.call("get", f"127.0.0.1:{proxy.port}/file", expect=1)
        self.assertEqual(list(self.local.iterdir()), [])


if __name__ == "__main__":
    transfers.main()
