"""What may pass by itself, and when another model may do better."""

from __future__ import annotations

import pytest

from pi.ai.providers.codec import Options
from pi.ai.providers.failure import Reported, http_failure, reported_failure, target_of
from pi.ai.recovery import Reason, asked_wait_ms, fallback_reason, may_pass
from pi.base.errors import AnswerCut, PiError, ProviderFailed, Unreachable
from pi.base.http import ConnectionBroken

TARGET = target_of(Options("http://x", "some-key"), "m")


def http(status: int, body: bytes = b"{}") -> PiError:
    return http_failure(TARGET, status, {}, body)


OVERLOADED = reported_failure(TARGET, {"error": {"type": "overloaded_error"}})
QUOTA = http(429, b'{"error": {"code": "insufficient_quota"}}')
TOO_LONG = http(400, b'{"error": {"message": "prompt is too long"}}')


@pytest.mark.parametrize(
    ("error", "passes", "reason"),
    [
        (http(408), True, Reason("http_status", 408)),
        (http(409), True, Reason("http_status", 409)),
        (http(425), True, Reason("http_status", 425)),
        (http(429), True, Reason("http_status", 429)),
        (http(500), True, Reason("http_status", 500)),
        (http(529), True, Reason("http_status", 529)),
        (http(501), False, Reason("http_status", 501)),
        (http(505), False, Reason("http_status", 505)),
        (http(400), False, None),
        (http(401), False, None),
        (http(403), False, None),
        (http(404), False, None),
        (http(302), False, None),
        (QUOTA, False, Reason("http_status", 429)),
        (TOO_LONG, False, Reason("http_status", 400)),
        (OVERLOADED, True, Reason("http_status", 529)),
        (reported_failure(TARGET, {"error": "bad"}), False, None),
        (ConnectionBroken("x", code="first-byte-timeout"), True, Reason("http_timeout", None)),
        (ConnectionBroken("x", code="idle-timeout"), True, Reason("http_timeout", None)),
        (Unreachable("x", code="connect-timeout"), True, Reason("http_timeout", None)),
        (Unreachable("x", code="unknown-host"), False, Reason("http_connect", None)),
        (Unreachable("x", code="connection-refused"), False, Reason("http_connect", None)),
        (Unreachable("x", code="tls-failed"), False, Reason("http_connect", None)),
        (Unreachable("x", code="proxy-failed"), False, Reason("http_connect", None)),
        (Unreachable("x"), False, Reason("http_connect", None)),
        (ConnectionBroken("x"), True, Reason("http_request", None)),
        (ProviderFailed("x", code="stream-ended-early"), True, Reason("http_body", None)),
        (ConnectionBroken("x", code="response-too-large"), False, None),
        (ConnectionBroken("x", code="not-http"), False, None),
        (ProviderFailed("x", code="malformed-answer"), False, None),
        (ProviderFailed("x", code="http-odd"), False, None),
        (AnswerCut("x"), False, None),
    ],
)
def test_each_failure_has_its_verdict(error: PiError, passes: bool, reason: Reason | None) -> None:
    assert may_pass(error) is passes
    assert fallback_reason(error, in_answer=False) == reason


def test_a_connection_lost_in_an_answer_is_a_broken_body() -> None:
    lost = ConnectionBroken("x")
    assert fallback_reason(lost, in_answer=True) == Reason("http_body", None)


def test_the_wait_asked_for_is_the_providers() -> None:
    error = http(429, b'{"error": {"message": "try again in 3s"}}')
    assert isinstance(error, Reported)
    assert asked_wait_ms(error) == 3000
    assert asked_wait_ms(ConnectionBroken("x")) is None
