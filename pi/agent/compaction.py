"""What making room in the window is to the loop: asked before each request, and again when
a model says that the conversation is too long for it."""

from __future__ import annotations

from pi.ai.events import Fallback, Retrying, Warned
from pi.ai.types import Usage
from pi.base.typing import NamedTuple, Protocol, Union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pi.ai.types import ChatRequest, Message
    from pi.base.cancel import Cancel
    from pi.base.errors import PiError

THRESHOLD = "threshold"
OVERFLOW = "overflow"
MANUAL = "manual"

Progress = Union[Retrying, Fallback, Warned]  # of the requests for a summary


class Summarised(NamedTuple):
    """An older part of the conversation became a summary; the last ``kept`` messages stay.

    The tokens are those of the next request, before and after, partly by estimate.
    """

    summary: str
    kept: int
    tokens_before: int
    tokens_after: int
    read: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()


class Room(NamedTuple):
    """What came of it. ``messages`` is the conversation from now on, None if it stays as it
    is; ``summarised`` is None if only old tool results were shortened, all but those among
    the last ``whole`` messages. ``error`` says why there is no summary; ``usage`` is what
    asking for one took."""

    messages: tuple[Message, ...] | None = None
    summarised: Summarised | None = None
    whole: int | None = None
    error: PiError | None = None
    usage: Usage = Usage()


class Compaction(Protocol):
    @property
    def is_automatic(self) -> bool:
        """Whether room may be made without being asked for."""

    def measured(self, messages: Sequence[Message], usage: Usage) -> None:
        """A request was answered well: ``usage`` is how large all ``messages`` are, the
        answer being the last one."""

    def is_due(self, chat: ChatRequest) -> bool:
        """Whether room must, and can, be made before this request."""

    def make_room(
        self, chat: ChatRequest, reason: str, cancel: Cancel, focus: str = ""
    ) -> Generator[Progress, None, Room]:
        """Make room. Yields what happens to its own requests; never raises for a failure."""
