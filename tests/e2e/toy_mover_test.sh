#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A new mover is one new file and its line in datapaths/stream/meson.build: toy_mover_test.sh SOURCE BUILD
#
# Adds docs/examples/toy_mover.cpp that way to the tree and the build that are there, under overlays in a private mount
# namespace, so that nothing of it is seen outside and only the new file is compiled. Then it must be listed, run,
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
find "$scratch/source" -path "$changed_build" -prune -o -type f -print | sort > "$scratch/edits"
printf '%s\n' "$scratch/source/datapaths/stream/meson.build" "$scratch/source/datapaths/stream/toy.cpp" | cmp - "$scratch/edits"

ninja -C "$build" --quiet harness/harness tests/e2e/transfer_test > "$scratch/ninja" 2>&1 || { cat "$scratch/ninja"; exit 1; }
harness=$build/harness/harness
export WAGGLE_RESULTS=$scratch

expect() {
  grep -q -- "$1" "$2" || { echo "'$1' is not in what came of: $3"; cat "$2"; exit 1; }
}
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
