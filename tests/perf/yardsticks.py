#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Side by side with well-known programs: same link, CPUs and congestion control, rounds interleaved in random order.

    tests/perf/yardsticks.py --harness build/harness/harness [--rounds 7] [SCENARIO …]

discard, tmpfs, huge     one large file: nginx to curl, iperf3
small-files              tar through socat
rr-sleep, rr-spin        round trips of 64 bytes: sockperf
recorder                 timed runs of the harness beside its own in experiments that also probe

Every candidate runs once a round. Printed are the median and the median of the paired ratios (one a round), each with
its interval (95 %, or what so few rounds can cover): harness candidates to every yardstick, yardsticks to the first one.
How far the CPUs are from each other is measured before and after every run: one that they were moved in is repeated, and
figures come from one placement. The harness verifies every byte; no yardstick of this file does. Needs root, nginx, curl, iperf3, sockperf, socat and tar. Makes two network namespaces and
removes them.
"""
import argparse
import json
import math
import mmap
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import time

from one_placement import Placement, at_one_placement, sh
from yardstick_link import SERVER_IP, Link

GIB = 1 << 30
MADV_POPULATE_WRITE = 23  # not named by Python


def random_file(path, size):
    with open(path, "wb") as out:
        left = size
        while left:
            chunk = os.urandom(min(left, 1 << 24))
            out.write(chunk)
            left -= len(chunk)


def warm(path):
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass


def prime(size):
    """Gives the kernel memory that a hypervisor has backed already; the harness does the same before its runs."""
    memory = mmap.mmap(-1, size * 5 // 4, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    memory.madvise(MADV_POPULATE_WRITE)
    memory.close()


class Bulk:
    """One large file: nginx with sendfile to curl, iperf3 of as many bytes, and the harness."""
    unit = "Gbit/s"

    def __init__(self, args, sink, huge=False):
        self.args, self.sink = args, sink
        self.link = Link(huge)
        self.file = os.path.join(self.link.served, "payload.bin")
        random_file(self.file, args.size)
        conf = os.path.join(self.link.dir, "nginx.conf")
        with open(conf, "w", encoding="ascii") as out:
            out.write(f"""daemon off; worker_processes 1; pid {self.link.dir}/nginx.pid; error_log /dev/null; user root;
events {{ }} http {{ access_log off; sendfile on; tcp_nopush on; client_body_temp_path {self.link.dir}/b;
proxy_temp_path {self.link.dir}/p; fastcgi_temp_path {self.link.dir}/f; uwsgi_temp_path {self.link.dir}/u;
scgi_temp_path {self.link.dir}/s; server {{ listen 8080; root {self.link.served}; }} }}""")
        self.link.server("nginx", "-c", conf)
        self.link.wait_port(8080)
        self.yardsticks = {"nginx -> curl": self.nginx}
        harness_sink = {"discard": "discard", "tmpfs": "tmpfs", "huge": "tmpfs"}[sink]
        options = ["--sink=" + harness_sink] + (["--huge"] if huge else [])
        pairs = args.pairs or {"discard": ["read_write", "sendfile", "splice"],
                               "tmpfs": ["sendfile", "sendfile+splice", "sendfile+mmap"],
                               "huge": ["sendfile", "sendfile+splice", "sendfile+mmap"]}[sink]
        self.ours = {pair: (lambda pair=pair: self.harness(pair, options)) for pair in pairs}
        if sink == "discard":
            self.link.server("iperf3", "-s")
            self.link.wait_port(5201)
            self.yardsticks["iperf3"] = self.iperf3

    def nginx(self):
        target = "/dev/null"
        if self.sink != "discard":
            target = os.path.join(self.link.sink, "out")
            if os.path.exists(target):
                os.unlink(target)
            prime(self.args.size)
        warm(self.file)
        speed = self.link.client("curl", "-s", "-o", target, "-w", "%{speed_download}",
                                 f"http://{SERVER_IP}:8080/payload.bin")
        return float(speed) * 8 / 1e9

    def iperf3(self):
        # The server side sends (-R), as in a download.
        report = json.loads(self.link.client("iperf3", "-c", SERVER_IP, "-R", "-J", "-n", str(self.args.size)))
        return report["end"]["sum_received"]["bits_per_second"] / 1e9

    def harness(self, pair, options):
        sender, _, receiver = pair.partition("+")
        command = [self.args.harness, "run", "--json", "--sender=" + sender, "--file=" + self.file, "--probed=0",
                   "--warmups=0", "--cpus=0,1", "--runs=1", "--placement=any", "-o",
                   os.devnull, *options, *self.args.option]
        if receiver:
            command.append("--receiver=" + receiver)
        record = json.loads(sh(*command))
        run = [r for r in record["contestants"][0]["runs"] if r["kind"] == "timed"][0]
        return run["goodput_bits_per_second"] / 1e9

    def close(self):
        self.link.close()


class SmallFiles:
    """10,000 files of 0 to 16 KiB into tmpfs: tar piped through socat, and the harness."""
    unit = "files/s"
    count = 10_000

    def __init__(self, args):
        self.args, self.link = args, Link(False)
        draw = random.Random(1)
        for i in range(self.count):
            directory = os.path.join(self.link.served, "tree", f"d{i // 100:04}")
            if i % 100 == 0:
                os.makedirs(directory)
            random_file(os.path.join(directory, f"f{i:06}"), draw.randrange(16 * 1024 + 1))
        self.yardsticks = {"tar | socat": self.tar}
        self.ours = {pair: (lambda pair=pair: self.harness(pair)) for pair in args.pairs or ["read_write", "sendfile"]}

    def tar(self):
        target = os.path.join(self.link.sink, "tree")
        shutil.rmtree(target, ignore_errors=True)
        os.mkdir(target)
        prime(1 << 28)
        server = self.link.server("sh", "-c", f"tar -C {self.link.served} -cf - tree | socat -u -b 262144 - TCP-LISTEN:9000,reuseaddr")
        self.link.wait_port(9000)
        start = time.monotonic()
        self.link.client("sh", "-c", f"socat -u -b 262144 TCP:{SERVER_IP}:9000 - | tar -C {target} -xf -")
        seconds = time.monotonic() - start
        self.link.stop(server)
        return self.count / seconds

    def harness(self, sender):
        record = json.loads(sh(self.args.harness, "run", "--json", "--workload=small-files", "--sink=tmpfs",
                               "--sender=" + sender, f"--count={self.count}", "--probed=0", "--warmups=0",
                               "--cpus=0,1", "--runs=1", "--placement=any", "-o", os.devnull,
                               *self.args.option))
        run = [r for r in record["contestants"][0]["runs"] if r["kind"] == "timed"][0]
        return run["operations"] / run["seconds"]

    def close(self):
        self.link.close()


class RoundTrip:
    """64 bytes there and back over TCP: sockperf's ping-pong, and the harness."""
    unit = "us"

    def __init__(self, args, spin):
        self.args, self.spin, self.link = args, spin, Link(False)
        mode = ["--nonblocked"] if spin else []
        self.link.server("sockperf", "server", "--tcp", "-i", SERVER_IP, "-p", "9100", *mode)
        self.link.wait_port(9100)
        self.yardsticks = {"sockperf": self.sockperf}
        self.ours = {"rr": self.harness}

    def sockperf(self):
        mode = ["--nonblocked"] if self.spin else []
        report = self.link.client("sockperf", "ping-pong", "--tcp", "-i", SERVER_IP, "-p", "9100", "-m", "64", "-t", "1",
                                  "--full-rtt", *mode)
        return float(re.search(r"percentile 50\.000 =\s+([\d.]+)", report).group(1))

    def harness(self):
        record = json.loads(sh(self.args.harness, "run", "--json", "--workload=rr", "--sender=read_write",
                               "--wait=" + ("spin" if self.spin else "sleep"), "--seconds=1", "--probed=0", "--warmups=0",
                               "--cpus=0,1", "--runs=1", "--placement=any", "-o", os.devnull,
                               *self.args.option))
        run = [r for r in record["contestants"][0]["runs"] if r["kind"] == "timed"][0]
        return run["latency_ns"]["rr"]["p50"] / 1e3

    def close(self):
        self.link.close()


class Recorder:
    """Whether recording changes what it records: timed runs of sendfile in experiments without probed runs, beside timed
    runs in experiments that probe as often as they time.

    There is nothing to switch off in a timed run itself. No probe and no perf event is attached, CPU time and /proc are
    read before and after the clock runs, and the processes are fresh. What stays is counting verified bytes for the
    timeline, whose cost digest_bench prints (extent/xxh3_watched beside extent/xxh3), and a look of the harness's own process at
    that count ten times a second.
    """
    unit = "Gbit/s"
    runs = 5
    bound = 0.01, "recording changes timed goodput by less than 1 %"

    def __init__(self, args):
        self.args = args
        self.dir = tempfile.TemporaryDirectory(prefix="waggle-perf-")
        self.file = os.path.join(self.dir.name, "payload.bin")
        random_file(self.file, args.size)
        self.yardsticks = {"never probed": lambda: self.harness(0)}
        self.ours = {"probed in between": lambda: self.harness(self.runs)}

    def harness(self, probed):
        record = json.loads(sh(self.args.harness, "run", "--json", "--datapath=sendfile", "--sink=discard",
                               "--file=" + self.file, f"--runs={self.runs}", f"--probed={probed}", "--warmups=1",
                               "--cpus=0,1", "--placement=any",
                               "-o", os.devnull, *self.args.option))
        pair = record["contestants"][0]
        traced = sum(run["kind"] == "probed" and "trace" in run for run in pair["runs"])
        if traced != probed:
            raise RuntimeError(f"{traced} runs were probed, not {probed}: {pair.get('probe_problem', 'see the record')}")
        return statistics.median(run["goodput_bits_per_second"] / 1e9 for run in pair["runs"] if run["kind"] == "timed")

    def close(self):
        self.dir.cleanup()


SCENARIOS = {
    "discard": lambda args: Bulk(args, "discard"),
    "tmpfs": lambda args: Bulk(args, "tmpfs"),
    "huge": lambda args: Bulk(args, "huge", huge=True),
    "small-files": SmallFiles,
    "rr-sleep": lambda args: RoundTrip(args, False),
    "rr-spin": lambda args: RoundTrip(args, True),
    "recorder": Recorder,
}


def interval(values):
    """95 % interval of the median by order statistics (binomial), the whole range when there are too few values; the
    harness does the same."""
    ordered, n = sorted(values), len(values)
    tail, k = 0.0, 0
    while k < n // 2:
        tail += math.comb(n, k) / 2 ** n
        if tail > 0.025:
            break
        k += 1
    k = max(k - 1, 0)
    return ordered[k], ordered[n - 1 - k]


def covered(values):
    """How often such an interval holds the true median, in percent: 75 of 3 values, 93.75 of 5, at most 95."""
    return min(95.0, 100 - 200 * 0.5 ** len(values))


def bracket(values, digits):
    low, high = interval(values)
    few = f" {covered(values):.3g} %" if covered(values) < 95 else ""
    return f"[{low:.{digits}f}, {high:.{digits}f}]{few}"


def verdict(ratios, bound):
    """What paired ratios say about a change of at most `bound`."""
    low, high = interval(ratios)
    if len(ratios) >= 6 and 1 - bound < low and high < 1 + bound:
        return "shown"
    if len(ratios) >= 6 and (high < 1 - bound or low > 1 + bound):
        return "refuted"
    return "not known yet: ask for more --rounds"


def report(name, scenario, values, args):
    yards = list(scenario.yardsticks)
    values, placement = at_one_placement(values)
    print(f"\n{name} ({scenario.unit}, {args.rounds} rounds, seed {args.seed}; {placement})")
    for key, seen in values.items():
        known = [value for value in seen if value is not None]
        print(f"  {key:24} {statistics.median(known):10.2f}  {bracket(known, 2)}")
        for base in yards if key in scenario.ours else set(yards[:1]) - {key}:
            ratios = [ours / theirs for ours, theirs in zip(seen, values[base]) if None not in (ours, theirs)]
            if not ratios:
                print(f"    x {base:20}          -  no round at one placement")
                continue
            print(f"    x {base:20} {statistics.median(ratios):10.3f}  {bracket(ratios, 3)}")
            if hasattr(scenario, "bound"):
                bound, claim = scenario.bound
                print(f"  {claim}: {verdict(ratios, bound)}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", default=list(SCENARIOS), help=", ".join(SCENARIOS))
    parser.add_argument("--harness", required=True, help="the harness binary")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=GIB, help="bytes of the large file")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--pairs", type=lambda text: text.split(","), help="harness candidates, sender or sender+receiver")
    parser.add_argument("--option", action="append", default=[], help="passed to harness run")
    args = parser.parse_args()
    args.harness = os.path.abspath(args.harness)
    if os.geteuid() != 0:
        print("yardsticks: network namespaces need root; run it with sudo", file=sys.stderr)
        return 3
    for name in args.scenario:
        if name not in SCENARIOS:
            print(f"yardsticks: no scenario '{name}'; choose from {', '.join(SCENARIOS)}", file=sys.stderr)
            return 2
    order = random.Random(args.seed)
    for name in args.scenario:
        scenario = SCENARIOS[name](args)
        try:
            candidates = {**scenario.yardsticks, **scenario.ours}
            values = {key: [] for key in candidates}
            placement = Placement(args.harness)
            for measure in candidates.values():
                measure()
            for _ in range(args.rounds):
                for key in order.sample(list(candidates), len(candidates)):
                    values[key].append(placement.measure(candidates[key]))
            report(name, scenario, values, args)
        finally:
            scenario.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
