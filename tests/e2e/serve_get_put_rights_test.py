#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who may do what with `harness serve`, `get` and `put`, and how wrong use is refused: each with one clear line.

Usage: serve_get_put_rights_test.py HARNESS [unittest arguments].
"""

import filecmp
import json
import os
import pathlib
import shutil
import subprocess
import sys

import transfers
from transfers import DEADLINE, MIB, Server, Transfers, environment


class Rights(Transfers):
    def test_nothing_needs_root(self):
        """As a user who may not choose TCP's congestion control, with whatever the system has."""
        if os.geteuid() != 0:
            self.skipTest("all other tests are run without root then")
        program = self.top / "harness"  # where everybody can reach it
        shutil.copy2(transfers.HARNESS, program)
        for path, mode in ((self.top, 0o755), (self.root, 0o777), (self.local, 0o777), (program, 0o755)):
            path.chmod(mode)
        self.make(self.root / "file", 5 * MIB).chmod(0o644)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        server = Server(self.root, harness=program, **nobody)
        self.addCleanup(server.__exit__)

        def call(*arguments):
            done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=DEADLINE,
                                  cwd=self.local, env=environment(), **nobody)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return done.stdout

        system = pathlib.Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text(encoding="ascii").strip()
        got = json.loads(call("get", "--json", f"127.0.0.1:{server.port}/file", "copy"))
        self.assertEqual(got["congestion"], system)
        call("put", "copy", f"127.0.0.1:{server.port}/again")
        self.assertTrue(filecmp.cmp(self.root / "file", self.root / "again", shallow=False))

    def test_put_names_a_directory_that_cannot_be_read_and_goes_on(self):
        """Somebody else's, where nobody but root may look: that root may is why another user puts."""
        program = self.top / "harness"  # where everybody can reach it
        shutil.copy2(transfers.HARNESS, program)
        self.make(self.local / "tree/closed/file", 10)
        self.make(self.local / "tree/open/deep/file", 10)
        for path, mode in ((self.top, 0o755), (program, 0o755), (self.local / "tree/closed", 0)):
            path.chmod(mode)
        self.addCleanup((self.local / "tree/closed").chmod, 0o700)
        server = self.serve()
        nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}

        def put(name, to):
            done = subprocess.run([program, "put", "-r", "--durable", name, f"127.0.0.1:{server.port}/{to}"],
                                  capture_output=True, text=True, timeout=DEADLINE, cwd=self.local, env=environment(),
                                  **nobody)
            self.assertEqual(done.returncode, 1, done.stderr)
            return done

        done = put("tree", "to")
        self.assertRegex(done.stderr, r"\Aharness: cannot read the directory 'tree/closed': Permission denied[^\n]*\n"
                                      r"harness: 1 failed, named above; all others are there and verified\n\Z")
        self.assertTrue((self.root / "to/open/deep/file").exists())
        done = put("tree/closed", "alone")
        self.assertRegex(done.stderr, r"\Aharness: cannot read the directory 'tree/closed': Permission denied[^\n]*\n\Z")
        self.assertFalse((self.root / "alone").exists())

    def test_tokens(self):
        self.make(self.root / "file", 10)
        secret = self.top / "secret"
        secret.write_text("right\n")
        server = self.serve("--token-file", str(secret))
        name = f"127.0.0.1:{server.port}/file"
        self.call("get", name, token="right")
        self.call("get", name, "--token-file", secret)
        for token in (None, "", "wrong", "right2"):
            with self.subTest(token=token):
                done = self.call("get", name, "refused", token=token, expect=1)
                self.assertIn("token", done.stderr)
                self.assertFalse((self.local / "refused").exists())
        self.call("get", name, "--token", "right", expect=2)
        self.call("get", name, "--token-file", "none", expect=1)
        self.call("serve", "--listen=0.0.0.0:0", expect=2)

    def test_nothing_outside_is_served(self):
        (self.top / "secret").write_text("secret")
        (self.root / "link").symlink_to("../secret")
        (self.root / "absolute").symlink_to(self.top / "secret")
        (self.root / "up").symlink_to("..")
        server = self.serve()
        at = f"127.0.0.1:{server.port}"
        for path in ("link", "absolute", "up/secret", "../secret", str(self.top / "secret"), "/etc/passwd"):
            with self.subTest(path):
                self.call("get", f"{at}/{path}", "out", expect=1)
                self.call("put", sys.argv[0], f"{at}/up/new", expect=1)
        self.call("get", "-r", f"{at}/", "all")
        self.assertEqual(list((self.local / "all").iterdir()), [])
        self.assertEqual(sorted(path.name for path in self.top.iterdir()), ["local", "secret", "served"])

    def test_read_only(self):
        server = self.serve("--read-only")
        self.make(self.local / "file", 10)
        self.call("put", "file", f"127.0.0.1:{server.port}/file", expect=1)
        self.assertEqual(list(self.root.iterdir()), [])

    def test_wrong_use(self):
        server = self.serve()
        at = f"127.0.0.1:{server.port}"
        self.call("get", expect=2)
        self.call("get", "not-remote", expect=2)
        self.call("get", f"{at}/x", f"{at}1/x", ".", expect=2)
        self.call("get", f"{at}/x", "--datapath=nonsense", expect=2)
        self.call("get", f"{at}/x", "--set=nonsense", expect=2)
        self.call("put", "only-one-name", expect=2)
        self.call("serve", "--listen=nonsense:port", expect=2)
        done = self.call("serve", "--listen=7420", expect=2)
        self.assertIn("127.0.0.1:7420", done.stderr)
        for option in ("--timeout=0", "--handshake-timeout=0s"):
            self.call("serve", "--listen=127.0.0.1:0", option, expect=2)
        self.call("get", f"{at}/x", "--timeout=0", expect=2)
        done = self.call("get", "127.0.0.1:1/x", expect=1)
        self.assertIn("start the server", done.stderr)
        self.call("get", f"{at}/none", expect=1)
        self.call("put", "none", f"{at}/x", expect=1)
        self.call("serve", "--root=/nonexistent", "--listen=127.0.0.1:0", expect=1)
        done = self.call("serve", f"--root={self.root}", f"--listen={at}", expect=1)
        self.assertIn("in use", done.stderr)

    def test_a_fifo_is_not_sent(self):
        os.mkfifo(self.local / "fifo")
        os.mkfifo(self.root / "fifo")
        server = self.serve("--read-only")
        self.call("put", "fifo", f"127.0.0.1:{server.port}/file", expect=2)
        done = self.call("get", f"127.0.0.1:{server.port}/fifo", "file", expect=1)
        self.assertIn("not a regular file", done.stderr)


if __name__ == "__main__":
    transfers.main()
