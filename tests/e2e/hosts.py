# SPDX-License-Identifier: BSD-2-Clause
"""What tests of the program share: network namespaces that end with the test, and what may not be left behind."""
import os
import subprocess
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
