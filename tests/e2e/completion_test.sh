#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Completion for bash: completion_test.sh HARNESS completions/harness.bash
set -u
harness=$1
# shellcheck disable=SC1090  # given by the build
source "$2"
failed=0

# complete_line WORDS…: what the last word can become, on one line.
complete_line() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  COMPREPLY=()
  _harness "$harness"
  echo "${COMPREPLY[*]}"
}

# expect WHAT WORDS…: completing WORDS offers WHAT (as one of the words).
expect() {
  local what=$1 got
  shift
  got=$(complete_line "$@")
  if [[ " $got " != *" $what "* ]]; then
    echo "completing '${*:2}': expected '$what' among: $got"
    failed=1
  fi
}

expect compare harness com
expect serve harness ""
expect --json harness --j
expect --datapath harness run --data
expect --datapaths harness compare --data
expect sendfile harness run --datapath = send
expect sendfile harness run --datapath send
expect all-pairs harness compare --datapaths = all
expect small-files harness run --workload = small
expect tmpfs harness run --sink = ""
expect loopback harness get --link = lo
expect upload harness run --direction = ""
expect auto harness run --udp-gso = au
expect --like harness run --li
expect run harness help ru
expect advise harness adv
expect --no-measure harness advise --no
expect latency harness advise --goal = lat
expect quick harness suite qu
expect --resume harness suite --re
[[ -z $(complete_line harness run --sink = nonsense) ]] || {
  echo "nonsense was completed"
  failed=1
}
complete -p harness > /dev/null || failed=1
exit $failed
