# SPDX-License-Identifier: BSD-2-Clause
"""What tests of the program share: network namespaces that end with the test, and what may not be left behind."""
import ctypes
import os
import socket
import subprocess
import threading
import time
import unittest

DEADLINE = 60  # seconds that nothing here comes near


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {DEADLINE} s")
        time.sleep(0.02)


def require(condition, reason):
    """Skips the test, or fails it where everything must be testable."""
    if not condition:
        if os.environ.get("WAGGLE_REQUIRE_ALL") == "1":
            raise AssertionError(reason)
        raise unittest.SkipTest(reason)


def hugepages(which="Total"):
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(f"HugePages_{which}:"))


def named_namespaces():
    return sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else []


class Host:
    """A network namespace without a name: it lives as long as the process that holds it."""

    def __init__(self, case):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        case.addCleanup(self.holder.wait)
        case.addCleanup(self.holder.kill)
        here = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != here, "a network namespace")

    def command(self, *arguments):
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *arguments]

    def call(self, *arguments):
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, check=True).stdout

    def run_with(self, text, *arguments):
        return subprocess.run(self.command(*arguments), input=text, capture_output=True, text=True, check=True).stdout

    def write(self, path, text):
        """Into a file of /proc/sys/net, which is that of the namespace of whoever opens it."""
        self.run_with(text, "tee", path)

    def socket(self, *arguments):
        """A socket of this host, made by a thread that goes there for it (os.setns is new in Python 3.12)."""
        made = []

        def make():
            with open(f"/proc/{self.holder.pid}/ns/net", "rb") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000) == 0:  # CLONE_NEWNET
                    made.append(socket.socket(*arguments))
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def join_hosts(one, other):
    """A veth pair between two hosts, 10.77.0.1 on `one` and 10.77.0.2 on `other`."""
    subprocess.run(["ip", "link", "add", "waggle0", "netns", str(one.holder.pid), "type", "veth", "peer", "name", "waggle0",
                    "netns", str(other.holder.pid)], check=True)
    for host, address in ((one, "10.77.0.1/30"), (other, "10.77.0.2/30")):
        host.call("ip", "address", "add", address, "dev", "waggle0")
        host.call("ip", "link", "set", "lo", "up")
        host.call("ip", "link", "set", "waggle0", "up")


class Router:
    """client - router - server: a client at 10.77.1.2 and a server at 10.77.2.2 that reach each other through a third
    host. What the router passes on is given at run time: the MTU of its way on, in both directions, which it tells the
    sender of a longer packet (ICMP "fragmentation needed") unless it is silent, and a NAT in front of the client."""
    CLIENT, SERVER = "10.77.1.2", "10.77.2.2"
    TO_CLIENT, TO_SERVER = "10.77.1.1", "10.77.2.1"

    def __init__(self, case, mtu=1500):
        self.client, self.router, self.server = Host(case), Host(case), Host(case)
        for host, name, outer, inner in ((self.client, "waggle1", self.CLIENT, self.TO_CLIENT),
                                         (self.server, "waggle2", self.SERVER, self.TO_SERVER)):
            subprocess.run(["ip", "link", "add", "waggle0", "mtu", str(mtu), "netns", str(host.holder.pid), "type", "veth",
                            "peer", "name", name, "mtu", str(mtu), "netns", str(self.router.holder.pid)], check=True)
            self.router.call("ip", "address", "add", f"{inner}/24", "dev", name)
            self.router.call("ip", "link", "set", name, "up")
            host.call("ip", "address", "add", f"{outer}/24", "dev", "waggle0")
            host.call("ip", "link", "set", "lo", "up")
            self.bring_up(host, inner)
        self.router.write("/proc/sys/net/ipv4/ip_forward", "1")
        # Every packet that is too long is answered, not only some in a second.
        self.router.write("/proc/sys/net/ipv4/icmp_ratemask", "0")

    @staticmethod
    def bring_up(host, gateway):
        host.call("ip", "link", "set", "waggle0", "up")
        host.call("ip", "route", "add", "default", "via", gateway)

    def set_mtu(self, mtu):
        """What the router's routes take, whatever its devices do (ip route, "mtu lock")."""
        for network, device in (("10.77.1.0/24", "waggle1"), ("10.77.2.0/24", "waggle2")):
            self.router.call("ip", "route", "replace", network, "dev", device, "mtu", "lock", str(mtu))

    def silence(self):
        """The router sends nothing of its own any more, so that a packet that is too long goes into a black hole."""
        self.router.call("ip", "rule", "add", "iif", "lo", "priority", "5", "blackhole")

    def received(self, host):
        """Bytes that came to a host's device."""
        lines = host.call("cat", "/proc/net/dev").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("waggle0:"))

    def rebind(self, port, to):
        """As a NAT does that has lost its state: from now on the client's `port` is `to` for the server, and what goes
        to the old one goes nowhere. Without state of its own (nft, "stateless NAT")."""
        ends = f"ip saddr {self.SERVER} ip daddr {self.CLIENT}"
        self.router.run_with(f"""
            table ip rebinding {{
              chain forward {{
                type filter hook forward priority -150;
                {ends} udp dport {port} drop
                {ends} udp dport {to} udp dport set {port}
                ip saddr {self.CLIENT} ip daddr {self.SERVER} udp sport {port} udp sport set {to}
              }}
            }}""", "nft", "--file", "-")
