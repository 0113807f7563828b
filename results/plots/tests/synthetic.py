# SPDX-License-Identifier: BSD-2-Clause
"""A report of invented numbers, for tests only: its title and its captions say so.

By itself it writes one: synthetic.py FILE [EXPERIMENTS]
"""

import json
import random
import sys

STREAM = ("read_write", "mmap", "sendfile", "splice", "zerocopy", "uring")
PACKET = ("udp", "afxdp", "dpdk")
NAMES = (*STREAM, *PACKET, "simulated")
GIB = 2**30
# Invented: bit/s, and copies at sender (kernel, user) and receiver (kernel, user).
RATES = dict(zip(NAMES, (17e9, 19e9, 27e9, 22e9, 20e9, 24e9, 6.1e9, 8.4e9, 9.8e9, 0.9e9)))
COPIES = {
    "read_write": (2, 0, 2, 0), "mmap": (1, 0, 1, 0), "sendfile": (0, 0, 2, 0), "splice": (0, 0, 1, 0),
    "zerocopy": (1, 0, 2, 0), "uring": (2, 0, 2, 0), "udp": (2, 0, 1, 1), "afxdp": (1, 1, 1, 1), "dpdk": (0.3, 1, 0, 1.2),
    "simulated": (2, 1, 1, 1),
}  # fmt: skip


def figure(name, unit, value, spread=0.04, **more):
    told = {"name": name, "unit": unit, "better": "none", "party": None, "place": None, "of": "", "value": value}
    told.update(low=value * (1 - spread) if spread else None, high=value * (1 + spread) if spread else None, n=12, grade=None)
    told.update(more)
    return told


def buckets(chance, middle, samples):
    """As a histogram with six bits per power of two would have them."""
    found = {}
    for _ in range(samples):
        value = int(middle * chance.lognormvariate(0, 0.25) * (chance.uniform(3, 30) if chance.random() < 0.004 else 1))
        shift = max(0, value.bit_length() - 7)
        lowest = value >> shift << shift
        found[lowest] = found.get(lowest, 0) + 1
    return sorted(found.items())


def percentile(pairs, share):
    below, whole = 0, sum(count for _, count in pairs)
    if whole * (1 - share) < 10:
        return None
    for lowest, count in pairs:
        below += count
        if below >= share * whole:
            return lowest
    return pairs[-1][0]


def latency(chance, figures, operation, middle, samples):
    pairs = buckets(chance, middle, samples)
    told = {"count": samples, "max": pairs[-1][0], "buckets": pairs}
    for key, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)):
        told[key] = percentile(pairs, share)
        if told[key] is not None:
            figures.append(figure(f"latency.{key}", "ns", told[key], 0, of=operation, n=samples))
    return {operation: told}


def costs(figures, rate, name):
    """CPU, copies and mode switches; a poller's empty polls in the user's part."""
    packet = name in PACKET
    user, system, softirq = (0.9, 0.35, 0.3) if packet else (0.12, 0.5, 0.2)
    each = 17e9 / rate
    for part, value in (("user", user), ("system", system), ("softirq", softirq)):
        figures.append(figure(f"cpu.{part}_per_gib", "s/GiB", value * each))
    figures.append(figure("cpu.per_gib", "s/GiB", (user + system) * each))
    figures.append(figure("cpu.machine_per_gib", "s/GiB", (user + system + softirq + 0.1) * each, 0.08))
    if name == "dpdk":
        figures.append(figure("cpu.empty_polls_per_gib", "s/GiB", 0.5 * each))
    if packet:
        figures.append(figure("empty_polls", "", 3.1e6, 0))
    sums = COPIES[name]
    for (party, place), value in zip((("sender", "kernel"), ("sender", "user"), ("receiver", "kernel"), ("receiver", "user")), sums):
        grade = "counted" if place == "user" else "traced" if name != "dpdk" else "modelled"
        figures.append(figure("copies", "B/B", value, 0, party=party, place=place, grade=grade))
    figures.append(figure("copies", "B/B", sum(sums), 0, grade="traced"))
    figures.append(figure("copies.modelled", "B/B", sum(sums) * (1.25 if name == "zerocopy" else 1), 0, grade="modelled"))
    for party, value in (("sender", 0.02 if name == "sendfile" else 32 if not packet else 5), ("receiver", 40)):
        value = 0 if name == "dpdk" else value
        figures.append(figure("mode_switches_per_mib", "1/MiB", value, 0, party=party))
    figures.append(figure("mode_switches_per_mib", "1/MiB", 0 if name == "dpdk" else 72, 0))


def contestant(chance, label, factor=1.0, bulk=True, samples=12, middle=0.0):
    sender, _, receiver = label.partition("+")
    rate = RATES.get(sender, 5e9) * factor * chance.uniform(0.95, 1.05)
    figures, told = [], {}
    if bulk:
        runs = [rate * chance.gauss(1, 0.03) for _ in range(12)]
        figures.append(figure("goodput", "bit/s", rate))
        costs(figures, rate, sender if sender in COPIES else "read_write")
        told = latency(chance, figures, "download", GIB * 8e9 / rate, samples)
        course = [max(0, rate * chance.gauss(1, 0.15)) for _ in range(60)]
        timeline = {"interval_s": 0.01, "rate": course}
    else:
        middle = middle or 2.4e13 / rate**0.9 * 20
        runs = [1e9 / middle * chance.gauss(1, 0.03) for _ in range(12)]
        figures.append(figure("operations", "1/s", 1e9 / middle))
        for party, value in (("sender", 6.0), ("receiver", 7.5)):
            figures.append(figure("cpu.per_operation", "us", value * 17e9 / rate, party=party))
        figures.append(figure("cpu.per_operation", "us", 13.5 * 17e9 / rate))
        figures.append(figure("cpu.machine_per_operation", "us", 18 * 17e9 / rate))
        told = latency(chance, figures, "echo", middle, samples)
        timeline = None
    return {
        "label": label, "sender": sender, "receiver": receiver or ("read_write" if sender in STREAM else sender),
        "status": "ok", "reason": None, "hint": None, "timeline": timeline, "latency": told, "figures": figures,
        "runs": [{"value": value, "seconds": 1.0, "round": at, "placement_ns": 440} for at, value in enumerate(runs)],
    }  # fmt: skip


def experiment(chance, number, link, labels, bulk=True, factor=1.0, title="", **more):
    ran = [contestant(chance, label, factor, bulk, **more) for label in labels]
    metric = ("goodput", "bit/s") if bulk else ("operations", "1/s")
    return {
        "id": f"r{number}/{link}", "record": f"r{number}", "link": link, "link_text": link,
        "title": title or "download of 256 MiB, warm cache, into tmpfs" if bulk else title or "round trips of 64 B",
        "metric": {"name": metric[0], "unit": metric[1], "better": "more"},
        "caption": f"{link}, MTU 1500, offloads on · 2-core virtual machine · n = 12 · medians with 95 % intervals · invented numbers",
        "bulk": bulk, "idle": False, "contestants": ran, "comparisons": [],
        "unavailable": [] if "dpdk" in labels else [
            {"label": "dpdk", "status": "unavailable", "reason": "no hugepages", "hint": None}],
    }  # fmt: skip


def sweep(name, link, title, setting, points, unit="", log=False):
    return {"id": f"{name}/{link}", "suite": name, "title": title, "link": link, "caption": points[0][2]["caption"],
            "x": {"name": setting, "unit": unit, "log": log},
            "points": [{"x": x, "label": label, "experiment": one["id"]} for x, label, one in points]}  # fmt: skip


def size_text(value):
    for step, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if value >= step:
            return f"{value // step} {unit}"
    return f"{value} B"


def report(singles=6, points=6, seed=1, samples=4000):
    """Of so many experiments outside sweeps, and so many points in each sweep."""
    chance = random.Random(seed)
    experiments, sweeps = [], []

    def add(link, labels, **more):
        experiments.append(experiment(chance, len(experiments) + 1, link, labels, **more))
        return experiments[-1]

    for number in range(singles):
        if number % 3 == 2:
            add("veth", NAMES[:9], bulk=False, samples=samples)
        elif number % 3 == 1:
            add("veth", ("read_write", "sendfile", "sendfile+splice", "splice+splice", "nginx", "udp", "afxdp"))
        else:
            add("veth", NAMES)
    sizes = [2 ** (16 + at * 16 // max(1, points - 1)) for at in range(points)]
    sweeps.append(sweep("bulk/size", "veth", "Goodput against size", "size", [
        (size, size_text(size), add("veth", NAMES[:9], factor=1 / (1 + 4e6 / size), title=f"download of {size_text(size)}"))
        for size in sizes], "B", True))  # fmt: skip
    sweeps.append(sweep("loss", "veth", "Goodput under loss", "loss", [
        (loss, f"{loss * 100:g} %", add("veth", ("read_write", "sendfile", "udp", "afxdp"), factor=1 / (1 + 2000 * loss)))
        for loss in [0.05 * at / (points - 1) for at in range(points)]]))  # fmt: skip
    sweeps.append(sweep("scaling", "loopback", "Goodput with more clients", "clients", [
        (2**at, str(2**at), add("loopback", ("read_write", "sendfile", "uring", "udp"), factor=2 - 0.9**at))
        for at in range(points)], "", True))  # fmt: skip
    sweeps.append(sweep("load", "veth", "Latency under load", "rate", [
        (rate, f"{rate // 1000} k", add("veth", ("read_write", "uring", "udp", "afxdp"), bulk=False, samples=samples,
                                        middle=30e3 / (1.02 - at / points), title=f"round trips of 64 B at {rate}/s"))
        for at in range(points) for rate in [10_000 * (at + 1)]]))  # fmt: skip
    sweeps.append(sweep("mtu", "veth", "Goodput by MTU", "mtu", [
        (mtu, str(mtu), add("veth", PACKET, factor=mtu / 3000)) for mtu in (1500, 3400, 9000)]))  # fmt: skip
    records = [{"id": one["record"], "file": f"{one['record']}.json", "headline": one["title"], "noisy": at == 0}
               for at, one in enumerate(experiments)]  # fmt: skip
    return {"schema": "waggle-report/1", "title": "Invented numbers, for tests", "about": "no machine was measured",
            "datapaths": list(NAMES), "records": records, "experiments": experiments, "sweeps": sweeps, "verdicts": []}  # fmt: skip


def small():
    """One of every kind, and little more: points of sweeps have only what their sweep shows."""
    told = report(singles=3, points=2, samples=400)
    for one in told["experiments"][3:]:
        for contestant in one["contestants"]:
            shown = ("goodput", "operations", "latency.p50", "latency.p99")
            contestant["figures"] = [figure for figure in contestant["figures"] if figure["name"] in shown]
            contestant["timeline"] = None
            contestant["latency"] = {name: {"count": one["count"]} for name, one in contestant["latency"].items()}
    return told


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(report(int(sys.argv[2]) if len(sys.argv) > 2 else 6), file)
