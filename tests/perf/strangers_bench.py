#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long a get of 1 MiB takes beside strangers, and what a stranger costs the server: over TCP, udp and afxdp between
two network namespaces. Prints medians beside the load average. Strangers over packets have proven their address, and then
say nothing, or the first half of a message, or PING on and on. Each crowd comes on top of what the one before has left.

usage: strangers_bench.py HARNESS [strangers, 1500] [runs, 5]
"""
import os
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from hosts import Host, join_hosts

HARNESS = os.path.abspath(sys.argv[1])
CROWD = int(sys.argv[2]) if len(sys.argv) > 2 else 1500
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
SERVER = ("10.77.0.1", 7411)
HELLO, RETRY, MESSAGE, PING = 1, 2, 5, 7
TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def packet(kind, connection, number, body, flags=0):
    rest = struct.pack("!BBHQQIB3x", 1, kind, 32 + len(body), connection, number, 0, flags) + body
    return struct.pack("!I", crc32c(rest)) + rest


def hello(connection, number, token=b""):
    body = struct.pack("!IQQH", 1472, 1024, 1 << 19, len(token)) + token
    return packet(HELLO, connection, number, body.ljust(1200 - 32, b"\0"))


class PacketCrowd:
    """Strangers of one kind, all from one socket: connections are told apart by their ids."""

    def __init__(self, host, kind):
        self.socket = host.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(SERVER)
        self.socket.settimeout(1)
        self.stop = threading.Event()
        self.ids = [int.from_bytes(os.urandom(8), "big") for _ in range(CROWD)]
        for connection in self.ids:
            self.prove(connection)
        if kind == "half a message":
            for connection in self.ids:
                body = struct.pack("!Q", 0) + struct.pack("!IB", 1000, 0) + b"x" * 500
                self.socket.send(packet(MESSAGE, connection, 2, body, 1))
        self.thread = threading.Thread(target=self.ping if kind == "PINGs" else self.drain)
        self.thread.start()

    def prove(self, connection):
        token = b""
        for number in range(4):
            self.socket.send(hello(connection, number, token))
            end = time.monotonic() + 1
            while time.monotonic() < end:
                answer = self.socket.recv(2048)
                if struct.unpack("!Q", answer[8:16])[0] == connection and answer[5] in (RETRY, 3):
                    break
            if answer[5] == 3:
                return
            token = answer[32:]
        raise AssertionError("a stranger could not connect")

    def drain(self):
        self.socket.settimeout(0.1)
        while not self.stop.is_set():
            try:
                self.socket.recv(2048)
            except TimeoutError:
                pass

    def ping(self):
        number = 2
        while not self.stop.is_set():
            for connection in self.ids[number % 10::10]:
                self.socket.send(packet(PING, connection, number, b"\0" * 10))
            number += 1
            self.stop.wait(0.1)

    def close(self):
        self.stop.set()
        self.thread.join()
        self.socket.close()


class StreamCrowd:
    def __init__(self, host, kind):
        self.sockets = []
        for _ in range(CROWD):
            one = host.socket(socket.AF_INET, socket.SOCK_STREAM)
            one.connect(SERVER)
            self.sockets.append(one)
            if kind == "half a message":
                one.send(struct.pack("!HBBIIIQQ", 0x5747, 1, 0, 1000, 0, 0, 0, 0) + b"x" * 500)

    def close(self):
        for one in self.sockets:
            one.close()


class Bench(unittest.TestCase):
    def measure(self, datapath, kinds, crowd):
        with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="strangers-") as place:
            root = pathlib.Path(place) / "root"
            root.mkdir()
            (root / "file").write_bytes(os.urandom(1 << 20))
            server_host, client_host = Host(self), Host(self)
            join_hosts(server_host, client_host)
            server = server_host.start(HARNESS, "serve", f"--root={root}", f"--listen={SERVER[0]}:{SERVER[1]}", "--anybody",
                                       f"--datapath={datapath}", "--most-strangers=2000", "--handshake-timeout=60s", "--json",
                                       "--quiet")
            try:
                self.assertTrue(server.stdout.readline(), "the server does not start")
                print(f"{datapath}: {self.get(client_host, datapath, place)} ms alone", flush=True)
                for kind in kinds:
                    before = self.memory(server)
                    strangers = crowd(client_host, kind)
                    each = (self.memory(server) - before) / CROWD
                    took = self.get(client_host, datapath, place)
                    strangers.close()
                    print(f"{datapath}: {took} ms beside {CROWD} with {kind}; {each:.0f} bytes more each; load "
                          f"{os.getloadavg()[0]}", flush=True)
            finally:
                server.terminate()
                server.communicate()

    @staticmethod
    def memory(server):
        """Resident bytes."""
        lines = pathlib.Path(f"/proc/{server.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024

    def get(self, host, datapath, place):
        took = []
        for _ in range(RUNS):
            start = time.monotonic()
            subprocess.run(host.command(HARNESS, "get", f"--datapath={datapath}", f"{SERVER[0]}:{SERVER[1]}/file",
                                        f"{place}/out"), check=True, capture_output=True, timeout=60)
            took.append(time.monotonic() - start)
            os.unlink(f"{place}/out")
        return f"{statistics.median(took) * 1000:.0f} (most {max(took) * 1000:.0f})"

    def test_tcp(self):
        self.measure("sendfile", ("silence", "half a message"), StreamCrowd)

    def test_udp(self):
        self.measure("udp", ("silence", "half a message", "PINGs"), PacketCrowd)

    def test_afxdp(self):
        self.measure("afxdp", ("silence", "half a message", "PINGs"), PacketCrowd)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
