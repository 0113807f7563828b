#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who has proved nothing costs a server next to nothing and keeps nobody waiting: over TCP, from outside, with raw
sockets written from protocol/README.md.

usage: strangers_test.py HARNESS [unittest arguments]
"""
import contextlib
import json
import os
import pathlib
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from transfers import opened_by

HARNESS = os.path.abspath(sys.argv[1])
DEADLINE = 60
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (HARD, HARD))
CROWD = 1500 if HARD == resource.RLIM_INFINITY or HARD > 4000 else 300
LISTED = json.loads(subprocess.run([HARNESS, "list", "--json"], capture_output=True, text=True, check=True).stdout)
# Its own memory is far larger than what is measured here.
SANITIZED = any(mark in pathlib.Path(HARNESS).read_bytes() for mark in (b"__asan_init", b"__tsan_init"))
STREAMS = [d for d in LISTED["datapaths"] if d["available"] and d["carrier"] == "stream"]
SENDERS = [d["name"] for d in STREAMS if d["sends"]]
RECEIVERS = [d["name"] for d in STREAMS if d["receives"]]
ERROR, BUSY, TIMEOUT, PROTOCOL, DENIED = 0xFF, 12, 10, 11, 5


def frame(message, extent=None):
    handle, offset, length = extent or (0, 0, 0)
    return struct.pack("!HBBIIIQQ", 0x5747, 1, extent is not None, len(message), handle, 0, offset, length) + message


def head(op, request=0, flags=0):
    return struct.pack("!BBHI", op, flags, 0, request)


HELLO = frame(head(1) + struct.pack("!HHB", 1, 1, 1) + b"n" * 32 + b"\x01\x08xxh3-128")
PROOF = frame(head(3) + b"m" * 32)


def read_exactly(peer, length):
    data = b""
    while len(data) < length:
        more = peer.recv(length - len(data))
        if not more:
            raise EOFError(f"closed after {len(data)} of {length} bytes")
        data += more
    return data


def read_message(peer):
    """op, request and body of the next message."""
    length = struct.unpack("!HBBIIIQQ", read_exactly(peer, 32))[3]
    message = read_exactly(peer, length)
    return message[0], struct.unpack("!I", message[4:8])[0], message[8:]


def sockets_of(pid):
    return sum(what.startswith("socket:") for what in opened_by(pid))


class Server:
    def __init__(self, root, *options):
        self.process = subprocess.Popen([HARNESS, "serve", f"--root={root}", "--listen=127.0.0.1:0", "--json", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.stderr.read())
        self.port = json.loads(line)["port"]

    def connect(self):
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return peer

    def friend(self):
        peer = self.connect()
        peer.sendall(HELLO)
        assert read_message(peer)[0] == 2
        peer.sendall(PROOF)
        assert read_message(peer)[0] == 4
        return peer

    def memory(self):
        """Resident bytes."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def sockets(self):
        return sockets_of(self.process.pid)

    def stop(self):
        self.process.terminate()
        return self.process.communicate(timeout=DEADLINE)[1]


class Strangers(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(dir="/var/tmp", prefix="strangers-")
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        self.root = self.place / "root"
        self.root.mkdir()
        (self.root / "file").write_bytes(os.urandom(1 << 20))
        self.peers = []
        self.addCleanup(lambda: [peer.close() for peer in self.peers])

    def serve(self, *options):
        server = Server(self.root, *options)
        self.addCleanup(lambda: server.process.poll() is None and server.stop())
        return server

    def until(self, condition):
        end = time.monotonic() + DEADLINE
        while not condition():
            self.assertLess(time.monotonic(), end, "it never comes")
            time.sleep(0.01)

    def crowd(self, server, count, says=b""):
        for _ in range(count):
            peer = server.connect()
            self.peers.append(peer)
            if says:
                peer.sendall(says)

    def get(self, server, what):
        out = self.place / "out"
        start = time.monotonic()
        done = subprocess.run([HARNESS, "get", f"127.0.0.1:{server.port}/file", str(out)], capture_output=True, text=True,
                              timeout=DEADLINE)
        took = time.monotonic() - start
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(out.read_bytes(), (self.root / "file").read_bytes())
        out.unlink()
        print(f"a get of 1 MiB beside {what}: {took:.3f} s", file=sys.stderr)

    def error_from(self, peer):
        op, request, body = read_message(peer)
        self.assertEqual((op, request), (ERROR, 0))
        return struct.unpack("!H", body[:2])[0]

    def assertEnds(self, peer):
        self.assertEqual(peer.recv(1), b"")

    def test_friends_get_in_beside_a_crowd(self):
        server = self.serve("--quiet")
        self.get(server, "nobody")
        self.crowd(server, CROWD)
        self.get(server, f"{CROWD} who say nothing")
        self.crowd(server, CROWD, HELLO)
        self.get(server, f"{CROWD} more who said HELLO and stall")
        self.crowd(server, CROWD, HELLO[:1])
        stop = threading.Event()

        def trickle():
            at = 1
            while not stop.wait(0.05) and at < len(HELLO):
                for peer in self.peers[-CROWD:]:
                    with contextlib.suppress(OSError):
                        peer.sendall(HELLO[at:at + 1])
                at += 1

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            self.get(server, f"{CROWD} more who say a byte now and then")
        finally:
            stop.set()
            thread.join()

    @unittest.skipIf(SANITIZED, "a sanitizer keeps memory of its own")
    def test_a_stranger_costs_less_than_16_kib(self):
        for options, count in ((), 1000), (("--datapath=uring",), 100):
            if options and "uring" not in SENDERS:
                continue
            server = self.serve("--quiet", *options)
            self.crowd(server, 20, HELLO)
            self.until(lambda: server.sockets() >= 20)
            before = server.memory()
            self.crowd(server, count, HELLO)
            for peer in self.peers[-count:]:
                self.assertEqual(read_message(peer)[0], 2)
            each = (server.memory() - before) / count
            print(f"a stranger costs {each:.0f} bytes {' '.join(options)}", file=sys.stderr)
            self.assertLess(each, 16 * 1024)

    def test_slow_bytes_have_the_same_deadline_as_silence(self):
        server = self.serve("--handshake-timeout=1s", "--quiet")
        silent, slow = server.connect(), server.connect()
        self.peers += [silent, slow]
        start = time.monotonic()
        slow.settimeout(0.1)
        answer = b""
        for byte in HELLO * 100:
            with contextlib.suppress(TimeoutError):
                answer = slow.recv(1)
                break
            slow.sendall(bytes([byte]))
        slow.settimeout(DEADLINE)
        self.assertLess(time.monotonic() - start, 8)  # with a new second for each byte it would be 800 s
        self.assertEqual(answer, b"W")
        self.assertEqual(self.error_from(silent), TIMEOUT)
        self.assertEnds(silent)

    def test_a_full_house_says_so_at_once_and_once_in_the_log(self):
        server = self.serve("--most-clients=2")
        friends = [server.friend(), server.friend()]
        start = time.monotonic()
        self.crowd(server, 200)
        for peer in self.peers:
            self.assertEqual(self.error_from(peer), BUSY)
            self.assertEnds(peer)
        print(f"200 refusals: {time.monotonic() - start:.3f} s", file=sys.stderr)
        friends[0].sendall(frame(head(0x11, 1) + struct.pack("!H", 4) + b"file"))
        self.assertEqual(read_message(friends[0])[0], 0x81)
        self.assertLess(len(server.stop().splitlines()), 40)
        self.peers += friends

    def test_what_no_stranger_may_say_is_refused_at_once(self):
        server = self.serve("--quiet")
        huge = struct.pack("!HBBIIIQQ", 0x5747, 1, 0, 262144, 0, 0, 0, 0)
        wrong = {"long": huge, "http": b"GET / HTTP/1.1\r\n" * 4, "version": HELLO[:2] + b"\x09" + HELLO[3:],
                 "flags": HELLO[:3] + b"\x80" + HELLO[4:], "request": frame(head(0x11, 1) + b"\x00\x00")}
        for what, bytes_ in wrong.items():
            with self.subTest(what), server.connect() as peer:
                peer.sendall(bytes_)
                op, _, body = read_message(peer)
                self.assertEqual((op, body[:2]), (ERROR, struct.pack("!H", PROTOCOL)))
                self.assertEnds(peer)

    def test_nonsense_after_the_proof_is_answered_before_the_end(self):
        for datapath in SENDERS:
            server = self.serve("--quiet", f"--datapath={datapath}")
            for at, byte in (0, 0), (2, 9), (3, 0x80), (4, 0x7F), (12, 1):
                with self.subTest(datapath=datapath, at=at), server.friend() as peer:
                    bad = bytearray(frame(head(0x11, 1) + struct.pack("!H", 4) + b"file"))
                    bad[at] = byte
                    peer.sendall(bytes(bad) + b"x" * 100_000)
                    self.assertEqual(self.error_from(peer), PROTOCOL)
                    self.assertEnds(peer)
            server.stop()

    def test_a_refused_write_of_any_length_is_answered_and_the_connection_goes_on(self):
        for receiver in RECEIVERS:
            server = self.serve("--quiet", "--read-only", f"--receiver={receiver}")
            with self.subTest(receiver), server.friend() as peer:
                length = 300_000
                peer.sendall(frame(head(0x15, 1) + struct.pack("!IQIH", 7, length, 0o600, 3) + b"new"))
                peer.sendall(frame(head(0x14, 2) + struct.pack("!IQQ", 7, 0, length), (7, 0, length)) + b"x" * length)
                peer.sendall(frame(head(0x40, 2) + struct.pack("!HQQB", 0, length, 0, 16) + b"d" * 16 + b"\x00\x00"))
                peer.sendall(frame(head(0x11, 3) + struct.pack("!H", 4) + b"file"))
                op, request, body = read_message(peer)
                self.assertEqual((op, request, body[:2]), (ERROR, 1, struct.pack("!H", DENIED)))
                self.assertEqual(read_message(peer)[:2], (ERROR, 2))
                self.assertEqual(read_message(peer)[:2], (0x81, 3))
            server.stop()

    def test_an_interrupted_get_ends_while_it_connects(self):
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)  # whose queue is full soon: SYNs are dropped then
            for _ in range(4):
                peer = socket.socket()
                peer.setblocking(False)
                peer.connect_ex(deaf.getsockname())
                self.peers.append(peer)
            get = subprocess.Popen([HARNESS, "get", "127.0.0.1:%d/file" % deaf.getsockname()[1], str(self.place / "out")],
                                   stderr=subprocess.PIPE, text=True)
            self.until(lambda: sockets_of(get.pid) > 0)
            start = time.monotonic()
            get.send_signal(2)
            said = get.communicate(timeout=DEADLINE)[1]
            self.assertEqual(get.returncode, 130, said)
            self.assertLess(time.monotonic() - start, 8)  # the connect itself would wait for 60 s

    @unittest.skipIf(SANITIZED, "a sanitizer keeps memory of its own")
    def test_memory_is_given_back(self):
        server = self.serve("--quiet", "--datapath=read_write")
        before = server.memory()
        length = 1 << 20
        most = 0
        for round_ in range(3):
            peers = [server.friend() for _ in range(100)]
            for i, peer in enumerate(peers):
                name = f"half-{i}".encode()
                peer.sendall(frame(head(0x15, 1, 0x80) + struct.pack("!IQIH", 1, length, 0o600, len(name)) + name) +
                             frame(head(0x14, 2) + struct.pack("!IQQ", 1, 0, length), (1, 0, length)) + b"x" * (length // 2))
            most = max(most, server.memory())
            for peer in peers:
                peer.close()
            self.until(lambda: server.sockets() <= 1)
        after = server.memory()
        print(f"memory: {before >> 20} MiB before, {most >> 20} MiB at most, {after >> 20} MiB after 300 half-sent WRITEs",
              file=sys.stderr)
        self.assertLess(after - before, 32 << 20)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])
