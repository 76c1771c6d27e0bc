"""Tool calls that a model wrote into its text, because its server did not take them out.

Two kinds of dialect. A tagged call begins with a marker that is no ordinary text; words
may stand before it. A bare call is JSON, alone or in a code fence, and must be the whole
text. Both count only if every call names a tool that was offered and nothing but calls
follows: an answer that merely shows a call stays text.

Pure; never raises; the cost is linear in the text for up to ``MAX_CALLS`` calls.
"""

from __future__ import annotations

import re

from pi.ai.jsontext import decode_prefix, dump
from pi.ai.rescue_marks import CALL_BEGIN, CALLS_BEGIN, FENCE_WORDS, MARKER, deepseek_token
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pi.ai.types import ToolDefinition

    Calls = list["WrittenCall"]
    # Read calls at a place: the calls and where they end, or None.
    Reader = Callable[["_Text", int], "tuple[Calls, int] | None"]

MAX_CALLS = 64

_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input")
_CALL_KEYS = {"name", "function", "id", "type", *_ARGUMENT_KEYS}
_BLANK = re.compile(r"\s*")
_FENCE = re.compile(rf"\s*```(?:{'|'.join(FENCE_WORDS)})?[ \t]*\r?\n(.*?)\r?\n?```\s*\Z", re.S)
_FUNCTION = re.compile(r"<function=[\"']?([\w.:-]{1,200})[\"']?>\s*")
_PARAMETER = re.compile(r"<parameter=[\"']?([\w.:-]{1,200})[\"']?>")
_PARAMETER_END = re.compile(r"</parameter>(?=\s*(?:<parameter=|</function>|</tool_call>|\Z))")
_MISTRAL_NAMED = re.compile(r"\s*([\w.:-]{1,200})\s*(?:\[CALL_ID\]\w*)?(?:\[ARGS\])?\s*(?=\{)")
_SEPARATOR = deepseek_token("tool\u2581sep")
_CALL_END = deepseek_token("tool\u2581call\u2581end")
_ENDS = (deepseek_token("tool\u2581calls\u2581end"), deepseek_token("end\u2581of\u2581sentence"))
_DEEPSEEK = re.compile(
    rf"\s*{CALL_BEGIN}(?:function{_SEPARATOR}([^\n<]{{1,200}})\n"
    rf"|([^<\n]{{1,200}}){_SEPARATOR})\s*(?:```json)?\s*"
)
_DEEPSEEK_END = re.compile(rf"\s*(?:```)?\s*{_CALL_END}")
# What may follow the last call: the ends of messages in the models' own templates.
_TRAILER = re.compile(
    r"(?:\s|</s>|<\|(?:eot_id|eom_id|im_end|end|endoftext)\|>|</tool_call>|</function>"
    rf"|{_ENDS[0]}|{_ENDS[1]})*\Z"
)


class WrittenCall(NamedTuple):
    """``arguments`` is JSON text, or what stood where it should be."""

    name: str
    arguments: str


class Found(NamedTuple):
    """``text`` is what stands before the calls."""

    text: str
    calls: tuple[WrittenCall, ...]


class _Text:
    """What is read, and the tools that may be named in it."""

    __slots__ = ("text", "tools")

    def __init__(self, text: str, tools: Iterable[ToolDefinition]) -> None:
        self.text = text
        self.tools = {tool.name: tool for tool in tools}

    def call(self, value: Any) -> WrittenCall | None:
        """The call a JSON value stands for, if it is one of an offered tool."""
        if not isinstance(value, dict):
            return None
        inner = value.get("function")
        if isinstance(inner, dict):
            value = inner
        name = value.get("name") or inner
        if not isinstance(name, str) or name.strip() not in self.tools:
            return None
        given = [value[key] for key in _ARGUMENT_KEYS if key in value]
        # More than this is something else about a tool, its definition for example.
        if len(given) != 1 or not _CALL_KEYS.issuperset(value):
            return None
        arguments = given[0] if isinstance(given[0], str) else dump(given[0])
        return WrittenCall(name.strip(), arguments)

    def calls(self, value: Any) -> Calls | None:
        """The calls of a JSON value: one call, a list of calls, or either under a key."""
        if isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
            value = value["tool_calls"]
        rows = value if isinstance(value, list) else [value]
        if len(rows) > MAX_CALLS:
            return None
        found = [self.call(row) for row in rows]
        calls = [call for call in found if call is not None]
        return calls if calls and len(calls) == len(found) else None


def find_calls(text: str, tools: Iterable[ToolDefinition]) -> Found | None:
    """The calls of tools in a whole answer's text; None if it is just text."""
    source = _Text(text, tools)
    if not source.tools:
        return None
    bare = _bare(source)
    if bare is not None and len(bare) <= MAX_CALLS:
        return Found("", tuple(bare))
    marker = MARKER.search(text)
    if marker is None:
        return None
    start = marker.start()
    read = _READERS[marker.group()]
    calls: Calls = []
    at = start
    while len(calls) <= MAX_CALLS:
        found = read(source, at)
        if found is None:
            break
        more, at = found
        calls += more
        following = MARKER.match(text, skip_blank(text, at))
        if following is None:
            break
        at, read = following.start(), _READERS[following.group()]
    if not calls or len(calls) > MAX_CALLS or not _TRAILER.match(text, at):
        return None
    return Found(text[:start].rstrip(), tuple(calls))


def skip_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _bare(source: _Text) -> Calls | None:
    """Calls that are the whole text: JSON values, maybe in a fence, maybe several."""
    fence = _FENCE.match(source.text)
    inner = _Text(fence.group(1), source.tools.values()) if fence else source
    found = _json_calls(inner, 0)
    if found is None or inner.text[found[1] :].strip():
        return None
    return found[0]


def _json_calls(source: _Text, at: int) -> tuple[Calls, int] | None:
    """JSON values that are calls, one after the other, parted by blanks, ";" or ","."""
    found: Calls = []
    while len(found) <= MAX_CALLS:
        at = skip_blank(source.text, at)
        value = _value(source.text, at)
        calls = source.calls(value[0]) if value else None
        if value is None or calls is None:
            return None
        found += calls
        at = skip_blank(source.text, value[1])
        if source.text[at : at + 1] in (";", ","):
            at = skip_blank(source.text, at + 1)
        if source.text[at : at + 1] not in ("{", "["):
            return found, at
    return None


def _value(text: str, at: int) -> tuple[Any, int] | None:
    if text[at : at + 1] not in ("{", "["):
        return None
    try:
        return decode_prefix(text, at)
    except (ValueError, RecursionError):
        return None


def _hermes(source: _Text, at: int) -> tuple[Calls, int] | None:
    """``<tool_call>`` with JSON or a function element inside; the end tag may be missing."""
    inner = skip_blank(source.text, at + len("<tool_call>"))
    if source.text.startswith("<function=", inner):
        found = _function(source, inner)
    else:
        found = _json_calls(source, inner)
    if found is None:
        return None
    calls, end = found
    end = skip_blank(source.text, end)
    closed = source.text.startswith("</tool_call>", end)
    return calls, end + len("</tool_call>") if closed else end


def _function(source: _Text, at: int) -> tuple[Calls, int] | None:
    """``<function=name>`` with a JSON object or parameter elements inside."""
    match = _FUNCTION.match(source.text, at)
    if match is None or match.group(1) not in source.tools:
        return None
    name, at = match.group(1), match.end()
    value = _value(source.text, at)
    if value is not None:
        arguments, at = value
    else:
        arguments, at = _parameters(source, name, at)
    at = skip_blank(source.text, at)
    if source.text.startswith("</function>", at):
        at += len("</function>")
    elif at < len(source.text) and not source.text.startswith("</tool_call>", at):
        return None
    return [WrittenCall(name, dump(arguments))], at


def _parameters(source: _Text, name: str, at: int) -> tuple[dict[str, Any], int]:
    """Parameter elements; a value keeps its text unless its schema wants another type."""
    schema = source.tools[name].parameters.get("properties")
    properties = schema if isinstance(schema, dict) else {}
    arguments: dict[str, Any] = {}
    text = source.text
    while True:
        match = _PARAMETER.match(text, at)
        if match is None:
            return arguments, at
        end = _PARAMETER_END.search(text, match.end())
        if end is None:
            return arguments, at
        raw = text[match.end() : end.start()]
        raw = raw[1:] if raw.startswith("\n") else raw
        raw = raw[:-1] if raw.endswith("\n") else raw
        arguments[match.group(1)] = _typed(raw, properties.get(match.group(1)))
        at = skip_blank(text, end.end())


def _typed(raw: str, schema: Any) -> Any:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "string" or (isinstance(kind, list) and "string" in kind):
        return raw
    words = {"True": True, "False": False, "None": None}
    if raw.strip() in words:
        return words[raw.strip()]
    try:
        value, end = decode_prefix(raw.strip())
    except (ValueError, RecursionError):
        return raw
    return value if end == len(raw.strip()) else raw


def _llama(source: _Text, at: int) -> tuple[Calls, int] | None:
    return _json_calls(source, at + len("<|python_tag|>"))


def _mistral(source: _Text, at: int) -> tuple[Calls, int] | None:
    """``[TOOL_CALLS]`` with a list, or with a name and its arguments."""
    at += len("[TOOL_CALLS]")
    match = _MISTRAL_NAMED.match(source.text, at)
    if match is None:
        return _json_calls(source, at)
    value = _value(source.text, match.end())
    if value is None or match.group(1) not in source.tools:
        return None
    return [WrittenCall(match.group(1), dump(value[0]))], value[1]


def _deepseek(source: _Text, at: int) -> tuple[Calls, int] | None:
    at += len(CALLS_BEGIN) if source.text.startswith(CALLS_BEGIN, at) else 0
    found: Calls = []
    while len(found) <= MAX_CALLS:
        match = _DEEPSEEK.match(source.text, at)
        if match is None:
            break
        name = (match.group(1) or match.group(2)).strip()
        value = _value(source.text, match.end())
        if value is None or name not in source.tools:
            return None
        end = _DEEPSEEK_END.match(source.text, value[1])
        at = end.end() if end else value[1]
        found.append(WrittenCall(name, dump(value[0])))
    return (found, at) if found else None


# The marker that begins a tagged call, and who reads on from it.
_READERS: dict[str, Reader] = {
    "<tool_call>": _hermes,
    "<function=": _function,
    "<|python_tag|>": _llama,
    "[TOOL_CALLS]": _mistral,
    CALLS_BEGIN: _deepseek,
    CALL_BEGIN: _deepseek,
}
