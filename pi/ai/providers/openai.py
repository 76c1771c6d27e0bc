"""OpenAI chat completions, and every server that speaks it.

Requests are append-only: the same settings give the same bytes, and ``messages`` is the
last key, so a longer history only adds bytes at the end and prompt caches hit.
"""

from __future__ import annotations

from typing import Any

from pi.ai.jsontext import dump, dump_bytes, parse
from pi.ai.providers.calls import CallCollector
from pi.ai.providers.failure import (
    broken_answer,
    http_failure,
    is_error,
    reported_failure,
    target_of,
)
from pi.ai.providers.openai_answer import API, Answer, message_text
from pi.ai.providers.openai_stream import OpenAiStreamDecoder
from pi.ai.sse import SseDecoder
from pi.base.errors import Bug
from pi.base.http import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pi.ai.providers.codec import Options
    from pi.ai.types import ChatRequest, Message, Reply
    from pi.base.errors import PiError


class OpenAiChatCodec:
    """Implements ``Codec``."""

    api = API

    def encode(self, chat: ChatRequest, options: Options) -> Request:
        body: dict[str, Any] = {"model": chat.model}
        if options.stream:
            body["stream"] = True
            if options.include_usage:
                body["stream_options"] = {"include_usage": True}
        if chat.max_tokens is not None:
            body["max_tokens"] = chat.max_tokens
        if chat.temperature is not None:
            body["temperature"] = chat.temperature
        if chat.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": dict(tool.parameters),
                    },
                }
                for tool in chat.tools
            ]
        body["messages"] = list(_wire_messages(chat))
        return Request(
            "POST", _url(options.base_url), _headers(options), dump_bytes(body), options.timeout_ms
        )

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
        choices = payload.get("choices") if isinstance(payload, dict) else None
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(message, dict):
            what = "the answer holds no message" if choices else "the answer holds no choices"
            return answer.failed(broken_answer(answer.target, "malformed-answer", what, text))
        answer.take_head(payload)
        answer.take_choice(choice)
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
        return http_failure(target_of(options, chat.model), status, headers, body)

    def _decode_stream(self, body: bytes, chat: ChatRequest, options: Options) -> Reply:
        """An event stream under another content type."""
        decoder, sse = self.decoder(chat, options), SseDecoder()
        decoder.feed(sse.feed(body))
        decoder.feed(sse.finish())
        return decoder.finish()


def _take_whole_calls(calls: CallCollector, wire_calls: Any) -> None:
    """A whole body's calls stand apart by their position, whatever index they claim."""
    if isinstance(wire_calls, list):
        for position, call in enumerate(wire_calls):
            if isinstance(call, dict):
                calls.add({**call, "index": position})


def _url(base_url: str) -> str:
    base = base_url.rstrip("/")
    return base if base.endswith("/chat/completions") else base + "/chat/completions"


def _headers(options: Options) -> tuple[tuple[str, str], ...]:
    own = {"Content-Type": "application/json"}
    if options.api_key:
        own["Authorization"] = f"Bearer {options.api_key}"
    given = {name.lower() for name, _ in options.extra_headers}
    kept = tuple(pair for pair in own.items() if pair[0].lower() not in given)
    return kept + options.extra_headers


def _wire_messages(chat: ChatRequest) -> Iterator[dict[str, Any]]:
    if chat.system:
        yield {"role": "system", "content": chat.system}
    for message in chat.messages:
        if message.role == "assistant":
            yield _wire_assistant(message)
        elif message.role == "tool":
            yield _wire_result(message)
        else:
            yield {"role": message.role, "content": message.text()}


def _wire_assistant(message: Message) -> dict[str, Any]:
    text = message.text()
    calls = [
        {
            "id": call.id,
            "type": "function",
            # A call that was not understood goes back without arguments: many servers
            # parse this field and would refuse the conversation from here on. The raw
            # text is in the call's error result.
            "function": {"name": call.name, "arguments": dump(dict(call.arguments))},
        }
        for call in message.tool_calls()
    ]
    if not calls:
        return {"role": "assistant", "content": text}
    return {"role": "assistant", "content": text if text.strip() else None, "tool_calls": calls}


def _wire_result(message: Message) -> dict[str, Any]:
    if not message.tool_call_id:
        raise Bug("tool message is missing tool_call_id")
    result = {
        "role": "tool",
        "tool_call_id": message.tool_call_id,
        "content": message.text(),
    }
    if message.tool_name:
        result["name"] = message.tool_name
    return result
