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
    sed -nE "s/^  (-[a-zA-Z],)?$2(,--[a-z-]+)?[ =]([A-Z]+).*/\3/p" | head -n 1
}

_anubis_words() { # WORDS: those of them that go on from what is at the cursor
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_anubis() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command kind=
  command=$(_anubis_command)
  COMPREPLY=()
  [[ ! $previous =~ ^-(-[a-z-]+|[a-zA-Z])$ ]] || kind=$(_anubis_value_of "$command" "$previous")
  if [[ -z $kind && $current == -* ]]; then
    _anubis_words "$(
      { anubis ${command:+"$command"} --help; anubis --help; } 2>/dev/null | sed -nE 's/^  (-[a-zA-Z],)?(--[a-z-]+).*/\2/p'
    )"
    return
  fi
  if [[ -z $kind && -z $command ]]; then
    _anubis_words "$(anubis --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p')"
    return
  fi
  # A word that stands alone is what the command's help calls it, too.
  [[ -n $kind ]] || kind=$(anubis "$command" --help 2>/dev/null | sed -n '/^Positionals:/,/^$/s/^  \([A-Z]*\).*/\1/p' | head -n 1)
  case $kind in
    NAME) _anubis_words "$(anubis peers 2>/dev/null | sed '1d; s/ .*//')" ;;
    ACTION) _anubis_words "show apply remove" ;;
    WHEN) _anubis_words "auto always never" ;;
    FILE | PATH | DIR) compopt -o default ;; # readline's own, which knows of blanks, quotes and ~
  esac
}

complete -F _anubis anubis
