#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Names that are not text: JSON stays valid and loses nothing, and no output holds what a terminal would obey.

Usage: text_test.py HARNESS [unittest arguments].
"""

import json
import os
import re
import select
import subprocess
import unicodedata
import unittest

import transfers
from transfers import DEADLINE, MIB, Proxy, Transfers

NAMES = [b"caf\xe9.mkv", b"\x1b]0;title\x07", b"two\nlines", b"\xc2\x9b31m", "gpj\u202efdp".encode(), b"back\\xe9slash",
         "Zoë 日本".encode(), b"\\x2d\\"]
ENVIRONMENT = {**os.environ, "TERM": "xterm"}


def bytes_of(text):
    """What results/README.md says of strings in JSON."""
    return re.sub(rb"\\x([89a-f][0-9a-f]|5c)", lambda match: bytes([int(match[1], 16)]), text.encode())


class Text(Transfers):
    def program(self, *arguments, expect=0, **options):
        done = subprocess.run([transfers.HARNESS, *arguments], capture_output=True, timeout=DEADLINE, cwd=self.local, **options)
        self.assertEqual(done.returncode, expect, done)
        for output in (done.stdout, done.stderr):
            self.assert_harmless(output)
        if expect != 0:
            self.assertRegex(done.stderr, rb"\Aharness: [^\n]+\n\Z")
        return done

    def assert_harmless(self, output):
        """UTF-8 that only ends lines."""
        steering = {c for c in output.decode() if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}
        self.assertEqual(steering, set(), output)

    def make_named(self, top, name, content=b"content"):
        path = os.path.join(os.fsencode(top), name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_get_and_put(self):
        server = self.serve()
        at = f"127.0.0.1:{server.port}/".encode()
        for name in NAMES:
            with self.subTest(name=name):
                self.make_named(self.root, name)
                got = json.loads(self.program("get", "--json", at + name).stdout)
                self.assertEqual((bytes_of(got["from"]), bytes_of(got["to"])), (at + name, b"./" + name))
                put = json.loads(self.program("put", "--json", name, at + b"again-" + name).stdout)
                self.assertEqual((bytes_of(put["from"]), bytes_of(put["to"])), (name, at + b"again-" + name))
                with open(os.path.join(os.fsencode(self.root), b"again-" + name), "rb") as file:
                    self.assertEqual(file.read(), b"content")
                self.assertIn(b"verified", self.program("get", at + name, b"other-" + name).stdout)
                self.assertIn(b"verified", self.program("put", name, at).stdout)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(server.errors, "")

    def test_text_stays_itself(self):
        server = self.serve()
        name = "Zoë 日本 \\x2d 100%"
        self.make_named(self.root, name.encode())
        got = self.program("get", "--json", f"127.0.0.1:{server.port}/{name}")
        self.assertEqual(json.loads(got.stdout)["to"], f"./{name}")
        self.assertIn("Zoë 日本", got.stdout.decode())

    def test_errors(self):
        server = self.serve()
        at = f"127.0.0.1:{server.port}/".encode()
        (self.root / "directory").mkdir()
        for name in NAMES:
            with self.subTest(name=name):
                self.program("get", at + name, expect=1)  # the server's own words come over the wire
                self.program("put", name, at, expect=1)
                self.program("get", name, expect=2)
                self.program("get", "--" + os.fsdecode(name), expect=2)
                self.program(name, expect=2)
                self.program("show", name, expect=1)
                self.program("serve", b"--root=" + name, expect=1)
                self.program("serve", b"--listen=" + name + b":port", expect=2)
                self.program("clean", b"--work=" + name, expect=1)
                self.program("run", "--datapath=" + os.fsdecode(name), expect=2)
                self.program("run", b"--file=" + name, expect=1)

    def test_what_serve_says(self):
        for name in NAMES:
            with self.subTest(name=name):
                directory = os.path.join(os.fsencode(self.root), name)
                os.mkdir(directory)
                for arguments in ((), ("--json",)):
                    process = subprocess.Popen([transfers.HARNESS, "serve", "--listen=127.0.0.1:0", b"--root=" + directory,
                                                *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    line = process.stdout.readline()
                    process.terminate()
                    output, errors = process.communicate(timeout=DEADLINE)
                    self.assertEqual((process.returncode, output, errors), (0, b"", b""))
                    self.assert_harmless(line)
                    if arguments:
                        self.assertEqual(bytes_of(json.loads(line)["root"]), directory)

    def test_progress(self):
        """A terminal is shown the name while the file comes."""
        name = b"\x1b]0;title\x07\xe9"
        self.make_named(self.root, name, transfers.random_bytes(MIB, 1))
        server = self.serve()
        master, slave = os.openpty()
        with Proxy(server.port, at=MIB // 2, hold=True) as proxy:
            process = subprocess.Popen([transfers.HARNESS, "get", f"127.0.0.1:{proxy.port}/".encode() + name, "copy"],
                                       stdout=slave, stderr=slave, cwd=self.local, env=ENVIRONMENT)
            os.close(slave)
            shown = b""
            while b"title" not in shown and select.select([master], [], [], DEADLINE)[0]:
                shown += os.read(master, 65536)
            proxy.released.set()
            self.assertEqual(process.wait(DEADLINE), 0)
        os.close(master)
        self.assertIn(rb"\u001b]0;title\u0007\xe9", shown)
        self.assertNotIn(b"\x07", shown)
        self.assertNotIn(b"\x1b]", shown)

    @unittest.skipIf(os.geteuid() != 0 and os.environ.get("WAGGLE_REQUIRE_ALL") != "1", "experiments need root")
    def test_records(self):
        results = os.path.join(os.fsencode(self.top), b"r\xff\x1b[2J")
        for name in NAMES[:4]:
            with self.subTest(name=name):
                path = self.make_named(self.local, name)
                command = ["run", "--datapath=read_write", "--runs=1", "--warmups=0", "--probed=0", b"--file=" + path]
                shown = self.program(*command, "--json", b"--output=" + path + b".json")
                for record in (json.loads(shown.stdout), self.json_of(path + b".json")):
                    self.assertEqual(bytes_of(record["spec"]["file"]), path)
                    self.assertIn(b"--file=" + path, [bytes_of(word) for word in record["command_line"]])
                again = self.program("show", "--json", path + b".json")
                self.assertEqual(again.stdout, shown.stdout)
                self.assertIn(b"download of", self.program("show", path + b".json").stdout)
        table = self.program(*command, env={**os.environb, b"WAGGLE_RESULTS": results})
        self.assertIn(rb"r\xff\u001b[2J/", table.stdout)

    def json_of(self, path):
        with open(path, "rb") as file:
            return json.loads(file.read())


if __name__ == "__main__":
    transfers.main()
