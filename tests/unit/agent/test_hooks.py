"""Hooks, and what becomes of their mistakes."""

from __future__ import annotations

from typing import Any

from pi.agent.hooks import Hooks
from pi.agent.results import failed
from pi.agent.tool import ToolResult
from pi.base.errors import PolicyRefused
from tests.fakes.agents import call

GOOD = ToolResult("fine", {})


def broken(*_: Any) -> Any:
    raise ValueError("my secret")


def test_without_hooks_everything_passes() -> None:
    assert Hooks().refusal(call(), {}) is None
    assert Hooks().reviewed(call(), GOOD) is GOOD
    assert Hooks().hidden(GOOD) is GOOD
    assert Hooks().hidden_text("x") == "x"


def test_the_first_reason_wins_and_later_hooks_are_not_asked() -> None:
    asked: list[str] = []

    def hook(name: str, reason: str | None) -> Any:
        def ask(*_: Any) -> str | None:
            asked.append(name)
            return reason

        return ask

    hooks = Hooks(before=(hook("a", None), hook("b", "not today"), hook("c", "never")))
    assert hooks.refusal(call(), {}) == failed("not today")
    assert asked == ["a", "b"]
    assert Hooks(before=(hook("d", ""),)).refusal(call(), {}) == failed("blocked")


def test_a_result_passes_through_all_hooks_in_order() -> None:
    def add(word: str) -> Any:
        return lambda call, result: result._replace(text=result.text + word)

    hooks = Hooks(after=(add(" a"), lambda *_: None, add(" b")))
    assert hooks.reviewed(call(), GOOD).text == "fine a b"


def test_a_check_that_fails_blocks() -> None:
    refused = Hooks(before=(broken,)).refusal(call(), {})
    assert refused is not None
    assert refused.text == "error: blocked: a check failed: ValueError: my secret"
    withheld = Hooks(after=(broken,)).reviewed(call(), GOOD)
    assert withheld.is_error
    assert "fine" not in str(withheld)


def test_words_of_our_own_errors_are_shown_as_they_are() -> None:
    def refuse(*_: Any) -> None:
        raise PolicyRefused("the policy says no")

    refused = Hooks(before=(refuse,)).refusal(call(), {})
    assert refused is not None
    assert refused.text == "error: blocked: a check failed: the policy says no"


def test_what_a_tool_raised_is_told_and_a_listener_that_breaks_is_no_matter() -> None:
    heard: list[Exception] = []
    error = KeyError("x")
    Hooks(broke=heard.append).tell(error)
    Hooks(broke=broken).tell(error)
    Hooks().tell(error)
    assert heard == [error]


def test_what_could_not_be_redacted_is_not_shown() -> None:
    withheld = Hooks(redact=broken).hidden(GOOD)
    assert withheld.is_error
    assert "fine" not in str(withheld)
    assert "my secret" not in str(withheld)
    assert Hooks(redact=broken).hidden_text("fine") == ""
