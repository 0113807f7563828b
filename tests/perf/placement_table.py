#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How much each datapath and workload depends on how far the two CPUs are from each other: the table of
docs/performance.md. Needs root, and nothing else that runs on the machine.

    tests/perf/placement_table.py --harness build/harness/harness [--runs 8] [--minutes 60]

Where the machine tells of CPUs that are near and others that are far, both are chosen in turn (--cpus=near, --cpus=far).
Elsewhere, as in virtual machines, whose CPUs the host moves, rounds are run until both placements have been met often
enough or the time is over. A round runs every line once, in random order; printed are the medians at the nearest and at the
farthest placement and the median of their ratios, with intervals: runs are paired in the order in which they were made.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time

from yardsticks import bracket, groups

BULK = ["--sink=discard", "--size=512MiB"]
LINES = {
    "download, read_write": ["--datapath=read_write", *BULK],
    "download, sendfile": ["--datapath=sendfile", *BULK],
    "download, uring": ["--datapath=uring", *BULK],
    "download, udp": ["--datapath=udp", *BULK],
    "download, afxdp": ["--datapath=afxdp", *BULK],
    "download, dpdk over vhost": ["--datapath=dpdk", *BULK],
    "small-files, read_write": ["--datapath=read_write", "--workload=small-files", "--count=10000"],
    "rr, sleeping, TCP": ["--datapath=read_write", "--workload=rr", "--seconds=0.5"],
    "rr, spinning, TCP": ["--datapath=read_write", "--workload=rr", "--seconds=0.5", "--wait=spin"],
    "rr, spinning, udp": ["--datapath=udp", "--workload=rr", "--seconds=0.5", "--wait=spin", "--napi=softirq"],
    "rr, spinning, afxdp": ["--datapath=afxdp", "--workload=rr", "--seconds=0.5", "--wait=spin", "--napi=softirq"],
    "rr, spinning, dpdk over vhost": ["--datapath=dpdk", "--workload=rr", "--seconds=0.5", "--wait=spin"],
}


def run(args, options, cpus):
    """(what counts in this workload, distance of the CPUs), or None when it cannot run or its CPUs were moved."""
    done = subprocess.run([args.harness, "run", "--runs=1", "--warmups=0", "--probed=0", "--placement=report", f"--cpus={cpus}",
                           f"--output={os.devnull}", "--json", *options], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    (pair,) = json.loads(done.stdout)["contestants"]
    seen = [one for one in pair["runs"] if one["kind"] == "timed" and not one["conditions"]["moved"]]
    probes = seen[0]["conditions"]["placement_ns"] if seen else {"before": None, "after": None}
    if None in probes.values():
        return None
    latency = seen[0]["latency_ns"].get("rr")
    value = latency["p50"] / 1e3 if latency else seen[0]["operations_per_second"] if "small-files" in options[1] \
        else seen[0]["goodput_bits_per_second"] / 1e9
    return value, (probes["before"] * probes["after"]) ** 0.5


def distances_known(args):
    """Whether the machine has CPUs that it calls near and others that it calls far."""
    return all(subprocess.run([args.harness, "doctor", "--placement", f"--cpus={cpus}"], capture_output=True,
                              check=False).returncode == 0 for cpus in ("near", "far"))


def split(runs):
    """The runs at the nearest and at the farthest placement; None while there is but one."""
    parts = groups([distance for seen in runs.values() for _, distance in seen])
    if len(parts) < 2:
        return None
    return [{name: [value for value, distance in seen if part[0] <= distance <= part[-1]] for name, seen in runs.items()}
            for part in (parts[0], parts[-1])], (parts[0], parts[-1])


def report(runs, wanted):
    found = split(runs)
    if found is None:
        print("placement_table: the CPUs have been at one distance all the time; try again later", file=sys.stderr)
        return 1
    (near, far), ends = found
    print("| workload, datapath | " + " | ".join(f"CPUs {part[0]:.0f} - {part[-1]:.0f} ns apart" for part in ends) + " | ratio |")
    print("|---|---|---|---|")
    for name in runs:
        pairs = list(zip(near[name], far[name]))
        if not pairs:
            print(f"| {name} | - | - | - |")
            continue
        cells = [f"{statistics.median(side):.3g} {bracket(side, 2)}" for side in (near[name], far[name])]
        ratios = [b / a for a, b in pairs]
        few = "" if len(pairs) >= wanted else f", {len(pairs)} pairs only"
        print(f"| {name} | {cells[0]} | {cells[1]} | {statistics.median(ratios):.2f} {bracket(ratios, 2)}{few} |")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--harness", required=True, help="the harness binary")
    parser.add_argument("--runs", type=int, default=8, help="of each line at each placement")
    parser.add_argument("--minutes", type=float, default=60, help="after which to stop with what there is")
    parser.add_argument("--lines", type=lambda text: text.split(";"), default=list(LINES), help="; ".join(LINES))
    args = parser.parse_args()
    args.harness = os.path.abspath(args.harness)
    if os.geteuid() != 0:
        print("placement_table: network namespaces need root; run it with sudo", file=sys.stderr)
        return 3
    for name in args.lines:
        if name not in LINES:
            print(f"placement_table: no line '{name}'; choose from {'; '.join(LINES)}", file=sys.stderr)
            return 2
    cpus = ["near", "far"] if distances_known(args) else ["auto"]
    runs = {name: [] for name in args.lines}
    until = time.monotonic() + args.minutes * 60

    def enough():
        found = split(runs)
        return found is not None and all(len(seen) >= args.runs for side in found[0] for seen in side.values())
    while time.monotonic() < until and not enough():
        for name, where in random.sample([(name, where) for name in runs for where in cpus], len(runs) * len(cpus)):
            seen = run(args, LINES[name], where)
            if seen is not None:
                runs[name].append(seen)
    return report(runs, args.runs)


if __name__ == "__main__":
    sys.exit(main())
