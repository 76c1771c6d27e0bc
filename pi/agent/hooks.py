"""What may look at a tool call before it runs and at its result before anybody sees it."""

from __future__ import annotations

from pi.agent.results import failed, redacted
from pi.base.errors import PiError
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pi.agent.tool import ToolResult
    from pi.ai.types import ToolCall


class Hooks(NamedTuple):
    """Each is called in order, in the thread of the run, and may take its time.

    before: gets a call and its arguments in shape; a text is the reason not to run it
    after:  gets a call and its result; a result takes its place
    redact: hides what nobody may see, in the texts, values and names of every result and
            in updates; the last to see them
    broke:  gets what a tool raised, in the thread of the tool, for a log of its own: the
            model reads only the kind and the words of it

    One that raises makes the call's result an error: what was not checked is not run, and
    what was not redacted is not shown.
    """

    before: Sequence[Callable[[ToolCall, Mapping[str, Any]], str | None]] = ()
    after: Sequence[Callable[[ToolCall, ToolResult], ToolResult | None]] = ()
    redact: Callable[[str], str] | None = None
    broke: Callable[[Exception], None] | None = None

    def refusal(self, call: ToolCall, arguments: Mapping[str, Any]) -> ToolResult | None:
        """The result of a call that must not run, or None."""
        try:
            for hook in self.before:
                reason = hook(call, arguments)
                if reason is not None:
                    return failed(reason or "blocked")
        except Exception as exc:  # the border to hooks
            return failed(f"blocked: a check failed: {words(exc)}")
        return None

    def reviewed(self, call: ToolCall, result: ToolResult) -> ToolResult:
        """The result after all ``after`` hooks."""
        try:
            for hook in self.after:
                result = hook(call, result) or result
        except Exception as exc:  # the border to hooks
            return failed(f"the result is withheld: a check failed: {words(exc)}")
        return result

    def hidden(self, result: ToolResult) -> ToolResult:
        """The result as it may be seen."""
        if self.redact is None:
            return result
        try:
            return redacted(result, self.redact)
        except Exception as exc:  # the border to hooks; the words of ``exc`` may hold the secret
            return failed(f"the result is withheld: hiding secrets failed ({type(exc).__name__})")

    def tell(self, exc: Exception) -> None:
        """Hand on what a tool raised."""
        try:
            if self.broke is not None:
                self.broke(exc)
        except Exception:  # the border to hooks; the result says what it can
            pass

    def hidden_text(self, text: str) -> str:
        """An update as it may be seen."""
        if self.redact is None:
            return text
        try:
            return self.redact(text)
        except Exception:  # the border to hooks; the result will say it
            return ""


def words(exc: Exception) -> str:
    """An exception of foreign code in a few words."""
    return exc.message if isinstance(exc, PiError) else f"{type(exc).__name__}: {exc}"
