# SPDX-License-Identifier: BSD-2-Clause
"""What tests of `harness serve`, `get` and `put` on loopback share: a server, a proxy that breaks transfers on purpose,
and directories with real files. Needs nothing but Python's standard library."""

import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HARNESS = ""  # the program, from main() on
MIB = 1024 * 1024
DEADLINE = 60  # seconds that no call here comes near
# What these tests run may have been started under nohup(1): its processes would inherit that and ignore hangups.
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def random_bytes(length, seed):
    return random.Random(seed).randbytes(length)


def wait_until(true):
    """Until `true()`, which another process brings about."""
    end = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("it did not come")
        time.sleep(0.005)


def opened_by(pid):
    """What the descriptors of a process lead to, but those that it closes meanwhile."""
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(entry)


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
    """A directory to serve and one to call from, both gone with the test."""

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

    def call(self, *arguments, token=None, expect=0, partly=False):
        """`partly`: something was done all the same, so that there is a result and more than one line of errors."""
        done = subprocess.run([HARNESS, *map(str, arguments)], capture_output=True, text=True, timeout=DEADLINE,
                              cwd=self.local, env=environment(token))
        self.assertEqual(done.returncode, expect, f"{arguments}: {done.stdout}{done.stderr}")
        if expect != 0 and not partly:
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

    def leftovers(self, directory):
        return [path.name for path in directory.rglob(".waggle-*")]


def main():
    """Of a test: FILE HARNESS [unittest arguments]."""
    global HARNESS
    HARNESS = os.path.abspath(sys.argv.pop(1))
    unittest.main()
