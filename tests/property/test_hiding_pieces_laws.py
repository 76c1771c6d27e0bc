"""However a text is cut into pieces, its secrets are hidden and the rest is there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.agent.events import AgentEvent, TurnStart
from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.base.text import longest_first, redact
from pi.runtime.hiding_pieces import PieceHider, hiding_pieces
from tests.fakes.examples import few

PIECES = st.lists(st.text("abc", max_size=6), max_size=12)
SECRETS = st.lists(st.text("abc", min_size=2, max_size=6), max_size=4).map(longest_first)


@given(PIECES, SECRETS)
@settings(max_examples=few(500), deadline=None)
def test_the_pieces_are_together_the_redacted_text(
    pieces: list[str], secrets: tuple[str, ...]
) -> None:
    """Law: feed(p1) + ... + feed(pn) + finish() == redact(p1 + ... + pn)."""
    hider = PieceHider(secrets)
    shown = "".join([*map(hider.feed, pieces), hider.finish()])
    assert shown == redact("".join(pieces), secrets)


@given(PIECES)
@settings(max_examples=few(100), deadline=None)
def test_what_cannot_begin_a_secret_is_shown_at_once(pieces: list[str]) -> None:
    """Law: a text that shares no letter with a secret is never held back."""
    hider = PieceHider(("xyz",))
    assert [hider.feed(piece) for piece in pieces] == pieces


EVENTS = st.lists(
    st.one_of(
        st.builds(TextDelta, st.text("ab", max_size=3)),
        st.builds(ThinkingDelta, st.text("ab", max_size=3)),
        st.builds(CallDelta, st.integers(0, 1), st.just(""), st.just(""), st.text("ab")),
        st.builds(TurnStart, st.integers(1, 3)),
    ),
    max_size=12,
)


def texts(events: list[AgentEvent]) -> list[tuple[object, str]]:
    """Each text that goes on without anything else in between, as a whole."""
    found: list[tuple[object, str]] = []
    for event in events:
        key = (type(event), getattr(event, "position", None))
        text = getattr(event, "json_piece", "") or getattr(event, "text", "") or ""
        if found and found[-1][0] == key:
            found[-1] = (key, found[-1][1] + str(text))
        else:
            found.append((key, str(text)))
    return found


@given(EVENTS, st.lists(st.text("ab", min_size=2, max_size=4), min_size=1, max_size=3))
@settings(max_examples=few(300), deadline=None)
def test_events_keep_their_order_and_their_texts(
    events: list[AgentEvent], secrets: list[str]
) -> None:
    """Law: every event that is no piece passes in its place, and between two of them the
    pieces of each text are together its redacted text."""
    known = longest_first(secrets)
    shown: list[AgentEvent] = []
    sink = hiding_pieces(shown.append, known)
    for event in [*events, TurnStart(9)]:
        sink(event)
    wanted = [(key, redact(text, known)) for key, text in texts([*events, TurnStart(9)])]
    said = [(key, text) for key, text in texts(shown) if text]
    assert said == [(key, text) for key, text in wanted if text]
    others = [event for event in shown if isinstance(event, TurnStart)]
    assert others == [event for event in [*events, TurnStart(9)] if isinstance(event, TurnStart)]
