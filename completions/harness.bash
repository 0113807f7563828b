# SPDX-License-Identifier: BSD-2-Clause
# Completion of `harness` for bash. Commands, options, datapaths and workloads are asked of the program itself, so that
# what is new is completed at once, and so are the words that options choose from.

# Words of one kind: "commands", "datapaths", "workloads", "suites", or the options of a command.
_harness_words() {
  local program=$1 kind=$2
  case "$kind" in
    commands) "$program" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' ;;
    datapaths) "$program" list 2>/dev/null | sed -n '/^Datapaths/,/^$/s/^  \([a-z][a-z_0-9-]*\) .*/\1/p' ;;
    workloads) "$program" list 2>/dev/null | sed -n '/^Workloads/,/^$/s/^  \([a-z][a-z_0-9-]*\) .*/\1/p' ;;
    suites) "$program" list 2>/dev/null | sed -n '/^Suites/,/^$/s/^  \([a-z][a-z_0-9-]*\) .*/\1/p' ;;
    *) "$program" "$kind" --help 2>/dev/null | grep -o -- '--[a-z][a-z0-9-]*' | sort -u ;;
  esac
}

# The words that an option can have, where --help shows them: "--sink discard|file|tmpfs".
_harness_choices() {
  "$1" "$2" --help 2>/dev/null | sed -n "s/^ *$3 \([^ ]*|[^ ]*\).*/\1/p" | tr '|' ' '
}

# Completes the value of an option; returns 1 for options whose values nobody can guess.
_harness_value() {
  local program=$1 command=$2 option=$3 value=$4 words
  case "$option" in
    --datapath | --sender | --receiver) words=$(_harness_words "$program" datapaths) ;;
    --datapaths) words="all all-pairs $(_harness_words "$program" datapaths)" ;;
    --workload) words=$(_harness_words "$program" workloads) ;;
    --cpus) words="auto near far siblings" ;;
    --congestion) words=$(cat /proc/sys/net/ipv4/tcp_available_congestion_control 2>/dev/null) ;;
    --work | --root | --files)
      mapfile -t COMPREPLY < <(compgen -d -- "$value")
      return 0
      ;;
    --file | --like | --output | -o | --token-file | --socket)
      mapfile -t COMPREPLY < <(compgen -f -- "$value")
      return 0
      ;;
    *)
      words=$(_harness_choices "$program" "$command" "$option")
      [[ -n $words ]] || return 1
      ;;
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
    _harness_value "$program" "$command" "$before" "" && return
  elif [[ $before == = ]]; then
    _harness_value "$program" "$command" "${COMP_WORDS[COMP_CWORD - 2]}" "$word" && return
  fi
  if [[ -z $command || $command == help ]]; then
    local globals="--help --version --json --quiet --no-color"
    mapfile -t COMPREPLY < <(compgen -W "$(_harness_words "$program" commands) help $globals" -- "$word")
  elif [[ $before == -* && $word != -* ]] && _harness_value "$program" "$command" "$before" "$word"; then
    return
  elif [[ $command == suite && $word != -* && $word != */* && $word != . ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_harness_words "$program" suites)" -- "$word"; compgen -f -X '!*.toml' -- "$word")
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_harness_words "$program" "$command")" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}

complete -o filenames -o bashdefault -F _harness harness
