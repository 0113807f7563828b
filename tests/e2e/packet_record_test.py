#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What packet datapaths can be told arrives, and stands in the record.

usage: packet_record_test.py HARNESS SOURCE_ROOT
"""
import os
import pathlib
import subprocess
import sys
import unittest

from records import HARNESS, LISTED, experiment, modes_of, party

AVAILABLE = {datapath["name"] for datapath in LISTED["datapaths"] if datapath["available"]}


def huge_pages():
    return int(pathlib.Path("/proc/sys/vm/nr_hugepages").read_text())


class PacketOptions(unittest.TestCase):
    """What packet datapaths can be told, once each, all the way."""

    def needs(self, *datapaths):
        missing = set(datapaths) - AVAILABLE
        if missing:
            if os.environ.get("WAGGLE_REQUIRE_ALL") == "1":
                self.fail(f"{missing} cannot run here")
            self.skipTest(f"{missing} cannot run here")

    def pair(self, *arguments):
        (pair,) = experiment("run", "--size=4MiB", "--runs=1", "--warmups=0", *arguments)["contestants"]
        self.assertEqual(pair["status"], "ok")
        return pair

    def refused(self, code, words, *arguments):
        done = subprocess.run([HARNESS, "run", "--size=1MiB", "--runs=1", "--output=/dev/null", *arguments],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(words, done.stderr)

    def test_frames_on_hugepages(self):
        self.needs("afxdp")
        before = huge_pages()
        pair = self.pair("--datapath=afxdp", "--sink=discard", "--afxdp-umem=hugepages", "--probed=0")
        for side in ("sender", "receiver"):
            self.assertEqual(modes_of(pair, side)["umem"]["granted"], "hugepages")
        self.assertEqual(huge_pages(), before)

    def test_several_queues(self):
        self.needs("afxdp")
        # A queue that is not served takes the clients on it down: of six hardly all are on the other one.
        several = ("--sink=discard", "--queues=2", "--clients=6", "--probed=0")
        self.pair("--datapath=afxdp+udp", "--afxdp-queues=2", *several)
        self.pair("--datapath=udp", "--udp-queues=2", *several)
        self.refused(3, "where afxdp serves 2", "--datapath=afxdp", "--afxdp-queues=2")

    def test_files_past_the_page_cache(self):
        self.needs("afxdp", "dpdk")
        for copies, arguments in ((1, ("--datapath=afxdp", "--afxdp-source=direct")),
                                  (0, ("--datapath=dpdk", "--dpdk-source=direct", "--dpdk-direct=yes"))):
            with self.subTest(arguments=arguments):
                summary = self.pair(*arguments, "--sink=discard")["summary"]
                kernel = party(summary["parties"], "sender")["copies"]["kernel"]
                self.assertEqual(kernel["modelled"], copies)
                if kernel["measured"] is not None:
                    self.assertAlmostEqual(kernel["measured"], copies, delta=0.1)
        self.refused(3, "O_DIRECT", "--datapath=udp", "--udp-source=direct", "--work=/dev/shm")
        self.refused(3, "O_DIRECT", "--datapath=dpdk", "--dpdk-source=direct")

    def test_the_end_that_copies_over_vhost(self):
        self.needs("dpdk")
        for workload, end, copies in (("download", "client", (0, 1)), ("download", "server", (1, 0)),
                                      ("upload", "client", (1, 0)), ("upload", "server", (0, 1))):
            with self.subTest(workload=workload, end=end):
                pair = self.pair("--datapath=dpdk", f"--workload={workload}", f"--dpdk-vhost-end={end}", "--probed=0")
                for side, expected in zip(("sender", "receiver"), copies):
                    user = party(pair["summary"]["parties"], side)["copies"]["user"]
                    self.assertEqual(user["modelled"], expected)
                    # The driver's copies pass nothing that counts.
                    self.assertEqual(user["grade"], "modelled" if expected else "counted")
                    self.assertEqual(user["measured"] and round(user["measured"]), None if expected else 0)

    def test_many_connections_share_the_frames_of_dpdk(self):
        self.needs("dpdk")
        many = ("--sink=discard", "--clients=16", "--probed=0", "--datapath=dpdk")
        for arguments in ((), ("--link=veth", "--dpdk-driver=af_xdp", "--mtu=3400"), ("--link=veth", "--mtu=9000")):
            with self.subTest(arguments=arguments):
                parties = self.pair(*many, *arguments)["summary"]["parties"]
                for side in ("sender", "receiver"):
                    counters = party(parties, side)["counters"]
                    self.assertEqual(counters["tx_no_mbufs"], 0)
                    self.assertEqual(counters["rx_no_mbufs"], 0)

    def test_a_nic_that_is_none_or_the_kernels(self):
        self.needs("dpdk")
        self.refused(2, "--pci=SERVER,CLIENT", "--datapath=dpdk", "--link=nic")
        self.refused(2, "is no PCI address", "--datapath=dpdk", "--link=nic", "--pci=banana,apple")
        self.refused(3, "there is no PCI device", "--datapath=dpdk", "--link=nic", "--pci=ffff:1f:1f.7,ffff:1f:1f.6")

    def test_spinning_beside_napi_threads_is_warned_of(self):
        done = subprocess.run([HARNESS, "run", "--datapath=udp", "--size=1MiB", "--runs=1", "--warmups=0", "--probed=0",
                               "--output=/dev/null", "--napi=threaded", "--wait=spin"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("starves the NAPI thread", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
