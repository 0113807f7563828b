#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# build.sh OUTPUT [--tests] : makes the template of the HTML report. Packages of the lock file go beside OUTPUT, once per
# lock file; --tests installs also what only tests need.
set -eu

die() {
  status=$1
  shift
  echo "results/page: $*" >&2
  exit "$status"
}

command -v node >/dev/null || die 3 "the HTML report is built with Node.js, and there is no 'node'; install it: apt-get install nodejs npm"
command -v npm >/dev/null || die 3 "the HTML report is built with npm, and there is no 'npm'; install it: apt-get install npm"
[ "$(node -p 'Number(process.versions.node.split(".")[0])')" -ge 18 ] || die 3 "the HTML report needs Node.js 18 or later, and this is $(node --version)"

source=$(dirname -- "$(readlink -f -- "$0")")
output=${1:?usage: build.sh OUTPUT [--tests]}
omit=--omit=dev
[ "${2:-}" != --tests ] || omit=--include=dev

work=$(dirname -- "$output")
mkdir -p "$work"
work=$(readlink -f -- "$work")
# What is installed: the lock file, and whether with packages for tests.
wanted="$omit $(sha256sum < "$source/package-lock.json")"
had=$(cat "$work/node_modules/.waggle" 2>/dev/null || true)
case "$had" in
  "$wanted" | "--include=dev ${wanted#* }") ;;
  *)
    cp "$source/package.json" "$source/package-lock.json" "$work"
    # No script of a package runs.
    (cd "$work" && npm ci "$omit" --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 ||
      die 3 "npm could not install what package-lock.json lists; see its message above (does the registry answer?)"
    echo "$wanted" > "$work/node_modules/.waggle"
    ;;
esac
exec node "$source/build.mjs" "$work/node_modules" "$output"
