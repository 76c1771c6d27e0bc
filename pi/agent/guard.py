"""Notices a model that repeats a failing call. Pure.

"The same" is the same tool, byte-identical arguments and an identical error. Any other
result in between, good or bad, starts the count anew.
"""

from __future__ import annotations

from pi.agent.results import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.agent.tool import ToolResult
    from pi.ai.types import ToolCall

HINT_AT = 3
STOP_AT = 6
HINT = (
    "This is the third time in a row that the same call failed in the same way. Do not repeat "
    "it: change the arguments, find the cause another way, or tell the user what is in the way."
)


class LoopGuard:
    def __init__(self) -> None:
        self._last: tuple[str, str, str] | None = None
        self._times = 0

    def saw(self, call: ToolCall, result: ToolResult) -> int:
        """How many times in a row this failure came, this time included; 0 for a success."""
        if not result.is_error:
            self._last, self._times = None, 0
            return 0
        arguments = call.raw_arguments
        if arguments is None:
            arguments = json_text(call.arguments)
        this = (call.name, arguments, result.text)
        self._times = self._times + 1 if this == self._last else 1
        self._last = this
        return self._times
