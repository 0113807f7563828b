#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Prints {number, "name"}, for every system call that the compiler's target has: system_call_names.sh COMPILER…
set -eu
printf '#include <asm/unistd.h>\n' | "$@" -dM -E -x c - |
  sed -n 's/^#define __NR_\([a-z0-9_]*\) [(]*\([0-9][0-9]*\)[)]*$/{\2, "\1"},/p' | sort
