"""Our generateContent codec against the vendor's own client library."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.events import TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options, Traits
from pi.ai.providers.google import GoogleCodec
from pi.ai.sse import SseDecoder
from pi.ai.types import (
    ChatRequest,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
    tool_message,
    user_message,
)
from tests.fakes.examples import few

with warnings.catch_warnings():  # it deplores old interpreters when it is imported
    warnings.simplefilter("ignore")
    genai = pytest.importorskip("google.genai")
    from google.genai import types
try:  # newer releases of the library brought their own fork of their HTTP client
    import httpx2 as httpx
except ImportError:
    import httpx

CODEC = GoogleCodec()
MODEL = "gemini-3.1-pro-preview"
OPTIONS = Options("http://sdk.test/v1beta", "AIza-key-1234", provider="google")
CHAT = ChatRequest(MODEL, "", (user_message("hi"),))
STYLES = ["gemini-budget"]
if "thinking_level" in types.ThinkingConfig.model_fields:  # not in the last one for Python 3.9
    STYLES.append("gemini-level")

# Older releases of the library break lines at separators inside the JSON.
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=8)
TEXT = st.one_of(st.just(""), WORDS.map(lambda text: "w" + text))
ARGUMENTS = st.dictionaries(WORDS, st.one_of(WORDS, st.integers(), st.none()), max_size=3)
SIGNATURES = st.sampled_from(["c2ln", "dGhpbms=", "QUJD"])


class Sliced(httpx.SyncByteStream):
    def __init__(self, raw: bytes, size: int) -> None:
        self._raw, self._size = raw, size

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._raw), self._size):
            yield self._raw[at : at + self._size]


def asked(handler: Any, stream: bool, **body: Any) -> list[Any]:
    """What the library makes of the answer, piece by piece."""
    with httpx.Client(transport=httpx.MockTransport(handler)) as http:
        options = types.HttpOptions(
            base_url="http://sdk.test", api_version="v1beta", httpx_client=http
        )
        client = genai.Client(api_key="AIza-key-1234", vertexai=False, http_options=options)
        if stream:
            return list(client.models.generate_content_stream(model=MODEL, **body))
        return [client.models.generate_content(model=MODEL, **body)]


@st.composite
def parts(draw: Any) -> dict[str, Any]:
    part: dict[str, Any]
    if draw(st.booleans()):
        part = {"text": draw(TEXT)}
        if draw(st.booleans()):
            part["thought"] = True
    else:
        call = {"name": draw(st.sampled_from(["read", "bash"])), "args": draw(ARGUMENTS)}
        if draw(st.booleans()):
            call["id"] = draw(st.sampled_from(["a", "b", "c"]))
        part = {"functionCall": call}
    if draw(st.booleans()):
        part["thoughtSignature"] = draw(SIGNATURES)
    return part


USAGES = st.fixed_dictionaries(
    {"promptTokenCount": st.integers(50, 99), "candidatesTokenCount": st.integers(0, 99)},
    optional={
        "cachedContentTokenCount": st.integers(0, 49),
        "thoughtsTokenCount": st.integers(1, 99),
    },
)


@st.composite
def answers(draw: Any) -> list[dict[str, Any]]:
    """The chunks of one valid streamed answer."""
    groups = draw(st.lists(st.lists(parts(), max_size=3), min_size=1, max_size=5))
    rows: list[dict[str, Any]] = [
        {"candidates": [{"content": {"role": "model", "parts": group}, "index": 0}]}
        for group in groups
    ]
    reasons = ["STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL", "SPII"]
    rows[-1]["candidates"][0]["finishReason"] = draw(st.sampled_from(reasons))
    if draw(st.booleans()):
        rows[-1]["usageMetadata"] = draw(USAGES)
    return [{**row, "responseId": "r1", "modelVersion": MODEL} for row in rows]


def joined(wire: Any) -> list[dict[str, Any]]:
    """Parts as they must go back: unsigned pieces of one text are one part."""
    out: list[dict[str, Any]] = []
    for part in wire:
        last = out[-1] if out else {}
        signed = "thoughtSignature" in part or "thoughtSignature" in last
        same = "text" in part and "text" in last and part.get("thought") == last.get("thought")
        if same and not signed:
            out[-1] = {**last, "text": last["text"] + part["text"]}
            continue
        if part.get("text") != "" or "thoughtSignature" in part:
            out.append(part)
    return out


@settings(max_examples=few(60), deadline=None)
@given(
    chunks=answers(),
    size=st.integers(1, 400),
    ascii_only=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_stream_means_to_us_what_it_means_to_the_vendors_library(
    chunks: list[dict[str, Any]], size: int, ascii_only: bool, line_end: str
) -> None:
    """text, thoughts, calls, signatures, usage, reason of any valid stream, sliced anyhow"""
    rows = [json.dumps(row, ensure_ascii=ascii_only) for row in chunks]
    raw = "".join(f"data: {row}{line_end}{line_end}" for row in rows).encode()

    def handler(request: Any) -> Any:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=Sliced(raw, size))

    theirs = asked(handler, True, contents="hi")
    sse, decoder = SseDecoder(), CODEC.decoder(CHAT, OPTIONS)
    out = []
    for piece in Sliced(raw, size):
        out += decoder.feed(sse.feed(piece))
    out += decoder.feed(sse.finish())
    ours = decoder.finish()

    found = [
        part
        for response in theirs
        for part in (response.candidates[0].content or types.Content()).parts or ()
    ]
    text = "".join(part.text for part in found if part.text and not part.thought)
    thoughts = "".join(part.text for part in found if part.text and part.thought)
    assert "".join(event.text for event in out if isinstance(event, TextDelta)) == text
    assert "".join(event.text for event in out if isinstance(event, ThinkingDelta)) == thoughts
    assert [
        (call.name, dict(call.arguments), call.item_id, call.raw_arguments)
        for call in ours.message.tool_calls()
    ] == [
        (part.function_call.name, part.function_call.args, part.function_call.id, None)
        for part in found
        if part.function_call
    ]
    last = theirs[-1]
    assert ours.raw_stop_reason == last.candidates[0].finish_reason.value
    assert ours.response_id == last.response_id
    usage = last.usage_metadata or types.GenerateContentResponseUsageMetadata()
    spent = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    assert ours.usage.total == (usage.prompt_token_count or 0) + spent
    assert ours.usage.cache_read == (usage.cached_content_token_count or 0)
    assert ours.usage.output == spent

    sent = [part for row in chunks for part in row["candidates"][0]["content"]["parts"]]
    again = prepare((ours.message._replace(stop_reason="stop"),))
    budget = OPTIONS._replace(traits=Traits(thinking_style="gemini-budget"))  # no placeholders
    body = json.loads(CODEC.encode(CHAT._replace(messages=again), budget).body)
    back = [part for row in body["contents"] if row["role"] == "model" for part in row["parts"]]
    assert joined(back) == joined(sent)


NAMES = st.sampled_from(["read", "bash", "odd name"])
SIGNED = st.one_of(st.none(), SIGNATURES)
IMAGES = st.just(Image("image/png", "aWJt"))
CALLS = st.lists(
    st.builds(
        ToolCall,
        st.sampled_from(["a", "b", "c"]),
        NAMES,
        ARGUMENTS,
        signature=SIGNED,
        item_id=st.one_of(st.none(), st.just("w")),
    ),
    max_size=3,
)
ASSISTANTS = st.builds(
    lambda thought, text, calls: Message("assistant", (thought, text, *calls)),
    st.builds(Thinking, TEXT, SIGNED),
    st.builds(Text, TEXT, st.one_of(SIGNED, st.just("2:c2ln"))),
    CALLS,
)
RESULTS = st.builds(
    lambda text, image: Message("tool", (Text(text), *image), "a", "read"),
    TEXT,
    st.lists(IMAGES, max_size=1),
)
HISTORIES = st.lists(
    st.one_of(
        st.builds(lambda text, image: Message("user", (Text(text), image)), TEXT, IMAGES),
        ASSISTANTS,
        RESULTS,
        st.builds(tool_message, st.builds(ToolCall, st.just("b"), NAMES, st.just({})), TEXT),
    ),
    max_size=6,
).map(tuple)
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
TOOL_LISTS = st.lists(
    st.builds(ToolDefinition, st.just("read"), TEXT, st.just(SCHEMA)), max_size=2
).map(tuple)


def plain(value: Any) -> Any:
    """Without what means the same to the server: case of names, alphabet of base64."""
    if isinstance(value, dict):
        return {camel(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


@settings(max_examples=few(60), deadline=None)
@given(
    history=HISTORIES,
    tools=TOOL_LISTS,
    system=TEXT,
    stream=st.booleans(),
    limits=st.sampled_from([(None, None), (5, None), (None, 0.5), (100, 0.0)]),
    thinking=st.sampled_from(["", "off", "low", "max"]),
    style=st.sampled_from(STYLES),
    without=st.sampled_from([frozenset(), frozenset({"parametersJsonSchema"})]),
)
def test_the_vendors_library_sends_and_accepts_the_same_request(
    history: tuple[Message, ...],
    tools: tuple[ToolDefinition, ...],
    system: str,
    stream: bool,
    limits: tuple[int | None, float | None],
    thinking: str,
    style: str,
    without: frozenset[str],
) -> None:
    """our body is valid by the library's own types, and is what the library would send"""
    chat = ChatRequest(MODEL, system, (*prepare(history), user_message("go")), tools, *limits)
    options = OPTIONS._replace(
        stream=stream, thinking=thinking, traits=Traits(thinking_style=style), without=without
    )
    request = CODEC.encode(chat, options)
    body = json.loads(request.body)
    config = {key: body[key] for key in ("systemInstruction", "tools") if key in body}
    config.update(body.get("generationConfig", {}))
    valid = types.GenerateContentConfig.model_validate(config)
    contents = [types.Content.model_validate(row) for row in body["contents"]]

    seen = []

    def handler(sent: Any) -> Any:
        seen.append(sent)
        row = json.dumps({"candidates": [{"finishReason": "STOP"}]})
        if stream:
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, text=f"data: {row}\n\n")
        return httpx.Response(200, json=json.loads(row))

    asked(handler, stream, contents=contents, config=valid)
    assert str(seen[0].url) == request.url
    assert seen[0].method == request.method
    theirs = plain(json.loads(seen[0].content))
    theirs.get("systemInstruction", {}).pop("role", None)
    if "generationConfig" in theirs and not theirs["generationConfig"]:
        del theirs["generationConfig"]
    assert same_types(theirs) == same_types(plain(body))
    for name, value in request.headers:
        assert seen[0].headers[name] == value


def same_types(value: Any) -> Any:
    """The library writes the types of a schema as upper-case words; both are read."""
    if isinstance(value, dict):
        return {
            key: inner.lower() if key == "type" and isinstance(inner, str) else same_types(inner)
            for key, inner in value.items()
        }
    return [same_types(inner) for inner in value] if isinstance(value, list) else value
