"""Shell text to the commands it holds, as ``bash -c`` would read it; see docs/shell-grammar.md.

Nothing is run and nothing outside of the text is looked at. What is not understood, or read
differently by different shells, is refused.
"""

from __future__ import annotations

from pi.tools.shell.plain import NOTHING_KNOWN
from pi.tools.shell.quick import quick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.tools.shell.plain import Known
    from pi.tools.shell.syntax import Script


def parse(text: str, known: Known = NOTHING_KNOWN) -> Script:
    """All commands in ``text``, in the order in which they stand.

    ``known`` maps names of commands whose arguments are of no interest to words: where such
    a command is not redirected, its words may be those instead of its own. A name holds no
    "=" and is no reserved word.
    Raises ShellSyntaxError, and nothing else, for text that bash would not run or that is
    not understood here. Takes time linear in the length of the text.
    """
    script = quick(text, known)
    if script is not None:
        return script
    # Most commands do not need it, and it costs as much as all else together.
    from pi.tools.shell.grammar import parse_all

    return parse_all(text, known)
