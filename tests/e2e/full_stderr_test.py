#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`harness serve` with a stderr that nobody reads: it serves, ends, and says afterwards what it had to say. And what is
refused where it cannot be said why: with the code all the same.

usage: full_stderr_test.py HARNESS
"""
import fcntl
import json
import os
import socket
import subprocess
import sys
import tempfile
import unittest

HARNESS = os.path.abspath(sys.argv[1])
DEADLINE = 60  # seconds that nothing here comes near


class FullStderr(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.TemporaryDirectory(prefix="full-stderr-")
        self.addCleanup(self.root.cleanup)
        self.read, write = os.pipe()
        self.addCleanup(os.close, self.read)
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(write, False)
        self.filled = 0
        try:
            while True:
                self.filled += os.write(write, b"-" * 512)
        except BlockingIOError:
            os.set_blocking(write, True)
        self.server = subprocess.Popen(
            [HARNESS, "serve", "--json", "--listen=127.0.0.1:0", f"--root={self.root.name}"],
            stdout=subprocess.PIPE, stderr=write)
        os.close(write)
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        self.port = json.loads(self.server.stdout.readline())["port"]

    def be_refused(self):
        """Sends what is no frame; the answer, which ends the connection."""
        with socket.create_connection(("127.0.0.1", self.port), DEADLINE) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = b""
            while some := stranger.recv(4096):
                answer += some
            return answer

    def test_serves_and_says_later(self):
        for _ in range(3):
            self.assertIn(b"WG", self.be_refused()[:2])
        said = b""
        while len(said) < self.filled:
            said += os.read(self.read, self.filled - len(said))
        self.assertEqual(said, b"-" * self.filled)
        self.server.terminate()
        said = b""
        while some := os.read(self.read, 4096):
            said += some
        self.assertEqual(self.server.wait(DEADLINE), 0)
        self.assertEqual(said.count(b"a connection ended early: "), 3, said)

    def test_ends(self):
        self.be_refused()
        self.server.terminate()
        self.assertEqual(self.server.wait(DEADLINE), 0)

    def test_what_cannot_be_said_changes_no_exit_code(self):
        for code, arguments in ((1, ["show", "none.json"]), (2, ["--bogus"]), (2, ["run", "--datapath=none"])):
            with self.subTest(" ".join(arguments)), open("/dev/full", "w") as full:
                done = subprocess.run([HARNESS, *arguments], stdout=subprocess.DEVNULL, stderr=full, timeout=DEADLINE)
                self.assertEqual(done.returncode, code)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
