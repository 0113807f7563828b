#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Transfers by `harness get` and `put` that break on the way, on purpose, and are resumed.

Usage: serve_get_put_broken_test.py HARNESS [unittest arguments].
"""

import filecmp
import json
import os
import signal
import subprocess
import threading
import time

import transfers
from transfers import DEADLINE, MIB, Proxy, Transfers, environment


class Broken(Transfers):
    def test_damage_on_the_way_is_found(self):
        source = self.make(self.root / "file", 8 * MIB)
        server = self.serve()
        with Proxy(server.port, watch="down", at=3 * MIB, flip=True) as proxy:
            done = self.call("get", f"127.0.0.1:{proxy.port}/file", expect=1)
            self.assertIn("digest", done.stderr)
        with Proxy(server.port, watch="up", at=3 * MIB, flip=True) as proxy:
            self.call("put", source, f"127.0.0.1:{proxy.port}/new", expect=1)
        self.assertEqual(list(self.local.iterdir()), [])
        self.assertEqual([path.name for path in self.root.iterdir()], ["file"])

    def test_full_disk(self):
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
            self.assertNotIn("WAGGLE_REQUIRE_ALL", os.environ)
            self.skipTest("only root can mount a small file system")
        self.make(self.root / "file", 3 * MIB)
        server = self.serve()
        name = f"127.0.0.1:{server.port}/file"
        command = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" get "$3" "$1"'
        done = subprocess.run(["unshare", "-m", "sh", "-c", command, "sh", str(self.local), transfers.HARNESS, name],
                              capture_output=True, text=True, timeout=DEADLINE, env=environment())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("free some space", done.stderr)

    def test_get_is_resumed_after_the_server_was_killed(self):
        source = self.make(self.root / "file", 32 * MIB)
        server = self.serve()
        with Proxy(server.port, at=20 * MIB, then=lambda: server.stop(signal.SIGKILL)) as proxy:
            done = self.call("get", "--resume", f"127.0.0.1:{proxy.port}/file", expect=1)
            self.assertIn("same command continues", done.stderr)
        self.assertEqual(len(self.leftovers(self.local)), 1)
        self.assertFalse((self.local / "file").exists())
        server = self.serve()
        with Proxy(server.port) as proxy:
            done = self.call("get", "--resume", "--json", f"127.0.0.1:{proxy.port}/file")
            self.assertLess(proxy.bytes["down"], 24 * MIB)
        self.assertGreater(json.loads(done.stdout)["unchanged_bytes"], 8 * MIB)
        self.assertEqual((self.local / "file").read_bytes(), source.read_bytes())
        self.assertEqual(self.leftovers(self.local), [])

    def test_get_resumes_only_what_is_still_right(self):
        source = self.make(self.root / "file", 32 * MIB)
        server = self.serve()
        with Proxy(server.port, at=6 * MIB, then=lambda: server.stop(signal.SIGKILL)) as proxy:
            self.call("get", "--resume", f"127.0.0.1:{proxy.port}/file", expect=1)
        with open(source, "r+b") as file:  # the served file is another one by now
            file.seek(2 * MIB)
            file.write(b"changed")
        server = self.serve()
        self.call("get", "--resume", f"127.0.0.1:{server.port}/file")
        self.assertEqual((self.local / "file").read_bytes(), source.read_bytes())

    def test_put_is_resumed_after_the_server_was_killed(self):
        source = self.make(self.local / "file", 32 * MIB)
        server = self.serve()
        with Proxy(server.port, watch="up", at=24 * MIB, then=lambda: server.stop(signal.SIGKILL)) as proxy:
            self.call("put", "--resume", "file", f"127.0.0.1:{proxy.port}/file", expect=1)
        self.assertEqual(len(self.leftovers(self.root)), 1)
        self.assertFalse((self.root / "file").exists())
        server = self.serve()
        with Proxy(server.port) as proxy:
            done = self.call("put", "--resume", "--json", "file", f"127.0.0.1:{proxy.port}/file")
            self.assertLess(proxy.bytes["up"], 30 * MIB)
            result = json.loads(done.stdout)
            self.assertGreater(result["unchanged_bytes"], 2 * MIB)
            sent = proxy.bytes["up"] * 8 / result["seconds"]  # a little more than the payload that crossed the link
            self.assertLessEqual(result["goodput_bits_per_second"], sent)
        self.assertEqual((self.root / "file").read_bytes(), source.read_bytes())
        self.assertEqual(self.leftovers(self.root), [])

    def test_a_broken_put_tells_where_its_bytes_are(self):
        self.make(self.local / "file", 8 * MIB)
        server = self.serve()
        with Proxy(server.port, watch="up", at=4 * MIB, then=lambda: server.stop(signal.SIGKILL)) as proxy:
            done = self.call("put", "file", f"127.0.0.1:{proxy.port}/file", expect=1)
        self.assertEqual(len(self.leftovers(self.root)), 1)
        self.assertIn("--resume continues there", done.stderr)
        self.assertNotIn("nothing is kept", done.stderr)

    def test_a_server_that_runs_sweeps_again(self):
        server = self.serve("--sweep-after=1s")
        broken = self.root / f".waggle-{'a' * 32}.part"
        broken.write_bytes(b"half")
        until = time.monotonic() + DEADLINE
        while broken.exists() and time.monotonic() < until:
            time.sleep(0.1)
        self.assertFalse(broken.exists())
        self.assertIsNone(server.process.poll())

    def test_put_waits_for_the_end_of_one_that_was_interrupted(self):
        source = self.make(self.local / "file", 8 * MIB)
        server = self.serve()
        with Proxy(server.port, watch="up", at=4 * MIB, hold=True) as proxy:
            first = self.start("put", "file", f"127.0.0.1:{proxy.port}/file")
            self.assertTrue(proxy.reached.wait(DEADLINE))
            first.send_signal(signal.SIGINT)
            self.assertEqual(first.wait(DEADLINE), 130)
            threading.Timer(0.3, proxy.released.set).start()  # only then the server hears of it
            self.call("put", "file", f"127.0.0.1:{server.port}/file")
        self.assertEqual((self.root / "file").read_bytes(), source.read_bytes())

    def test_interruption(self):
        self.make(self.root / "file", 8 * MIB)
        server = self.serve()
        for how, options, kept in ((signal.SIGINT, [], 0), (signal.SIGHUP, [], 0), (signal.SIGTERM, ["--resume"], 1)):
            with self.subTest(how=how, options=options), Proxy(server.port, at=4 * MIB, hold=True) as proxy:
                process = self.start("get", *options, f"127.0.0.1:{proxy.port}/file")
                self.assertTrue(proxy.reached.wait(DEADLINE))
                process.send_signal(how)
                output, errors = process.communicate(timeout=DEADLINE)
                self.assertEqual((process.returncode, output), (130, ""), errors)
                self.assertIn("interrupted", errors)
                self.assertIn("is kept", errors)
                self.assertEqual(len(self.leftovers(self.local)), kept)
                self.assertFalse((self.local / "file").exists())

    def test_two_uploads_of_one_name(self):
        self.make(self.local / "file", 8 * MIB)
        server = self.serve()
        with Proxy(server.port, watch="up", at=4 * MIB, hold=True) as proxy:
            first = self.start("put", "file", f"127.0.0.1:{proxy.port}/file")
            self.assertTrue(proxy.reached.wait(DEADLINE))
            done = self.call("put", "file", f"127.0.0.1:{server.port}/file", expect=1)
            self.assertIn("somebody else", done.stderr)
            proxy.released.set()
            self.assertEqual(first.wait(DEADLINE), 0)
        self.assertTrue(filecmp.cmp(self.local / "file", self.root / "file", shallow=False))


if __name__ == "__main__":
    transfers.main()
