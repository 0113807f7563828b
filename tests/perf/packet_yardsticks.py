#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The packet datapaths beside what their ports can do at all, beside iperf3 and beside TCP, rounds in random order.

    tests/perf/packet_yardsticks.py --harness build/harness/harness [--rounds 7] [SCENARIO …]

afxdp-1500, afxdp-3400   the bare loop over the same rings (copy in, checksum out; and without touching the payload)
vhost                    the bare burst loop over vhost-user, likewise, and sendfile over veth
udp                      iperf3 -u -l 1400
rr-spin, rr-sleep        round trips of 64 bytes: TCP, and the packet datapaths

Needs root, iperf3, and the loops, which a build with benchmarks puts beside the harness's folder (tests/perf).
"""
import json
import os
import re
import sys
import tempfile

import yardsticks
from yardsticks import Link, SERVER_IP, sh


def gbit(text):
    """The last figure in Gbit/s that a loop prints: the median of its repetitions."""
    return float(re.findall(r"([\d.]+) Gbit/s", text)[-1])


class Packets:
    unit, better = "Gbit/s", 1

    def __init__(self, args, candidates, yards):
        self.args = args
        self.dir = tempfile.TemporaryDirectory(prefix="waggle-perf-")
        self.loops = os.path.join(os.path.dirname(args.harness), "..", "tests", "perf")
        self.yardsticks = {name: (lambda run=run: run(self)) for name, run in yards.items()}
        self.ours = {name: (lambda run=run: run(self)) for name, run in candidates.items()}

    def harness(self, *options):
        record = json.loads(sh(self.args.harness, "run", "--json", "--probed=0", "--warmups=1", "--runs=1",
                               "-o", os.path.join(self.dir.name, "record.json"), *options, *self.args.option))
        return [run for run in record["pairs"][0]["runs"] if run["kind"] == "timed"][0]

    def bulk(self, *options):
        run = self.harness("--sink=discard", f"--size={self.args.size}", *options)
        return run["goodput_bits_per_second"] / 1e9

    def round_trip(self, *options):
        return self.harness("--workload=rr", "--seconds=1", "--napi=softirq", *options)["latency_ns"]["rr"]["p50"] / 1e3

    def afxdp_loop(self, *options):
        return gbit(sh(os.path.join(self.loops, "afxdp_loop"), "--seconds=0.7", "--runs=3", *options).split("(median")[0])

    def dpdk_loop(self, mode):
        text = sh(os.path.join(self.loops, "dpdk_loop"), mode, "--frame=16384", "--seconds=0.5", "--repetitions=3")
        return float(re.search(r"([\d.]+) Gbit/s", text).group(1))

    def close(self):
        self.dir.cleanup()


def afxdp(mtu):
    def loop(payload, napi, wait):
        return lambda my: my.afxdp_loop(f"--mtu={mtu}", f"--payload={payload}", f"--napi={napi}", f"--wait={wait}")

    def ours(napi):
        return lambda my: my.bulk("--datapath=afxdp", f"--mtu={mtu}", f"--napi={napi}")
    yards, candidates = {}, {}
    for napi in ("softirq", "threaded"):
        yards[f"copy loop, {napi}"] = loop("copy", napi, "nap")
        yards[f"empty loop, {napi}"] = loop("none", napi, "nap")
        candidates[f"afxdp, {napi}"] = ours(napi)
    return lambda args: Packets(args, candidates, yards)


def vhost(args):
    return Packets(args, {"dpdk": lambda my: my.bulk("--datapath=dpdk", "--link=vhost")},
                   {"copy loop": lambda my: my.dpdk_loop("copy"), "empty loop": lambda my: my.dpdk_loop("empty"),
                    "sendfile (veth)": lambda my: my.bulk("--datapath=sendfile")})


def round_trips(wait):
    def rr(datapath):
        return lambda my: my.round_trip(f"--datapath={datapath}", f"--wait={wait}")
    names = ["afxdp", "udp"] + (["dpdk"] if wait == "spin" else [])

    def make(args):
        packets = Packets(args, {name: rr(name) for name in names}, {"read_write (TCP)": rr("read_write")})
        packets.unit, packets.better = "us", -1
        return packets
    return make


class Udp(Packets):
    """iperf3 without pacing, what arrives counted; nothing is retransmitted or checked there."""

    def __init__(self, args):
        super().__init__(args, {"udp": lambda my: my.bulk("--datapath=udp")}, {"iperf3 -u": lambda my: my.iperf3()})
        self.link = Link(False)
        self.link.server("iperf3", "-s")
        self.link.wait_port(5201)

    def iperf3(self):
        report = json.loads(self.link.client("iperf3", "-c", SERVER_IP, "-u", "-b", "0", "-l", "1400", "-R", "-J", "-t", "2"))
        end = report["end"]
        total = end.get("sum_received") or end["sum"]
        return total["bits_per_second"] * (1 - total.get("lost_percent", 0) / 100) / 1e9

    def close(self):
        self.link.close()
        super().close()


yardsticks.__doc__ = __doc__
yardsticks.SCENARIOS = {
    "afxdp-1500": afxdp(1500),
    "afxdp-3400": afxdp(3400),
    "vhost": vhost,
    "udp": Udp,
    "rr-spin": round_trips("spin"),
    "rr-sleep": round_trips("sleep"),
}

if __name__ == "__main__":
    sys.exit(yardsticks.main())
