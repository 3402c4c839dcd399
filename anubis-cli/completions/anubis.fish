# fish completion for anubis(1). What there is to complete, `anubis --help` tells.

# The command line's command, and nothing if there is none yet.
function __anubis_command
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case --socket --color
                set -e words[1]
            case '-*'
            case '*'
                echo $words[1]
                return
        end
        set -e words[1]
    end
end

function __anubis_commands
    anubis --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\)  *\(.*\)/\1\t\2/p'
end

# Options with what they are for.
function __anubis_options
    begin
        anubis (__anubis_command) --help
        anubis --help
    end 2>/dev/null | sed -nE '
        /^  (-[a-zA-Z],)?--/ {
            /[^ ]  +[^ ]/! { N; s/\n */  /; }
            s/^  (-[a-zA-Z],)?(--[a-z-]+).*  +([^ ].*)$/\2\t\3/p
        }' | sort -u
end

# What the word at the cursor is to be, as the help calls it.
function __anubis_kind
    set -l command (__anubis_command)
    set -l previous (commandline -opc)[-1]
    set -l kind
    if string match -qr -- '^-(-[a-z-]+|[a-zA-Z])$' $previous
        set kind (begin; anubis $command --help; anubis --help; end 2>/dev/null |
            sed -nE "s/^  (-[a-zA-Z],)?$previous"'(,--[a-z-]+)?[ =]([A-Z]+).*/\3/p')
    end
    if not set -q kind[1]; and set -q command[1]
        set kind (anubis $command --help 2>/dev/null | sed -n '/^Positionals:/,/^$/s/^  \([A-Z]*\).*/\1/p')
    end
    echo $kind[1]
end

function __anubis_words
    set -l kind (__anubis_kind)
    switch "$kind"
        case NAME
            anubis peers 2>/dev/null | sed '1d; s/ .*//'
        case ACTION
            printf '%s\n' show apply remove
        case WHEN
            printf '%s\n' auto always never
        case ''
            if not __anubis_command | string length -q
                __anubis_commands
            end
    end
    if string match -q -- '-*' (commandline -ct)
        __anubis_options
    end
end

function __anubis_wants_file
    contains -- (__anubis_kind) FILE PATH DIR
end

complete -c anubis -f -k -a '(__anubis_words)'
# fish's own, which knows of blanks, quotes and ~.
complete -c anubis -F -n __anubis_wants_file
