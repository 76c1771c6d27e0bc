from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.rescue import find_calls
from pi.ai.rescue_gate import CallGate
from pi.ai.rescue_marks import MARKERS
from pi.ai.types import ToolDefinition
from tests.fakes.examples import few

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}}
TOOLS = tuple(ToolDefinition(name, "", SCHEMA) for name in ("read", "read_all", "bash"))
NAMES = st.sampled_from([tool.name for tool in TOOLS])
VALUES = st.one_of(st.text(max_size=8), st.sampled_from(["</parameter>", "<tool_call>", "```\n"]))
ARGUMENTS = st.dictionaries(st.sampled_from(["text", "b"]), VALUES, max_size=2)
CALL_LISTS = st.lists(st.tuples(NAMES, ARGUMENTS), min_size=1, max_size=3)
NOISE = st.sampled_from(
    [*MARKERS, "</tool_call>", "</function>", "```json\n", "```", "{", "[", '{"name":"read"',
     ',"arguments":{}}', "read", "bash", ">", "<", " ", "\n", '"', "a"]
)  # fmt: skip
TEXTS = st.lists(st.one_of(NOISE, st.text(max_size=3)), max_size=12).map("".join)


def gated(pieces: list[str]) -> tuple[str, Any]:
    gate = CallGate(TOOLS)
    shown = "".join(map(gate.feed, pieces))
    rest, calls = gate.finish()
    return shown + rest, calls


def sliced(text: str, cuts: list[int]) -> list[str]:
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    return [text[start:end] for start, end in zip([0, *ends], ends)]


@settings(max_examples=few(500), deadline=None)
@given(text=TEXTS, cuts=st.lists(st.integers(0, 80), max_size=6))
def test_slicing_changes_neither_the_text_nor_the_calls(text: str, cuts: list[int]) -> None:
    """gate(any slices of t) == gate(t), and without calls the text comes out whole"""
    whole = gated([text])
    assert gated(sliced(text, cuts)) == whole == gated(list(text))
    if not whole[1]:
        assert whole[0] == text
    else:
        assert text.startswith(whole[0])


@settings(max_examples=few(500), deadline=None)
@given(text=TEXTS)
def test_any_text_is_read_without_raising_and_only_offered_tools_are_called(text: str) -> None:
    """find_calls(t) names tools that were offered, or is None"""
    found = find_calls(text, TOOLS)
    assert found is None or {call.name for call in found.calls} <= {t.name for t in TOOLS}


ORDINARY = st.text(st.characters(exclude_characters="<["), max_size=12)


@settings(max_examples=few(300), deadline=None)
@given(start=st.sampled_from(["a", "1", "#", "- ", "\u4e16"]), reads=st.lists(ORDINARY, max_size=6))
def test_text_without_the_start_of_a_marker_is_never_delayed(start: str, reads: list[str]) -> None:
    """what comes in a read is shown in that read, unchanged"""
    gate = CallGate(TOOLS)
    assert [gate.feed(read) for read in [start, *reads]] == [start, *reads]
    assert gate.finish() == ("", ())


def hermes(calls: list[tuple[str, Any]]) -> str:
    rows = (json.dumps({"name": name, "arguments": args}) for name, args in calls)
    return "\n".join(f"<tool_call>\n{row}\n</tool_call>" for row in rows)


def llama(calls: list[tuple[str, Any]]) -> str:
    rows = (json.dumps({"name": name, "parameters": args}) for name, args in calls)
    return "<|python_tag|>" + "; ".join(rows)


def mistral(calls: list[tuple[str, Any]]) -> str:
    return "[TOOL_CALLS]" + json.dumps([{"name": n, "arguments": a} for n, a in calls])


def mistral_named(calls: list[tuple[str, Any]]) -> str:
    return "".join(f"[TOOL_CALLS]{name}[ARGS]{json.dumps(args)}" for name, args in calls)


def function(calls: list[tuple[str, Any]]) -> str:
    return "".join(f"<function={name}>{json.dumps(args)}</function>" for name, args in calls)


def fenced(calls: list[tuple[str, Any]]) -> str:
    return f"```json\n{json.dumps([{'name': n, 'arguments': a} for n, a in calls])}\n```"


def bare(calls: list[tuple[str, Any]]) -> str:
    return "\n".join(json.dumps({"name": n, "arguments": a}) for n, a in calls)


TAGGED = st.sampled_from([hermes, llama, mistral, mistral_named, function])


@settings(max_examples=few(300), deadline=None)
@given(
    calls=CALL_LISTS, dialect=TAGGED, cuts=st.lists(st.integers(0, 200), max_size=6), words=ORDINARY
)
def test_tagged_calls_come_back_as_they_were_meant_behind_any_words(
    calls: list[tuple[str, Any]], dialect: Any, cuts: list[int], words: str
) -> None:
    """gate(words + dialect(calls)) == words, calls"""
    before = f"Well {words}"
    shown, found = gated(sliced(before + dialect(calls), cuts))
    assert shown == before
    assert [(call.name, json.loads(call.arguments)) for call in found] == calls


@settings(max_examples=few(300), deadline=None)
@given(
    calls=CALL_LISTS,
    dialect=st.sampled_from([hermes, llama, mistral, mistral_named, function, fenced, bare]),
    cuts=st.lists(st.integers(0, 200), max_size=6),
)
def test_calls_alone_come_back_as_they_were_meant(
    calls: list[tuple[str, Any]], dialect: Any, cuts: list[int]
) -> None:
    """gate(dialect(calls)) == "", calls"""
    shown, found = gated(sliced(dialect(calls), cuts))
    assert shown == ""
    assert [(call.name, json.loads(call.arguments)) for call in found] == calls


# The end mark inside a value is told from a real one only by what follows it.
PLAIN_VALUES = st.text(max_size=8).map(lambda text: text.replace("<", "("))


@settings(max_examples=few(200), deadline=None)
@given(name=NAMES, value=PLAIN_VALUES, wrapped=st.booleans())
def test_a_text_parameter_comes_back_to_the_letter(name: str, value: str, wrapped: bool) -> None:
    """find_calls(<function=name><parameter=text>\\nvalue\\n...) == {"text": value}"""
    text = f"<function={name}>\n<parameter=text>\n{value}\n</parameter>\n</function>"
    found = find_calls(f"<tool_call>\n{text}\n</tool_call>" if wrapped else text, TOOLS)
    assert found is not None
    assert json.loads(found.calls[0].arguments) == {"text": value}
