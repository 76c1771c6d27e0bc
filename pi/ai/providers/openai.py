"""OpenAI chat completions, and every server that speaks it."""

from __future__ import annotations

from pi.ai.jsontext import dump_bytes, parse
from pi.ai.providers.azure import CHAT_SUFFIX, headers, target
from pi.ai.providers.compat import compat_of
from pi.ai.providers.failure import (
    broken_answer,
    is_error,
    reported_failure,
)
from pi.ai.providers.openai_answer import API, Answer, message_text
from pi.ai.providers.openai_request import extra_headers, request_body
from pi.ai.providers.openai_stream import OpenAiStreamDecoder
from pi.ai.providers.shared import JsonCodec, body_text, is_stream_text, not_json
from pi.base.http import Request
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.ai.providers.calls import CallCollector
    from pi.ai.providers.codec import Change, Options
    from pi.ai.types import ChatRequest, Reply
    from pi.base.errors import PiError


class OpenAiChatCodec(JsonCodec):
    """Implements ``Codec``."""

    api = API

    def encode(self, chat: ChatRequest, options: Options) -> Request:
        compat = compat_of(options)
        where = target(options.base_url, CHAT_SUFFIX, options.azure_api_version)
        ours = headers(options, where.key_header)
        given = {name.lower() for name, _ in ours}
        more = (pair for pair in extra_headers(options, compat) if pair[0] not in given)
        body = dump_bytes(request_body(chat, options, compat))
        return Request("POST", where.url, (*ours, *more), body, options.timeout_ms)

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
            if not answer.take_failed_generation(payload):
                answer.error = reported_failure(answer.target, payload)
            return answer.reply()
        choices = payload.get("choices") if isinstance(payload, dict) else None
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(message, dict):
            what = "the answer holds no message" if choices else "the answer holds no choices"
            return answer.failed(broken_answer(answer.target, "malformed-answer", what, text))
        answer.take_head(payload)
        answer.take_choice(choice)
        answer.thinking.add(answer.thinking.read(message))
        answer.take_text(message_text(message))
        answer.is_refusal = bool(message.get("refusal"))
        _take_whole_calls(answer.calls, message.get("tool_calls"))
        answer.ended = True
        return answer.reply()

    def decoder(self, chat: ChatRequest, options: Options) -> OpenAiStreamDecoder:
        return OpenAiStreamDecoder(chat, options)

    def decode_error(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        chat: ChatRequest,
        options: Options,
    ) -> PiError:
        from pi.ai.providers.openai_adapt import hint_for  # only after a refusal: 5 ms

        error = super().decode_error(status, headers, body, chat, options)
        error.hint = hint_for(body, chat) or error.hint
        return error

    def adapt(self, status: int, body: bytes, chat: ChatRequest, options: Options) -> Change | None:
        from pi.ai.providers.openai_adapt import adapt  # as above

        return adapt(status, body, chat, options)

    def salvage(self, body: bytes, chat: ChatRequest, options: Options) -> Reply | None:
        """The answer inside a refusal: Groq's "tool_use_failed" quotes what the model wrote."""
        if b"tool_use_failed" not in body:
            return None
        reply = self.decode(body, chat, options)
        return reply if reply.error is None else None


def _take_whole_calls(calls: CallCollector, wire_calls: Any) -> None:
    """A whole body's calls stand apart by their position, whatever index they claim."""
    if isinstance(wire_calls, list):
        for position, call in enumerate(wire_calls):
            if isinstance(call, dict):
                calls.add({**call, "index": position})
