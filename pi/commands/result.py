"""What a command came to: values first; text and JSON are made of them in one place."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.base.errors import PiError


class Result(NamedTuple):
    """``text`` are the lines for a person; ``data`` the same as JSON data. ``error`` is set
    when the command failed: its exit code is the command's. ``leave`` asks the loop to end.
    ``legacy`` are top-level keys that scripts of the older program read from ``--json``.
    """

    text: tuple[str, ...] = ()
    data: Mapping[str, Any] | None = None
    error: PiError | None = None
    leave: bool = False
    legacy: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


def render_json(command: str, result: Result) -> str:
    """The one line of ``--json``: command, ok, data or error, and the legacy keys."""
    envelope: dict[str, Any] = dict(result.legacy or {})
    envelope.update({"command": command, "ok": result.ok})
    if result.data is not None:
        envelope["data"] = result.data
    if result.error is not None:
        error = result.error
        told = {"code": error.code, "message": error.message, "exit_code": error.exit_code}
        envelope["error"] = {**told, "cause": error.cause, "hint": error.hint}
    line = json.dumps(envelope, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # Half a character can be in a stored text; a line must be UTF-8 all the same.
    return line.encode("utf-8", "replace").decode("utf-8")
