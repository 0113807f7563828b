#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Transfers through a router: its way on is narrow or becomes so, with ICMP and without; ICMP that others have made up;
a NAT that changes its mind; a link that goes down for a moment. Whatever was transferred is compared.

usage: router_test.py HARNESS [unittest arguments]
"""
import filecmp
import json
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

from hosts import DEADLINE, Router, require, wait_until

HARNESS = sys.argv[1]
if os.geteuid() != 0:
    print("skipped: only root may make network namespaces; run it with sudo")
    sys.exit(1 if os.environ.get("WAGGLE_REQUIRE_ALL") == "1" else 77)

DATAPATHS = {d["name"]: d for d in json.loads(
    subprocess.run([HARNESS, "list", "--json"], capture_output=True, text=True, check=True).stdout)["datapaths"]}
NARROW = 1400
MIB = 1 << 20
# So slow that there is a middle of a transfer.
SLOW = ["--datapath=udp", "--congestion=fixed:200Mbit"]

# Type and code of what ICMP may say of a packet: unreachable with all its codes, redirects aside; source quench, time
# exceeded, parameter problem (RFC 792, RFC 1122).
HINTS = [(3, code) for code in range(16)] + [(4, 0), (11, 0), (11, 1), (12, 0), (12, 1)]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def icmp_about(kind, code, source, destination, length=1200):
    """An ICMP message about a UDP packet from `source` to `destination`, both (address, port)."""
    about = struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 28 + length, 0, 0x4000, 64, 17, 0, socket.inet_aton(source[0]),
                        socket.inet_aton(destination[0]), source[1], destination[1], 8 + length, 0)
    more = 576 if (kind, code) == (3, 4) else 0
    bare = struct.pack("!BBHI", kind, code, 0, more) + about
    return bare[:2] + struct.pack("!H", checksum(bare)) + bare[4:]


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def ping(connection):
    """A packet of our transport about a connection that nobody knows, which is answered (docs/transport.md)."""
    rest = struct.pack("!BBHQQIBxxx", 1, 7, 32, connection, 0, 0, 0)
    return struct.pack("!I", crc32c(rest)) + rest


def udp_packet(source, destination, payload):
    """With its IPv4 header, and without the UDP checksum, which is optional."""
    return struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, socket.inet_aton(source[0]),
                       socket.inet_aton(destination[0]), source[1], destination[1], 8 + len(payload), 0) + payload


class Spoofer:
    """Has the router send ICMP to one of the hosts, as if what this one sent to the other had not arrived, until it is
    stopped."""

    def __init__(self, case, router, source, destination):
        self.sent = 0
        self.stopped = threading.Event()
        self.socket = router.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.messages = [icmp_about(kind, code, source, destination) for kind, code in HINTS]
        self.thread = threading.Thread(target=self.send, args=(source[0],))
        self.thread.start()
        case.addCleanup(self.stop)

    def send(self, to):
        with self.socket:
            while not self.stopped.wait(0.001):
                for message in self.messages:
                    self.socket.sendto(message, (to, 0))
                    self.sent += 1

    def stop(self):
        self.stopped.set()
        self.thread.join()


class Path(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(dir="/var/tmp", prefix="router-")
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)
        (self.place / "served").mkdir()
        (self.place / "got").mkdir()
        self.path = Router(self)

    def file(self, name, size=8 * MIB):
        (self.place / name).write_bytes(random.Random(name).randbytes(size))

    def start(self, host, *arguments):
        process = host.start(HARNESS, *arguments)
        for clean_up in (process.stdout.close, process.stderr.close, process.wait, process.kill):
            self.addCleanup(clean_up)
        return process

    def serve(self, *options):
        self.server = self.start(self.path.server, "serve", f"--root={self.place}/served", "--anybody",
                                 f"--listen={Router.SERVER}:0", "--json", *options)
        line = self.server.stdout.readline()
        self.assertTrue(line, None if line else self.server.stderr.read())
        self.port = json.loads(line)["port"]

    def stop(self):
        self.server.terminate()
        self.server.communicate(timeout=DEADLINE)
        self.assertEqual(self.server.returncode, 0)

    def get(self, name, *options):
        return self.start(self.path.client, "get", f"{Router.SERVER}:{self.port}/{name}", f"{self.place}/got/{name}",
                          "--quiet", *options)

    def put(self, name, *options):
        return self.start(self.path.client, "put", f"{self.place}/{name}", f"{Router.SERVER}:{self.port}/{name}",
                          "--quiet", *options)

    def finish(self, transfer, one, other):
        """`one` is a file, or the names of empty files."""
        _, errors = transfer.communicate(timeout=DEADLINE)
        self.assertEqual((transfer.returncode, errors), (0, ""))
        if isinstance(one, set):
            self.assertEqual(set(os.listdir(self.place / other)), one)
            return
        self.assertTrue(filecmp.cmp(self.place / one, self.place / other, shallow=False))
        (self.place / other).unlink()

    def each_way(self, name, options, act=lambda transfer, way: None):
        """Gets and puts a file, with something happening meanwhile."""
        self.file(f"served/{name}")
        with self.subTest("get"):
            self.transfer("get", lambda: self.get(name, *options), f"served/{name}", f"got/{name}", act)
        (self.place / f"served/{name}").rename(self.place / name)
        with self.subTest("put"):
            self.transfer("put", lambda: self.put(name, *options), name, f"served/{name}", act)

    def transfer(self, way, start, source, target, act):
        """Again when it was over before anything could be done to it, as on a busy machine."""
        for _ in range(10):
            transfer = start()
            in_time = act(transfer, way) is not False
            self.finish(transfer, source, target)
            if in_time:
                return
        self.fail("it was always over too early")

    def underway(self, transfer, way):
        """Waits until a megabyte has come to where the transfer goes; False when it is over by then."""
        host = self.path.client if way == "get" else self.path.server
        before = self.path.received(host)
        wait_until(lambda: transfer.poll() is not None or self.path.received(host) > before + MIB, "the first megabyte")
        return transfer.poll() is None

    def client_ports(self):
        """Of the UDP sockets that are connected to the server."""
        ends = (line.split()[1:3] for line in self.path.client.call("cat", "/proc/net/udp").splitlines()[1:])
        return {int(local.split(":")[1], 16) for local, remote in ends if int(remote.split(":")[1], 16) == self.port}

    def client_port(self, transfer, known=()):
        """That of a transfer, the only one that is not known already; None when it is over by then."""
        wait_until(lambda: transfer.poll() is not None or self.client_ports() - set(known), "a UDP socket of the client")
        return next(iter(self.client_ports() - set(known)), None)

    def watch(self, host):
        """A socket that sees the IPv4 packets of all devices of a host, from their IP headers on."""
        watching = host.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.addCleanup(watching.close)
        watching.setblocking(False)
        return watching

    @staticmethod
    def seen(watching):
        """(don't fragment or fragment bits, UDP source port) of what was seen, as far as it fitted its buffer."""
        while True:
            try:
                packet = watching.recv(64)
            except BlockingIOError:
                return
            if packet[9] == socket.IPPROTO_UDP:
                yield struct.unpack_from("!H", packet, 6)[0], struct.unpack_from("!H", packet, 20)[0]

    def told(self):
        """Packets of which the router has said that they are too long, or did not arrive."""
        lines = [line.split() for line in self.path.router.call("cat", "/proc/net/snmp").splitlines() if line.startswith("Icmp:")]
        return int(dict(zip(*lines))["OutDestUnreachs"])


class Narrow(Path):
    def each_datapath(self, check, names=("sendfile", "udp", "afxdp"), *options):
        for name in names:
            with self.subTest(name):
                require(name in DATAPATHS and DATAPATHS[name]["available"], f"{name} does not run here")
                self.serve(f"--datapath={name}", *options)
                check(name)
                self.stop()

    def test_a_router_whose_way_on_is_narrow(self):
        self.path.set_mtu(NARROW)

        def check(name):
            before = self.told()
            watching = self.watch(self.path.router)
            self.each_way(name, [f"--datapath={name}"])
            self.assertGreater(self.told(), before)
            fragments = {bits for bits, _ in self.seen(watching)}
            self.assertEqual(fragments, set() if name == "sendfile" else {0x4000}, "no fragments, and none allowed")
        self.each_datapath(check)

    def test_a_narrow_way_that_nobody_tells_of(self):
        self.path.set_mtu(NARROW)
        self.path.silence()
        self.serve("--datapath=udp")
        self.each_way("file", ["--datapath=udp"])
        self.assertEqual(self.told(), 0)

    def test_a_way_that_becomes_narrow_in_the_middle(self):
        self.serve(*SLOW)

        def narrow(transfer, way):
            self.path.set_mtu(1500)
            in_time = self.underway(transfer, way)
            self.path.set_mtu(NARROW)
            return in_time and transfer.poll() is None
        self.each_way("file", SLOW, narrow)

    def test_a_way_that_becomes_narrow_when_only_messages_are_under_way(self):
        """The names of a directory's empty files; with ICMP and without. What is sent again must be cut anew."""
        slow = ["--datapath=udp", "--congestion=fixed:20Mbit"]
        names = {f"{number:04}-{'x' * 200}" for number in range(5000)}
        (self.place / "served/names").mkdir()
        for name in names:
            (self.place / "served/names" / name).touch()
        self.serve(*slow)

        def narrow(transfer, way):
            self.path.set_mtu(1500)
            before = self.path.received(self.path.client)
            wait_until(lambda: transfer.poll() is not None or self.path.received(self.path.client) > before + MIB // 8,
                       "the first names")
            self.path.set_mtu(NARROW)
            return transfer.poll() is None

        def get():
            shutil.rmtree(self.place / "got/names", ignore_errors=True)
            return self.get("names", "--recursive", *slow)
        for told in (True, False):
            with self.subTest(told=told):
                if not told:
                    self.path.silence()
                self.transfer("get", get, names, "got/names", narrow)

    def test_a_device_that_becomes_narrow_in_the_middle(self):
        """The sender's own, so that the kernel refuses packets and whole messages of them (EMSGSIZE)."""
        self.serve(*SLOW)

        def narrow(transfer, way):
            in_time = self.underway(transfer, way)
            host = self.path.server if way == "get" else self.path.client
            host.call("ip", "link", "set", "waggle0", "mtu", str(NARROW))
            return in_time and transfer.poll() is None
        self.each_way("file", SLOW, narrow)

    def test_a_device_that_is_down_for_a_moment(self):
        def blink(transfer, way):
            in_time = self.underway(transfer, way)
            self.path.client.call("ip", "link", "set", "waggle0", "down")
            in_time = in_time and transfer.poll() is None
            self.path.bring_up(self.path.client, Router.TO_CLIENT)
            return in_time

        def check(name):
            self.each_way(name, [f"--datapath={name}", SLOW[1]], blink)
        self.each_datapath(check, ("udp", "afxdp"), SLOW[1])


class Hints(Path):
    def test_strangers_that_cannot_be_answered(self):
        """From port 0 and from broadcast addresses: what the kernel says of the answer is nobody else's trouble."""
        self.serve("--datapath=udp")
        with self.path.router.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            for source in ((Router.TO_SERVER, 0), ("10.77.2.255", 4000), ("10.77.2.0", 4000), ("10.99.9.9", 4000)):
                raw.sendto(udp_packet(source, (Router.SERVER, self.port), ping(0xbee)), (Router.SERVER, 0))
        self.each_way("file", ["--datapath=udp"])
        self.stop()

    def test_icmp_that_somebody_made_up(self):
        """Of every type, about the packets of either end, all the time."""
        self.serve(*SLOW)

        def spoof(transfer, way):
            if (port := self.client_port(transfer)) is None:
                return False
            ends = (Router.CLIENT, port), (Router.SERVER, self.port)
            spoofers = [Spoofer(self, self.path.router, *ends), Spoofer(self, self.path.router, *reversed(ends))]
            in_time = self.underway(transfer, way)
            transfer.wait(timeout=DEADLINE)
            for spoofer in spoofers:
                spoofer.stop()
                in_time = in_time and spoofer.sent > len(HINTS)
            return in_time
        self.each_way("file", SLOW, spoof)


class Rebinding(Path):
    def test_a_connection_whose_nat_changes_its_mind_ends_by_name(self):
        """Connections do not move (docs/transport.md): both ends name the silence. A get and a put, since each waits for
        seconds."""
        require(shutil.which("nft"), "there is no nft; install nftables")
        self.serve(*SLOW)
        self.file("served/got", 64 * MIB)
        self.file("put", 64 * MIB)
        ports, transfers = [], []
        for transfer, way in ((self.get, "got"), (self.put, "put")):
            transfers.append(transfer(way, *SLOW))
            ports.append(self.client_port(transfers[-1], ports))
            self.assertTrue(self.underway(transfers[-1], "get" if way == "got" else "put"))
        for port, to in zip(ports, (4001, 4002)):
            self.path.rebind(port, to)
        watching = self.watch(self.path.server)
        for transfer in transfers:
            _, errors = transfer.communicate(timeout=DEADLINE)
            self.assertEqual(transfer.returncode, 1)
            self.assertRegex(errors, r"\Aharness: [^\n]* has vanished: [^\n]+\n\Z")
        for _ in transfers:
            self.assertRegex(self.server.stderr.readline(), r"\Aa connection ended early: [^\n]* has vanished: [^\n]+\n\Z")
        self.assertLessEqual({4001, 4002}, {port for _, port in self.seen(watching)}, "the NAT has done nothing")
        # The server has lost nothing else by it.
        self.each_way("file", ["--datapath=udp"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
