"""The caps of a run, at work."""

from __future__ import annotations

from pi.ai.catalog import Entry, Rates
from pi.ai.cost import Caps
from pi.ai.events import ReplyDone
from pi.ai.meter import Meter, MeteredModel
from pi.ai.types import ChatRequest, Reply, Usage, user_message
from pi.base.cancel import Cancel
from tests.fakes.scripted import ScriptedModel, text_reply

ENTRY = Entry("openai", "m", rates=Rates(input=1.0, output=10.0), max_output_tokens=1000)
CHAT = ChatRequest("m", "", (user_message("x" * 400),))  # 100 tokens


def ask(model: MeteredModel, chat: ChatRequest = CHAT) -> Reply:
    event = list(model.stream(chat, Cancel()))[-1]
    assert isinstance(event, ReplyDone)
    return event.reply


def reply(usage: Usage) -> Reply:
    return text_reply("ok")._replace(usage=usage)


def test_without_caps_requests_pass_unchanged_and_are_counted() -> None:
    inner = ScriptedModel(reply(Usage(100, 10)), reply(Usage(50, 10)))
    meter = Meter(Caps())
    model = MeteredModel(inner, meter, ENTRY)
    ask(model)
    ask(model)
    assert inner.requests == [CHAT, CHAT]
    assert meter.spent.tokens == 170
    assert meter.usd == 0.00035


def test_the_answer_is_limited_to_what_the_caps_leave() -> None:
    inner = ScriptedModel(reply(Usage(100, 150)), reply(Usage(1, 1)))
    model = MeteredModel(inner, Meter(Caps(max_tokens_total=500)), ENTRY)
    ask(model)
    ask(model)
    assert [request.max_tokens for request in inner.requests] == [400, 150]


def test_a_request_that_may_cross_a_cap_is_not_sent() -> None:
    inner = ScriptedModel(reply(Usage(100, 350)))
    model = MeteredModel(inner, Meter(Caps(max_tokens_total=500)), ENTRY)
    assert ask(model).error is None
    error = ask(model).error
    assert error is not None
    assert (error.code, error.exit_code) == ("token-cap", 6)
    assert len(inner.requests) == 1


def test_money_is_capped_too() -> None:
    inner = ScriptedModel(reply(Usage(100, 90)))
    model = MeteredModel(inner, Meter(Caps(max_cost_usd=0.001)), ENTRY)
    assert ask(model).error is None
    assert inner.requests[0].max_tokens == 90
    error = ask(model).error
    assert error is not None
    assert error.code == "cost-cap"


def test_an_unknown_price_makes_the_cost_unknown_not_nothing() -> None:
    meter = Meter(Caps())
    ask(MeteredModel(ScriptedModel(reply(Usage(5, 5))), meter, None))
    assert meter.usd is None
    assert meter.spent.tokens == 10
