"""The help text, made from the flag table. Shows variable names, never their values."""

from __future__ import annotations

from pi.cli.flags import FLAGS, GROUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.cli.flags import Flag

USAGE = """\
pi: a coding agent in one file

usage: pi [flags] [prompt words]
       pi -p "Summarize README.md"
       git diff | pi -p "Review this change"
       pi --model demo/tour -p "Read README.md"      (scripted, needs no key)
"""
EXIT_CODES = """\
Exit codes: 0 done, 1 failed, 2 bad command line or configuration, 3 no or refused
credential, 4 provider not reached, 5 provider failed, 6 cap reached, 7 verification
failed, 8 refused by policy, 9 answer refused or cut, 70 a bug in pi, 124 time limit,
130 interrupted.
"""
COLUMN = 34


def help_text() -> str:
    """The whole help page."""
    parts = [USAGE]
    for group in GROUPS:
        rows = [line for flag in FLAGS if flag.group == group for line in _rows(flag)]
        parts.append("\n".join([f"{group}:", *rows]) + "\n")
    return "\n".join([*parts, EXIT_CODES])


def _rows(flag: Flag) -> list[str]:
    left = "  " + (f"{flag.short}, " if flag.short else "") + flag.name
    if flag.metavar:
        left += " " + flag.metavar
    notes = []
    if flag.choices and flag.kind == "choice":
        notes.append("one of " + ", ".join(flag.choices))
    if flag.default not in (None, False, ()):
        shown = str(flag.default).lower() if flag.kind == "bool" else str(flag.default)
        notes.append(f"default {shown}")
    if flag.variable:
        notes.append(flag.variable)
    text = flag.help + (f" [{'; '.join(notes)}]" if notes else "")
    if len(left) >= COLUMN:
        return [left, " " * COLUMN + text]
    return [left.ljust(COLUMN) + text]
