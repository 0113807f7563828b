#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds the page as the target `page` does, and uses it in a browser: page_test.sh FOLDER, where packages and page go
set -eu

skip() {
  echo "$1"
  [ "${WAGGLE_REQUIRE_ALL:-}" = 1 ] && exit 1
  exit 77
}

here=$(dirname -- "$(readlink -f -- "$0")")
folder=$1
for program in node npm; do
  command -v $program >/dev/null || skip "needs $program: ./testbed packages report"
done
WAGGLE_CHROMIUM=${WAGGLE_CHROMIUM:-$(command -v chromium || true)}
[ -n "$WAGGLE_CHROMIUM" ] || skip "needs chromium: ./testbed packages browser"

"$here/../build.sh" "$folder/page.html" --tests || { [ $? != 3 ] || skip "the page could not be built here"; exit 1; }
export WAGGLE_CHROMIUM WAGGLE_PAGE="$folder/page.html" WAGGLE_PAGE_MODULES="$folder/node_modules"

# Without the tools it needs, the build says so in one line and with its own exit code.
status=0
said=$(PATH=/nonexistent /bin/sh "$here/../build.sh" "$folder/none.html" 2>&1) || status=$?
if [ "$status" != 3 ] || [ "$(echo "$said" | wc -l)" != 1 ]; then
  echo "a build without Node.js ends with $status: $said"
  exit 1
fi

# The same sources give the same page.
"$here/../build.sh" "$folder/again.html" --tests
cmp "$folder/page.html" "$folder/again.html"
rm "$folder/again.html"

exec node --test "$here/units_test.mjs" "$here/page_test.mjs" "$here/access_test.mjs"
