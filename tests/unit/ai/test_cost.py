from __future__ import annotations

import pytest

from pi.ai.catalog import Entry, LongPrompt, Rates
from pi.ai.cost import (
    Caps,
    Spend,
    cost,
    estimate_request,
    estimate_tokens,
    parse_usd,
    require_price,
    spend,
    worst_case,
)
from pi.ai.types import ChatRequest, Message, Text, ToolCall, ToolDefinition, Usage, user_message
from pi.base.errors import ConfigError, UsageError

MINI = Entry("openai", "gpt-4o-mini", rates=Rates(0.15, 0.6, 0.075))
SONNET = Entry("anthropic", "sonnet", rates=Rates(3.0, 15.0), api="anthropic")
LONG = Entry("x", "long", rates=Rates(1.0, 2.0, 0.1), long_prompt=LongPrompt(100, Rates(2.0, 3.0)))
FREE = Entry("demo", "tour", rates=Rates(0.0, 0.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("usage", "entry", "expected"),
    [
        (Usage(1_000_000, 1_000_000), MINI, 0.75),
        (Usage(123, 45), MINI, 0.000045),  # 18.45 + 27 millionths
        (Usage(0, 0, cache_read=1000), MINI, 0.000075),
        (Usage(0, 0, cache_write=1), MINI, None),  # the vendor names no such price
        (Usage(10, 10), None, None),
        (Usage(10, 10), Entry("x", "y"), None),
        (Usage(10, 0), Entry("x", "y", rates=Rates(1.0)), 0.00001),
        (Usage(10, 1), Entry("x", "y", rates=Rates(1.0)), None),
        (Usage(0, 0), Entry("x", "y"), 0.0),
        (Usage(5, 5, 5, 5), FREE, 0.0),
        # cache rates that the catalog does not give, by the vendors' rules
        (Usage(0, 0, cache_read=1_000_000), SONNET, 0.3),
        (Usage(0, 0, cache_write=1_000_000), SONNET, 3.75),
        (Usage(0, 0, cache_write=1_000_000), SONNET._replace(api="openai-responses"), 3.75),
        (Usage(0, 0, cache_read=1), SONNET._replace(api="openai-responses"), None),
        (Usage(0, 0, cache_read=1), SONNET._replace(api="google"), None),
        (Usage(0, 0, cache_read=1_000_000), SONNET._replace(api=""), 0.3),
        # a longer prompt has its own prices, for the whole request; cached tokens count
        (Usage(100, 1_000_000), LONG, 2.0001),
        (Usage(101, 1_000_000), LONG, 3.000202),
        (Usage(51, 1_000_000, cache_read=50), LONG, None),
        (Usage(10, 20, reasoning=15), MINI, 0.000014),  # reasoning is part of the output
    ],
)
def test_a_request_costs_its_tokens_times_their_rates(
    usage: Usage, entry: Entry | None, expected: float | None
) -> None:
    assert cost(usage, entry) == expected


def test_a_cache_write_for_an_hour_costs_twice_the_input() -> None:
    usage = Usage(0, 0, cache_write=1_000_000)
    assert cost(usage, SONNET, long_cache=True) == 6.0
    explicit = SONNET._replace(rates=Rates(3.0, 15.0, 0.3, 3.75))
    assert cost(usage, explicit) == 3.75
    assert cost(usage, explicit, long_cache=True) == 6.0


def test_tiny_costs_add_up_and_are_rounded_once() -> None:
    one = spend(Usage(1, 0), Entry("x", "y", rates=Rates(0.01, 0.01)))
    assert one.usd == 0.0
    total = Spend()
    for _ in range(1000):
        total = total.plus(one)
    assert total == Spend(1000, 10_000_000)
    assert total.usd == 0.00001


def test_an_unknown_price_makes_the_sum_unknown_but_not_its_tokens() -> None:
    assert Spend(5, 7).plus(Spend(1, None)) == Spend(6, None)
    assert Spend(5, None).usd is None


def test_for_a_limit_unknown_cache_rates_count_at_their_dearest() -> None:
    entry = Entry("x", "y", rates=Rates(1.0, 2.0))
    usage = Usage(0, 0, cache_read=1_000_000, cache_write=1_000_000)
    assert spend(usage, entry).picos is None
    assert spend(usage, entry, at_most=True).usd == 3.0


@pytest.mark.parametrize(
    ("prompt", "output", "entry", "expected"),
    [
        (1_000_000, 1_000_000, MINI, Spend(2_000_000, 750_000_000_000)),
        (1_000_000, 0, SONNET, Spend(1_000_000, 3_750_000_000_000)),  # all written to the cache
        (100, 0, LONG, Spend(100, 100_000_000)),
        (101, 0, LONG, Spend(101, 202_000_000)),
        (5, 5, None, Spend(10, None)),
        (5, None, None, Spend(5, None)),
        (5, 5, Entry("x", "y", rates=Rates(1.0)), Spend(10, None)),
        (5, None, Entry("x", "y", max_output_tokens=7), Spend(12, None)),
        (5, None, Entry("x", "y", context_window_tokens=9), Spend(9, None)),
        (50, None, Entry("x", "y", context_window_tokens=9), Spend(50, None)),
        (5, None, FREE, Spend(5, 0)),
    ],
)
def test_the_worst_case_is_the_dearest_prompt_and_all_the_output(
    prompt: int, output: int | None, entry: Entry | None, expected: Spend
) -> None:
    assert worst_case(prompt, output, entry) == expected


def test_nothing_is_limited_without_caps() -> None:
    assert Caps().would_cross(Spend(10**9, None), Spend(10**9, None)) is None
    assert Caps().output_allowance(Spend(), 10, MINI) is None
    require_price(Caps(max_tokens_total=1), None, "x/y")


def test_a_token_cap_may_be_reached_but_not_crossed() -> None:
    caps = Caps(max_tokens_total=100)
    assert caps.would_cross(Spend(60), Spend(40)) is None
    error = caps.would_cross(Spend(60), Spend(41))
    assert error is not None
    assert (error.exit_code, error.code) == (6, "token-cap")
    assert "41 tokens" in error.message
    assert "60 of 100" in error.message


def test_a_cost_cap_may_be_reached_but_not_crossed() -> None:
    caps = Caps(max_cost_usd=0.1)
    tenth = 100_000_000_000
    assert caps.would_cross(Spend(0, 0), Spend(1, tenth)) is None
    error = caps.would_cross(Spend(0, 1), Spend(1, tenth))
    assert error is not None
    assert (error.exit_code, error.code) == (6, "cost-cap")
    assert "may cost $0.100000" in error.message
    assert "$0.000000 of $0.100000 is spent" in error.message


def test_under_a_cost_cap_an_unknown_cost_ends_the_run() -> None:
    error = Caps(max_cost_usd=1.0).would_cross(Spend(), Spend(1, None))
    assert error is not None
    assert "an unknown amount" in error.message


def test_a_cap_of_nothing_lets_a_free_model_run() -> None:
    assert Caps(max_cost_usd=0.0).would_cross(Spend(), worst_case(10, 10, FREE)) is None


@pytest.mark.parametrize(
    ("caps", "spent", "entry", "expected"),
    [
        (Caps(max_tokens_total=100), Spend(20), MINI, 70),
        (Caps(max_tokens_total=25), Spend(20), MINI, -5),
        (Caps(max_cost_usd=0.00006), Spend(), MINI, 97),  # 58.5 millionths left at 0.6 each
        (Caps(max_cost_usd=0.000001), Spend(), MINI, 0),
        (Caps(max_cost_usd=0.00006, max_tokens_total=50), Spend(), MINI, 40),
        (Caps(max_cost_usd=0.0), Spend(), FREE, None),
        (Caps(max_cost_usd=1.0), Spend(1, None), MINI, 0),
        (Caps(max_cost_usd=1.0), Spend(), Entry("x", "y"), 0),
        (Caps(max_cost_usd=1.0), Spend(), None, 0),
        (Caps(max_tokens_total=100), Spend(), None, 90),
    ],
)
def test_the_output_allowance_is_the_longest_answer_that_crosses_no_cap(
    caps: Caps, spent: Spend, entry: Entry | None, expected: int | None
) -> None:
    allowance = caps.output_allowance(spent, 10, entry)
    assert allowance == expected
    if allowance is not None and allowance > 0:
        assert caps.would_cross(spent, worst_case(10, allowance, entry)) is None
        assert caps.would_cross(spent, worst_case(10, allowance + 1, entry)) is not None


def test_a_cost_limit_needs_a_price() -> None:
    caps = Caps(max_cost_usd=1.0)
    require_price(caps, MINI, "openai/gpt-4o-mini")
    for entry in (None, Entry("x", "y"), Entry("x", "y", rates=Rates(1.0))):
        with pytest.raises(ConfigError, match="the price of 'x/y' is not known") as caught:
            require_price(caps, entry, "x/y")
        assert caught.value.exit_code == 2
        assert "--max-tokens-total" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "amount"), [("1", 1.0), ("0.50", 0.5), (" $2.25 ", 2.25), (".5", 0.5), ("0", 0.0)]
)
def test_an_amount_is_read(text: str, amount: float) -> None:
    assert parse_usd(text) == amount


@pytest.mark.parametrize(
    "text",
    ["", ".", "-1", "1e3", "nan", "inf", "1,5", "٣", "1_0", "1.2.3", "9" * 10, "$", "x" * 99],
)
def test_what_is_no_amount_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--max-cost-usd") as caught:
        parse_usd(text)
    assert len(caught.value.message) < 100


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("日本語", 3), ("日本語abcde", 5), ("——", 1)],
)
def test_four_characters_are_a_token_and_a_foreign_letter_is_one(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_a_request_is_estimated_with_its_tools_and_calls() -> None:
    tool = ToolDefinition("read", "Read it", {"type": "object"})
    call = ToolCall("1", "read", {"path": "a.py"})
    answer = Message("assistant", (Text("abcd"), call))
    picture: object = object()
    image = Message("user", (picture,))  # type: ignore[arg-type]
    chat = ChatRequest("m", "abcd", (user_message("abcdefgh"), answer, image), (tool,))
    assert estimate_request(chat) == 1 + 7 + 2 + 1 + 5 + 1200
