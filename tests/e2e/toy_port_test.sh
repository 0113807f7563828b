#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A new port is one new file and its line in datapaths/packet/meson.build: toy_port_test.sh SOURCE BUILD
#
# Adds docs/examples/toy_port.cpp that way. Then it must be listed, run, compared, understood by the other ports, and
# tested by what was there before.
set -eu
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/toy_tree.sh"

cp docs/examples/toy_port.cpp datapaths/packet/toy.cpp
echo "packet_sources += files('toy.cpp')" >> datapaths/packet/meson.build
only_edits datapaths/packet/toy.cpp datapaths/packet/meson.build
compile harness/harness tests/conformance/conformance_contract_test

"$harness" list > "$scratch/list"
expect '^  toy  *both .*an example' "$scratch/list" list
"$harness" run --datapath=toy --size=8MiB --runs=1 --warmups=0 --probed=0 > "$scratch/run"
expect 'toy → toy: every byte verified' "$scratch/run" run
"$harness" run --datapath=toy+udp --workload=upload --size=8MiB --runs=1 --warmups=0 --probed=0 > "$scratch/run"
expect 'every byte verified' "$scratch/run" run
"$harness" run --datapath=udp+toy --size=8MiB --runs=1 --warmups=0 --probed=0 > "$scratch/run"
expect 'udp → toy: every byte verified' "$scratch/run" run
"$harness" compare --datapaths=udp,toy --size=8MiB --runs=1 --warmups=0 --probed=0 > "$scratch/compare"
expect '^toy ' "$scratch/compare" compare
expect '^udp ' "$scratch/compare" compare
"$build/tests/conformance/conformance_contract_test" -s > "$scratch/contract"
expect 'toy' "$scratch/contract" conformance_contract_test
echo "one file and one line: listed, run, compared and tested"
