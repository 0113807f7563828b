# SPDX-License-Identifier: BSD-2-Clause
"""A `harness serve` of a test's own, on loopback, and what tests ask of it."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

import waggle_client as waggle

HARNESS = os.path.abspath(sys.argv[1])
MIB = 1 << 20
EVERYTHING_BUT = {name: tuple(f for f in waggle.FEATURES if f != name) for name in waggle.FEATURES}
DEADLINE = 60  # seconds that nothing here comes near
NOBODY = 65534


class Server:
    """Serves a directory of its own, `root`, until it is stopped."""

    def __init__(self, *options, token=None, nobody=False):
        self.place = tempfile.TemporaryDirectory(prefix="interop-")
        self.root = pathlib.Path(self.place.name) / "root"
        self.root.mkdir()
        command = [HARNESS, "serve", "--json", "--listen=127.0.0.1:0", f"--root={self.root}", *options]
        if nobody and os.geteuid() == 0:
            os.chmod(self.place.name, 0o755)
            os.chown(self.root, NOBODY, NOBODY)
            command[0] = shutil.copy(HARNESS, self.place.name)  # the build may be where others cannot enter
            command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--", *command]
        environment = {name: value for name, value in os.environb.items() if name != b"WAGGLE_TOKEN"}
        if token is not None:
            environment[b"WAGGLE_TOKEN"] = token
        self.log = tempfile.TemporaryFile()  # not a pipe, which a chatty server would fill
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, env=environment)
        ready = self.process.stdout.readline()
        if not ready:
            raise RuntimeError(self.stop())
        self.port = json.loads(ready)["port"]

    def connect(self, **options):
        return waggle.Client(self.port, **options)

    def stop(self):
        """Ends it; returns what it wrote to stderr."""
        self.process.terminate()
        self.process.wait(DEADLINE)
        self.process.stdout.close()
        self.log.seek(0)
        errors = self.log.read().decode(errors="replace")
        self.log.close()
        self.place.cleanup()
        return errors


class Case(unittest.TestCase):
    """Tests that share one server; each has a connection, which one that broke the protocol replaces."""
    options: tuple = ()
    settings: dict = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.options, **cls.settings)
        cls.root = cls.server.root

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        for path in self.root.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        self.client = self.connect()

    def connect(self, **options):
        client = self.server.connect(**options)
        self.addCleanup(client.close)
        return client

    def put(self, name, content=b"content"):
        (self.root / name).write_bytes(content)

    def get(self, name):
        return (self.root / name).read_bytes()

    def refused(self, fault, call, *arguments, **named):
        """The call is answered by an ERROR, and the connection goes on."""
        with self.assertRaises(waggle.Refused) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.fault, fault, caught.exception)
        self.assertNotEqual(caught.exception.what, "")
        self.client.echo(0)
        return caught.exception

    def breaks(self, call, *arguments, client=None, answering=None, fault="protocol", **named):
        """The call is answered by an ERROR (with id `answering`, when given) and the end of the connection."""
        client = client or self.client
        with self.assertRaises(waggle.Refused) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.fault, fault, caught.exception)
        if answering is not None:
            self.assertEqual(caught.exception.request, answering, caught.exception)
        client.socket.shutdown(socket.SHUT_WR)  # a server that has said why listens for a moment, lest it is not heard
        self.assertIsNone(client.receive())
        self.client = self.connect()
