#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The packet datapaths beside what their ports can do at all, beside iperf3 and beside TCP, rounds in random order.

    tests/perf/packet_yardsticks.py --harness build/harness/harness [--rounds 7] [SCENARIO …]

afxdp-1500, afxdp-3400   the bare loop over the same rings (copy in, checksum out; and without touching the payload)
vhost                    the bare burst loop over vhost-user, likewise, and sendfile over veth
udp, udp-9000            iperf3 -u and UDT over packets of the same size, at MTU 1500 and 9000
rr-spin, rr-sleep        round trips of 64 bytes: TCP, and the packet datapaths

Placement is measured and held equal as in yardsticks.py. Needs root, iperf3, and the loops, which a build with their libraries puts beside the harness's folder (tests/perf). UDT is
left out without its own.
"""
import json
import os
import re
import sys
import tempfile

import yardsticks
from yardsticks import Link, SERVER_IP, sh

VHOST_FRAME = 16384


def gbit(text):
    """The last figure in Gbit/s that a loop prints: the median of its repetitions."""
    return float(re.findall(r"([\d.]+) Gbit/s", text)[-1])


def socket_buffer():
    """Bytes of every UDP socket's buffers, each way: as far as a program may have them that does not ask by its rights,
    as iperf3 does not. All candidates get the same, so that no queue is longer than another."""
    limits = [8 << 20]
    for name in "rmem_max", "wmem_max":
        with open("/proc/sys/net/core/" + name, encoding="ascii") as limit:
            limits.append(int(limit.read()))
    return min(limits)


class Packets:
    unit = "Gbit/s"

    def __init__(self, args, candidates, yards):
        self.args = args
        self.dir = tempfile.TemporaryDirectory(prefix="waggle-perf-")
        self.loops = os.path.join(os.path.dirname(args.harness), "..", "tests", "perf")
        self.yardsticks = {name: (lambda run=run: run(self)) for name, run in yards.items()}
        self.ours = {name: (lambda run=run: run(self)) for name, run in candidates.items()}

    def harness(self, *options):
        record = json.loads(sh(self.args.harness, "run", "--json", "--probed=0", "--warmups=1", "--runs=1",
                               "--cpus=0,1", "--placement=any",
                               "-o", os.devnull, *options, *self.args.option))
        return [run for run in record["contestants"][0]["runs"] if run["kind"] == "timed"][0]

    def bulk(self, *options):
        run = self.harness("--sink=discard", f"--size={self.args.size}", *options)
        return run["goodput_bits_per_second"] / 1e9

    def round_trip(self, *options):
        return self.harness("--workload=rr", "--seconds=1", *options)["latency_ns"]["rr"]["p50"] / 1e3

    def afxdp_loop(self, *options):
        return gbit(sh(os.path.join(self.loops, "afxdp_loop"), "--seconds=0.7", "--runs=3", *options).split("(median")[0])

    def dpdk_loop(self, mode):
        text = sh(os.path.join(self.loops, "dpdk_loop"), mode, f"--frame={VHOST_FRAME}", f"--file={self.args.size}",
                  "--seconds=0.5", "--repetitions=3")
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
    """Frames and file of one size for both."""
    return Packets(args, {"dpdk": lambda my: my.bulk("--datapath=dpdk", "--link=vhost", f"--mtu={VHOST_FRAME}")},
                   {"copy loop": lambda my: my.dpdk_loop("copy"), "empty loop": lambda my: my.dpdk_loop("empty"),
                    "sendfile (veth)": lambda my: my.bulk("--datapath=sendfile")})


def round_trips(wait):
    def rr(datapath):
        # vhost, where dpdk runs, has no NAPI to choose.
        napi = [] if datapath == "dpdk" else ["--napi=softirq"]
        return lambda my: my.round_trip(f"--datapath={datapath}", f"--wait={wait}", *napi)
    names = ["afxdp", "udp"] + (["dpdk"] if wait == "spin" else [])

    def make(args):
        packets = Packets(args, {name: rr(name) for name in names}, {"read_write (TCP)": rr("read_write")})
        packets.unit = "us"
        return packets
    return make


class Udp(Packets):
    """iperf3 without pacing, what arrives counted: nothing is retransmitted or checked there. UDT after its slow start,
    digested as by the harness, whose own figures begin with the start of each transfer."""

    def __init__(self, args, mtu):
        super().__init__(args, {"udp": lambda my: my.bulk("--datapath=udp", f"--mtu={mtu}",
                                                                  f"--send-buffer={socket_buffer()}",
                                                                  f"--receive-buffer={socket_buffer()}")},
                         {"iperf3 -u": lambda my: my.iperf3()})
        self.mtu = mtu
        self.link = Link(False, mtu)
        self.link.server("iperf3", "-s")
        self.link.wait_port(5201)
        udt = os.path.join(self.loops, "udt_loop")
        if not os.path.exists(udt):
            print("packet_yardsticks: no UDT; install libudt-dev and build again", file=sys.stderr)
            return
        self.link.server(udt, "server", SERVER_IP, f"--mss={mtu}", f"--udp-buffer={socket_buffer()}")
        self.link.wait_port(9200, "-u")
        self.yardsticks["UDT"] = lambda: self.udt(udt, "yes")
        self.yardsticks["UDT, no digest"] = lambda: self.udt(udt, "no")

    def udt(self, loop, digest):
        text = self.link.client(loop, "client", SERVER_IP, f"--mss={self.mtu}", f"--digest={digest}",
                                f"--udp-buffer={socket_buffer()}", "--seconds=0.7", "--runs=3")
        return gbit(text.split("(median")[0])

    def iperf3(self):
        packet = self.mtu - 28  # without the headers of IP and UDP
        report = json.loads(self.link.client("iperf3", "-c", SERVER_IP, "-u", "-b", "0", "-l", str(packet), "-R", "-J",
                                             "-t", "2", "-w", str(socket_buffer())))
        return report["end"]["sum_received"]["bits_per_second"] / 1e9

    def close(self):
        self.link.close()
        super().close()


yardsticks.__doc__ = __doc__
yardsticks.SCENARIOS = {
    "afxdp-1500": afxdp(1500),
    "afxdp-3400": afxdp(3400),
    "vhost": vhost,
    "udp": lambda args: Udp(args, 1500),
    "udp-9000": lambda args: Udp(args, 9000),
    "rr-spin": round_trips("spin"),
    "rr-sleep": round_trips("sleep"),
}

if __name__ == "__main__":
    sys.exit(yardsticks.main())
