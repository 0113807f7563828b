#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the system lets a process have: soft limits are raised, and what is too little is said before the work begins.
And addresses of one link, with their zones.

Usage: limits_test.py HARNESS [unittest arguments].
"""

import json
import os
import shutil
import subprocess
import unittest

import transfers
from hosts import Host, join_hosts, require
from transfers import DEADLINE, Transfers

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
SHORT = ["--datapath=read_write", "--size=64KiB", "--runs=1", "--warmups=0", "--probed=0", "--output=/dev/null"]


class Limits(Transfers):
    def program(self, *arguments, limits=(), expect=0):
        done = subprocess.run(["prlimit", *limits, transfers.HARNESS, *arguments], capture_output=True, text=True,
                              timeout=DEADLINE)
        self.assertEqual(done.returncode, expect, done.stderr)
        return done

    def refused(self, *arguments, limits, words, code=3):
        done = self.program(*arguments, limits=limits, expect=code)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Aharness: [^\n]+; [^\n]+\n\Z")
        for word in words:
            self.assertIn(word, done.stderr)

    def test_clients_that_need_more_files_than_there_are(self):
        self.refused("run", "--clients=600", *SHORT, limits=["--nofile=1024:1024"],
                     words=["600 clients need 4,264 open files", "the limit is 1,024", "ulimit -n 4264"])
        self.refused("compare", "--datapaths=all", "--clients=600", "--output=/dev/null", limits=["--nofile=1024:1024"],
                     words=["ulimit -n 4264"])

    def test_a_soft_limit_is_raised(self):
        require(os.geteuid() == 0, "only root may make network namespaces")
        self.program("run", "--clients=40", "--quiet", *SHORT, limits=["--nofile=48:20000"])

    def test_a_server_that_cannot_keep_what_it_promises(self):
        serve = ["serve", f"--root={self.root}", "--listen=127.0.0.1:0"]
        self.refused(*serve, "--most-clients=5000", limits=["--nofile=1024:1024"],
                     words=["--most-clients=5000", "16,001 open files", "the limit is 1,024", "ulimit -n 16001"])
        self.refused(*serve, limits=["--nofile=40:40"], words=["64 open files", "ulimit -n 64"])

    def test_a_file_larger_than_the_limit_is_a_failure_of_one_transfer(self):
        self.make(self.local / "big", 2 << 20)
        self.make(self.local / "small", 1000)
        self.make(self.root / "served", 2 << 20)
        server = self.serve()
        subprocess.run(["prlimit", f"--pid={server.process.pid}", "--fsize=1048576:1048576"], check=True)
        done = self.call("put", "big", f"127.0.0.1:{server.port}/big", expect=1)
        self.assertIn("File too large", done.stderr)
        self.call("put", "small", f"127.0.0.1:{server.port}/small")
        done = self.program("get", f"127.0.0.1:{server.port}/served", str(self.local / "got"), limits=["--fsize=1048576:1048576"],
                            expect=1)
        self.assertRegex(done.stderr, r"\Aharness: [^\n]*File too large[^\n]*\n\Z")
        self.assertEqual(sorted(path.name for path in self.local.iterdir()), ["big", "small"])

    def test_no_threads(self):
        require(os.geteuid() == 0, "only root may become somebody else")
        self.top.chmod(0o755)
        program = shutil.copy(transfers.HARNESS, self.top)  # the build may be where others cannot enter
        done = subprocess.run([*NOBODY, "prlimit", "--nproc=1:1", program, "serve", f"--root={self.root}",
                               "--listen=127.0.0.1:0"], capture_output=True, text=True, timeout=DEADLINE,
                              # LeakSanitizer looks for leaks in a thread of its own, which there cannot be.
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertRegex(done.stderr, r"\Aharness: [^\n]+ 16 threads[^\n]+; raise it [^\n]+prlimit --nproc=\d+[^\n]+\n\Z")

    def test_doctor_shows_them(self):
        done = subprocess.run(["prlimit", "--nofile=900:1000", transfers.HARNESS, "doctor", "--json"], capture_output=True,
                              text=True, timeout=DEADLINE)
        known = {one["name"]: one for one in json.loads(done.stdout)["capabilities"]}
        self.assertIn("the limit is 1,000", known["open files"]["need"])
        self.assertFalse(known["open files"]["works"])
        self.assertRegex(known["open files"]["remedy"], r"\Aulimit -n \d+\Z")
        for name in ("threads", "locked memory", "hugepages of the control group"):
            self.assertIn(name, known)


class Zones(Transfers):
    ADDRESS = "fe80::77:1%waggle0"

    def setUp(self):
        super().setUp()
        require(os.geteuid() == 0, "only root may make network namespaces")
        self.host, self.other = Host(self), Host(self)
        join_hosts(self.host, self.other)
        for host, address in ((self.host, "fe80::77:1/64"), (self.other, "fe80::77:2/64")):
            host.call("ip", "-6", "address", "add", address, "dev", "waggle0", "nodad")

    def there(self, *arguments, expect=0):
        done = subprocess.run(self.other.command(transfers.HARNESS, *map(str, arguments)), capture_output=True, text=True,
                              timeout=DEADLINE, cwd=self.local)
        self.assertEqual(done.returncode, expect, done.stderr)
        if expect != 0:
            self.assertRegex(done.stderr, r"\Aharness: [^\n]+; [^\n]+\n\Z")
        return done

    def serve_there(self, listen):
        server = self.host.start(transfers.HARNESS, "serve", f"--root={self.root}", f"--listen={listen}", "--anybody", "--json")
        self.addCleanup(server.communicate)
        self.addCleanup(server.terminate)
        return json.loads(server.stdout.readline())

    def test_everywhere(self):
        self.make(self.root / "file", 100_000)
        for listen in (f"[{self.ADDRESS}]:0", self.ADDRESS):
            with self.subTest(listen=listen):
                ready = self.serve_there(listen)
                self.assertEqual(ready["host"], self.ADDRESS)
                at = f"[{ready['host']}]:{ready['port']}"
                self.there("get", f"{at}/file", "copy")
                self.assertEqual((self.local / "copy").read_bytes(), (self.root / "file").read_bytes())
                self.there("put", "copy", f"{at}/again")
                self.assertEqual((self.root / "again").read_bytes(), (self.root / "file").read_bytes())

    def test_what_is_missing_is_said(self):
        self.assertIn("name the interface: [fe80::77:1%", self.there("get", "[fe80::77:1]:7411/f", expect=2).stderr)
        self.assertIn("name the interface: [fe80::77:1%", self.there("serve", "--listen=[fe80::77:1]:0", expect=2).stderr)
        self.assertIn("its interface is not known", self.there("get", "[fe80::77:1%nosuch]:7411/f", expect=1).stderr)
        self.assertIn("[fe80::1%eth0]:7411", self.there("get", "fe80::77:1%waggle0:7411/f", expect=2).stderr)
        for arguments in (("get", f"[{self.ADDRESS}]:7411/f"), ("serve", f"--listen=[{self.ADDRESS}]:0", "--anybody")):
            self.assertIn("packet datapaths carry IPv4", self.there(*arguments, "--datapath=udp", expect=2).stderr)

    def test_help_shows_one(self):
        for command in ("get", "put", "serve"):
            self.assertIn("[fe80::1%eth0]:7411", self.there(command, "--help").stdout)


if __name__ == "__main__":
    transfers.main()
