from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options
from pi.ai.providers.openai import OpenAiChatCodec
from pi.ai.sse import ServerEvent, SseDecoder
from pi.ai.types import (
    ChatRequest,
    Image,
    Message,
    Reply,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
)
from pi.base.errors import PiError
from tests.fakes.examples import few

CODEC = OpenAiChatCodec()
OPTIONS = Options("http://x/v1", "sk-key-1234")
# Servers whose rows of the table differ most.
SERVERS = st.sampled_from(
    [
        OPTIONS,
        Options("https://api.openai.com/v1", "sk-key-1234", conversation="c"),
        Options("https://api.deepseek.com", "sk-key-1234", thinking="high"),
        Options("https://api.mistral.ai/v1", "sk-key-1234", conversation="c"),
        Options("https://openrouter.ai/api/v1", "sk-key-1234", thinking="low"),
        Options("http://127.0.0.1:11434/v1", provider="ollama"),
    ]
)
CHAT = ChatRequest("m", "", (), (ToolDefinition("read", "", {}),))
REASONS = {"stop", "tool_use", "length", "refusal", "error", "aborted"}

ANY_TEXT = st.text(max_size=8)
NUMBERS = st.one_of(st.integers(), st.floats(), st.booleans(), st.none())
ANY_JSON = st.recursive(
    st.one_of(NUMBERS, ANY_TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(ANY_TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["choices", "delta", "message", "content", "tool_calls", "function", "arguments", "name", "id",
     "index", "usage", "prompt_tokens", "prompt_tokens_details", "cached_tokens", "finish_reason",
     "error", "object", "code", "type", "text", "refusal", "metadata", "detail",
     "reasoning", "reasoning_content", "reasoning_details", "thinking", "x_groq", "param", "loc",
     "failed_generation"]
)  # fmt: skip
WIRE_LIKE = st.recursive(
    st.one_of(NUMBERS, st.sampled_from(["", "text", "function", "error", "read", "{", "{}", "stop",
                                        "\ud83d", "\ude00", '{"a":1}', "<think>", "<tool_call>",
                                        '{"name":"read","arguments":{}}', "tool_use_failed"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=20,
)  # fmt: skip
REAL_CHUNK = {
    "id": "r",
    "object": "chat.completion.chunk",
    "choices": [
        {
            "index": 0,
            "delta": {
                "role": "assistant",
                "content": "a",
                "refusal": None,
                "reasoning": "r",
                "reasoning_details": [{"type": "reasoning.text", "text": "r", "index": 0}],
                "tool_calls": [
                    {"index": 0, "id": "c", "type": "function",
                     "function": {"name": "read", "arguments": "{}"}}
                ],
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 1},
    },
}  # fmt: skip


def paths(value: Any) -> list[tuple[Any, ...]]:
    """Where in ``value`` something can be replaced."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [(key, *rest) for key, inner in items for rest in [(), *paths(inner)]]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    value = copy.deepcopy(value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return value


MUTATED = st.builds(
    replaced,
    st.just(REAL_CHUNK),
    st.sampled_from(paths(REAL_CHUNK)),
    st.one_of(ANY_JSON, WIRE_LIKE),
)
CHUNKS = st.one_of(ANY_JSON, WIRE_LIKE, MUTATED)


def check(reply: Reply, options: Options = OPTIONS) -> None:
    """A reply is consistent, and can be written and sent again."""
    assert reply.stop_reason in REASONS
    assert reply.message.stop_reason == reply.stop_reason
    assert (reply.error is not None) == (reply.stop_reason in ("error", "aborted"))
    assert min(reply.usage) >= 0
    calls = reply.message.tool_calls()
    assert len({call.id for call in calls}) == len(calls)
    assert all(call.id and call.name for call in calls)
    again = reply.message._replace(stop_reason="stop")
    body = CODEC.encode(CHAT._replace(messages=prepare((again,))), options).body
    json.loads(body.decode("utf-8"), parse_constant=AssertionError)
    if reply.error is not None:
        assert all(line.isprintable() for line in reply.error.lines())


@settings(max_examples=few(500), deadline=None)
@given(
    chunks=st.lists(CHUNKS, max_size=5),
    name=st.sampled_from(["message", "message", "error"]),
    options=SERVERS,
)
def test_any_chunks_are_taken_or_reported(chunks: list[Any], name: str, options: Options) -> None:
    """a stream of any JSON values gives a consistent reply; nothing is raised"""
    decoder = CODEC.decoder(CHAT, options)
    for chunk in chunks:
        decoder.feed([ServerEvent(name, json.dumps(chunk))])
    check(decoder.finish(), options)


@settings(max_examples=few(300), deadline=None)
@given(
    body=st.one_of(st.binary(max_size=60), CHUNKS.map(lambda value: json.dumps(value).encode())),
    options=SERVERS,
)
def test_any_body_is_taken_or_reported(body: bytes, options: Options) -> None:
    """any bytes as a whole answer give a consistent reply; nothing is raised"""
    check(CODEC.decode(body, CHAT, options), options)


@settings(max_examples=few(300), deadline=None)
@given(
    status=st.sampled_from([400, 404, 422, 500]),
    body=st.one_of(st.binary(max_size=60), CHUNKS.map(lambda value: json.dumps(value).encode())),
    options=SERVERS,
)
def test_any_refusal_changes_one_thing_or_nothing(
    status: int, body: bytes, options: Options
) -> None:
    """adapt never raises; what it changes is one name, one flag or the wire format"""
    change = CODEC.adapt(status, body, CHAT, options)
    if change is None:
        return
    new = change.options.without - options.without
    flags = change.options.compat.keys() - options.compat.keys()
    assert len(new) + len(flags) + bool(change.api) == 1
    CODEC.encode(CHAT, change.options)


@settings(max_examples=few(300), deadline=None)
@given(
    status=st.integers(100, 599),
    body=st.one_of(st.binary(max_size=60), CHUNKS.map(lambda value: json.dumps(value).encode())),
    header=ANY_TEXT,
)
def test_any_failure_has_printable_words(status: int, body: bytes, header: str) -> None:
    """any status, headers and body give an error of one printable line each"""
    headers = {"x-request-id": header, "location": header}
    error = CODEC.decode_error(status, headers, body, CHAT, OPTIONS)
    assert isinstance(error, PiError)
    assert all(line.isprintable() for line in error.lines())


TEXT_PIECES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=4)
ARGUMENTS = st.dictionaries(ANY_TEXT, st.one_of(ANY_TEXT, st.integers()), max_size=2)
CALLS = st.lists(st.tuples(st.sampled_from(["read", "bash"]), ARGUMENTS), max_size=3)


@settings(max_examples=few(300), deadline=None)
@given(
    thoughts=TEXT_PIECES,
    pieces=TEXT_PIECES,
    calls=CALLS,
    cut=st.integers(1, 5),
    size=st.integers(1, 60),
    options=SERVERS,
)
def test_a_stream_and_a_whole_body_give_the_same_reply(
    thoughts: list[str],
    pieces: list[str],
    calls: list[tuple[str, dict[str, Any]]],
    cut: int,
    size: int,
    options: Options,
) -> None:
    """decoder(chunks of an answer) == decode(the answer), and the deltas add up to it"""
    whole_calls: list[Any] = []
    deltas: list[dict[str, Any]] = [{"reasoning": piece} for piece in thoughts]
    deltas += [{"content": piece} for piece in pieces]
    for position, (name, arguments) in enumerate(calls):
        raw = json.dumps(arguments, ensure_ascii=cut % 2 == 0)
        head = {"index": position, "id": f"c{position}", "type": "function"}
        whole_calls.append({**head, "function": {"name": name, "arguments": raw}})
        deltas.append({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]})
        for at in range(0, len(raw), cut):
            piece = {"index": position, "function": {"arguments": raw[at : at + cut]}}
            deltas.append({"tool_calls": [piece]})
    usage = {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11}
    chunks = [
        *({"id": "r", "choices": [{"index": 0, "delta": delta}]} for delta in deltas),
        {"id": "r", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"id": "r", "choices": [], "usage": usage},
    ]
    stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode()
    message = {"role": "assistant", "content": "".join(pieces), "tool_calls": whole_calls}
    message["reasoning"] = "".join(thoughts)
    body = {"id": "r", "choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    sse, decoder = SseDecoder(), CODEC.decoder(CHAT, options)
    out = []
    for at in range(0, len(stream), size):
        out += decoder.feed(sse.feed(stream[at : at + size]))
    out += decoder.feed(sse.finish())
    reply = decoder.finish()

    assert reply == CODEC.decode(json.dumps(body).encode(), CHAT, options)
    assert [dict(call.arguments) for call in reply.message.tool_calls()] == [
        json.loads(json.dumps(arguments)) for _, arguments in calls
    ]
    text = "".join(event.text for event in out if isinstance(event, TextDelta))
    assert text == "".join(pieces)
    thought = "".join(event.text for event in out if isinstance(event, ThinkingDelta))
    assert thought == "".join(thoughts)
    for position, (_, arguments) in enumerate(calls):
        shown = [e.json_piece for e in out if isinstance(e, CallDelta) and e.position == position]
        assert json.loads("".join(shown)) == arguments


HISTORY = st.lists(
    st.one_of(
        st.builds(Message, st.just("user"), st.tuples(st.builds(Text, ANY_TEXT))),
        st.just(Message("user", (Text("see"), Image("image/png", "aGk=")))),
        st.just(Message("tool", (Image("image/png", "aGk="),), "0", "read")),
        st.builds(
            Message,
            st.just("assistant"),
            st.tuples(
                st.builds(
                    Thinking,
                    ANY_TEXT,
                    vendor=st.sampled_from(
                        [
                            None,
                            {"field": "reasoning"},
                            {"field": "content"},
                            {"reasoning_details": [{"type": "reasoning.text"}]},
                        ]
                    ),
                ),
                st.builds(Text, ANY_TEXT),
                st.builds(ToolCall, ANY_TEXT, st.just("read"), ARGUMENTS),
            ),
        ),
    ),
    max_size=6,
).map(tuple)


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORY, more=HISTORY, options=SERVERS, closed=st.booleans())
def test_requests_are_append_only_and_repeatable(
    history: tuple[Message, ...], more: tuple[Message, ...], options: Options, closed: bool
) -> None:
    """encode(h) == encode(h), UTF-8, and a prefix of encode(h + more) up to its closing"""
    history = prepare(history)
    if closed:
        history = (*history, Message("user", (Text("go"),)))
    short = CODEC.encode(CHAT._replace(messages=history), options).body
    long = CODEC.encode(CHAT._replace(messages=history + prepare(more)), options).body
    assert short == CODEC.encode(CHAT._replace(messages=history), options).body
    assert long.startswith(short[: -len(b"]}")])
    json.loads(long.decode("utf-8"))
