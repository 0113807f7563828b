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
import signal
import statistics
import subprocess
import sys
import tempfile
import time

SERVER_IP, CLIENT_IP = "10.78.0.1", "10.78.0.2"
GIB = 1 << 30
MADV_POPULATE_WRITE = 23  # not named by Python


# GRO of a device is off on a veth by default, and the harness turns it on: ethtool(8) need not be there.
GRO_ON = """
import array, fcntl, socket, struct, sys
SIOCETHTOOL, ETHTOOL_GGRO, ETHTOOL_SGRO = 0x8946, 0x2b, 0x2c
def ethtool(command, value):
    data = array.array("I", [command, value])
    fcntl.ioctl(socket.socket(), SIOCETHTOOL, struct.pack("16sP16x", sys.argv[1].encode(), data.buffer_info()[0]))
    return data[1]
ethtool(ETHTOOL_SGRO, 1)
sys.exit(0 if ethtool(ETHTOOL_GGRO, 0) else "the kernel keeps GRO off on " + sys.argv[1])
"""


def sh(*command, **kwargs):
    return subprocess.run(command, check=True, text=True, capture_output=True, **kwargs).stdout


class Placement:
    """How far CPU 0 and CPU 1, which everything here runs on, are from each other; as the harness does with its own runs."""
    OTHER = 1.5
    REPEATS = 3

    def __init__(self, harness, cpus="0,1"):
        self.command = [harness, "doctor", "--placement", "--json", f"--cpus={cpus}"]

    def probe(self):
        return json.loads(sh(*self.command))["placement"]["round_trip_ns"]

    def measure(self, candidate):
        """What the candidate gave and the distance, or None for that when it was not known or the CPUs were moved."""
        for _ in range(self.REPEATS):
            before, value, after = self.probe(), candidate(), self.probe()
            if before is None or after is None:
                return value, None
            if max(before, after) <= self.OTHER * min(before, after):
                return value, math.sqrt(before * after)
        return value, None


def groups(distances):
    """Sorted lists of distances that are less than 1.5 times apart: cut at the widest gaps until they are."""
    ordered = sorted(distances)
    if not ordered or ordered[-1] <= Placement.OTHER * ordered[0]:
        return [ordered] if ordered else []
    widest = max(range(1, len(ordered)), key=lambda i: ordered[i] / ordered[i - 1])
    return groups(ordered[:widest]) + groups(ordered[widest:])


def at_one_placement(runs):
    """Of {name: [(value, distance), …]}, one a round, {name: [value or None, …]} of the placement that the candidate with
    the fewest rounds has most of, and a sentence about it. Everything when there is none that all have."""
    parts = groups([distance for seen in runs.values() for _, distance in seen if distance is not None])

    def inside(part, distance):
        return distance is not None and part[0] <= distance <= part[-1]

    def fewest(part):
        return min(sum(inside(part, distance) for _, distance in seen) for seen in runs.values())
    part = max(parts, key=lambda part: (fewest(part), len(part)), default=None)
    if part is None or fewest(part) == 0:
        text = "; ".join(f"{part[0]:.0f} - {part[-1]:.0f} ns" for part in parts) or "not known"
        return {name: [value for value, _ in seen] for name, seen in runs.items()}, f"placement: {text}; NOT HELD EQUAL"
    kept = {name: [value if inside(part, distance) else None for value, distance in seen] for name, seen in runs.items()}
    left_out = sum(value is None for seen in kept.values() for value in seen)
    return kept, f"placement: {part[0]:.0f} - {part[-1]:.0f} ns" + (f"; {left_out} runs elsewhere or moved, left out" if left_out else "")


class Link:
    """Two namespaces joined by veth, CUBIC in both, a tmpfs for the receiver and a served directory in page cache."""

    def __init__(self, huge, mtu=1500):
        self.mtu = mtu
        self.names = [f"waggle-perf-{os.getpid()}-{side}" for side in "sc"]
        self.children = []
        self.dir = tempfile.mkdtemp(prefix="waggle-perf-")
        self.served = os.path.join(self.dir, "served")
        self.sink = os.path.join(self.dir, "sink")
        os.mkdir(self.served)
        os.mkdir(self.sink)
        try:
            self.set_up(huge)
        except BaseException:
            self.close()
            raise

    def set_up(self, huge):
        sh("mount", "-t", "tmpfs", "-o", "size=4g" + (",huge=always" if huge else ""), "tmpfs", self.sink)
        for name in self.names:
            sh("ip", "netns", "add", name)
        sh("ip", "-n", self.names[0], "link", "add", "wg0", "type", "veth", "peer", "name", "wg1", "netns", self.names[1])
        for name, device, address in zip(self.names, ("wg0", "wg1"), (SERVER_IP, CLIENT_IP)):
            sh("ip", "-n", name, "address", "add", f"{address}/24", "dev", device)
            sh("ip", "-n", name, "link", "set", "lo", "up")
            sh("ip", "-n", name, "link", "set", device, "mtu", str(self.mtu), "up")
            self.run(name, sys.executable, "-c", GRO_ON, device)
            # By route: a namespace may not choose a default that the host does not list as allowed.
            sh("ip", "-n", name, "route", "replace", "10.78.0.0/24", "dev", device, "src", address, "congctl", "cubic")

    def on(self, cpu, name, *command):
        return ["ip", "netns", "exec", name, "taskset", "-c", str(cpu), *command]

    def run(self, name, *command):
        return sh("ip", "netns", "exec", name, *command)

    def server(self, *command, **kwargs):
        child = subprocess.Popen(self.on(0, self.names[0], *command), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True, **kwargs)
        self.children.append(child)
        return child

    def client(self, *command, **kwargs):
        return sh(*self.on(1, self.names[1], *command), **kwargs)

    def wait_port(self, port, proto="-t"):
        for _ in range(500):
            if re.search(rf":{port}\b", self.run(self.names[0], "ss", "-Hln", proto)):
                return
            time.sleep(0.01)
        raise RuntimeError(f"nothing listens on port {port}")

    def stop(self, child):
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        self.children.remove(child)

    def close(self):
        for child in list(self.children):
            self.stop(child)
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["umount", self.sink], check=False, capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)


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
