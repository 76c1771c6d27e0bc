"""Shell text to the commands it holds, as ``bash -c`` would read it; see docs/shell-grammar.md.

Nothing is run and nothing outside of the text is looked at. What is not understood, or read
differently by different shells, is refused.
"""

from __future__ import annotations

from pi.tools.shell.quick import quick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.tools.shell.syntax import Script


def parse(text: str) -> Script:
    """All commands in ``text``, in the order in which they stand.

    Raises ShellSyntaxError, and nothing else, for text that bash would not run or that is
    not understood here. Takes time linear in the length of the text.
    """
    script = quick(text)
    if script is not None:
        return script
    # Most commands do not need it, and it costs as much as all else together.
    from pi.tools.shell.grammar import parse_all

    return parse_all(text)
