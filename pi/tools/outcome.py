"""How a tool says that it failed, and how it looks at its arguments."""

from __future__ import annotations

from types import MappingProxyType

from pi.agent.tool import ToolResult
from pi.base.text import well_formed
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class ToolFailure(Exception):
    """A call that was refused or did not work; ``run`` turns it into an error result.

    ``rule`` names the policy rule that refused, if one did; ``fields`` are further fields
    of the error result.
    """

    def __init__(
        self, error: str, rule: str = "", fields: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        super().__init__(error)
        self.error = error
        self.rule = rule
        self.fields = fields


class Missing(ToolFailure):
    """Nothing is at the path; no rule refused it."""


def failed(error: str, fields: Mapping[str, Any]) -> ToolResult:
    """The error result with ``fields`` (what was asked for) beside the error.

    File names may hold bytes that are no text, and a model's strings half characters:
    neither could be written to a session or sent.
    """
    content = {**fields, "error": error}
    for name, value in content.items():
        if isinstance(value, str):
            content[name] = well_formed(value)
    return ToolResult(f"error: {content['error']}", content, is_error=True)


def failure_of(exc: ToolFailure | OSError, asked: Mapping[str, Any]) -> ToolResult:
    """The error result of a call that asked for ``asked``; ``policy_rule`` names the rule
    that refused it, so that the audit log can tell a refusal from a failure."""
    if isinstance(exc, OSError):
        return failed(os_text(exc), asked)
    rule = {"policy_rule": exc.rule} if exc.rule else {}
    return failed(exc.error, {**asked, **exc.fields, **rule})


def os_text(exc: OSError) -> str:
    """The system's own words, without our file names in it."""
    return exc.strerror or str(exc)


def text_argument(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise ToolFailure(f"missing required string argument '{name}'")
    return value


def count_argument(arguments: Mapping[str, Any], name: str) -> int | None:
    """A whole number from 1 up, or None if it was not given."""
    value = arguments.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 1:
        raise ToolFailure(f"'{name}' must be a whole number from 1 up")
    try:
        return int(value)
    except OverflowError:
        raise ToolFailure(f"'{name}' must be a whole number from 1 up") from None
