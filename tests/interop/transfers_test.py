# SPDX-License-Identifier: BSD-2-Clause
"""Payload both ways: READ, WRITE, DONE, DIGEST and uploads."""
import random
import struct
import subprocess

import waggle_client as waggle
from served import HARNESS, MIB, Case
from waggle_client import GETATTR, LOOKUP, READ, RELEASE, SHA256, WRITE, XXH3, message, text


class Transfers(Case):
    def test_files_of_all_sizes_with_both_kinds_of_digest(self):
        for kind in (XXH3, SHA256):
            client = self.connect(kind=kind)
            for size in (0, 1, waggle.BLOCK, waggle.BLOCK + 1, 3 * MIB):
                with self.subTest(kind=kind, size=size):
                    content = random.Random(size).randbytes(size)
                    client.upload("file", content)
                    self.assertEqual(self.get("file"), content)
                    self.assertEqual(client.download("file"), content)
                    if size:
                        client.lookup(1, "file")
                        self.assertEqual(client.digests(1, 0, size), waggle.block_digests(kind, content))
                        client.release(1)

    def test_the_program_and_this_client_read_what_the_other_wrote(self):
        content = random.Random(1).randbytes(MIB)
        local = self.root / "local"
        self.client.upload("ours", content)
        at = f"127.0.0.1:{self.server.port}/"
        subprocess.run([HARNESS, "get", at + "ours", local], check=True, capture_output=True)
        self.assertEqual(local.read_bytes(), content)
        subprocess.run([HARNESS, "put", local, at + "theirs"], check=True, capture_output=True)
        self.assertEqual(self.client.download("theirs"), content)

    def test_requests_may_leave_together(self):
        self.put("file")
        client = self.client
        for path, ops in (("file", (waggle.ATTRIBUTES, waggle.EXTENT, waggle.DONE)), ("none", (waggle.ERROR, waggle.ERROR))):
            client.request(LOOKUP, waggle.handle_of(1) + text(path))
            client.request(READ, waggle.RANGE.pack(1, 0, 100))
            client.request(RELEASE, waggle.handle_of(1))
            self.assertEqual(tuple(client.receive().op for _ in ops), ops)
        client.echo(0)

    def test_read_is_cut_at_the_end_and_digest_is_not(self):
        self.put("file", b"0123456789")
        self.client.lookup(1, "file")
        self.assertEqual(self.client.read(1, 4, 100)[0], b"456789")
        for offset in (10, 11, 2**63 - 1 - 2**30):
            content, done = self.client.read(1, offset, 2**30)
            self.assertEqual((content, done.valid), (b"", 0))
        self.assertEqual(len(self.client.digests(1, 4, 6)), 1)
        self.refused("changed", self.client.digests, 1, 4, 7)

    def test_done_fits_its_write(self):
        content = b"0123456789"
        for false in ({"valid": 9}, {"valid": 11}, {"valid": 0}, {"version": 1}, {"why": "no reason"}, {"digest": b"x" * 32},
                      {"digest": b""}, {"status": 7, "digest": b"x" * 16}, {"status": 7, "valid": 11}, {"request": 77}):
            with self.subTest(**false):
                self.client.create(1, "file", 10)
                self.breaks(self.client.write, 1, 0, content, **false)
        self.client.create(1, "file", 10)
        self.refused("corrupt", self.client.write, 1, 0, content, digest=b"x" * 16)
        self.assertEqual(self.refused("changed", self.client.write, 1, 0, content, status=7, why="it shrank").what, "it shrank")
        with self.assertRaises(waggle.Refused) as caught:
            self.client.write(1, 0, content, status=999, valid=3)
        self.assertEqual(caught.exception.fault, "io")
        self.refused("corrupt", self.client.commit, 1)
        self.assertFalse((self.root / "file").exists())

    def test_write_names_what_its_frame_announces_and_done_follows(self):
        data = waggle.RANGE.pack(1, 0, 4)
        for extent, payload in ((None, b""), ((1, 0, 3), b"abc"), ((2, 0, 4), b"abcd"), ((1, 1, 4), b"abcd")):
            with self.subTest(extent=extent):
                self.client.create(1, "file", 4)
                request = self.client.request(WRITE, data, extent=extent, payload=payload)
                self.breaks(self.client.ok, request)
        self.client.create(1, "file", 4)
        request = self.client.request(WRITE, data, extent=(1, 0, 4), payload=b"abcd")
        self.client.request(GETATTR, text(""))
        self.breaks(self.client.ok, request + 1)
        self.breaks(self.client.ok, self.client.request(GETATTR, text(""), extent=(1, 0, 4), payload=b"abcd"))

    def test_write_in_place_changes_the_file_at_once(self):
        self.put("file", b"0" * 1000)
        self.client.lookup(1, "file", writable=True)
        self.client.write(1, 0, b"1" * 10)
        self.refused("corrupt", self.client.write, 1, 500, b"2" * 10, digest=b"x" * 16)
        content = self.get("file")
        self.assertEqual((content[:500], content[510:]), (b"1" * 10 + b"0" * 490, b"0" * 490))
        self.client.write(1, 500, b"3" * 10)
        self.client.write(1, 2000, b"4")
        self.assertEqual(self.get("file")[500:510] + self.get("file")[1000:], b"3" * 10 + bytes(1000) + b"4")
        self.client.release(1)
        self.client.lookup(1, "file")
        self.refused("denied", self.client.write, 1, 0, b"5")

    def test_quiet_requests_are_answered_only_when_they_fail(self):
        client = self.client
        content = b"quiet"
        client.request(waggle.CREATE, struct.pack(">IQI", 1, 5, 0o600) + text("quiet"), 0x80)
        request = client.request(WRITE, waggle.RANGE.pack(1, 0, 5), 0x80, (1, 0, 5), content)
        client.send(message(waggle.DONE, request, client.done_of(content)))
        client.request(waggle.COMMIT, waggle.handle_of(1), 0x80)
        client.echo(0)
        self.assertEqual(self.get("quiet"), content)
        self.refused("usage", client.ok, client.request(waggle.COMMIT, waggle.handle_of(1), 0x80))


class Uploads(Case):
    def test_nobody_sees_it_before_commit_which_replaces(self):
        self.put("file", b"old")
        self.client.create(1, "file", 3)
        self.client.write(1, 0, b"new")
        self.assertEqual(self.get("file"), b"old")
        self.assertEqual(sorted(self.client.readdir("")), [b"file"])
        self.client.commit(1)
        self.assertEqual(self.get("file"), b"new")

    def test_commit_wants_every_byte_and_closes_the_handle_always(self):
        self.client.create(1, "hole", 10)
        self.client.write(1, 0, b"0123")
        self.client.write(1, 5, b"56789")
        self.refused("corrupt", self.client.commit, 1)
        self.refused("usage", self.client.read, 1, 0, 1)
        self.assertFalse((self.root / "hole").exists())
        self.put("file")
        self.client.lookup(1, "file")
        self.refused("usage", self.client.commit, 1)
        self.refused("usage", self.client.read, 1, 0, 1)
        self.refused("usage", self.client.commit, 1)

    def test_a_path_has_one_upload_at_a_time(self):
        other = self.connect()
        self.client.create(1, "file", 3)
        for resume in (False, True):
            self.refused("busy", self.client.create, 2, "file", 3, resume=resume)
            self.refused("busy", other.create, 1, "file", 3, resume=resume)
        self.client.release(1)
        self.client.echo(0)
        other.upload("file", b"abc")
        self.client.create(1, "file", 3)
        self.client.write(1, 0, b"new")
        self.client.commit(1, durable=True)
        self.assertEqual(self.get("file"), b"new")

    def test_resume_takes_up_what_was_kept_for_the_same_path_and_size(self):
        content = random.Random(2).randbytes(2 * MIB)
        digests = waggle.block_digests(XXH3, content[:MIB])
        for size, resume, mode, left in ((2 * MIB, True, 0o644, digests), (2 * MIB, False, 0o644, None), (2 * MIB + 1, True, 0o644, None)):
            with self.subTest(size=size, resume=resume):
                self.client.create(1, "file", 2 * MIB)
                self.client.write(1, 0, content[:MIB])
                self.client.release(1, keep=True)
                self.assertEqual(self.client.create(1, "file", size, mode, resume).size, size)
                self.assertEqual(self.client.digests(1, 0, MIB), left or waggle.block_digests(XXH3, bytes(MIB)))
                if left:
                    self.client.write(1, MIB, content[MIB:])
                    self.client.commit(1)
                    self.assertEqual(self.get("file"), content)
                    self.assertEqual(self.client.getattr("file").mode, mode)
                else:
                    self.client.release(1)

    def test_an_upload_of_too_many_pieces_is_busy(self):
        self.client.create(1, "file", 10000)
        for at in range(4096):
            self.client.write(1, 2 * at, b"x")
        self.refused("busy", self.client.write, 1, 9000, b"x")
        self.client.write(1, 1, b"x")

    def test_nothing_lies_beyond_the_size_of_an_upload(self):
        self.client.create(1, "small", 10)
        for offset, length in ((0, 11), (10, 1), (2**40, 1)):
            self.refused("usage", self.client.write, 1, offset, bytes(length))
            self.refused("usage", self.client.digests, 1, offset, length)

    def test_a_directory_is_never_replaced(self):
        (self.root / "directory").mkdir()
        self.refused("exists", self.client.create, 1, "directory", MIB)
        self.refused("exists", self.client.upload, "directory", b"small")
        self.client.create(1, "made-meanwhile", 1)
        self.client.write(1, 0, b"x")
        (self.root / "made-meanwhile").mkdir()
        self.refused("exists", self.client.commit, 1)
