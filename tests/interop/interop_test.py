#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What protocol/README.md promises, asked of `harness serve` by a client that was written from that page alone.

usage: interop_test.py HARNESS [unittest arguments]. Needs python3-xxhash.
"""
import os
import sys
import unittest

try:
    import xxhash  # noqa: F401
except ImportError:
    print(f"skipped: {sys.executable} has no xxhash; install it with apt-get install python3-xxhash")
    sys.exit(1 if os.environ.get("WAGGLE_REQUIRE_ALL") == "1" else 77)

MODULES = ["handshake_test", "transfers_test", "requests_test", "names_test", "fuzz_test"]

if __name__ == "__main__":
    unittest.main(module=None, argv=[sys.argv[0], *(sys.argv[2:] or ["--verbose", *MODULES])])
