#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sources and destinations of `harness get` and `put` that are no plain files: devices, FIFOs, sockets, links, open files,
streams, and files that the kernel makes up.

Usage: serve_get_put_nodes_test.py HARNESS [unittest arguments].
"""

import os
import pathlib
import signal
import socket
import stat
import subprocess
import threading
import time

import transfers
from transfers import DEADLINE, MIB, Proxy, Transfers, environment, random_bytes


class Nodes(Transfers):
    def nodes(self, directory):
        """What is no file, by name; devices only for those who may make them."""
        made = {}
        os.mkfifo(directory / "fifo")
        made["fifo"] = stat.S_IFIFO
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(directory / "socket"))
        made["socket"] = stat.S_IFSOCK
        try:
            os.mknod(directory / "device", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            made["device"] = stat.S_IFCHR
        except PermissionError:
            pass
        return made

    def kind(self, path):
        return stat.S_IFMT(path.lstat().st_mode)

    def test_get_never_replaces_a_node(self):
        self.make(self.root / "file", 1000)
        at = f"127.0.0.1:{self.serve().port}"
        for name, kind in self.nodes(self.local).items():
            with self.subTest(name):
                done = self.call("get", f"{at}/file", name, expect=2)
                self.assertIn("name -", done.stderr)
                self.assertEqual(self.kind(self.local / name), kind)
                (self.local / "link").symlink_to(name)
                self.call("get", f"{at}/file", "link", expect=2)
                (self.local / "link").unlink()
                self.assertEqual(self.kind(self.local / name), kind)
        self.assertEqual(self.leftovers(self.local), [])

    def test_get_never_replaces_an_open_file(self):
        self.make(self.root / "file", 1000)
        at = f"127.0.0.1:{self.serve().port}"
        # What leads to /proc/self/fd/1, as /dev/stdout does; that one itself is not risked.
        (self.local / "stdout").symlink_to("/proc/self/fd/1")
        for name in ("stdout", "/dev/fd/1", "/proc/self/fd/1"):
            with self.subTest(name):
                self.call("get", f"{at}/file", name, expect=2)
        self.assertEqual(os.readlink(self.local / "stdout"), "/proc/self/fd/1")

    def test_get_follows_links(self):
        source = self.make(self.root / "file", 1000)
        at = f"127.0.0.1:{self.serve().port}"
        (self.local / "other").mkdir()
        real = self.make(self.local / "other/real", 10, 2)
        (self.local / "first").symlink_to("second")
        (self.local / "second").symlink_to(real)
        self.call("get", f"{at}/file", "first")
        self.assertTrue((self.local / "first").is_symlink() and (self.local / "second").is_symlink())
        self.assertEqual(real.read_bytes(), source.read_bytes())
        (self.local / "into").symlink_to("other")
        self.call("get", f"{at}/file", "into")
        self.assertEqual((self.local / "other/file").read_bytes(), source.read_bytes())
        (self.local / "dangling").symlink_to("nothing")
        self.call("get", f"{at}/file", "dangling", expect=1)
        (self.local / "loop").symlink_to("loop")
        self.call("get", f"{at}/file", "loop", expect=1)
        self.assertFalse((self.local / "nothing").exists())

    def test_links_of_others_are_not_followed(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make them")
        self.make(self.root / "file", 1000)
        at = f"127.0.0.1:{self.serve().port}"
        real = self.make(self.local / "real", 10, 2)
        (self.local / "link").symlink_to("real")
        os.lchown(self.local / "link", 65534, 65534)
        done = self.call("get", f"{at}/file", "link", expect=1)
        self.assertIn("another user's", done.stderr)
        self.assertEqual(real.read_bytes(), random_bytes(10, 2))

    def test_put_never_replaces_a_node(self):
        self.make(self.local / "small", 1000)
        self.make(self.local / "large", MIB)
        at = f"127.0.0.1:{self.serve().port}"
        for name, kind in self.nodes(self.root).items():
            for source in ("small", "large"):
                with self.subTest(name, source=source):
                    self.call("put", source, f"{at}/{name}", expect=1)
                    self.assertEqual(self.kind(self.root / name), kind)
        real = self.make(self.root / "real", 10, 2)
        (self.root / "link").symlink_to("real")
        self.call("put", "small", f"{at}/link")
        self.assertTrue((self.root / "link").is_symlink())
        self.assertEqual(real.read_bytes(), (self.local / "small").read_bytes())
        self.assertEqual(self.leftovers(self.root), [])

    def test_nodes_are_no_sources(self):
        at = f"127.0.0.1:{self.serve().port}"
        for name in self.nodes(self.local):
            with self.subTest(name):
                done = self.call("put", name, f"{at}/file", expect=2)
                self.assertIn("name -" if name != "socket" else "socket", done.stderr)


class Streams(Transfers):
    def run_harness(self, *arguments, data=b""):
        return subprocess.run([transfers.HARNESS, *map(str, arguments)], input=data, capture_output=True,
                              timeout=DEADLINE, cwd=self.local, env=environment())

    def test_get_to_stdout(self):
        content = self.make(self.root / "file", 20 * MIB + 7).read_bytes()
        self.make(self.root / "empty", 0)
        at = f"127.0.0.1:{self.serve().port}"
        for datapath in ("read_write", "mmap", "splice"):
            done = self.run_harness("get", f"{at}/file", f"{at}/empty", f"{at}/file", "-", "--datapath", datapath)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout == content * 2)
            self.assertEqual(done.stderr.count(b"\n"), 1)
            self.assertIn(b"verified", done.stderr)
        self.assertEqual(self.run_harness("get", "--quiet", f"{at}/file", "-").stderr, b"")
        for option in ("-r", "--resume", "--durable", "--keep-mode"):
            self.call("get", option, f"{at}/file", "-", expect=2)
        self.call("get", f"{at}/", "-", expect=2)
        self.assertEqual(list(self.local.iterdir()), [])

    def test_damage_never_reaches_stdout(self):
        content = self.make(self.root / "file", 20 * MIB).read_bytes()
        with Proxy(self.serve().port, at=13 * MIB, flip=True) as proxy:
            done = self.run_harness("get", f"127.0.0.1:{proxy.port}/file", "-")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"digest", done.stderr)
        self.assertTrue(content.startswith(done.stdout))
        self.assertGreater(len(done.stdout), 0)

    def test_a_reader_that_goes_away_is_a_failure(self):
        self.make(self.root / "file", 20 * MIB)
        at = f"127.0.0.1:{self.serve().port}"
        process = self.start("get", f"{at}/file", "-")
        process.stdout.close()
        self.assertEqual(process.wait(DEADLINE), 1)
        self.assertIn("stdout", process.stderr.read())
        process.stderr.close()
        process.stdout = process.stderr = None

    def test_put_from_stdin(self):
        at = f"127.0.0.1:{self.serve().port}"
        for length in (0, 5, 3 * MIB + 1):
            content = random_bytes(length, length)
            done = self.run_harness("put", "-", f"{at}/file", data=content)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue((self.root / "file").read_bytes() == content)
        for last in ("", "directory/"):
            (self.root / "directory").mkdir(exist_ok=True)
            self.call("put", "-", f"{at}/{last}", expect=2)
        self.assertEqual(self.leftovers(self.top), [])

    def test_put_from_a_pipe_that_does_not_block(self):
        server = self.serve()
        read, write = os.pipe()
        os.set_blocking(read, False)
        process = subprocess.Popen([transfers.HARNESS, "put", "-", f"127.0.0.1:{server.port}/piped"], stdin=read)
        os.close(read)
        for _ in range(3):
            time.sleep(0.05)
            os.write(write, b"some")
        os.close(write)
        self.assertEqual(process.wait(DEADLINE), 0)
        self.assertEqual((self.root / "piped").read_bytes(), b"some" * 3)

    def test_put_from_a_fifo(self):
        at = f"127.0.0.1:{self.serve().port}"
        os.mkfifo(self.local / "fifo")
        content = random_bytes(200_000, 3)
        writer = threading.Thread(target=(self.local / "fifo").write_bytes, args=(content,))
        writer.start()
        with open(self.local / "fifo", "rb") as fifo:
            done = subprocess.run([transfers.HARNESS, "put", "-", f"{at}/file"], stdin=fifo, capture_output=True,
                                  timeout=DEADLINE, env=environment())
        writer.join(DEADLINE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.root / "file").read_bytes(), content)

    def test_an_interrupted_put_from_stdin_ends(self):
        at = f"127.0.0.1:{self.serve().port}"
        process = subprocess.Popen([transfers.HARNESS, "put", "-", f"{at}/file"], stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=environment())
        process.stdin.write("x")
        process.stdin.flush()
        transfers.wait_until(lambda: any("(deleted)" in what for what in transfers.opened_by(process.pid)))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 130, errors)
        self.assertEqual(list(self.root.iterdir()), [])


class MadeUp(Transfers):
    """Files whose size the kernel does not say."""

    SOURCES = ("/proc/version", "/proc/sys/kernel/ostype", "/sys/devices/system/cpu/possible")

    def test_put_sends_all_of_them(self):
        at = f"127.0.0.1:{self.serve().port}"
        for source in map(pathlib.Path, self.SOURCES):
            with self.subTest(source):
                if not source.exists():
                    self.skipTest("is not there")
                self.call("put", source, f"{at}/copy")
                self.assertEqual((self.root / "copy").read_bytes(), source.read_bytes())
                self.assertNotEqual((self.root / "copy").stat().st_size, 0)

    def test_a_server_refuses_them(self):
        for path in map(pathlib.Path, self.SOURCES):
            with self.subTest(path), transfers.Server(path.parent) as server:
                for target in ("copy", "-"):
                    done = self.call("get", f"127.0.0.1:{server.port}/{path.name}", target, expect=1)
                    self.assertIn("no known size", done.stderr)
                self.assertEqual(list(self.local.iterdir()), [])


if __name__ == "__main__":
    transfers.main()
