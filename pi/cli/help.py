"""The help texts, made from the flag table. They show variable names, never their values."""

from __future__ import annotations

from pi.base.columns import given_columns, row, terminal_columns, wrapped
from pi.cli.flags import FLAGS, GROUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TextIO

    from pi.base.host import Host
    from pi.cli.conversation import Conversation
    from pi.cli.flag import Flag
    from pi.cli.parse import Parsed

USAGE = """\
pi: a coding agent in one file

usage: pi [flags] [prompt words]
       pi -p "Summarize README.md"
       git diff | pi -p "Review this change"
       pi --model demo/tour -p "Read README.md"      (scripted, needs no key)
       pi --help WORD                                (only flags about that)
"""
EXIT_CODES = (
    "Exit codes: 0 done, 1 failed, 2 bad command line or configuration, 3 no or refused "
    "credential, 4 provider not reached, 5 provider failed, 6 cap reached, 7 verification "
    "failed, 8 refused by policy, 9 answer refused or cut, 70 a bug in pi, 124 time limit, "
    "130 interrupted."
)
COLUMN = 34
NO_TERMINAL = 80
WIDEST = 110  # longer lines are hard to read


def show_help(parsed: Parsed, host: Host) -> int:
    """``--help [WORD...] [--json]``. Returns the exit code. Words that no flag speaks of
    may be a prompt that ``--help`` was added to: then all of it is shown."""
    words = " ".join(parsed.words).strip()
    found = about(words)
    if not found:
        print(f"[no flag is about {words!r}; this is all]", file=host.stderr)
        words, found = "", FLAGS
    if parsed.values["--json"]:
        from pi.commands.result import Result, render_json  # JSON costs 5 ms

        print(render_json("help", Result((), {"flags": as_data(found)})), file=host.stdout)
    else:
        width = help_width(host.stdout, host.environ)
        text = listing(found, width) if words else help_text(width)
        print(text, file=host.stdout, end="")
    return 0


def columns_for_commands(conversation: Conversation) -> Callable[[], int]:
    """What ``/help`` asks: the terminal's width now, 0 where the output is no terminal."""
    host = conversation.host
    return lambda: terminal_columns(host.stdout, host.environ)


def help_width(stream: TextIO | None, environ: Mapping[str, str]) -> int:
    """How wide to print."""
    width = given_columns(environ) or terminal_columns(stream, environ) or NO_TERMINAL
    return min(width, WIDEST)


def help_text(width: int = NO_TERMINAL) -> str:
    """The whole help page."""
    usage = [line for each in USAGE.split("\n") for line in _narrowed(each, width)]
    ends = "\n".join(wrapped(EXIT_CODES, width))
    return "\n".join(usage) + "\n" + listing(FLAGS, width) + "\n" + ends + "\n"


def about(words: str) -> tuple[Flag, ...]:
    """The flags of the group of that name, else those that speak of it; all for ""."""
    wanted = words.lower()
    group = next((group for group in GROUPS if group.lower() == wanted), "")
    if group:
        return tuple(flag for flag in FLAGS if flag.group == group)
    return tuple(
        flag
        for flag in FLAGS
        if wanted in f"{flag.name}\n{flag.short}\n{flag.help}\n{flag.variable}".lower()
    )


def listing(flags: Sequence[Flag], width: int) -> str:
    """The rows of some flags, by group."""
    parts = []
    for group in GROUPS:
        rows = [line for flag in flags if flag.group == group for line in _rows(flag, width)]
        if rows:
            parts.append("\n".join([f"{group}:", *rows]) + "\n")
    return "\n".join(parts)


def as_data(flags: Sequence[Flag]) -> list[dict[str, Any]]:
    """The rows as JSON data."""
    return [
        {
            "name": flag.name,
            "short": flag.short or None,
            "group": flag.group,
            "kind": flag.kind,
            "help": flag.help,
            "default": list(flag.default) if isinstance(flag.default, tuple) else flag.default,
            "variable": flag.variable or None,
            "metavar": flag.metavar or None,
            "choices": list(flag.choices),
            "minimum": flag.minimum,
            "needs": list(flag.needs),
            "clashes": list(flag.clashes),
        }
        for flag in flags
    ]


def notes(flag: Flag) -> list[str]:
    """Choices, default and variable of a flag, in words."""
    found = []
    if flag.choices and flag.kind == "choice":
        found.append("one of " + ", ".join(flag.choices))
    if flag.default not in (None, False, ()):
        shown = str(flag.default).lower() if flag.kind == "bool" else str(flag.default)
        found.append(f"default {shown}")
    if flag.variable:
        found.append(flag.variable)
    return found


def _rows(flag: Flag, width: int) -> list[str]:
    left = "  " + (f"{flag.short}, " if flag.short else "") + flag.name
    if flag.metavar:
        left += " " + flag.metavar
    more = notes(flag)
    return row(left, flag.help + (f" [{'; '.join(more)}]" if more else ""), COLUMN, width)


def _narrowed(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    first, *rest = wrapped(line, width - 9)
    indent = " " * (len(line) - len(line.lstrip()))
    return [indent + first, *(" " * 9 + part for part in rest)]
