"""Modes that print one JSON object with ``--json``: it comes also where they fail."""

from __future__ import annotations

from pi.base.errors import as_pi_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from pi.base.errors import PiError
    from pi.base.host import Host
    from pi.cli.parse import Parsed


class JsonAnswer:
    """A context: what leaves it as an exception, before ``is_told``, is printed as the
    answer. ``shape`` makes the object of an error, by default the commands' envelope."""

    def __init__(
        self,
        command: str,
        parsed: Parsed,
        host: Host,
        shape: Callable[[PiError], dict[str, Any]] | None = None,
    ) -> None:
        self.is_told = not parsed.values["--json"]
        self._command = command
        self._stdout = host.stdout
        self._shape = shape

    def __enter__(self) -> JsonAnswer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if exc is None or self.is_told or isinstance(exc, OSError):
            return  # an OSError that comes this far is of stdout itself
        from pi.runtime.report import LineWriter, error_data

        error = as_pi_error(exc)
        envelope = {"command": self._command, "ok": False, "error": error_data(error)}
        LineWriter(self._stdout).write(self._shape(error) if self._shape else envelope)
