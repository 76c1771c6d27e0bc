from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.providers.codec import Options
from pi.ai.providers.failure import (
    Reported,
    broken_answer,
    http_failure,
    is_error,
    reported_failure,
    target_of,
)
from pi.base.errors import KeyRefused, PiError, ProviderFailed

KEY = "sk-secret-123456"
OPTIONS = Options("http://x", KEY, provider="groq", extra_headers=(("X-Gate", "gate-password"),))
TARGET = target_of(OPTIONS, "llama")


def failure(status: int, body: Any, headers: dict[str, str] | None = None) -> PiError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http_failure(TARGET, status, headers or {}, raw)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({"error": {"message": "no such model", "type": "x"}}, "no such model"),
        ({"error": "plain words"}, "plain words"),
        ({"message": "at the top"}, "at the top"),
        ({"object": "error", "message": "from vLLM", "code": 400}, "from vLLM"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"msg": "field required"}]}, '[{"msg":"field required"}]'),
        ([{"error": {"message": "in an array"}}], "in an array"),
        (
            {"error": {"message": "Provider returned error", "metadata": {"raw": "too hot"}}},
            "Provider returned error: too hot",
        ),
        ({"odd": 1}, '{"odd":1}'),
        ({"error": {"message": {"a": 1}}}, '{"a":1}'),
        (17, "17"),
        ([], "[]"),
        (b"", ""),
        (b"upstream\x00 said\r\n  \x1b[31mno\xff", "upstream said [31mno\ufffd"),
        (b"<!DOCTYPE html><html><head><TITLE>\n502 Bad\n Gateway</TITLE>", "502 Bad Gateway"),
        (b"<html><body>hi</body></html>", "an HTML page without a title"),
        (b'data: {"error":{"message":"as an event"}}\n\ndata: [DONE]\n\n', "as an event"),
        (b"event: x\n\n", "event: x"),
        (b"x" * 10_000, "x" * 499 + "…"),
        (b'{"a":' * 100_000, '{"a":' * 99 + '{"a"…'),
    ],
)
def test_the_line_for_people_is_found(body: Any, cause: str) -> None:
    assert failure(418, body).cause == cause


def test_model_status_and_request_id_are_named() -> None:
    error = failure(500, {"error": {"message": "oops"}}, {"x-request-id": "req_1"})
    assert error.message == "groq/llama failed (HTTP 500)"
    assert error.cause == "oops (request id req_1)"
    assert failure(500, b"", {"request-id": "r"}).cause == "(request id r)"


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {}, ProviderFailed, "http-400"),
        (401, {}, KeyRefused, "api-key-refused"),
        (403, {}, KeyRefused, "api-key-refused"),
        (402, {}, ProviderFailed, "quota-exhausted"),
        (429, {}, ProviderFailed, "http-429"),
        (429, {"error": {"code": "insufficient_quota"}}, ProviderFailed, "quota-exhausted"),
        (403, {"error": {"type": "billing_error"}}, ProviderFailed, "quota-exhausted"),
        (503, {}, ProviderFailed, "http-503"),
        (400, {"error": {"code": "context_length_exceeded"}}, ProviderFailed, "context-overflow"),
        (400, {"error": {"message": "API key not valid."}}, KeyRefused, "api-key-refused"),
        (413, b"", ProviderFailed, "context-overflow"),
        (400, b"", ProviderFailed, "http-400"),
    ],
)
def test_the_class_and_code_follow_the_status(
    status: int, body: Any, kind: type[PiError], code: str
) -> None:
    error = failure(status, body)
    assert isinstance(error, kind)
    assert error.code == code
    assert isinstance(error, Reported)
    assert error.status == status


def test_an_overflow_names_the_model_the_window_and_what_to_do() -> None:
    body = {"error": {"message": "prompt is too long: 300 tokens > 200 maximum"}}
    error = failure(400, body, {"request-id": "r"})
    assert error.message == "the conversation is too long for groq/llama (HTTP 400)"
    assert error.cause == "prompt is too long: 300 tokens > 200 maximum (request id r)"
    assert "larger window" in error.hint
    assert isinstance(error, Reported)
    assert error.context_window == 200


def test_a_host_known_to_be_silent_means_an_overflow_by_400_without_a_word() -> None:
    target = target_of(Options("https://api.cerebras.ai/v1", KEY), "m")
    assert http_failure(target, 400, {}, b"").code == "context-overflow"
    assert http_failure(target, 400, {}, b"{}").code == "http-400"


def test_the_wait_in_the_body_is_kept() -> None:
    error = failure(429, {"error": {"message": "Please try again in 41.7s"}})
    assert isinstance(error, Reported)
    assert error.retry_after_ms == 41_700


def test_a_key_in_a_url_is_nobodys_business() -> None:
    error = failure(500, b"GET /v1/models?alt=sse&key=AIzaOther-Key failed")
    assert error.cause == "GET /v1/models?alt=sse&key=[redacted] failed"


def test_an_error_event_keeps_its_request_id() -> None:
    payload = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    error = reported_failure(TARGET, {**payload, "request_id": "req_7"})
    assert error.cause == "Overloaded (request id req_7)"
    assert error.message == "groq/llama failed (in the answer)"
    assert isinstance(error, Reported)
    assert error.status == 529


def test_a_redirect_names_its_target() -> None:
    error = failure(302, b"<html>", {"location": "https://elsewhere/\x1b[2J"})
    assert error.cause == "it redirects to https://elsewhere/[2J"


def test_a_missing_key_is_told_from_a_refused_one() -> None:
    assert failure(401, {}).message == "groq/llama refused the API key (HTTP 401)"
    bare = http_failure(target_of(Options("http://x"), "m"), 401, {}, b"")
    assert bare.message == "openai/m wants an API key (HTTP 401)"


@pytest.mark.parametrize(
    "text", [KEY, "a" + KEY + "b", "gate-password", KEY[:4] + "\x00" + KEY[4:], "y" * 498 + KEY]
)
def test_no_failure_holds_a_secret(text: str) -> None:
    body = {"error": {"message": text, "code": text}}
    headers = {"x-request-id": text, "location": text}
    errors = [
        failure(500, body, headers),
        failure(500, text.encode(), headers),
        failure(302, b"", headers),
        failure(500, f"<html><title>{text}</title>".encode()),
        reported_failure(TARGET, body),
        broken_answer(TARGET, "malformed-answer", "odd", text),
    ]
    shown = "\n".join(line for error in errors for line in error.lines())
    for secret in (KEY, "gate-password"):
        assert secret not in shown
        assert secret[:8] not in shown


@pytest.mark.parametrize("written", ["ab%2Fcd%2Bef%3D%3D", "ab%2fcd%2bef%3d%3d", "ab\\/cd+ef=="])
def test_a_key_echoed_in_another_spelling_is_redacted(written: str) -> None:
    target = target_of(Options("http://x", "ab/cd+ef=="), "m")
    error = http_failure(target, 400, {}, f"no such key: <{written}>".encode())
    assert error.cause == "no such key: <[redacted]>"


def test_a_short_value_is_no_secret() -> None:
    assert target_of(Options("http://x", "k", extra_headers=(("A", "1"),)), "m").secrets == ()


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"error": {"type": "server_error"}}, "provider-overloaded"),
        ({"error": {"code": "rate_limit_exceeded"}}, "provider-overloaded"),
        ({"error": {"code": 503}}, "provider-overloaded"),
        ({"error": {"code": "429"}}, "provider-overloaded"),
        ({"error": {"status": "UNAVAILABLE"}}, "provider-overloaded"),
        ({"error": {"code": "insufficient_quota"}}, "quota-exhausted"),
        ({"error": {"code": 402}}, "quota-exhausted"),
        ({"error": {"code": "invalid_api_key"}}, "api-key-refused"),
        ({"error": {"code": 401}}, "api-key-refused"),
        ({"error": {"code": 400}}, "provider-error"),
        ({"error": "words"}, "provider-error"),
        ({"object": "error", "message": "x", "code": 500}, "provider-overloaded"),
        ({"error": {"code": True, "type": [], "status": {}}}, "provider-error"),
    ],
)
def test_an_error_inside_an_answer_is_classed_by_its_code(payload: Any, code: str) -> None:
    assert reported_failure(TARGET, payload).code == code


@pytest.mark.parametrize(
    "payload", [{"error": "x"}, {"error": {"code": 1}}, {"object": "error", "message": "x"}]
)
def test_an_error_object_is_recognised(payload: Any) -> None:
    assert is_error(payload)


@pytest.mark.parametrize("payload", [None, [], "error", {}, {"error": None}, {"object": "list"}])
def test_what_reports_no_error_is_not_taken_for_one(payload: Any) -> None:
    assert not is_error(payload)
