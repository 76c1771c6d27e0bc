"""What a model stream says while it runs. Exactly one ``ReplyDone``, last."""

from __future__ import annotations

from pi.ai.types import Reply
from pi.base.typing import NamedTuple, Union


class TextDelta(NamedTuple):
    """Text as it arrives; several wire deltas of one socket read may come as one."""

    text: str


class ThinkingDelta(NamedTuple):
    """Reasoning as it arrives, for showing; never part of the answer."""

    text: str


class CallDelta(NamedTuple):
    """A piece of a tool call. ``position`` counts calls from 0; ``id``, ``name`` may be ""."""

    position: int
    id: str
    name: str
    json_piece: str


class Retrying(NamedTuple):
    """A request failed before anything arrived and is sent again after ``delay_ms``."""

    attempt: int
    delay_ms: int
    why: str


class ReplyFailed(NamedTuple):
    """An answer whose beginning was yielded broke off; the answer of another model follows.

    ``reply`` is what had arrived, with its error. It is not the end of the stream.
    """

    reply: Reply


class Fallback(NamedTuple):
    """Another model is asked instead. The fields are those of the JSON event.

    ``status`` is None for a failure without one; ``fallback_index`` counts from 1, the
    first model of the fallback list.
    """

    from_model: str
    to_model: str
    error_kind: str
    status: int | None
    fallback_index: int


class Warned(NamedTuple):
    """Something the user should know that does not stop the run."""

    text: str


class ReplyDone(NamedTuple):
    reply: Reply


StreamEvent = Union[
    TextDelta, ThinkingDelta, CallDelta, Retrying, ReplyFailed, Fallback, Warned, ReplyDone
]
