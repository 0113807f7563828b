#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whole transfers by `harness serve`, `get` and `put` on loopback, with real files, broken on purpose.

Usage: serve_get_put_test.py HARNESS [unittest arguments]. Needs nothing but Python's standard library.
"""

import filecmp
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HARNESS = ""
MIB = 1024 * 1024
DEADLINE = 60  # seconds that no call here comes near


def random_bytes(length, seed):
    return random.Random(seed).randbytes(length)


def environment(token=None):
    env = {name: value for name, value in os.environ.items() if name != "WAGGLE_TOKEN"}
    if token is not None:
        env["WAGGLE_TOKEN"] = token
    return env


class Server:
    """A `harness serve` process of our own."""

    def __init__(self, root, *options, token=None, harness=None, **process):
        self.process = subprocess.Popen(
            [harness or HARNESS, "serve", "--json", "--listen=127.0.0.1:0", f"--root={root}", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(token), **process)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.communicate(timeout=DEADLINE)[1])
        self.ready = json.loads(line)
        self.port = self.ready["port"]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.output, self.errors = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)


class Proxy:
    """Stands between client and server: counts bytes, and does something once when `at` bytes of one direction have
    gone through: calls `then`, flips a bit, or holds everything back until it is closed."""

    def __init__(self, port, watch="down", at=None, then=None, flip=False, hold=False):
        self.target = port
        self.watch, self.at, self.then, self.flip, self.hold = watch, at, then, flip, hold
        self.bytes = {"up": 0, "down": 0}
        self.reached = threading.Event()
        self.released = threading.Event()
        self.sockets = []
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start(self.accept)

    def start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        self.threads.append(thread)

    def accept(self):
        try:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            return
        self.sockets += [client, server]
        self.start(self.pump, client, server, "up")
        self.start(self.pump, server, client, "down")

    def pump(self, source, sink, direction):
        try:
            while data := source.recv(65536):
                before = self.bytes[direction]
                self.bytes[direction] += len(data)
                if direction == self.watch and self.at is not None and before <= self.at < self.bytes[direction]:
                    data = self.act(data, self.at - before)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def act(self, data, index):
        if self.flip:
            data = data[:index] + bytes([data[index] ^ 0x10]) + data[index + 1:]
        if self.then:
            self.then()
        self.reached.set()
        if self.hold:
            self.released.wait(DEADLINE)
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.listener.close()
        for end in self.sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in list(self.threads):
            thread.join(DEADLINE)
        for end in self.sockets:
            end.close()


class Transfers(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="waggle-e2e-")
        self.addCleanup(self.directory.cleanup)
        self.top = pathlib.Path(self.directory.name)
        self.root = self.top / "served"
        self.local = self.top / "local"
        self.root.mkdir()
        self.local.mkdir()

    def serve(self, *options, token=None):
        server = Server(self.root, *options, token=token)
        self.addCleanup(server.__exit__)
        return server

    def call(self, *arguments, token=None, expect=0):
        done = subprocess.run([HARNESS, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE,
                              cwd=self.local, env=environment(token))
        self.assertEqual(done.returncode, expect, f"{arguments}: {done.stdout}{done.stderr}")
        if expect != 0:
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\Aharness: [^\n]+\n\Z", "one line says what is wrong")
        return done

    def start(self, *arguments):
        process = subprocess.Popen([HARNESS, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, cwd=self.local, env=environment())
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def make(self, path, length, seed=1):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random_bytes(length, seed))
        return path

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

    def leftovers(self, directory):
        return [path.name for path in directory.rglob(".waggle-*")]

    # Everyday use.

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

    def test_nothing_needs_root(self):
        """As a user who may not choose TCP's congestion control, with whatever the system has."""
        if os.geteuid() != 0:
            self.skipTest("all other tests are run without root then")
        program = self.top / "harness"  # where everybody can reach it
        shutil.copy2(HARNESS, program)
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

    def test_stop(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(how=how):
                self.assertEqual(self.serve().stop(how), 0)

    # What must be refused, each with one clear line.

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
        done = self.call("get", "127.0.0.1:1/x", expect=1)
        self.assertIn("start the server", done.stderr)
        self.call("get", f"{at}/none", expect=1)
        self.call("put", "none", f"{at}/x", expect=1)
        self.call("serve", "--root=/nonexistent", "--listen=127.0.0.1:0", expect=1)
        done = self.call("serve", f"--root={self.root}", f"--listen={at}", expect=1)
        self.assertIn("in use", done.stderr)

    def test_full_disk(self):
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
            self.assertNotIn("WAGGLE_REQUIRE_ALL", os.environ)
            self.skipTest("only root can mount a small file system")
        self.make(self.root / "file", 3 * MIB)
        server = self.serve()
        name = f"127.0.0.1:{server.port}/file"
        command = 'mount -t tmpfs -o size=2m none "$1" && exec "$2" get "$3" "$1"'
        done = subprocess.run(["unshare", "-m", "sh", "-c", command, "sh", str(self.local), HARNESS, name],
                              capture_output=True, text=True, timeout=DEADLINE, env=environment())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("free some space", done.stderr)

    # What breaks on the way.

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
            self.call("put", "--resume", "file", f"127.0.0.1:{proxy.port}/file")
            self.assertLess(proxy.bytes["up"], 30 * MIB)
        self.assertEqual((self.root / "file").read_bytes(), source.read_bytes())
        self.assertEqual(self.leftovers(self.root), [])

    def test_interruption(self):
        self.make(self.root / "file", 8 * MIB)
        server = self.serve()
        for options, kept in (([], 0), (["--resume"], 1)):
            with self.subTest(options=options), Proxy(server.port, at=4 * MIB, hold=True) as proxy:
                process = self.start("get", *options, f"127.0.0.1:{proxy.port}/file")
                self.assertTrue(proxy.reached.wait(DEADLINE))
                process.send_signal(signal.SIGINT)
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
        self.make(self.local / "tree/small", 60_000)

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
        # A small one has its name before it is looked at once more, unless its bytes were found to have changed.
        for restore in (False, True):
            with self.subTest("small", restore=restore):
                server = self.serve()
                with Proxy(server.port, watch="up", at=30_000,
                           then=lambda: change(self.local / "tree/small", restore)) as proxy:
                    done = self.call("put", "-r", "tree", f"127.0.0.1:{proxy.port}/tree", expect=1)
                self.assertRegex(done.stderr, "small.*(changed|digest)")

    def test_a_fifo_is_not_sent(self):
        os.mkfifo(self.local / "fifo")
        os.mkfifo(self.root / "fifo")
        server = self.serve("--read-only")
        self.call("put", "fifo", f"127.0.0.1:{server.port}/file", expect=2)
        done = self.call("get", f"127.0.0.1:{server.port}/fifo", "file", expect=1)
        self.assertIn("not a regular file", done.stderr)

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
    HARNESS = os.path.abspath(sys.argv.pop(1))
    unittest.main()
