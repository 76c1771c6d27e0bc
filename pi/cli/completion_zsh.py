"""The completion script for zsh: a function for ``compsys``, to be evaluated or autoloaded."""

from __future__ import annotations

from pi.cli.completion_bash import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.cli.completion import Completed

SCRIPT = r"""#compdef pi pi.pyz
# zsh completion for pi. Load it with:
#   eval "$(pi --completion zsh)"                (in ~/.zshrc, after compinit), or once:
#   pi --completion zsh > ~/.zfunc/_pi           (~/.zfunc being in $fpath)
# It knows the flags of the pi that made it: make it again after an update.

_pi_models() {
    local -a words
    words=(
@MODELS@
    )
    compadd "$@" -a words
}

_pi_tools() {
    local -a words
    words=(@TOOLS@)
    compadd "$@" -a words
}

_pi_session_names() {
    local -a names
    names=(.pi/sessions/*.jsonl(N.om:t:r))
    names=(${names:#*.quarantine})
    names=(${names:#*.rescue-*})
    compadd "$@" -a names
}

_pi_sessions() {
    _alternative 'sessions:session:_pi_session_names' 'files:session file:_files'
}

_pi() {
    _arguments -S \
@SPECS@
        '*:prompt:_files'
}

if [[ ${funcstack[1]-} == _pi ]]; then # loaded by name, to be run at once
    _pi "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }
    compdef _pi pi pi.pyz
fi
"""
ACTIONS = {
    "files": "_files",
    "folders": "_files -/",
    "models": "_pi_models",
    "tools": "_pi_tools",
    "sessions": "_pi_sessions",
}


def script(flags: Sequence[Completed], models: Sequence[str], tools: Sequence[str]) -> str:
    """The script for these flags."""
    parts = {
        "@MODELS@": "\n".join(f"        {quoted(model)}" for model in models),
        "@TOOLS@": " ".join(map(quoted, tools)),
        "@SPECS@": "\n".join(f"        {_spec(flag)} \\" for flag in flags),
    }
    text = SCRIPT
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text


def _spec(flag: Completed) -> str:
    """The words of ``_arguments`` for one flag, quoted for the shell."""
    told = f"[{_escaped(flag.help)}]"
    value = ""
    if flag.takes == "value":
        value = f":{_escaped(flag.metavar)}:{_action(flag)}"
    elif flag.takes == "joined":
        value = f"::{_escaped(flag.metavar)}:{_action(flag)}"
    sign = {"value": "=", "joined": "=-"}.get(flag.takes, "")
    if flag.short:
        both = _single(f"({flag.short} {flag.name})")
        return f"{both}{{{flag.short},{flag.name}{sign}}}{_single(told + value)}"
    return _single(("*" if flag.repeats else "") + flag.name + sign + told + value)


def _action(flag: Completed) -> str:
    if flag.source == "words":
        listed = " ".join(_escaped(word) for word in flag.words)
        return f"_sequence -s , compadd - {listed}" if flag.is_list else f"({listed})"
    action = ACTIONS.get(flag.source, " ")  # a blank: a value that nobody can guess
    return f"_sequence -s , {action}" if flag.is_list and flag.source else action


def _escaped(text: str) -> str:
    for sign in "\\[]:":
        text = text.replace(sign, "\\" + sign)
    return text


def _single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
