# bash completion for anubis(1). What there is to complete, `anubis --help` tells.

# The command line's first command, and nothing if there is none yet.
_anubis_command() {
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --socket | --color) ((i++)) ;;
      -*) ;;
      *)
        echo "${COMP_WORDS[i]}"
        return
        ;;
    esac
  done
}

# The kind of value that an option of this command takes, as its help calls it: NAME, FILE, TIME; nothing for a switch.
_anubis_value_of() { # COMMAND OPTION
  { anubis ${1:+"$1"} --help; anubis --help; } 2>/dev/null |
    sed -nE "s/^  (-[a-zA-Z],)?$2[ =]([A-Z]+).*/\2/p" | head -n 1
}

_anubis() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command kind=
  command=$(_anubis_command)
  COMPREPLY=()
  [[ $previous != --* ]] || kind=$(_anubis_value_of "$command" "$previous")
  if [[ -z $kind && $current == -* ]]; then
    COMPREPLY=($(compgen -W "$(
      { anubis ${command:+"$command"} --help; anubis --help; } 2>/dev/null | sed -nE 's/^  (-[a-zA-Z],)?(--[a-z-]+).*/\2/p'
    )" -- "$current"))
    return
  fi
  if [[ -z $kind && -z $command ]]; then
    COMPREPLY=($(compgen -W "$(anubis --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')" -- "$current"))
    return
  fi
  # A word that stands alone is what the command's help calls it, too.
  [[ -n $kind ]] || kind=$(anubis "$command" --help 2>/dev/null | sed -n '/^Positionals:/,/^$/s/^  \([A-Z]*\).*/\1/p' | head -n 1)
  case $kind in
    NAME) COMPREPLY=($(compgen -W "$(anubis peers 2>/dev/null | sed '1d; s/ .*//')" -- "$current")) ;;
    ACTION) COMPREPLY=($(compgen -W "show apply remove" -- "$current")) ;;
    WHEN) COMPREPLY=($(compgen -W "auto always never" -- "$current")) ;;
    FILE | PATH | DIR) compopt -o filenames; COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}

complete -F _anubis anubis
