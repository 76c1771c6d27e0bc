from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.types import Message, Text, ToolCall
from tests.fakes.examples import few

IDS = st.sampled_from(["", "a", "b", "c", "d"])
CALLS = st.builds(
    ToolCall, IDS, st.sampled_from(["read", "odd name", "", "x" * 70]), st.just({"n": 1})
)
TEXTS = st.builds(Text, st.sampled_from(["", " ", "words"]))
ASSISTANT = st.builds(
    Message,
    st.just("assistant"),
    st.lists(st.one_of(TEXTS, CALLS), max_size=4).map(tuple),
    stop_reason=st.sampled_from(["stop", "tool_use", "length", "error", "aborted"]),
)
RESULT = st.builds(
    Message, st.just("tool"), st.tuples(TEXTS), st.one_of(st.none(), IDS), st.just("read")
)
OTHER = st.builds(Message, st.sampled_from(["user", "system"]), st.tuples(TEXTS))
HISTORIES = st.lists(st.one_of(ASSISTANT, RESULT, RESULT, OTHER), max_size=14).map(tuple)


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORIES)
def test_preparing_twice_is_preparing_once(history: tuple[Message, ...]) -> None:
    """prepare(prepare(h)) == prepare(h)"""
    assert prepare(prepare(history)) == prepare(history)


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORIES)
def test_every_call_is_followed_by_its_results_in_order(history: tuple[Message, ...]) -> None:
    """after a message with calls come their results, one each, in order; and no others"""
    prepared = list(prepare(history))
    while prepared:
        message = prepared.pop(0)
        assert message.role != "tool"
        assert message.stop_reason not in ("error", "aborted")
        assert message.role != "assistant" or message.blocks
        for call in message.tool_calls():
            result = prepared.pop(0)
            assert (result.role, result.tool_call_id, result.tool_name) == (
                "tool",
                call.id,
                call.name,
            )


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORIES, more=HISTORIES)
def test_what_was_complete_stays_as_it_was(
    history: tuple[Message, ...], more: tuple[Message, ...]
) -> None:
    """once a user message was sent, later messages never change what is before it"""
    turn = (*history, Message("user", (Text("next"),)))
    assert prepare(turn + more)[: len(prepare(turn))] == prepare(turn)
