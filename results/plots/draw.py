#!/usr/bin/python3 -I
# SPDX-License-Identifier: BSD-2-Clause
"""Draws the plots of a report: draw.py MODEL.json OUTDIR. README.md beside this file tells more."""

import pathlib
import sys

# Nothing is left in the folder of the program, which may belong to somebody else.
sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from plots import cli  # noqa: E402

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]))
