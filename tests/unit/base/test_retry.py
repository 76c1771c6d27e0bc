"""Retry decisions: what is retried, how long the wait is, when to give up."""

from __future__ import annotations

import pytest

from pi.base.retry import (
    GiveUp,
    RetryPolicy,
    TurnRetry,
    Wait,
    is_retryable_status,
    next_step,
    retry_after_ms,
    turn_wait_ms,
    wait_in_text_ms,
)

CALM = RetryPolicy(max_retries=20, jitter=False)


@pytest.mark.parametrize(
    ("status", "retried"),
    [
        (408, True),
        (409, True),
        (425, True),
        (429, True),
        (500, True),
        (503, True),
        (529, True),
        (400, False),
        (401, False),
        (404, False),
        (501, False),
        (505, False),
        (302, False),
    ],
)
def test_statuses_that_may_pass_are_retried(status: int, retried: bool) -> None:
    assert is_retryable_status(status) is retried


def test_waits_double_up_to_a_ceiling() -> None:
    waits = [next_step(CALM, attempt, 0, 0.0) for attempt in range(8)]
    assert waits == [Wait(ms) for ms in (200, 400, 800, 1600, 3200, 6400, 12800, 12800)]


def test_jitter_stays_between_half_and_the_whole_wait() -> None:
    policy = RetryPolicy(max_retries=3)
    assert next_step(policy, 1, 0, 0.0) == Wait(200)
    assert next_step(policy, 1, 0, 0.999999) == Wait(400)


def test_retries_end_at_the_limit() -> None:
    assert isinstance(next_step(RetryPolicy(max_retries=2), 2, 0, 0.0), GiveUp)


def test_no_retry_is_made_that_would_overrun_the_budget() -> None:
    policy = RetryPolicy(max_retries=5, budget_ms=1000, jitter=False)
    assert next_step(policy, 0, 800, 0.0) == Wait(200)
    assert isinstance(next_step(policy, 0, 801, 0.0), GiveUp)


def test_a_wait_the_server_asks_for_is_honoured_when_longer() -> None:
    assert next_step(CALM, 0, 0, 0.5, hint_ms=5000) == Wait(5000)
    assert next_step(CALM, 3, 0, 0.5, hint_ms=10) == Wait(1600)


def test_an_absurd_wait_is_answered_by_giving_up_and_saying_it() -> None:
    step = next_step(CALM, 0, 0, 0.5, hint_ms=3_600_000)
    assert step == GiveUp("the provider asks to wait 3600 s")


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after-ms": "750", "retry-after": "9"}, 750),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:30 GMT"}, 20_000),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "9" * 40}, 10**15),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], wait: int | None) -> None:
    assert retry_after_ms(headers, now_ms=10_000) == wait


def test_broken_answers_are_asked_for_again_after_two_four_and_eight_seconds() -> None:
    waits = [turn_wait_ms(TurnRetry(), attempt) for attempt in range(4)]
    assert waits == [2000, 4000, 8000, None]
    assert turn_wait_ms(TurnRetry(0), 0) is None
    assert turn_wait_ms(TurnRetry(100), 60) == 2000 << 6


def test_a_broken_answer_waits_as_asked_within_reason() -> None:
    assert turn_wait_ms(TurnRetry(), 0, 9000) == 9000
    assert turn_wait_ms(TurnRetry(), 0, 10) == 2000
    assert turn_wait_ms(TurnRetry(), 0, 60_001) is None


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("Please retry in 34.074824224s.", 34_074),
        ("Please try again in 7m12.3s. Visit", 432_300),
        ("try again in 41.7s", 41_700),
        ("Please retry after 20 seconds.", 20_000),
        ("Please try again in 320ms.", 320),
        ("TRY AGAIN IN 6 MILLISECONDS", 6),
        ("try again in 1 minute, 3 seconds", 63_000),
        ("try again in 2h", 7_200_000),
        ("try again in 1 day", 86_400_000),
        ("try again later", None),
        ("retry in a while", None),
        ("wait 3s", None),
        ("try again in 99999999999999999999s", None),
        ("", None),
    ],
)
def test_the_wait_is_read_from_a_sentence(text: str, wait: int | None) -> None:
    assert wait_in_text_ms(text) == wait
