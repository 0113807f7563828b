# SPDX-License-Identifier: BSD-2-Clause
# Completion of `harness` for bash. Commands, options, datapaths and workloads are asked of the program itself, so that
# what is new is completed at once.

# Words of one kind: "commands", "datapaths", "workloads", or the options of a command.
_harness_words() {
  local program=$1 kind=$2
  case "$kind" in
    commands) "$program" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' ;;
    datapaths) "$program" list 2>/dev/null | sed -n '/^Datapaths/,/^$/s/^  \([a-z][a-z_0-9-]*\) .*/\1/p' ;;
    workloads) "$program" list 2>/dev/null | sed -n '/^Workloads/,$s/^  \([a-z][a-z_0-9-]*\) .*/\1/p' ;;
    *) "$program" "$kind" --help 2>/dev/null | grep -o -- '--[a-z][a-z0-9-]*' | sort -u ;;
  esac
}

# Completes the value of an option; returns 1 for options whose values nobody can guess.
_harness_value() {
  local program=$1 option=$2 value=$3 words
  case "$option" in
    --datapath | --sender | --receiver) words=$(_harness_words "$program" datapaths) ;;
    --datapaths) words="all all-pairs $(_harness_words "$program" datapaths)" ;;
    --workload) words=$(_harness_words "$program" workloads) ;;
    --sink) words="discard file tmpfs" ;;
    --cache) words="warm cold" ;;
    --offloads) words="on off" ;;
    --link) words="auto veth loopback vhost nic" ;;
    --napi) words="auto softirq threaded" ;;
    --cpus) words="auto near far siblings" ;;
    --placement) words="same report any" ;;
    --wait) words="sleep spin" ;;
    --digest) words="xxh3 sha256" ;;
    --direction) words="download upload" ;;
    --congestion) words=$(cat /proc/sys/net/ipv4/tcp_available_congestion_control 2>/dev/null) ;;
    --work | --root | --files)
      mapfile -t COMPREPLY < <(compgen -d -- "$value")
      return 0
      ;;
    --file | --output | -o | --token-file | --socket)
      mapfile -t COMPREPLY < <(compgen -f -- "$value")
      return 0
      ;;
    *) return 1 ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$value")
}

_harness() {
  local program=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command="" i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} != -* && ${COMP_WORDS[i]} != = ]]; then
      command=${COMP_WORDS[i]}
      break
    fi
  done
  # Bash splits "--sink=tm" into "--sink", "=" and "tm".
  if [[ $word == = ]]; then
    _harness_value "$program" "$before" "" && return
  elif [[ $before == = ]]; then
    _harness_value "$program" "${COMP_WORDS[COMP_CWORD - 2]}" "$word" && return
  fi
  if [[ -z $command || $command == help ]]; then
    local globals="--help --version --json --quiet --no-color"
    mapfile -t COMPREPLY < <(compgen -W "$(_harness_words "$program" commands) help $globals" -- "$word")
  elif [[ $before == -* && $word != -* ]] && _harness_value "$program" "$before" "$word"; then
    return
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_harness_words "$program" "$command")" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

complete -o filenames -o bashdefault -F _harness harness
