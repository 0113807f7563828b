# SPDX-License-Identifier: BSD-2-Clause
"""Connections that go wrong at random. Whatever comes, the server answers the next client, touches nothing outside its root and
leaves no upload behind. WAGGLE_FUZZ_SECONDS lengthens it, WAGGLE_FUZZ_SEED repeats it."""
import os
import random
import struct
import time

import waggle_client as waggle
from served import Case
from waggle_client import RANGE, frame, handle_of, message, text

CONNECTIONS = 150
PATHS = ("", "file", "directory", "directory/x", "none", "link", "../file", "/etc/passwd", ".waggle-0.part", "n" * 256, "a\0b")
NUMBERS = (0, 1, 2, 3, 4096, 262143, 262144, 262145, 2**30, 2**31, 2**32 - 1, 2**62, 2**63 - 1 - 2**30, 2**63 - 1, 2**63, 2**64 - 1)


class Fuzz(Case):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("WAGGLE_FUZZ_SEED", random.SystemRandom().getrandbits(32)))
        self.random = random.Random(self.seed)
        self.put("file", bytes(range(256)) * 8)
        (self.root / "directory").mkdir()
        (self.root / "link").symlink_to("directory")

    def number(self, bits):
        any_number = self.random.choice((self.random.randrange(8), self.random.choice(NUMBERS), self.random.getrandbits(bits)))
        return any_number & (1 << bits) - 1

    def fields(self, op):
        path = text(self.random.choice(PATHS))
        handle = handle_of(self.random.randrange(4))
        extent = RANGE.pack(self.random.randrange(4), self.number(64), self.number(64))
        mode = struct.pack(">I", self.random.choice((0o644, 0o755, self.number(32))))
        big = struct.pack(">Q", self.number(64))
        return {waggle.LOOKUP: handle + path, waggle.CREATE: handle + big + mode + path, waggle.COMMIT: handle,
                waggle.SETATTR: mode + bytes(24) + path, waggle.READ: extent, waggle.WRITE: extent, waggle.DIGEST: extent,
                waggle.SYNC: handle, waggle.RELEASE: handle, waggle.MKDIR: mode + path, waggle.RENAME: path + path,
                waggle.TRUNCATE: struct.pack(">Q", self.number(64) & 0xFFFF) + path, waggle.READDIR: big + path,
                waggle.ECHO: struct.pack(">I", self.number(32)) + path,
                waggle.DONE: struct.pack(">HQQB", self.number(16), self.number(64), 0, 16) + bytes(16) + path}.get(op, path)

    def any_frame(self):
        op = self.random.choice((*range(0x10, 0x20), waggle.DONE, self.number(8)))
        data = message(op, self.number(32), self.fields(op), self.random.choice((0, 0, 1, 0x80, self.number(8))))
        if op == waggle.WRITE and self.random.random() < 0.8:
            payload = self.random.randbytes(self.random.choice((1, 100, 70000, 300000)))
            extent = (self.random.randrange(4), self.number(64) % 2**62, len(payload))
            data = message(op, 5, RANGE.pack(*extent))
            done = message(waggle.DONE, 5, self.client.done_of(payload))
            return frame(data, extent) + payload + frame(done)
        return frame(data, (1, 0, 10) if self.random.random() < 0.05 else None)

    def damaged(self, data):
        where = self.random.randrange(len(data))
        how = self.random.random()
        if how < 0.1:
            return data[:where]
        if how < 0.2:
            return data[:where] + self.random.randbytes(self.random.randrange(40)) + data[where:]
        if how < 0.4:
            return data[:where] + bytes([data[where] ^ 1 << self.random.randrange(8)]) + data[where + 1:]
        return data

    def converse(self):
        """One connection: some frames, then the end, with whatever was not read."""
        early = self.random.random() < 0.2
        client = waggle.Wire(self.server.port) if early else self.server.connect()
        with client:
            try:
                client.send_bytes(b"".join(self.damaged(self.any_frame()) for _ in range(self.random.randrange(1, 12))))
                client.socket.shutdown(1)
                while client.receive():
                    pass
            except (OSError, waggle.Broken):
                pass

    def test_nothing_harms_the_server(self):
        seconds = float(os.environ.get("WAGGLE_FUZZ_SECONDS", 0))
        end = time.monotonic() + seconds
        done = 0
        while done < CONNECTIONS or time.monotonic() < end:
            with self.subTest(seed=self.seed, connection=done):
                self.converse()
            done += 1
        self.assertIsNone(self.server.process.poll(), f"seed {self.seed}")
        self.client.echo(0)
        self.assertEqual(self.client.download("file") if self.exists("file") else b"", self.get("file") if self.exists("file") else b"")
        self.assertEqual(sorted(path.name for path in self.root.parent.iterdir()), ["root"])

    def exists(self, name):
        return (self.root / name).is_file()
