"""What of a conversation another model may read, and under which ids."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pi.ai.handover import MISTRAL_IDS, NO_IMAGE, IdRule, hand_over, id_rule
from pi.ai.providers.codec import Options, Traits
from pi.ai.types import (
    Block,
    Image,
    Message,
    Origin,
    Text,
    Thinking,
    ToolCall,
    tool_message,
    user_message,
)

CLAUDE = Origin("anthropic", "anthropic", "claude-x")
GPT = Origin("openai-responses", "openai", "gpt-x")
ANY = IdRule(64)
PICTURE = Image("image/png", "AAAA")


def answer(*blocks: Block, origin: Origin | None = GPT) -> Message:
    return Message("assistant", blocks, stop_reason="stop", origin=origin)


def call(identity: str, **marks: Any) -> ToolCall:
    return ToolCall(identity, "read", {"path": "x"}, **marks)


def handed(*messages: Message, **options: Any) -> tuple[Message, ...]:
    given: dict[str, Any] = {"target": CLAUDE, "traits": Traits(), "rule": ANY, **options}
    return hand_over(messages, given.pop("target"), given.pop("traits"), given.pop("rule"), **given)


def test_a_models_own_answers_come_back_as_they_are() -> None:
    own = answer(
        Thinking("hm", "sig"), Thinking("", redacted=True, vendor={"a": 1}), Text("x", "sig"),
        call("id of mine!", signature="s", item_id="i"), origin=CLAUDE,
    )  # fmt: skip
    history = (user_message("q"), own, tool_message(call("id of mine!"), "r"))
    assert handed(*history) == history
    assert handed(*history)[1] is own


def test_thinking_of_another_model_is_dropped() -> None:
    theirs = answer(Thinking("hm", "sig"), Thinking("", redacted=True), Text("so"))
    assert handed(theirs)[0].blocks == (Text("so"),)


def test_thinking_of_another_model_may_become_plain_text() -> None:
    theirs = answer(Thinking("hm", "sig"), Thinking(" "), Thinking("x", redacted=True), Text("so"))
    assert handed(theirs, thinking_as_text=True)[0].blocks == (Text("hm"), Text("so"))


def test_a_picture_another_model_made_stays() -> None:
    assert handed(answer(PICTURE, Text("so")))[0].blocks == (PICTURE, Text("so"))


def test_signatures_and_item_ids_of_another_model_are_dropped() -> None:
    theirs = answer(Text("so", "sig"), call("c1", signature="s", item_id="fc_1", rescued=True))
    assert handed(theirs)[0].blocks == (Text("so"), call("c1", rescued=True))


@pytest.mark.parametrize("origin", [None, CLAUDE._replace(model="y"), CLAUDE._replace(api="x")])
def test_only_the_very_same_model_counts_as_its_own(origin: Origin | None) -> None:
    assert handed(answer(Thinking("hm", "s"), Text("so"), origin=origin))[0].blocks == (Text("so"),)


def test_an_answer_of_which_nothing_is_left_is_dropped() -> None:
    history = (user_message("q"), answer(Thinking("hm"), Text(" ", "sig")), user_message("r"))
    assert handed(*history) == (history[0], history[2])


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        (IdRule(64), ["a", "a-b_C9", "_-", "x" * 64]),
        (IdRule(40), ["x" * 40]),
        (MISTRAL_IDS, ["abcDEF123"]),
    ],
)
def test_ids_that_fit_stay(rule: IdRule, fits: list[str]) -> None:
    for identity in fits:
        message = answer(call(identity))
        assert handed(message, rule=rule) == (message,)


@pytest.mark.parametrize("rule", [IdRule(64), IdRule(40), MISTRAL_IDS])
@pytest.mark.parametrize(
    "identity",
    ["call|item", "x" * 400, "é", "a b", "ab_-cdefg", "", "\ud800", "call_" + "9" * 80, "call_"],
)
def test_ids_that_do_not_fit_are_mapped_in_call_and_result(rule: IdRule, identity: str) -> None:
    if rule.accepts(identity):
        return
    asked, result = handed(answer(call(identity)), tool_message(call(identity), "r"), rule=rule)
    mapped = asked.tool_calls()[0].id
    assert rule.accepts(mapped)
    assert result.tool_call_id == mapped
    again = handed(answer(call(identity)), rule=rule)
    assert again[0].tool_calls()[0].id == mapped


def test_long_ids_with_the_same_beginning_stay_apart() -> None:
    message = answer(call("x" * 400 + "a"), call("x" * 400 + "b"))
    one, other = (each.id for each in handed(message)[0].tool_calls())
    assert one != other
    assert one.startswith("xxxxxxxx")


@pytest.mark.parametrize("rule", [IdRule(64), MISTRAL_IDS])
def test_no_two_calls_of_the_conversation_share_an_id(rule: IdRule) -> None:
    """Not even when other providers used one twice, or the target happens on ours."""
    first = handed(answer(call("a b")), rule=rule)[0].tool_calls()[0].id
    history = [
        message
        for identity, origin in [("a b", GPT), ("a b", GPT), (first, GPT), (first, CLAUDE)]
        for message in (
            answer(call(identity), origin=origin), tool_message(call(identity), "r")
        )
    ]  # fmt: skip
    got = handed(*history, rule=rule)
    ids = [message.tool_calls()[0].id for message in got[::2]]
    assert len(set(ids)) == 4
    assert [message.tool_call_id for message in got[1::2]] == ids


def test_a_provider_that_takes_any_id_gets_them_all_unchanged() -> None:
    history = (answer(call("a b|" * 100)), tool_message(call("a b|" * 100), "r"))
    assert handed(*history, rule=None) == history


@pytest.mark.parametrize(
    ("api", "provider", "base", "rule"),
    [
        ("anthropic", "anthropic", "https://api.anthropic.com/v1", IdRule(64)),
        ("openai-responses", "openai", "https://api.openai.com/v1", IdRule(64)),
        ("openai-chat", "openai", "https://api.openai.com/v1", IdRule(40)),
        ("openai-chat", "mistral", "https://api.mistral.ai/v1", MISTRAL_IDS),
        ("google", "google", "https://generativelanguage.googleapis.com", None),
    ],
)
def test_the_rule_follows_wire_format_and_server(
    api: str, provider: str, base: str, rule: IdRule | None
) -> None:
    assert id_rule(api, Options(base, provider=provider)) == rule


def test_pictures_become_one_note_for_a_model_without_eyes() -> None:
    blind = Traits(supports_images=False)
    history = (
        Message("user", (Text("see"), PICTURE, PICTURE, Text("and"), PICTURE)),
        Message("tool", (PICTURE,), "c", "read"),
    )
    note = Text(NO_IMAGE)
    got = handed(*history, traits=blind)
    assert [message.blocks for message in got] == [
        (Text("see"), note, Text("and"), note),
        (note,),
    ]
    assert got[1].tool_call_id == "c"
    for sighted in (Traits(), Traits(supports_images=True)):
        assert handed(*history, traits=sighted) == history


def test_results_of_calls_that_kept_their_id_are_not_touched() -> None:
    result = tool_message(call("c1"), "r")
    assert handed(answer(call("c1"), call("c 2")), result)[1] is result


def test_the_cost_grows_with_the_length_only() -> None:
    """Four times the history takes nothing like sixteen times as long."""

    def seconds(size: int) -> float:
        history = [answer(call(f"a {number}")) for number in range(size)]
        began = time.process_time()
        handed(*history)
        return time.process_time() - began

    seconds(100)
    small = min(seconds(1000) for _ in range(3))
    assert min(seconds(4000) for _ in range(3)) < 12 * small
