# shellcheck shell=sh
# SPDX-License-Identifier: BSD-2-Clause
# For tests that add something to the tree and the build that are there, under overlays in a private mount namespace, so
# that nothing of it is seen outside and only the new file is compiled. To be sourced, with SOURCE and BUILD as $1 and $2;
# afterwards $source is the working directory, $build the build, and $scratch a tmpfs that nobody else sees.

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
cd "$source" || exit 1

# only_edits FILE…: nothing else in the tree was changed.
only_edits() {
  find "$scratch/source" -path "$changed_build" -prune -o -type f -print | sort > "$scratch/edits"
  for file in "$@"; do echo "$scratch/source/$file"; done | sort | cmp - "$scratch/edits"
}

# compile TARGET…
compile() {
  ninja -C "$build" --quiet "$@" > "$scratch/ninja" 2>&1 || { cat "$scratch/ninja"; exit 1; }
}

# expect PATTERN FILE WHAT: what came of WHAT is in FILE.
expect() {
  grep -q -- "$1" "$2" || { echo "'$1' is not in what came of: $3"; cat "$2"; exit 1; }
}

# shellcheck disable=SC2034 # for whoever sources this
harness=$build/harness/harness
export WAGGLE_RESULTS=$scratch
