#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A new workload is one new file and its line in workloads/meson.build: toy_workload_test.sh SOURCE BUILD
#
# Adds docs/examples/toy_workload.cpp that way to the tree and the build that are there, under overlays in a private
# mount namespace, so that nothing of it is seen outside and only the new file is compiled. Then it must be listed, run
# with its own options, compared, completed and repeated from its record by what was there before.
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

cp docs/examples/toy_workload.cpp workloads/toy.cpp
sed -i "s/^  'small_files.cpp',/&\n  'toy.cpp',/" workloads/meson.build
find "$scratch/source" -path "$changed_build" -prune -o -type f -print | sort > "$scratch/edits"
printf '%s\n' "$scratch/source/workloads/meson.build" "$scratch/source/workloads/toy.cpp" | cmp - "$scratch/edits"

ninja -C "$build" --quiet harness/harness > "$scratch/ninja" 2>&1 || { cat "$scratch/ninja"; exit 1; }
harness=$build/harness/harness
export WAGGLE_RESULTS=$scratch

expect() {
  grep -q -- "$1" "$2" || { echo "'$1' is not in what came of: $3"; cat "$2"; exit 1; }
}
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
once="--runs=1 --warmups=0 --probed=0"
"$harness" list > "$scratch/list"
expect '^  toy  *an example' "$scratch/list" list
expect '--laps N  *times that the file is fetched (3)' "$scratch/list" list
"$harness" run --help > "$scratch/help"
expect '--lap-size BYTES  *toy: of the file (64KiB)' "$scratch/help" "run --help"
refused "--laps: 0 is out of bounds; give 1 to 1000" run --workload=toy --laps=0
refused "--size says nothing to the workload toy; it takes --laps, --lap-size" run --workload=toy --size=1MiB
refused "--laps says nothing to the workload rr" run --workload=rr --laps=2
refused "--sink says nothing to the workload toy" run --workload=toy --sink=file
# shellcheck disable=SC2086  # words
"$harness" run --workload=toy --laps=5 --lap-size=4KiB $once --output="$scratch/record" > "$scratch/run"
expect '^toy of 4 KiB' "$scratch/run" run
expect '  lap .* 5$' "$scratch/run" run
"$harness" run --like="$scratch/record" --laps=7 --output="$scratch/again" > "$scratch/run"
expect '^toy of 4 KiB' "$scratch/run" "run --like"
expect '  lap .* 7$' "$scratch/run" "run --like"
# shellcheck disable=SC2086
"$harness" compare --datapaths=sendfile,mmap --workload=toy $once > "$scratch/compare"
expect '^sendfile ' "$scratch/compare" compare
expect '^mmap ' "$scratch/compare" compare
echo "one file and one line: listed, explained, run, compared and repeated"
