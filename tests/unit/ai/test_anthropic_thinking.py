from __future__ import annotations

from typing import Any

import pytest

from pi.ai.providers.anthropic_thinking import ADAPTIVE, BUDGET, Asked, ask
from pi.ai.providers.codec import Options, Traits
from pi.ai.providers.shared import nearest


def asked(
    thinking: str,
    style: str,
    *levels: str,
    limit: int | None = None,
    without: tuple[str, ...] = (),
    wanted: int | None = None,
    can_disable: bool = True,
) -> Asked:
    traits = Traits(
        max_output_tokens=limit,
        thinking_style=style,
        thinking_levels=levels,
        thinking_can_disable=can_disable,
    )
    options = Options("http://h", thinking=thinking, traits=traits, without=frozenset(without))
    return ask(options, wanted)


def adaptive(effort: str) -> dict[str, Any]:
    return {
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": effort},
    }


@pytest.mark.parametrize(
    ("wanted", "limit", "expected"),
    [
        (None, None, 8192),
        (None, 64_000, 32_000),
        (None, 4096, 4096),
        (100, None, 100),
        (100, 4096, 100),
        (50_000, 64_000, 50_000),
        (90_000, 64_000, 64_000),
    ],
)
def test_an_answer_may_have_what_the_model_can_write_up_to_a_usual_size(
    wanted: int | None, limit: int | None, expected: int
) -> None:
    assert asked("", "", limit=limit, wanted=wanted) == (expected, {})


@pytest.mark.parametrize("style", ["", "openai-effort"])
@pytest.mark.parametrize("thinking", ["", "off", "high"])
def test_a_model_of_unknown_style_is_not_asked(style: str, thinking: str) -> None:
    assert asked(thinking, style).fields == {}


@pytest.mark.parametrize("style", [ADAPTIVE, BUDGET])
def test_without_a_setting_nothing_is_asked(style: str) -> None:
    assert asked("", style) == (8192, {})


@pytest.mark.parametrize(
    ("thinking", "levels", "effort"),
    [
        ("minimal", (), "low"),
        ("low", (), "low"),
        ("xhigh", (), "xhigh"),
        ("max", (), "max"),
        ("max", ("off", "low", "medium", "high"), "high"),
        ("xhigh", ("low", "high", "max"), "high"),
        ("minimal", ("minimal", "high"), "high"),
    ],
)
def test_an_adaptive_model_gets_the_nearest_effort_it_has(
    thinking: str, levels: tuple[str, ...], effort: str
) -> None:
    assert asked(thinking, ADAPTIVE, *levels).fields == adaptive(effort)


def test_an_adaptive_model_is_told_not_to_think_if_that_is_possible() -> None:
    assert asked("off", ADAPTIVE).fields == {"thinking": {"type": "disabled"}}
    assert asked("off", ADAPTIVE, can_disable=False).fields == adaptive("low")
    assert asked("off", ADAPTIVE, without=("thinking-off",)).fields == {}


def test_a_model_with_another_word_for_not_thinking_gets_that() -> None:
    traits = Traits(thinking_style=ADAPTIVE)
    compat = {"thinking_off": "between_tools"}
    options = Options("http://h", thinking="off", traits=traits, compat=compat)
    assert ask(options, None).fields == {"thinking": {"type": "between_tools"}}


def test_each_refused_part_is_left_out_alone() -> None:
    no_effort = asked("high", ADAPTIVE, without=("effort",)).fields
    assert no_effort == {"thinking": {"type": "adaptive", "display": "summarized"}}
    no_display = asked("high", ADAPTIVE, without=("thinking-display",)).fields
    assert no_display == {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}
    for style in (ADAPTIVE, BUDGET):
        assert asked("high", style, without=("thinking",)).fields == {}


@pytest.mark.parametrize(
    ("thinking", "budget"),
    [
        ("minimal", 1024), ("low", 2048), ("medium", 8192), ("high", 16384), ("xhigh", 16384),
        ("max", 16384),
    ],
)  # fmt: skip
def test_a_budget_comes_on_top_of_the_answer(thinking: str, budget: int) -> None:
    found = asked(thinking, BUDGET, limit=64_000)
    assert found.max_tokens == 32_000 + budget
    assert found.fields == {"thinking": {"type": "enabled", "budget_tokens": budget}}
    assert asked(thinking, BUDGET, wanted=10).max_tokens == 10 + budget


@pytest.mark.parametrize(
    ("limit", "max_tokens", "budget"),
    [(40_000, 40_000, 16384), (32_000, 32_000, 16384), (8192, 8192, 7168), (2048, 2048, 1024)],
)
def test_a_budget_leaves_room_for_an_answer_within_the_models_limit(
    limit: int, max_tokens: int, budget: int
) -> None:
    found = asked("high", BUDGET, limit=limit)
    assert found.max_tokens == max_tokens
    assert found.fields["thinking"]["budget_tokens"] == budget


def test_a_limit_too_small_to_think_in_means_no_thinking() -> None:
    assert asked("high", BUDGET, limit=2000) == (2000, {})


def test_a_model_with_a_budget_does_not_think_unless_asked() -> None:
    assert asked("off", BUDGET).fields == {}


def test_a_refused_style_is_tried_the_other_way_once() -> None:
    assert asked("low", ADAPTIVE, without=("thinking-adaptive",)).fields["thinking"] == {
        "type": "enabled",
        "budget_tokens": 2048,
    }
    assert asked("low", BUDGET, without=("thinking-budget",)).fields == adaptive("low")
    for style in (ADAPTIVE, BUDGET):
        both = ("thinking-adaptive", "thinking-budget")
        assert asked("low", style, without=both).fields == {}


def test_only_real_thinking_counts_as_thinking() -> None:
    assert asked("low", ADAPTIVE).thinks
    assert asked("low", BUDGET).thinks
    assert not asked("off", ADAPTIVE).thinks
    assert not asked("", ADAPTIVE).thinks


def test_of_two_levels_equally_near_the_lower_is_taken() -> None:
    assert nearest("medium", ("low", "high")) == "low"
    assert nearest("max", (), ()) == ""
    assert nearest("unheard-of", ("high", "low")) == "low"
