# SPDX-License-Identifier: BSD-2-Clause
"""Handles, features, and messages that break the page."""
import struct
import subprocess
import time

import waggle_client as waggle
from served import DEADLINE, EVERYTHING_BUT, HARNESS, MIB, Case
from waggle_client import GETATTR, READ, RELEASE, XXH3, message, text


class Handles(Case):
    def test_any_number_will_do_and_serves_again_when_closed(self):
        self.put("file")
        for handle in (0, 1, 2**32 - 1):
            for _ in range(2):
                self.client.lookup(handle, "file")
                self.assertEqual(self.client.read(handle, 0, 100)[0], b"content")
                self.refused("usage", self.client.lookup, handle, "file")
                self.refused("usage", self.client.create, handle, "new", 1)
                self.client.release(handle)
            self.client.upload("new", b"x", handle)
            self.refused("not_found", self.client.lookup, handle, "none")
            self.refused("usage", self.client.read, handle, 0, 1)
        self.client.release(12345)
        self.client.echo(0)

    def test_they_belong_to_a_connection(self):
        self.put("file")
        self.client.lookup(1, "file")
        other = self.connect()
        other.lookup(1, "file")
        other.release(1)
        self.assertEqual(self.client.read(1, 0, 100)[0], b"content")

    def test_a_directory_is_no_file(self):
        (self.root / "d").mkdir(exist_ok=True)
        self.assertEqual(self.client.lookup(1, "d").type, 2)
        self.refused("usage", self.client.read, 1, 0, 1)
        self.refused("usage", self.client.digests, 1, 0, 1)
        self.client.sync(1)
        self.refused("usage", self.client.lookup, 2, "d", True)
        self.refused("usage", self.client.truncate, "d", 0)


class Features(Case):
    def test_what_was_not_agreed_on_breaks_the_protocol(self):
        self.put("file")
        for feature, call in (("resume", lambda c: c.create(1, "new", 1, resume=True)),
                              ("resume", lambda c: c.ok(c.request(RELEASE, waggle.handle_of(1), 1))),
                              ("digests", lambda c: (c.lookup(1, "file"), c.digests(1, 0, 1))),
                              ("echo", lambda c: c.echo(1))):
            with self.subTest(feature):
                client = self.connect(features=EVERYTHING_BUT[feature])
                self.breaks(call, client, client=client)

    def test_a_broken_upload_is_kept_only_for_who_can_resume(self):
        for features, left in ((EVERYTHING_BUT["resume"], bytes(MIB)), (waggle.FEATURES, b"x" * MIB)):
            client = self.connect(features=features)
            client.create(1, "broken", 2 * MIB)
            client.write(1, 0, b"x" * MIB)
            client.close()
            self.resume(1, "broken", 2 * MIB)
            self.assertEqual(self.client.digests(1, 0, MIB), waggle.block_digests(XXH3, left))
            self.client.release(1)
            self.client.echo(0)  # nothing answers RELEASE, and others are busy until it has been done

    def resume(self, handle, path, size):
        """CREATE with resume, once the server has seen the end of the other connection."""
        end = time.monotonic() + DEADLINE
        while True:
            try:
                return self.client.create(handle, path, size, resume=True)
            except waggle.Refused as refused:
                self.assertEqual(refused.fault, "busy")
                self.assertLess(time.monotonic(), end)


class Frames(Case):
    good = message(GETATTR, 1, text(""))

    def header(self, **wrong):
        fields = {"magic": b"WG", "version": 1, "flags": 0, "length": len(self.good), "handle": 0, "reserved": 0, "offset": 0,
                  "payload": 0, **wrong}
        return waggle.FRAME.pack(*fields.values())

    def bad_headers(self):
        return [self.header(**wrong) for wrong in (
            {"magic": b"XX"}, {"magic": b"GE"}, {"version": 0}, {"version": 2}, {"flags": 2}, {"flags": 0x81}, {"reserved": 1},
            {"length": 0}, {"length": waggle.MOST_MESSAGE + 1}, {"length": 2**32 - 1},
            {"handle": 1}, {"offset": 1}, {"payload": 1}, {"flags": 1, "payload": 2**30 + 1},
            {"flags": 1, "payload": 1, "offset": 2**63})]

    def test_a_bad_one_is_said_without_an_id_and_ends_the_connection(self):
        for data in self.bad_headers():
            for admitted in (True, False):
                with self.subTest(data=data.hex(), admitted=admitted):
                    wire = self.server.connect() if admitted else waggle.Wire(self.server.port)
                    with wire:
                        wire.send_bytes(data)
                        got = wire.receive()
                        self.assertIsNotNone(got, "the connection ended without a word")
                        self.assertEqual((got.op, got.request, got.body[:2]), (waggle.ERROR, 0, b"\0\x0b"))
                        self.assertIsNone(wire.receive())

    def test_strangers_are_not_listened_to_for_long(self):
        with waggle.Wire(self.server.port) as wire:
            wire.send_bytes(self.header(length=4097))
            got = wire.receive()
            self.assertEqual((got.op, got.request, got.body[:2]), (waggle.ERROR, 0, b"\0\x0b"))
            self.assertIsNone(wire.receive())


class Messages(Case):
    def test_a_request_has_an_id(self):
        self.client.last = -1
        self.breaks(self.client.getattr, "", answering=0)

    def test_what_breaks_the_page_is_said_and_ends_the_connection(self):
        extent = waggle.RANGE.pack
        for data in (message(0x50, 1), message(waggle.OK, 1), message(GETATTR, 1, text("") + b"x"), message(GETATTR, 1, b"\0"),
                     message(GETATTR, 1, text(""), 1), message(GETATTR, 1, text(b"a\0b")), message(READ, 1, extent(1, 0, 0)),
                     message(READ, 1, extent(1, 0, 2**30 + 1)), message(READ, 1, extent(1, 2**63 - 2**30, 1)),
                     message(waggle.TRUNCATE, 1, struct.pack(">Q", 2**63) + text("x")),
                     message(waggle.CREATE, 1, struct.pack(">IQI", 1, 2**63, 0) + text("x")),
                     message(waggle.MKDIR, 1, struct.pack(">I", 0o10000) + text("x")),
                     message(waggle.SETATTR, 1, struct.pack(">IIIqq", 0, 1, 0, 0, 0) + text("x")),
                     message(waggle.ECHO, 1, struct.pack(">I", waggle.MOST_MESSAGE - 7)),
                     waggle.HEAD.pack(GETATTR, 0, 1, 1) + text("")):
            with self.subTest(data=data.hex()):
                self.client.send(data)
                self.breaks(self.client.ok, 1)

    def test_echo_fills_up_with_zeros(self):
        self.assertEqual(self.client.echo(5, b"abc"), b"abc\0\0")
        self.assertEqual(self.client.echo(2, b"abc"), b"ab")
        self.assertEqual(len(self.client.echo(waggle.MOST_MESSAGE - 8, bytes(waggle.MOST_MESSAGE - 12))), waggle.MOST_MESSAGE - 8)

    def test_the_default_port(self):
        helped = subprocess.run([HARNESS, "serve", "--help"], capture_output=True, text=True, check=True).stdout
        self.assertIn(f"127.0.0.1:{waggle.DEFAULT_PORT}", helped)
