# SPDX-License-Identifier: BSD-2-Clause
"""SI base units of the model as people read them, and ticks of axes."""

import math

PREFIXES = {
    "bit/s": [(1, "bit/s"), (1e3, "kbit/s"), (1e6, "Mbit/s"), (1e9, "Gbit/s"), (1e12, "Tbit/s")],
    "B": [(1, "B"), (2**10, "KiB"), (2**20, "MiB"), (2**30, "GiB"), (2**40, "TiB")],
    "ns": [(1, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")],
    "us": [(1e-3, "ns"), (1, "µs"), (1e3, "ms"), (1e6, "s")],
    "s": [(1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1, "s")],
    "s/GiB": [(1e-6, "µs/GiB"), (1e-3, "ms/GiB"), (1, "s/GiB")],
    "1/s": [(1, "per second"), (1e3, "thousand/s"), (1e6, "million/s")],
    "1/MiB": [(1, "per MiB")],
    "B/B": [(1, "")],
}


def number(value):
    """Three significant digits, without an exponent: "31.2", "4,130", "0.0512"."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    rounded = float(f"{value:.3g}")
    digits = min(9, max(0, 2 - math.floor(math.log10(abs(rounded)))))
    return f"{rounded:,.{digits}f}".replace("-", "−")


def brief(value):
    """As `number`, without zeros at its end: for ticks."""
    words = number(value)
    return words.rstrip("0").rstrip(".") if "." in words else words


class Scale:
    """The prefix in which the largest of some values is at least 1."""

    def __init__(self, unit, largest):
        steps = PREFIXES.get(unit, [(1, unit)])
        fitting = [step for step in steps if abs(largest) >= step[0] * 0.9995]
        self.factor, self.unit = (fitting or steps)[-1] if fitting else steps[0]

    def __call__(self, value):
        return value / self.factor

    def label(self, what):
        return f"{what} ({self.unit})" if self.unit else what


def amount(value, unit):
    """"31.2 Gbit/s"; zero without a prefix."""
    scale = Scale(unit, value if value else 1)
    return f"{number(scale(value))} {scale.unit}".rstrip()


def tick(value, unit):
    """An amount as the text of a tick: "10 µs"."""
    scale = Scale(unit, value if value else 1)
    return f"{brief(scale(value))} {scale.unit}".rstrip()


def amounts(value, low, high, unit):
    """"31.2 (29.8–33) Gbit/s", or without an interval where there is none."""
    scale = Scale(unit, value if value else 1)
    between = "" if low is None or high is None else f" ({number(scale(low))}–{number(scale(high))})"
    return f"{number(scale(value))}{between} {scale.unit}".rstrip()


def linear_ticks(largest, most=6):
    """Round values from zero up to at most `largest`, with their texts; at most `most` of them."""
    if largest <= 0:
        return [0], ["0"]
    step = next(
        step
        for power in range(math.floor(math.log10(largest / most)), 400)
        for step in (10.0**power, 2 * 10.0**power, 5 * 10.0**power)
        if largest / step < most - 1e-9
    )
    values = [index * step for index in range(int(largest / step + 1e-9) + 1)]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return values, [f"{value:,.{digits}f}" for value in values]


def log_ticks(low, high, most=7):
    """Powers of ten between two values above zero, closer steps where these are few."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    between = [10.0**power for power in range(first, last + 1) if low * 0.999 <= 10.0**power <= high * 1.001]
    if len(between) < 3:
        for steps in ((1, 3), (1, 2, 5)):
            finer = [step * 10.0**power for power in range(first, last + 1) for step in steps]
            between = [value for value in finer if low * 0.999 <= value <= high * 1.001]
            if len(between) >= 3:
                break
    return between[:: max(1, math.ceil(len(between) / most))]
