# SPDX-License-Identifier: BSD-2-Clause
"""Who is let in, and on what terms."""
import struct

import waggle_client as waggle
from served import EVERYTHING_BUT, MIB, Case, Server
from waggle_client import GETATTR, SHA256, XXH3, message, text


class Handshake(Case):
    def test_features_in_common_are_agreed_on(self):
        self.assertEqual(self.client.features, list(waggle.FEATURES))
        self.assertEqual(self.connect(features=("future", "echo", "xxh3-128")).features, ["xxh3-128", "echo"])

    def test_open_server_takes_any_proof_and_knows_no_token(self):
        self.assertTrue(self.client.open)
        self.assertFalse(self.client.read_only)
        self.assertGreater(self.client.most_handles, 0)
        with self.assertRaises(waggle.Broken):
            self.connect(token=b"some token")

    def test_digest_kind_must_be_one_of_the_features(self):
        for kind, feature in ((XXH3, "xxh3-128"), (SHA256, "sha256")):
            with self.subTest(feature):
                with self.assertRaises(waggle.Refused) as caught:
                    self.connect(kind=kind, features=EVERYTHING_BUT[feature])
                self.assertEqual(caught.exception.fault, "protocol")

    def test_version_and_first_message(self):
        nonce = bytes(32) + waggle.feature_list(["xxh3-128"])
        for data in (message(waggle.HELLO, 0, struct.pack(">HHB", 2, 3, XXH3) + nonce),
                     message(waggle.HELLO, 0, struct.pack(">HHB", 2, 1, XXH3) + nonce),
                     message(waggle.HELLO, 0, struct.pack(">HHB", 1, 1, 3) + nonce),
                     message(waggle.HELLO, 7, struct.pack(">HHB", 1, 1, XXH3) + nonce),
                     message(GETATTR, 1, text("")), message(waggle.PROOF, 0, bytes(32))):
            with self.subTest(data=data.hex()), waggle.Wire(self.server.port) as wire:
                wire.send(data)
                got = wire.receive()
                self.assertEqual((got.op, got.body[:2]), (waggle.ERROR, b"\0\x0b"))
                self.assertIsNone(wire.receive())


class Full(Case):
    options = ("--most-clients=1",)

    def test_one_client_too_many_is_told(self):
        self.client.echo(0)
        with self.assertRaises(waggle.Refused) as caught:
            self.connect()
        self.assertEqual((caught.exception.fault, caught.exception.request), ("busy", 0))


class Token(Case):
    settings = {"token": b"secret"}

    def setUp(self):
        pass

    def test_who_knows_it_is_let_in(self):
        client = self.connect(token=b"secret")
        self.assertFalse(client.open)
        client.echo(0)
        for guess in (b"", b"secret\n", b"Secret"):
            with self.subTest(guess):
                with self.assertRaises(waggle.Refused) as caught:
                    self.connect(token=guess)
                self.assertEqual(caught.exception.fault, "denied")

    def test_the_file_counts_without_line_ends_at_its_end(self):
        for content, token in ((b"secret", b"secret"), (b"secret\n", b"secret"), (b"\n a\r\nb \r\n\r\n", b"\n a\r\nb "),
                               (b"\xff\x00\x01", b"\xff\x00\x01")):
            with self.subTest(content):
                path = self.root / "token"
                path.write_bytes(content)
                server = Server(f"--token-file={path}")
                self.addCleanup(server.stop)
                server.connect(token=token).close()

    def test_its_length_is_limited(self):
        path = self.root / "token"
        for length, fine in ((4096, True), (4097, False)):
            path.write_bytes(b"t" * length)
            for options, token in (((f"--token-file={path}",), None), ((), b"t" * length)):
                with self.subTest(length=length, options=options):
                    if fine:
                        server = Server(*options, token=token)
                        self.addCleanup(server.stop)
                        server.connect(token=b"t" * length).close()
                    else:
                        self.assertRaisesRegex(RuntimeError, "1 to 4096 bytes", Server, *options, token=token)


class ReadOnly(Case):
    options = ("--read-only",)

    def test_every_change_is_denied(self):
        self.put("file")
        client = self.client
        self.assertTrue(client.read_only)
        for call, *arguments in ((client.lookup, 1, "file", True), (client.create, 1, "new", 1), (client.mkdir, "d"),
                                 (client.remove, "file"), (client.rename, "file", "x"), (client.truncate, "file", 0),
                                 (client.setattr, "file"), (client.write, 1, 0, bytes(MIB))):
            with self.subTest(call.__name__):
                self.refused("denied" if call != client.write else "usage", call, *arguments)
        client.lookup(1, "file")
        self.refused("denied", client.write, 1, 0, bytes(2 * MIB))
        self.assertEqual(client.read(1, 0, 100)[0], b"content")
        self.assertEqual(self.get("file"), b"content")
