#!/usr/bin/python3 -I
# SPDX-License-Identifier: BSD-2-Clause
"""Builds the paper: build.py [RECORD…]. README.md beside this file tells more."""

import pathlib
import sys

# Nothing is left in the folder of the program, which may belong to somebody else.
sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "results")]

from generator import command  # noqa: E402

if __name__ == "__main__":
    sys.exit(command.main(sys.argv[1:]))
