"""What a tool is to the loop."""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.ai.types import Image, ToolDefinition
    from pi.base.cancel import Cancel


class ToolContext(NamedTuple):
    """What the loop gives a tool: where it works, the run's switch, a place for progress.

    ``emit`` takes partial output for whoever watches, not more often than every 100 ms; it
    may be called from any thread, and replaces what was emitted before.
    """

    cwd: str
    cancel: Cancel
    emit: Callable[[str], None]


class ToolResult(NamedTuple):
    """What came of a call.

    ``text`` is what the model reads, ``images`` what it sees; ``content`` is the same as
    JSON data, for events and logs.
    """

    text: str
    content: Any
    is_error: bool = False
    images: tuple[Image, ...] = ()


class Effect(NamedTuple):
    """What a call touches: decides which calls of one answer may run at the same time.

    Paths are resolved; a directory stands for all below it. ``runs`` says that a command is
    started, which may touch anything. A call that names nothing runs beside any other.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    runs: bool = False


class Tool(Protocol):
    @property
    def definition(self) -> ToolDefinition: ...

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """Do it. Never raises for a refused or failed call: that is an error result.

        ``arguments`` are already valid against the definition's schema. Called in a thread
        of its own, beside other calls of the same tool whose effects do not clash.
        """

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        """What a call with these (valid) arguments would touch. Looks, changes nothing."""
