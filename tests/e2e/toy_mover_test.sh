#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A new mover is one new file and its line in datapaths/stream/meson.build: toy_mover_test.sh SOURCE BUILD
#
# Adds docs/examples/toy_mover.cpp that way. Then it must be listed, run, compared and tested by what was there before.
set -eu
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/toy_tree.sh"

cp docs/examples/toy_mover.cpp datapaths/stream/toy.cpp
sed -i "s/^  'splice.cpp',/&\n  'toy.cpp',/" datapaths/stream/meson.build
only_edits datapaths/stream/toy.cpp datapaths/stream/meson.build
compile harness/harness tests/e2e/transfer_test

"$harness" list > "$scratch/list"
expect '^  toy  *both .*an example' "$scratch/list" list
"$harness" run --datapath=toy --size=8MiB --runs=1 --warmups=0 --probed=0 > "$scratch/run"
expect 'toy → read_write: every byte verified' "$scratch/run" run
"$harness" run --sender=sendfile --receiver=toy --size=8MiB --runs=1 --warmups=0 --probed=0 > "$scratch/run"
expect 'sendfile → toy: every byte verified' "$scratch/run" run
"$harness" compare --datapaths=all --size=8MiB --runs=1 --warmups=0 --probed=0 > "$scratch/compare"
expect '^toy ' "$scratch/compare" compare
expect '^sendfile ' "$scratch/compare" compare
"$build/tests/e2e/transfer_test" -s 'every sender serves every receiver' > "$scratch/transfer"
expect 'toy to toy' "$scratch/transfer" transfer_test
expect 'sendfile to toy' "$scratch/transfer" transfer_test
expect 'toy to read_write' "$scratch/transfer" transfer_test
echo "one file and one line: listed, run, compared and tested"
