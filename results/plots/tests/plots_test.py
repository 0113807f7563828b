#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Plots as a caller sees them, and as a reader does.

usage: plots_test.py [unittest arguments]. Needs python3-matplotlib and fonts-liberation.
"""

import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

MODULES = ["units_test", "command_test", "figures_test", "layout_test"]


def lacking():
    from plots import fault, style

    try:
        style.apply(style.LOOKS["paper"])
    except fault.Lacking as fault:
        return str(fault)
    return None


if __name__ == "__main__":
    reason = lacking()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(1 if os.environ.get("WAGGLE_REQUIRE_ALL") == "1" else 77)
    unittest.main(module=None, argv=[sys.argv[0], *(sys.argv[1:] or ["--verbose", *MODULES])])
