from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.rescue import MAX_CALLS, WrittenCall, find_calls
from pi.ai.types import ToolDefinition

SCHEMA = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "limit": {"type": "integer"},
        "lines": {"type": ["string", "null"]},
    },
}
TOOLS = (ToolDefinition("read", "Read", SCHEMA), ToolDefinition("bash", "Run", SCHEMA))
READ = ("read", {"path": "a.py"})
BASH = ("bash", {"command": "ls"})
RAW_READ = '{"name": "read", "arguments": {"path": "a.py"}}'
RAW_BASH = '{"name": "bash", "parameters": {"command": "ls"}}'


def token(words: str) -> str:
    return f"<\uff5c{words.replace('_', chr(0x2581))}\uff5c>"


def deepseek(*calls: tuple[str, str], version: int = 3) -> str:
    rows = []
    for name, raw in calls:
        inner = (
            f"function{token('tool_sep')}{name}\n```json\n{raw}\n```"
            if version == 3
            else f"{name}{token('tool_sep')}{raw}"
        )
        rows.append(f"{token('tool_call_begin')}{inner}{token('tool_call_end')}")
    body = "\n".join(rows)
    return f"{token('tool_calls_begin')}{body}{token('tool_calls_end')}"


def written(text: str) -> tuple[str, list[Any]] | None:
    found = find_calls(text, TOOLS)
    if found is None:
        return None
    return found.text, [(call.name, json.loads(call.arguments)) for call in found.calls]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        # Hermes, Qwen
        (f"<tool_call>\n{RAW_READ}\n</tool_call>", [READ]),
        (f"<tool_call>{RAW_READ}</tool_call>\n<tool_call>{RAW_BASH}</tool_call>", [READ, BASH]),
        (f"<tool_call>{RAW_READ}{RAW_BASH}</tool_call>", [READ, BASH]),
        (f"<tool_call>{RAW_READ}", [READ]),
        (f"<tool_call>{RAW_READ}</tool_call><|im_end|>\n", [READ]),
        # Llama 3
        (RAW_BASH, [BASH]),
        (f"<|python_tag|>{RAW_BASH}<|eom_id|>", [BASH]),
        (f"<|python_tag|>{RAW_READ}; {RAW_BASH}", [READ, BASH]),
        (f"\n{RAW_READ};{RAW_BASH}", [READ, BASH]),
        # Mistral
        (f"[TOOL_CALLS][{RAW_READ}, {RAW_BASH}]", [READ, BASH]),
        (f"[TOOL_CALLS] [{RAW_READ}]</s>", [READ]),
        ('[TOOL_CALLS]read[ARGS]{"path":"a.py"}', [READ]),
        ('[TOOL_CALLS]read[CALL_ID]abcdefghi[ARGS]{"path":"a.py"}', [READ]),
        ('[TOOL_CALLS]read{"path":"a.py"}[TOOL_CALLS]bash{"command":"ls"}', [READ, BASH]),
        # fenced JSON
        (f"```json\n{RAW_READ}\n```", [READ]),
        (f"```\n[{RAW_READ},\n {RAW_BASH}]\n```\n", [READ, BASH]),
        (f"```tool_call\n{RAW_READ}\n{RAW_BASH}\n```", [READ, BASH]),
        # DeepSeek
        (deepseek(("read", '{"path":"a.py"}'), ("bash", '{"command":"ls"}')), [READ, BASH]),
        (deepseek(("read", '{"path":"a.py"}'), version=4), [READ]),
        # Functionary, Llama 3.1's own
        ('<function=read>{"path": "a.py"}</function>', [READ]),
        ('<function=read>{"path": "a.py"}', [READ]),
        # Qwen3-Coder
        ("<tool_call>\n<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>\n"
         "</tool_call>", [READ]),
        ("<function=read>\n<parameter=path>\na.py\n</parameter>\n<parameter=limit>\n3\n"
         "</parameter>\n</function>", [("read", {"path": "a.py", "limit": 3})]),
        # OpenAI's shapes
        ('{"type":"function","function":{"name":"read","arguments":"{\\"path\\":\\"a.py\\"}"}}',
         [READ]),
        ('{"tool_calls":[{"id":"x","function":{"name":"read","parameters":{"path":"a.py"}}}]}',
         [READ]),
        ('{"function":"read","arguments":{"path":"a.py"}}', [READ]),
        # a call about calls
        (json.dumps({"name": "bash", "arguments": {"command": "echo '<tool_call>'"}}),
         [("bash", {"command": "echo '<tool_call>'"})]),
    ],
)  # fmt: skip
def test_calls_of_the_common_dialects_are_recognised(text: str, calls: list[Any]) -> None:
    assert written(text) == ("", calls)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The answer is 4.",
        RAW_READ.replace("read", "format_disk"),
        f"<tool_call>{RAW_READ.replace('read', 'format_disk')}</tool_call>",
        f"<tool_call>{RAW_READ}</tool_call><tool_call>{RAW_READ.replace('read', 'no')}</tool_call>",
        "<function=format_disk>{}</function>",
        "[TOOL_CALLS]format_disk{}",
        deepseek(("format_disk", "{}")),
        # shown, not made
        f"I would call {RAW_READ}",
        f"Use ```json\n{RAW_READ}\n```",
        f"```json\n{RAW_READ}\n``` is how to read.",
        f"{RAW_READ} is how to read.",
        f"<tool_call>{RAW_READ}</tool_call> is how to read.",
        "The tag <tool_call> starts a call.",
        f"```python\n{RAW_READ}\n```",
        # something else about a tool
        '{"name":"read","description":"Read","parameters":{"type":"object"}}',
        '{"name":"read"}',
        '{"name":["read"],"arguments":{}}',
        '[{"name":"read","arguments":{}},3]',
        "[]",
        "{}",
        # broken off
        '<tool_call>{"name":"read","arguments":{"path":"a',
        "<function=read><parameter=path>a.py",
        "<function=read>{oops}</function>",
        "[TOOL_CALLS]",
        "[TOOL_CALLS]read[ARGS]",
        token("tool_calls_begin"),
        "<|python_tag|>import os",
    ],
)
def test_what_is_not_clearly_a_call_stays_text(text: str) -> None:
    assert find_calls(text, TOOLS) is None


def test_words_in_front_of_a_tagged_call_stay() -> None:
    assert written(f"Let me look.\n\n<tool_call>{RAW_READ}</tool_call>") == ("Let me look.", [READ])


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("path", "12", "12"),
        ("path", "\n  two\nlines\n\n", "  two\nlines\n"),
        ("path", "</parameter> inside", "</parameter> inside"),
        ("lines", "null", "null"),
        ("limit", "12", 12),
        ("limit", "12 x", "12 x"),
        ("limit", "True", True),
        ("other", '{"a":[1]}', {"a": [1]}),
        ("other", "words", "words"),
        ("other", "[" * 100_000, "[" * 100_000),
    ],
)
def test_a_parameter_has_the_type_its_schema_wants(name: str, raw: str, value: Any) -> None:
    text = f"<function=read><parameter={name}>{raw}</parameter></function>"
    assert written(text) == ("", [("read", {name: value})])


def test_arguments_given_as_text_are_left_to_the_reader_of_arguments() -> None:
    text = '{"name":"read","arguments":"path=a"}'
    found = find_calls(text, TOOLS)
    assert found is not None
    assert found.calls == (WrittenCall("read", "path=a"),)


def test_more_calls_than_anyone_makes_are_text() -> None:
    one = f"<tool_call>{RAW_READ}</tool_call>"
    assert find_calls(one * MAX_CALLS, TOOLS) is not None
    assert find_calls(one * (MAX_CALLS + 1), TOOLS) is None
    assert find_calls(f"[{','.join([RAW_READ] * (MAX_CALLS + 1))}]", TOOLS) is None


def test_without_tools_there_are_no_calls() -> None:
    assert find_calls(RAW_READ, ()) is None


@pytest.mark.parametrize(
    "text",
    [
        "{" * 50_000,
        "[" * 50_000,
        "```json\n" + "[" * 50_000 + "\n```",
        "<tool_call>" * 5_000,
        "[TOOL_CALLS]" * 5_000,
        "<function=read>" + "<parameter=path></parameter>x" * 5_000,
        "<function=read><parameter=path>" + "</parameter>" * 20_000,
        "```json\n" + "```\n" * 20_000,
        token("tool_call_begin") * 5_000,
        "<tool_call>" + " " * 100_000,
        RAW_READ + " " * 100_000 + "x",
        "\ud800<tool_call>\udfff",
        '{"name":"read","arguments":{"n":NaN}}',
    ],
)
def test_hostile_text_neither_raises_nor_hangs(text: str) -> None:
    find_calls(text, TOOLS)
