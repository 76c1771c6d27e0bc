"""OpenAI Responses: the format in which OpenAI's models think and use tools together.

Nothing is stored at the vendor: what the model thought comes back sealed and is sent
again with the conversation.
"""

from __future__ import annotations

from pi.ai.jsontext import dump_bytes, parse
from pi.ai.providers.azure import RESPONSES_SUFFIX, headers, target
from pi.ai.providers.failure import (
    broken_answer,
    http_failure,
    is_error,
    reported_failure,
    target_of,
)
from pi.ai.providers.responses_answer import API, Answer
from pi.ai.providers.responses_body import request_body
from pi.ai.providers.responses_stream import ResponsesStreamDecoder
from pi.ai.sse import SseDecoder
from pi.base.http import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.ai.providers.codec import Change, Options
    from pi.ai.types import ChatRequest, Reply
    from pi.base.errors import PiError


class OpenAiResponsesCodec:
    """Implements ``Codec``."""

    api = API

    def encode(self, chat: ChatRequest, options: Options) -> Request:
        url, key_header = target(options.base_url, RESPONSES_SUFFIX, options.azure_api_version)
        body = dump_bytes(request_body(chat, options))
        return Request("POST", url, headers(options, key_header), body, options.timeout_ms)

    def decode(self, body: bytes, chat: ChatRequest, options: Options) -> Reply:
        answer = Answer(chat, options)
        text = body.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
        if text.startswith(("data:", "event:", ":")):
            return self._decode_stream(body, chat, options)
        try:
            payload = parse(text)
        except ValueError:
            what = "the answer is not JSON" if text else "the answer is empty"
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

    def salvage(self, body: bytes, chat: ChatRequest, options: Options) -> Reply | None:
        """No server of this format hides an answer in a refusal."""
        return None

    def adapt(self, status: int, body: bytes, chat: ChatRequest, options: Options) -> Change | None:
        from pi.ai.providers.responses_adapt import adapted  # 3 ms, and rarely needed

        return adapted(status, body, request_body(chat, options), options)

    def decode_error(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        chat: ChatRequest,
        options: Options,
    ) -> PiError:
        return http_failure(target_of(options, chat.model), status, headers, body)

    def _decode_stream(self, body: bytes, chat: ChatRequest, options: Options) -> Reply:
        """An event stream under another content type."""
        decoder, sse = self.decoder(chat, options), SseDecoder()
        decoder.feed(sse.feed(body))
        decoder.feed(sse.finish())
        return decoder.finish()
