"""Laws of handing a conversation over to another model."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.handover import MISTRAL_IDS, IdRule, hand_over
from pi.ai.providers.codec import Traits
from pi.ai.types import Image, Message, Origin, Text, Thinking, ToolCall
from tests.fakes.examples import few

TARGET = Origin("anthropic", "anthropic", "m")
ORIGINS = st.sampled_from([TARGET, Origin("google", "google", "g"), None])
RULES = st.sampled_from([IdRule(64), IdRule(12), MISTRAL_IDS, None])
TRAITS = st.sampled_from([Traits(), Traits(supports_images=False)])
IDS = st.sampled_from(["a", "a b", "abcdefghi", "x" * 70, "x" * 71, "call|1", "é", "b"])
MARK = st.sampled_from([None, "sig"])
TEXTS = st.builds(Text, st.sampled_from([" ", "words"]), MARK)
THOUGHTS = st.builds(Thinking, st.sampled_from(["", "hm"]), MARK, st.booleans())
CALLS = st.builds(
    ToolCall, IDS, st.just("read"), st.just({"n": 1}), signature=MARK, item_id=MARK
)  # fmt: skip
IMAGES = st.just(Image("image/png", "AA"))
ASSISTANT = st.builds(
    Message,
    st.just("assistant"),
    st.lists(st.one_of(TEXTS, THOUGHTS, CALLS, CALLS), max_size=4).map(tuple),
    stop_reason=st.sampled_from(["stop", "stop", "tool_use", "error"]),
    origin=ORIGINS,
)
RESULT = st.builds(
    Message, st.just("tool"), st.tuples(st.one_of(TEXTS, IMAGES)), IDS, st.just("read")
)
USER = st.builds(
    Message, st.just("user"), st.lists(st.one_of(TEXTS, IMAGES), min_size=1).map(tuple)
)
HISTORIES = st.lists(st.one_of(ASSISTANT, ASSISTANT, RESULT, USER), max_size=12).map(prepare)


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORIES, rule=RULES, traits=TRAITS, as_text=st.booleans())
def test_handing_over_twice_is_handing_over_once(
    history: tuple[Message, ...], rule: IdRule | None, traits: Traits, as_text: bool
) -> None:
    """h(h(x)) == h(x)"""
    once = hand_over(history, TARGET, traits, rule, thinking_as_text=as_text)
    assert hand_over(once, TARGET, traits, rule, thinking_as_text=as_text) == once


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORIES, rule=RULES, traits=TRAITS, data=st.data())
def test_a_longer_history_only_adds(
    history: tuple[Message, ...], rule: IdRule | None, traits: Traits, data: st.DataObject
) -> None:
    """h(x + y) begins with h(x)"""
    cut = data.draw(st.integers(0, len(history)))
    part = hand_over(history[:cut], TARGET, traits, rule)
    assert hand_over(history, TARGET, traits, rule)[: len(part)] == part


@settings(max_examples=few(200), deadline=None)
@given(history=HISTORIES, rule=RULES)
def test_a_history_of_its_own_comes_back_as_it_is(
    history: tuple[Message, ...], rule: IdRule | None
) -> None:
    """if every answer is the target's, h(x) == x"""
    own = tuple(
        message._replace(origin=TARGET) if message.role == "assistant" else message
        for message in history
    )
    assert hand_over(own, TARGET, Traits(), rule) == own


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORIES, rule=RULES, traits=TRAITS)
def test_the_result_is_valid(
    history: tuple[Message, ...], rule: IdRule | None, traits: Traits
) -> None:
    """calls keep their results right after them, in order; ids of others fit and are unique;
    nobody else's marks are left; nothing is empty; blind models get no pictures"""
    got = list(hand_over(history, TARGET, traits, rule))
    assert prepare(got) == tuple(got)
    foreign: set[str] = set()
    for message in got:
        assert message.blocks
        if traits.supports_images is False:
            assert not any(isinstance(block, Image) for block in message.blocks)
        ids = {call.id for call in message.tool_calls()}
        if rule is not None:
            assert not ids & foreign
        if message.role != "assistant" or message.origin == TARGET:
            continue
        for block in message.blocks:
            assert not isinstance(block, Thinking)
            assert getattr(block, "signature", None) is None
            assert getattr(block, "item_id", None) is None
        foreign |= ids
        assert rule is None or all(rule.accepts(identity) for identity in ids)
