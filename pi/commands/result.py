"""What a command came to: values first; text and JSON are made of them in one place."""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple
from pi.runtime.report import error_data, json_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.base.errors import PiError


class Result(NamedTuple):
    """``text`` are the lines for a person; ``data`` the same as JSON data. ``error`` is set
    when the command failed: its exit code is the command's. ``leave`` asks the loop to end.
    ``legacy`` are top-level keys that scripts of the older program read from ``--json``.

    Each of the lines is shown as one, whatever names of files are in it, unless they are
    ``verbatim``: an answer, a file, a skill's own text.
    """

    text: tuple[str, ...] = ()
    data: Mapping[str, Any] | None = None
    error: PiError | None = None
    leave: bool = False
    legacy: Mapping[str, Any] | None = None
    verbatim: bool = False

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
        envelope["error"] = error_data(result.error)
    return json_line(envelope)
