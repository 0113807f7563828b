# SPDX-License-Identifier: BSD-2-Clause
"""Runs side by side between CPUs that are equally far from each other: measured around each run, and figures of one placement."""
import json
import math
import subprocess


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
