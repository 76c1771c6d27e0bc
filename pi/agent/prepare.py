"""A tool call looked at before it runs: is there such a tool, do its arguments fit."""

from __future__ import annotations

import os

from pi.agent.arguments import lenient
from pi.agent.results import failed, json_text
from pi.agent.schema import first_error
from pi.agent.schema_check import describe, schema_error
from pi.agent.tool import Effect
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.agent.tool import Tool, ToolResult
    from pi.ai.types import ToolCall

CUT_CALL = (
    "Not run: the output limit cut this call, its arguments are incomplete. "
    "Split the work into smaller calls."
)
BAD_ARGUMENTS = "Not run: the arguments are not a JSON object."
SHOWN_ARGUMENTS = 200
# What a call touches whose tool cannot say it: everything.
ANYTHING = Effect(writes=(os.sep,), runs=True)


class Prepared(NamedTuple):
    """A call as it will be run, or with the result that says why it will not.

    ``note`` is what the model should learn about the way it called.
    """

    call: ToolCall
    arguments: Mapping[str, Any]
    effect: Effect
    note: str = ""
    refusal: ToolResult | None = None


def prepare(call: ToolCall, tools: Mapping[str, Tool], cwd: str, *, is_cut: bool) -> Prepared:
    """Check a call. ``is_cut`` says that the answer it is part of broke off at a limit."""
    tool = tools.get(call.name)
    if tool is None:
        known = ", ".join(tools) or "none"
        return _refused(
            call, f"Tool '{_short(call.name)}' is not registered", f"Registered tools: {known}."
        )
    schema = tool.definition.parameters
    complaint = schema_error(schema)
    if complaint:
        return _refused(call, f"invalid JSON schema for '{call.name}': {complaint}")
    expected = describe(schema)
    if call.raw_arguments is not None:
        why = CUT_CALL if is_cut else BAD_ARGUMENTS
        return _refused(call, why, f"Expected: {expected}. Received: {_received(call)}")
    arguments, dropped = lenient(call.arguments, schema)
    complaint = first_error(arguments, schema)
    if complaint:
        return _refused(
            call,
            f"invalid arguments for '{call.name}': {complaint}",
            f"Expected: {expected}. Received: {_received(call)}",
        )
    note = ""
    if dropped:
        names = _short(", ".join(f"'{name}'" for name in dropped))
        note = f"ignored: '{call.name}' does not take {names}; expected: {expected}"
    return Prepared(call, arguments, _effect(tool, arguments, cwd), note)


def _effect(tool: Tool, arguments: Mapping[str, Any], cwd: str) -> Effect:
    try:
        return tool.effect(arguments, cwd)
    except Exception:  # the border to tools; what is wrong shows when it runs
        return ANYTHING


def _refused(call: ToolCall, message: str, more: str = "") -> Prepared:
    return Prepared(call, {}, Effect(), refusal=failed(message, more))


def _received(call: ToolCall) -> str:
    text = call.raw_arguments
    if text is None:
        text = json_text(call.arguments)
    return _short(text)


def _short(text: str) -> str:
    """What a model sent, for showing it what it sent: not all of it a second time."""
    return text if len(text) <= SHOWN_ARGUMENTS else text[:SHOWN_ARGUMENTS] + "..."
