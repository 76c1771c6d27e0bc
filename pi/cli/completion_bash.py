"""The completion script for bash, 3.2 and newer; the add-on "bash-completion" is not needed.

bash hands the function words that are split at the signs of ``COMP_WORDBREAKS``, so that
``--model=a/b:c`` is five of them, and what the function offers takes the place of the last
one only. Nothing that comes from a file name is ever expanded or run: candidates are
compared and put in an array, never given to ``compgen -W``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pi.cli.completion import Completed

SCRIPT = r"""# bash completion for pi. Load it with:
#   eval "$(pi --completion bash)"                        (in ~/.bashrc), or once:
#   pi --completion bash > ~/.local/share/bash-completion/completions/pi
# It knows the flags of the pi that made it: make it again after an update.

_pi_models=(
@MODELS@
)
_pi_tools=(@TOOLS@)

_pi_values() { # _pi_values FLAG: what its value may be, in $source and $words
    case $1 in
@CASES@
        *) return 1 ;;
    esac
}

_pi_offer() { # offer what begins with the value typed so far
    local word before_it='' typed=$value
    if [[ $items ]]; then # only the last of a list
        typed=${value##*,}
        before_it=${value%"$typed"}
    fi
    for word in "$@"; do
        [[ $word == "$typed"* ]] || continue
        word=$before_it$word
        COMPREPLY+=("$before${word#"$cut"}")
    done
}

_pi_sessions() { # the names of this folder's sessions, as they must be written
    local path name i
    for path in .pi/sessions/*.jsonl; do
        name=${path##*/}
        name=${name%.jsonl}
        case $name in
            *[[:cntrl:]]* | *.quarantine | *.rescue-* | '*') continue ;;
            *[\'\"\\\$\`\!]*) [[ -z $quote ]] || continue ;; # not inside quotes
        esac
        [[ -f $path ]] && _pi_offer "$name"
    done
    [[ -z $quote ]] || return 0
    for i in ${COMPREPLY[@]+"${!COMPREPLY[@]}"}; do
        COMPREPLY[i]=$(printf %q "${COMPREPLY[i]}")
    done
}

_pi() {
    local cur='' prev='' flag='' value='' before='' cut='' source='' items='' joined='' quote=''
    local i word glue=''
    local -a words=()
    COMPREPLY=()
    for ((i = 1; i <= COMP_CWORD; i++)); do # put together what was cut apart
        word=${COMP_WORDS[i]-}
        if [[ $i -gt 1 && $word == [=:]* || $glue && $word != -* ]]; then
            cur=$cur$word
        else
            prev=$cur cur=$word
        fi
        glue=''
        case $word in
            *[!=:]* | '') ;;
            *) glue=1 ;;
        esac
        [[ $cur != -- || $i -eq COMP_CWORD ]] || return 0 # only words of a prompt follow
    done
    case $cur in
        --*=*) flag=${cur%%=*} value=${cur#*=} joined=1 ;;
        *) flag=$prev value=$cur ;;
    esac
    case $value in
        [\"\']*) quote=1 value=${value#?} ;;
        *) value=${value//\\/} ;;
    esac
    if _pi_values "$flag" && [[ $joined || $source != joined ]]; then
        [[ $joined && $COMP_WORDBREAKS != *=* ]] && before=$flag=
        [[ $value == *:* && $COMP_WORDBREAKS == *:* ]] && cut=${value%"${value##*:}"}
        case $source in
            files) return 0 ;; # bash itself knows best, and does it where nothing is offered
            folders) compopt -o dirnames +o default +o bashdefault 2>/dev/null; return 0 ;;
            sessions)
                _pi_sessions
                [[ ${#COMPREPLY[@]} -gt 0 ]] || return 0 ;; # then it is a file
            *) _pi_offer ${words[@]+"${words[@]}"} ;;
        esac
        [[ -z $items ]] || compopt -o nospace 2>/dev/null
        compopt +o default +o bashdefault 2>/dev/null
        return 0
    fi
    [[ $cur == -* && -z $joined ]] || return 0
    value=$cur
    _pi_offer \
@FLAGS@
    compopt +o default +o bashdefault 2>/dev/null
    return 0
}

_pi_python() { # python3 pi.pyz ...: the same, one word further on
    local i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            -*) ;;
            pi.pyz | */pi.pyz)
                COMP_WORDS=("${COMP_WORDS[@]:i}")
                COMP_CWORD=$((COMP_CWORD - i))
                _pi
                return 0 ;;
            *) return 0 ;;
        esac
    done
}

complete -o bashdefault -o default -F _pi pi pi.pyz
# Where somebody completes python already, or will when it is first used, that is left alone.
if ! complete -p -D >/dev/null 2>&1; then
    for _pi_word in python3 python; do
        complete -p "$_pi_word" >/dev/null 2>&1 ||
            complete -o bashdefault -o default -F _pi_python "$_pi_word"
    done
    unset _pi_word
fi
"""


def script(flags: Sequence[Completed], models: Sequence[str], tools: Sequence[str]) -> str:
    """The script for these flags."""
    names = [name for flag in flags for name in (flag.name, flag.short) if name]
    parts = {
        "@MODELS@": _lines(map(quoted, models), "    "),
        "@TOOLS@": " ".join(map(quoted, tools)),
        "@CASES@": "\n".join(_cases(flags)),
        "@FLAGS@": _lines(map(quoted, names), "        ", " \\"),
    }
    text = SCRIPT
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text


def _cases(flags: Sequence[Completed]) -> list[str]:
    """The branches of ``case``: flags whose values are of one kind share one."""
    alike: dict[str, list[str]] = {}
    for flag in flags:
        if flag.takes != "nothing":
            alike.setdefault(_sets(flag), []).extend(filter(None, (flag.name, flag.short)))
    found = []
    for sets, names in alike.items():
        patterns = [*(f"{name} |" for name in names[:-1]), names[-1]]
        found.append(_lines(patterns, "        ", " \\") + f") {sets} ;;")
    return found


def _sets(flag: Completed) -> str:
    source = "joined" if flag.takes == "joined" else flag.source or "nothing"
    sets = f"source={source}" + (" items=1" if flag.is_list else "")
    words = {"models": '"${_pi_models[@]}"', "tools": '"${_pi_tools[@]}"'}.get(
        flag.source, " ".join(map(quoted, flag.words))
    )
    return f"{sets} words=({words})" if words else sets


def quoted(text: str) -> str:
    """``text`` as one word of the shell."""
    plain = text.replace("-", "").replace("/", "").replace(".", "").replace("_", "")
    return text if plain.isascii() and plain.isalnum() else "'" + text.replace("'", "'\\''") + "'"


def _lines(words: Iterable[str], indent: str, end: str = "") -> str:
    """The words on lines that fit a page, indented; ``end`` is what ends all but the last."""
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) < 88:
            lines[-1] += f" {word}"
        else:
            lines.append(indent + word)
    return f"{end}\n".join(lines)
