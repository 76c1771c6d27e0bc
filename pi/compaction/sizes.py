"""How full the window is, when it is time to make room, and how much. Pure."""

from __future__ import annotations

from pi.ai.cost import estimate_message
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.ai.types import Message

UNKNOWN_WINDOW = 128_000
MIN_OUTPUT = 128
MIN_INPUT = 256
INSTRUCTIONS = 400  # about what a request for a summary holds beside the transcript


class CompactionSettings(NamedTuple):
    """``reserve_tokens`` of the window are kept free for the answer; about
    ``keep_recent_tokens`` of the newest messages stay as they are. ``fallback`` is "prune"
    to shorten old tool results when no summary can be had, else "none"."""

    enabled: bool = True
    reserve_tokens: int = 16_384
    keep_recent_tokens: int = 20_000
    fallback: str = "none"


class Plan(NamedTuple):
    """The settings as far as a window has room for them.

    ``limit`` is how full it may be, ``keep`` how much of the newest messages stays,
    ``output`` how long a summary may be, ``input`` how much text a request for one may hold.
    """

    limit: int
    keep: int
    output: int
    input: int


def plan(window: int, settings: CompactionSettings, overhead: int = 0) -> Plan:
    """Half of a small window is for the answer, and half of the rest for what stays.

    ``overhead`` is what every request holds beside the messages.
    """
    reserve = min(settings.reserve_tokens, window // 2)
    limit = window - reserve
    keep = min(settings.keep_recent_tokens, (limit - overhead) // 2)
    output = max(MIN_OUTPUT, min(reserve * 4 // 5, window // 8))
    # An earlier summary may be as long as the one that is asked for; estimates may be short.
    text = (window - 2 * output - INSTRUCTIONS) * 9 // 10
    return Plan(limit, max(1, keep), output, max(MIN_INPUT, text))


def context_tokens(messages: Sequence[Message], used: int, after: int) -> int:
    """How full the window is: ``used`` tokens of the last good answer (its prompt and the
    answer itself), and estimates for the messages from index ``after`` on, that came since."""
    return used + sum(estimate_message(message) for message in messages[after:])


def is_due(tokens: int, window: int, settings: CompactionSettings) -> bool:
    """Whether the conversation is too close to the end of the window."""
    return settings.enabled and tokens > plan(window, settings).limit
