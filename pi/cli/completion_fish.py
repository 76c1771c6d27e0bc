"""The completion script for fish: one ``complete`` line for each flag.

Both names are on each line, since what wraps a command is not found for ``./pi.pyz``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.cli.completion import Completed

SCRIPT = r"""# fish completion for pi. Load it with:
#   pi --completion fish | source                (in ~/.config/fish/config.fish), or once:
#   pi --completion fish > ~/.config/fish/completions/pi.fish
# It knows the flags of the pi that made it: make it again after an update.

function __fish_pi_models
    printf '%s\n' \
@MODELS@
end

function __fish_pi_tools
    printf '%s\n' @TOOLS@
end

function __fish_pi_sessions
    for path in .pi/sessions/*.jsonl
        set -l name (string replace -r '^.*/(.*)\.jsonl$' '$1' -- $path)
        test -f $path; or continue
        string match -rq '\.quarantine$|\.rescue-' -- $name; and continue
        printf '%s\tsession\n' $name
    end
end

function __fish_pi_under_python
    set -l words (commandline -opc)
    test (count $words) -ge 2; and string match -rq '(^|/)pi\.pyz$' -- $words[2]
end

@COMPLETE@

for python in python3 python
    complete -c $python -n __fish_pi_under_python -a '(__fish_complete_subcommand --fcs-skip=1)'
end
"""
# The options of ``complete`` for each source: -x is a value and no file, -r a value or file.
VALUES = {
    "": "-x",
    "files": "-r -F",
    "folders": "-x -a '(__fish_complete_directories)'",
    "models": "-x -a '(__fish_pi_models)'",
    "tools": "-x -a '(__fish_pi_tools)'",
    "sessions": "-r -F -a '(__fish_pi_sessions)'",
}
LISTS = {
    **VALUES,
    "models": "-x -a '(__fish_complete_list , __fish_pi_models)'",
    "tools": "-x -a '(__fish_complete_list , __fish_pi_tools)'",
}


def script(flags: Sequence[Completed], models: Sequence[str], tools: Sequence[str]) -> str:
    """The script for these flags."""
    parts = {
        "@MODELS@": " \\\n".join(f"        {_single(model)}" for model in models),
        "@TOOLS@": " ".join(map(_single, tools)),
        "@COMPLETE@": "\n".join(_line(flag) for flag in flags),
    }
    text = SCRIPT
    for mark, part in parts.items():
        text = text.replace(mark, part)
    return text


def _line(flag: Completed) -> str:
    words = ["complete -c pi -c pi.pyz", f"-l {flag.name[2:]}"]
    if flag.short:
        words.append(f"-s {flag.short[1:]}")
    if flag.source == "words":
        listed = f"-a {_single(' '.join(flag.words))}"
        words.append(f"-x {listed}" if flag.takes == "value" else f"-f {listed}")
    elif flag.takes == "value":
        words.append((LISTS if flag.is_list else VALUES)[flag.source])
    words.append(f"-d {_single(flag.help)}")
    return " ".join(words)


def _single(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
