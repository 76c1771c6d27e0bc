"""Hides secrets in texts that come in pieces: one may begin in a piece and end in the next.

What may be the beginning of a secret waits for what follows it, everything else goes on at
once. Invariant (it has a property test): however a text is cut, the pieces that come out
are together the text with its secrets blanked out.
"""

from __future__ import annotations

from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.base.text import redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from pi.agent.events import AgentEvent

# The field of each kind of piece that holds its text.
FIELDS: dict[type, str] = {TextDelta: "text", ThinkingDelta: "text", CallDelta: "json_piece"}


class PieceHider:
    """Fed pieces of one text. ``secrets`` are none of them empty, the longest first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets
        self._held = ""

    def feed(self, piece: str) -> str:
        """What may be shown now."""
        text = self._held + piece
        at = self._safe_length(text)
        self._held = text[at:]
        return redact(text[:at], self._secrets)

    def finish(self) -> str:
        """The end of the text: what was held back."""
        held, self._held = self._held, ""
        return redact(held, self._secrets)

    def _safe_length(self, text: str) -> int:
        """Where the part begins that may be the beginning of a secret, or that hangs on it."""
        end = len(text)
        for secret in self._secrets:
            at = text.find(secret[0], max(0, len(text) - len(secret) + 1))
            while -1 < at < end:
                if secret.startswith(text[at:]):
                    end = at
                at = text.find(secret[0], at + 1)
        before = -1
        while before != end:  # nothing may be cut that is a secret as a whole
            before = end
            for secret in self._secrets:
                at = text.find(secret, max(0, end - len(secret) + 1))
                if -1 < at < end:
                    end = at
        return end


def hiding_pieces(
    sink: Callable[[AgentEvent], None], secrets: Sequence[str]
) -> Callable[[AgentEvent], None]:
    """``sink`` with secrets hidden in the pieces of answers that it gets."""
    if not secrets:
        return sink
    hider = PieceHider(secrets)
    held: list[Any] = []  # the last piece of the text that goes on

    def flush() -> None:
        if held:
            last = held.pop()
            rest = hider.finish()
            if rest:
                sink(_with_text(last, rest))

    def hiding(event: AgentEvent) -> None:
        field = FIELDS.get(type(event))
        if field is None:
            flush()
            sink(event)
            return
        if held and _text_of(held[0]) != _text_of(event):
            flush()
        held[:] = [event]
        piece = getattr(event, field)
        shown = hider.feed(piece)
        if shown or not piece:
            sink(event._replace(**{field: shown}))  # type: ignore[arg-type]

    return hiding


def _text_of(event: Any) -> tuple[type, int]:
    """Pieces with the same one belong to the same text."""
    return type(event), getattr(event, "position", 0)


def _with_text(event: Any, text: str) -> Any:
    """Another piece of the same text."""
    return event._replace(**{FIELDS[type(event)]: text})
