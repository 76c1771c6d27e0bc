"""Tool results on their way to the model, to events and to the record. Pure."""

from __future__ import annotations

import json

from pi.agent.tool import ToolResult
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = ("text", "json")
MAX_DEPTH = 64


def failed(message: str, more: str = "") -> ToolResult:
    """An error result in the form tools give."""
    return ToolResult(f"error: {message}" + (f"\n{more}" if more else ""), {"error": message}, True)


def not_run(why: str) -> ToolResult:
    """The result of a call that was never begun."""
    return ToolResult(why, {"error": why}, True)


def with_note(result: ToolResult, note: str) -> ToolResult:
    """``result`` with a line for the model, also in its data where that is an object."""
    content = result.content
    if isinstance(content, dict):
        content = {**content, "note": note}
    text = result.text + ("" if result.text.endswith("\n") else "\n") + f"[{note}]"
    return result._replace(text=text, content=content)


def in_format(result: ToolResult, form: str) -> ToolResult:
    """``result`` with the text that the model reads in the wanted form.

    "text" is what the tool wrote; "json" is its data: a string as it is, anything else
    indented by 2 with sorted keys and letters unescaped.
    """
    if form == "text":
        return result
    content = result.content
    if not isinstance(content, str):
        content = json_text(content, indent=2, sort_keys=True)
    return result._replace(text=content)


def json_text(value: Any, **form: Any) -> str:
    """``value`` as JSON, letters unescaped; a word in its place if it cannot be written."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str, **form)
    except (TypeError, ValueError, RecursionError):  # mixed names, circles, depth
        return '"(data that cannot be written as JSON)"'


def redacted(result: ToolResult, hide: Callable[[str], str]) -> ToolResult:
    """``result`` with ``hide`` applied to every string in it, names of fields too."""
    return result._replace(text=hide(result.text), content=_hidden(result.content, hide, 0))


def _hidden(value: Any, hide: Callable[[str], str], depth: int) -> Any:
    if isinstance(value, str):
        return hide(value)
    if depth > MAX_DEPTH and isinstance(value, (dict, list, tuple)):
        return "[nested too deeply to be shown]"
    if isinstance(value, dict):
        return {
            _hidden(name, hide, depth + 1): _hidden(item, hide, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_hidden(item, hide, depth + 1) for item in value]
    return value
