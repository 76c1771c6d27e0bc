"""The whole grammar, for what is not plain enough for ``quick``."""

from __future__ import annotations

from pi.tools.shell.compounds import Compounds
from pi.tools.shell.pattern import pattern
from pi.tools.shell.plain import NOTHING_KNOWN
from pi.tools.shell.syntax import Script, ShellSyntaxError, Simple
from pi.tools.shell.tape import Found

# Carriage return is an ordinary character to bash. A lone surrogate has no bytes.
_UNREADABLE = pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.tools.shell.plain import Known


def _offset(command: Simple) -> int:
    return command.offset


def parse_all(text: str, known: Known = NOTHING_KNOWN) -> Script:
    """All commands in ``text``, in the order in which they stand; see ``reader.parse``."""
    unreadable = None if text.isprintable() else _UNREADABLE.search(text)
    if unreadable:
        raise ShellSyntaxError("a control character", unreadable.start())
    found = Found(known)
    reader = Compounds(text, found)
    try:
        reader.whole()
    except RecursionError:
        # Only where the caller stands deep in calls of its own.
        raise ShellSyntaxError("nested too deep", reader.pos) from None
    # A command is complete, and noted, only after the substitutions inside of it.
    found.commands.sort(key=_offset)
    return Script(
        tuple(found.commands),
        tuple(found.functions),
        tuple(found.redirects),
        tuple(found.words),
    )
