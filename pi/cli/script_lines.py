"""What a command file prints: plain lines, or JSON lines that end with the summary."""

from __future__ import annotations

from pi.base.errors import as_pi_error
from pi.cli.outlet import Outlet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from pi.base.host import Host
    from pi.cli.parse import Parsed
    from pi.commands.script import ScriptLine


class ScriptLines:
    """A context that prints with ``say``. In JSON the last line is the summary; where the
    file could not be run to its end, it says why instead of how much was done."""

    def __init__(self, parsed: Parsed, host: Host, say: Callable[[str], None]) -> None:
        asked = bool(parsed.values["--command-file-json"])
        self.as_json = asked or not Outlet.of(parsed, host).is_text
        self.say = say
        self.is_ended = False

    def __enter__(self) -> ScriptLines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if exc is None or self.is_ended or not self.as_json or isinstance(exc, OSError):
            return  # an OSError that comes this far is of stdout itself
        from pi.commands.script import summary_line

        self.is_ended = True
        self.say(summary_line(None, as_pi_error(exc)))

    def problems(self, path: str, total: int, found: Sequence[tuple[ScriptLine, str]]) -> None:
        """What a check of the file has found."""
        if not self.as_json:
            for line, why in found:
                self.say(f"command file error: path={path} line={line.number} error={why}")
            self.say(f"command file check: path={path} total={total} problems={len(found)}")
            return
        from pi.runtime.report import json_line

        rows = [{"line": line.number, "command": line.text, "why": why} for line, why in found]
        checked = {"path": path, "total": total, "problems": rows}
        self.is_ended = True
        self.say(json_line({"type": "command_file_check", **checked}))
