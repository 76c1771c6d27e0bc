"""OpenAI Responses: the format in which OpenAI's models think and use tools together.

Nothing is stored at the vendor: what the model thought comes back sealed and is sent
again with the conversation.
"""

from __future__ import annotations

from pi.ai.jsontext import dump_bytes, parse
from pi.ai.providers.azure import RESPONSES_SUFFIX, headers, target
from pi.ai.providers.failure import (
    broken_answer,
    is_error,
    reported_failure,
)
from pi.ai.providers.responses_answer import API, Answer
from pi.ai.providers.responses_body import request_body
from pi.ai.providers.responses_stream import ResponsesStreamDecoder
from pi.ai.providers.shared import JsonCodec, body_text, is_stream_text, not_json
from pi.base.http import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.codec import Change, Options
    from pi.ai.types import ChatRequest, Reply


class OpenAiResponsesCodec(JsonCodec):
    """Implements ``Codec``."""

    api = API

    def encode(self, chat: ChatRequest, options: Options) -> Request:
        url, key_header = target(options.base_url, RESPONSES_SUFFIX, options.azure_api_version)
        body = dump_bytes(request_body(chat, options))
        return Request("POST", url, headers(options, key_header), body, options.timeout_ms)

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
        if not isinstance(payload, dict) or not isinstance(payload.get("output"), list):
            what = "the answer holds no output"
            return answer.failed(broken_answer(answer.target, "malformed-answer", what, text))
        status = payload.get("status")
        for _ in answer.take_end(payload, status if isinstance(status, str) else "completed"):
            pass  # what a stream shows as it comes is all in the reply
        return answer.reply()

    def decoder(self, chat: ChatRequest, options: Options) -> ResponsesStreamDecoder:
        return ResponsesStreamDecoder(chat, options)

    def adapt(self, status: int, body: bytes, chat: ChatRequest, options: Options) -> Change | None:
        from pi.ai.providers.responses_adapt import adapted  # 3 ms, and rarely needed

        return adapted(status, body, request_body(chat, options), options)
