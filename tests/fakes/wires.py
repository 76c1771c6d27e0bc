"""The same answers in every wire format, for servers in tests.

``WIRES`` maps a format's name (a key of ``pi.ai.providers.CODECS``) to what a server of it
sends: the pieces of a streamed text, of a tool call, its ordinary and its failing end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


def data(payload: Any) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def named(payload: Any) -> bytes:
    return f"event: {payload['type']}\n".encode() + data(payload)


class Wire(NamedTuple):
    """One format.

    ``text`` and ``call`` give whole streams as pieces, the last one the terminal; leaving
    pieces out at the end is a cut. ``whole`` is the non-streamed body. ``busy`` is a failure
    told inside a stream that may pass. ``base`` is the path of the base URL, ``key_header``
    where the key travels.
    """

    api: str
    provider: str
    base: str
    key_variable: str
    key_header: str
    base_flag: str
    text: Callable[[Sequence[str]], list[bytes]]
    call: Callable[[str, dict[str, Any]], list[bytes]]
    whole: Callable[[str], bytes]
    busy: bytes


def _chat(delta: Any, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return data({"id": "chat_1", "object": "chat.completion.chunk", "choices": [choice]})


_CHAT_USAGE = data(
    {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}
)


def chat_text(pieces: Sequence[str]) -> list[bytes]:
    return [
        *[_chat({"content": piece}) for piece in pieces],
        _chat({}, "stop") + _CHAT_USAGE + b"data: [DONE]\n\n",
    ]


def chat_call(name: str, arguments: dict[str, Any]) -> list[bytes]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    end = _chat({}, "tool_calls") + _CHAT_USAGE + b"data: [DONE]\n\n"
    return [_chat({"tool_calls": [call]}), end]


def chat_whole(text: str) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    return json.dumps({"choices": [{**choice, "finish_reason": "stop"}]}).encode()


def _item(kind: str, **fields: Any) -> bytes:
    return named({"type": f"response.{kind}", **fields})


def _completed(*output: dict[str, Any]) -> bytes:
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    response = {"id": "resp_1", "status": "completed", "output": list(output), "usage": usage}
    return _item("completed", response=response)


def responses_text(pieces: Sequence[str]) -> list[bytes]:
    part = {"type": "output_text", "text": "".join(pieces), "annotations": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    done = {**item, "content": [part]}
    place = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
    added = _item("output_item.added", output_index=0, item={**item, "content": []})
    deltas = [_item("output_text.delta", delta=piece, **place) for piece in pieces]
    deltas[0] = added + deltas[0]
    return [*deltas, _item("output_item.done", output_index=0, item=done) + _completed(done)]


def responses_call(name: str, arguments: dict[str, Any]) -> list[bytes]:
    raw = json.dumps(arguments)
    item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name}
    done = {**item, "arguments": raw, "status": "completed"}
    added = _item("output_item.added", output_index=0, item={**item, "arguments": ""})
    place = {"output_index": 0, "item_id": "fc_1"}
    delta = _item("function_call_arguments.delta", delta=raw, **place)
    end = _item("output_item.done", output_index=0, item=done) + _completed(done)
    return [added + delta, end]


def responses_whole(text: str) -> bytes:
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}
    return json.dumps({"id": "resp_1", "status": "completed", "output": [item]}).encode()


_ANTHROPIC_START = named(
    {
        "type": "message_start",
        "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m",
            "stop_reason": None, "usage": {"input_tokens": 10, "output_tokens": 1},
        },
    }
)  # fmt: skip


def _anthropic(block: dict[str, Any], deltas: Sequence[dict[str, Any]], reason: str) -> list[bytes]:
    start = named({"type": "content_block_start", "index": 0, "content_block": block})
    pieces = [
        named({"type": "content_block_delta", "index": 0, "delta": delta}) for delta in deltas
    ]
    pieces[0] = _ANTHROPIC_START + start + pieces[0]
    end = named({"type": "content_block_stop", "index": 0})
    delta = {"stop_reason": reason, "stop_sequence": None}
    end += named({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5}})
    return [*pieces, end + named({"type": "message_stop"})]


def anthropic_text(pieces: Sequence[str]) -> list[bytes]:
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return _anthropic({"type": "text", "text": ""}, deltas, "end_turn")


def anthropic_call(name: str, arguments: dict[str, Any]) -> list[bytes]:
    block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    delta = {"type": "input_json_delta", "partial_json": json.dumps(arguments)}
    return _anthropic(block, [delta], "tool_use")


def anthropic_whole(text: str) -> bytes:
    block = {"type": "text", "text": text}
    body = {"id": "msg_1", "type": "message", "role": "assistant", "content": [block]}
    usage = {"input_tokens": 10, "output_tokens": 5}
    return json.dumps({**body, "stop_reason": "end_turn", "usage": usage}).encode()


def _google(parts: list[dict[str, Any]], reason: str | None = None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if reason is None:
        return {"candidates": [candidate]}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    return {"candidates": [{**candidate, "finishReason": reason}], "usageMetadata": usage}


def google_text(pieces: Sequence[str]) -> list[bytes]:
    texts = [data(_google([{"text": piece}])) for piece in pieces]
    return [*texts, data(_google([{"text": ""}], "STOP"))]


def google_call(name: str, arguments: dict[str, Any]) -> list[bytes]:
    part = {"functionCall": {"name": name, "args": arguments}}
    return [data(_google([part])), data(_google([{"text": ""}], "STOP"))]


def google_whole(text: str) -> bytes:
    return json.dumps(_google([{"text": text}], "STOP")).encode()


_OVERLOADED = {"type": "overloaded_error", "message": "overloaded"}
_BUSY = {"message": "overloaded, try again", "code": "server_is_overloaded"}
WIRES: dict[str, Wire] = {
    wire.api: wire
    for wire in (
        Wire(
            "openai-chat", "openai", "/v1", "OPENAI_API_KEY", "authorization", "--api-base",
            chat_text, chat_call, chat_whole, data({"error": _BUSY}),
        ),
        Wire(
            "openai-responses", "openai", "/v1", "OPENAI_API_KEY", "authorization", "--api-base",
            responses_text, responses_call, responses_whole,
            named({"type": "error", **_BUSY}),
        ),
        Wire(
            "anthropic", "anthropic", "/v1", "ANTHROPIC_API_KEY", "x-api-key",
            "--anthropic-api-base", anthropic_text, anthropic_call, anthropic_whole,
            named({"type": "error", "error": _OVERLOADED}),
        ),
        Wire(
            "google", "google", "/v1beta", "GEMINI_API_KEY", "x-goog-api-key",
            "--google-api-base", google_text, google_call, google_whole,
            data({"error": {"code": 503, "status": "UNAVAILABLE", "message": "overloaded"}}),
        ),
    )
}  # fmt: skip
