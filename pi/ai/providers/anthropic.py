"""Anthropic Messages, and every server that speaks it.

The stop reason "pause" is this vendor's: the model stopped in the middle and goes on when
the conversation is sent again with what it said so far.
"""

from __future__ import annotations

from pi.ai.jsontext import dump_bytes, parse
from pi.ai.providers.anthropic_answer import API, Answer
from pi.ai.providers.anthropic_body import request_body
from pi.ai.providers.anthropic_stream import AnthropicStreamDecoder
from pi.ai.providers.anthropic_thinking import INTERLEAVED_BETA
from pi.ai.providers.codec import Change
from pi.ai.providers.failure import (
    broken_answer,
    is_error,
    reported_failure,
)
from pi.ai.providers.shared import JsonCodec, body_text, is_stream_text, not_json
from pi.base.http import Request
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.codec import Options
    from pi.ai.types import ChatRequest, Reply

VERSION = "2023-06-01"


class AnthropicCodec(JsonCodec):
    """Implements ``Codec``."""

    api = API

    def encode(self, chat: ChatRequest, options: Options) -> Request:
        body = request_body(chat, options)
        headers = _headers(options, body)
        return Request(
            "POST", _url(options.base_url), headers, dump_bytes(body), options.timeout_ms
        )

    def decode(self, body: bytes, chat: ChatRequest, options: Options) -> Reply:
        answer = Answer(chat, options)
        text = body_text(body)
        if is_stream_text(text):
            return self.decode_stream(body, chat, options)
        try:
            payload = parse(text)
        except ValueError:
            what = not_json(text)
            return answer.failed(broken_answer(answer.target, "malformed-answer", what, text))
        if is_error(payload):
            return answer.failed(reported_failure(answer.target, payload))
        content = payload.get("content") if isinstance(payload, dict) else None
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        if not isinstance(payload, dict) or not isinstance(content, list):
            what = "the answer holds no content"
            return answer.failed(broken_answer(answer.target, "malformed-answer", what, text))
        answer.take_head(payload)
        for block in content:
            if isinstance(block, dict):
                answer.open(None, block)
        answer.take_stop(payload)
        answer.ended = True
        return answer.reply()

    def decoder(self, chat: ChatRequest, options: Options) -> AnthropicStreamDecoder:
        return AnthropicStreamDecoder(chat, options)

    def adapt(self, status: int, body: bytes, chat: ChatRequest, options: Options) -> Change | None:
        # 1 ms, and only a refusal needs it.
        from pi.ai.providers.anthropic_adapt import adapted

        changed = adapted(status, body, request_body(chat, options), options)
        return None if changed is None else Change(changed)


def _url(base_url: str) -> str:
    base = base_url.rstrip("/")
    return base if base.endswith("/messages") else base + "/messages"


def _headers(options: Options, body: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    own = {"Content-Type": "application/json", "anthropic-version": VERSION}
    if options.api_key:
        own["x-api-key"] = options.api_key
    if body.get("thinking", {}).get("type") == "enabled" and "beta" not in options.without:
        own["anthropic-beta"] = INTERLEAVED_BETA
    given = {name.lower() for name, _ in options.extra_headers}
    kept = tuple(pair for pair in own.items() if pair[0].lower() not in given)
    return kept + options.extra_headers
