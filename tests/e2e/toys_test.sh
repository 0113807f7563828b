#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A new mover, port or workload is one new file and one line in a meson.build: toys_test.sh SOURCE BUILD
#
# Adds the examples of docs/examples that way to the tree and the build that are there, under overlays in a private mount
# namespace, so that nothing of it is seen outside and only the new files are compiled. Then each must be listed, run,
# compared and tested by what was there before.
set -eu

skip() {
  echo "$1"
  [ "${WAGGLE_REQUIRE_ALL:-}" = 1 ] && exit 1
  exit 77
}

source=$(readlink -f -- "$1")
build=$(readlink -f -- "$2")

if [ "${3:-}" != inside ]; then
  [ "$(id -u)" = 0 ] || skip "needs root for a mount namespace"
  unshare --mount true || skip "needs mount namespaces"
  exec unshare --mount --propagation private "$0" "$source" "$build" inside
fi

# Everything that changes goes to this tmpfs, which nobody else sees.
scratch=/run
mount -t tmpfs tmpfs $scratch

# overlay DIRECTORY NAME: changes below DIRECTORY go to $scratch/NAME from here on.
overlay() {
  mkdir "$scratch/$2" "$scratch/$2.work"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$scratch/$2,workdir=$scratch/$2.work" "$1" || skip "needs overlayfs"
}
overlay "$source" source
case "$build" in
  "$source"/*) changed_build=$scratch/source${build#"$source"} ;;
  *)
    overlay "$build" build
    changed_build=$scratch/build
    ;;
esac
cd "$source"

cp docs/examples/toy_mover.cpp datapaths/stream/toy.cpp
sed -i "s/^  'splice.cpp',/&\n  'toy.cpp',/" datapaths/stream/meson.build
cp docs/examples/toy_port.cpp datapaths/packet/toy_port.cpp
echo "packet_sources += files('toy_port.cpp')" >> datapaths/packet/meson.build
cp docs/examples/toy_workload.cpp workloads/toy.cpp
sed -i "s/^  'small_files.cpp',/&\n  'toy.cpp',/" workloads/meson.build
find "$scratch/source" -path "$changed_build" -prune -o -type f -print | sort > "$scratch/edits"
for file in datapaths/packet/meson.build datapaths/packet/toy_port.cpp datapaths/stream/meson.build \
  datapaths/stream/toy.cpp workloads/meson.build workloads/toy.cpp; do
  echo "$scratch/source/$file"
done | cmp - "$scratch/edits"
ninja -C "$build" --quiet harness/harness tests/e2e/transfer_test tests/conformance/conformance_contract_test \
  > "$scratch/ninja" 2>&1 || { cat "$scratch/ninja"; exit 1; }

harness=$build/harness/harness
export WAGGLE_RESULTS=$scratch

# expect PATTERN FILE WHAT: what came of WHAT is in FILE.
expect() {
  grep -q -- "$1" "$2" || { echo "'$1' is not in what came of: $3"; cat "$2"; exit 1; }
}
# once ARGUMENTS…: one run of them; what it printed is in $scratch/out.
once() {
  "$harness" "$@" --runs=1 --warmups=0 --probed=0 > "$scratch/out" || { echo "failed: $*"; cat "$scratch/out"; exit 1; }
}
"$harness" list > "$scratch/list"

# The mover.
expect '^  toy  *both .*an example' "$scratch/list" list
once run --datapath=toy --size=8MiB
expect 'toy → read_write: every byte verified' "$scratch/out" run
once run --sender=sendfile --receiver=toy --size=8MiB
expect 'sendfile → toy: every byte verified' "$scratch/out" run
"$build/tests/e2e/transfer_test" -s 'every sender serves every receiver' > "$scratch/transfer"
expect 'toy to toy' "$scratch/transfer" transfer_test
expect 'sendfile to toy' "$scratch/transfer" transfer_test
expect 'toy to read_write' "$scratch/transfer" transfer_test

# The port.
expect '^  toy_port  *both .*an example' "$scratch/list" list
once run --datapath=toy_port --size=8MiB
expect 'toy_port → toy_port: every byte verified' "$scratch/out" run
once run --datapath=toy_port+udp --workload=upload --size=8MiB
expect 'every byte verified' "$scratch/out" run
once run --datapath=udp+toy_port --size=8MiB
expect 'udp → toy_port: every byte verified' "$scratch/out" run
"$build/tests/conformance/conformance_contract_test" > "$scratch/contract" 2>&1 || { cat "$scratch/contract"; exit 1; }
expect '^lane: toy to toy' "$scratch/contract" conformance_contract_test
expect '^lane: toy_port' "$scratch/contract" conformance_contract_test

# Both beside all others.
once compare --datapaths=all --size=8MiB
for datapath in toy toy_port sendfile udp; do
  expect "^$datapath " "$scratch/out" compare
done

# The workload.
# refused WHAT ARGUMENTS…: exit code 2 and WHAT on the one line of stderr.
refused() {
  what=$1
  shift
  code=0
  "$harness" "$@" 2> "$scratch/refused" || code=$?
  [ $code = 2 ] || { echo "exit code $code from: $*"; cat "$scratch/refused"; exit 1; }
  [ "$(wc -l < "$scratch/refused")" = 1 ] || { cat "$scratch/refused"; exit 1; }
  expect "$what" "$scratch/refused" "$*"
}
expect '^  toy  *an example' "$scratch/list" list
expect '--laps N  *times that the file is fetched (3)' "$scratch/list" list
"$harness" run --help > "$scratch/help"
expect '--lap-size BYTES  *toy: of the file (64KiB)' "$scratch/help" "run --help"
refused "--laps: 0 is out of bounds; give 1 to 1000" run --workload=toy --laps=0
refused "--size says nothing to the workload toy; it takes --laps, --lap-size" run --workload=toy --size=1MiB
refused "--laps says nothing to the workload rr" run --workload=rr --laps=2
refused "--sink says nothing to the workload toy" run --workload=toy --sink=file
once run --workload=toy --laps=5 --lap-size=4KiB --output="$scratch/record"
expect '^toy of 4 KiB' "$scratch/out" run
expect '  lap .* 5$' "$scratch/out" run
"$harness" run --like="$scratch/record" --laps=7 --output="$scratch/again" > "$scratch/out"
expect '^toy of 4 KiB' "$scratch/out" "run --like"
expect '  lap .* 7$' "$scratch/out" "run --like"
once compare --datapaths=sendfile,mmap --workload=toy
expect '^sendfile ' "$scratch/out" compare
expect '^mmap ' "$scratch/out" compare
echo "one file and one line each: listed, explained, run, compared, tested and repeated"
