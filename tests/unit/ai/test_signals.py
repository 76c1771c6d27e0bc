"""What error bodies signal. The bodies are those vendors were seen to send."""

from __future__ import annotations

from typing import Any

import pytest

from pi.ai.providers.failure import error_line
from pi.ai.providers.signals import Signals, error_object, read_signals


def google(quota_id: str, delay: str = "36s", message: str = "") -> dict[str, Any]:
    """A 429 of the Gemini API."""
    return {
        "error": {
            "code": 429,
            "message": message or "You exceeded your current quota, please check your plan and "
            "billing details.\nPlease retry in 36.429760048s.",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [{"quotaId": quota_id, "quotaValue": "20"}],
                },
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
            ],
        }
    }  # fmt: skip


def said(message: str, type_: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"type": type_, "message": message}}


def kind(status: int | None, payload: Any) -> str:
    return read_signals(status, error_line(payload), payload).kind


@pytest.mark.parametrize(
    ("status", "payload"),
    [
        (402, {}),
        (402, said("Insufficient Balance")),
        (402, said("This request requires more credits, or fewer max_tokens.")),
        (429, {"error": {"code": "insufficient_quota", "message": "x"}}),
        (429, said("You exceeded your current quota, please check your plan and billing details.")),
        (400, said("Your credit balance is too low to access the Anthropic API.")),
        (400, said("You have reached your specified API usage limits. You will regain access on")),
        (429, said("Extra usage is required for long context requests.", "rate_limit_error")),
        (429, said("Usage credits are required for long context requests.", "rate_limit_error")),
        (403, said("Your team used all available credits or reached its monthly limit.")),
        (429, said("Rate limit exceeded: free-models-per-day.")),
        (429, said("Rate limit reached on tokens per day (TPD): try again in 7m12.3s")),
        (429, google("GenerateRequestsPerDayPerProjectPerModel-FreeTier")),
        (None, google("GenerateRequestsPerDayPerProjectPerModel-FreeTier")),
        (400, said("Budget has been exceeded! Current cost: 1.2, Max budget: 1.0")),
        (None, {"error": {"type": "billing_error"}}),
        (None, {"error": {"code": 402}}),
    ],
)  # fmt: skip
def test_spent_money_and_daily_limits_are_a_quota(status: int | None, payload: Any) -> None:
    assert kind(status, payload) == "quota"


@pytest.mark.parametrize(
    ("status", "payload"),
    [
        (429, {}),
        (429, said("Rate limit reached on requests per min. Limit: 3. Please try again in 20s.")),
        (429, google("GenerateContentInputTokensPerModelPerMinute-FreeTier")),
        (429, google("SomethingElse")),
        (429, said("Resource has been exhausted (e.g. check quota).")),
        (429, said("This request would exceed your account's rate limit.", "rate_limit_error")),
        (429, said("Server is temporarily limiting requests (not your usage limit)")),
        (529, said("Overloaded", "overloaded_error")),
        (503, {}),
        (409, {}),
    ],
)
def test_what_is_over_within_minutes_may_pass(status: int, payload: Any) -> None:
    assert kind(status, payload) == "passing"


@pytest.mark.parametrize(
    ("status", "payload"),
    [
        (400, {}),
        (404, {}),
        (413, said("Request exceeds the maximum size", "request_too_large")),
        (413, said("Request too large on tokens per minute (TPM): Limit 6000, Requested 7000")),
        (501, {}),
        (505, {}),
        (400, said("temperature is deprecated for this model")),
        (400, said("thinking: budget_tokens limit is 1024")),
        (None, said("bad", "invalid_request_error")),
        (None, said("overloaded", "invalid_request_error")),
        (None, {"error": "words"}),
        (None, None),
    ],
)
def test_the_rest_is_neither(status: int | None, payload: Any) -> None:
    assert kind(status, payload) == "other"


@pytest.mark.parametrize(
    ("status", "payload"),
    [
        (401, {}),
        (403, said("no access")),
        (400, said("API key not valid. Please pass a valid API key.")),
        (400, {"error": {"message": "no", "details": [{"reason": "API_KEY_INVALID"}]}}),
        (400, said("Incorrect API key provided: sk-ab***yz")),
        (None, {"error": {"type": "authentication_error"}}),
        (None, {"error": {"code": 401}}),
    ],
)
def test_a_refused_key_is_known_whatever_the_status(status: int | None, payload: Any) -> None:
    assert kind(status, payload) == "key"


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (said("x", "overloaded_error"), 529),
        (said("x", "api_error"), 500),
        (said("x", "rate_limit_error"), 429),
        (said("x", "timeout_error"), 504),
        ({"error": {"code": "rate_limit_exceeded"}}, 429),
        ({"error": {"code": "server_is_overloaded"}}, 503),
        ({"error": {"code": "slow_down"}}, 503),
        ({"error": {"code": "server_error"}}, 500),
        ([{"error": {"code": 503, "status": "UNAVAILABLE"}}], 503),
        ({"error": {"status": "INTERNAL"}}, 500),
        ({"error": {"status": "DEADLINE_EXCEEDED"}}, 504),
        ({"object": "error", "type": "InternalServerError", "message": "x"}, 500),
        ({"error": {"code": "502"}}, 502),
        ({"error": "The engine is currently overloaded, please try again later"}, None),
        ({"type": "error", "error": "Upstream timed out"}, None),
    ],
)
def test_a_passing_failure_inside_an_answer_gets_the_status_it_would_have_had(
    payload: Any, status: int | None
) -> None:
    assert read_signals(None, error_line(payload), payload)[:2] == ("passing", status)


def test_an_overflow_names_the_window() -> None:
    body = {"error": {"code": 400, "type": "exceed_context_size_error", "n_ctx": 4096}}
    assert read_signals(400, "no", body) == Signals("overflow", 400, None, 4096)
    assert read_signals(None, "no", body) == Signals("overflow", 400, None, 4096)
    assert kind(429, said("Too many tokens, please wait before trying again.")) == "passing"


@pytest.mark.parametrize(
    ("payload", "wait"),
    [
        (google("PerMinute"), 36_000),
        (google("PerMinute", "34.07s"), 34_070),
        (google("PerMinute", "soon", "Please retry in 12.3s."), 12_300),
        (said("Rate limit reached. Please try again in 41.7s."), 41_700),
        (said("Rate limit reached"), None),
        (None, None),
    ],
)
def test_the_wait_is_found_in_the_details_or_the_sentence(payload: Any, wait: int | None) -> None:
    assert read_signals(429, error_line(payload), payload).retry_after_ms == wait


@pytest.mark.parametrize(
    "payload", [None, [], 17, "x", [17], {"error": 17}, {"error": []}, {"error": {"details": 1}}]
)
def test_odd_bodies_signal_nothing(payload: Any) -> None:
    assert read_signals(400, "", payload) == Signals("other", 400)


def test_the_object_that_tells_of_the_error_is_found() -> None:
    assert error_object([{"error": {"n_ctx": 1}}]) == {"n_ctx": 1}
    assert error_object({"n_ctx": 1}) == {"n_ctx": 1}
    assert error_object({"error": "x"}) == {}
