from __future__ import annotations

import pytest

from pi.ai.rescue import WrittenCall
from pi.ai.rescue_gate import MAX_HELD, CallGate
from pi.ai.types import ToolDefinition

TOOLS = (ToolDefinition("read", "", {}), ToolDefinition("bash", "", {}))
CALL = '<tool_call>{"name":"read","arguments":{"path":"a"}}</tool_call>'
READ = (WrittenCall("read", '{"path":"a"}'),)


def shown(*pieces: str) -> list[str]:
    gate = CallGate(TOOLS)
    return [*map(gate.feed, pieces), gate.finish()[0]]


@pytest.mark.parametrize(
    "pieces",
    [
        ("Hello", " world"),
        ("\n", "1 > 0", " & {x}"),
        ("a [1] b", " <b>", "c < d "),
        ("x ```json\n", '{"name":"read"}'),
        ("```python\n", "print()"),
        ("{x}", "y"),
        ("[1, 2]", "y"),
        ('{"other": 1}', "y"),
        ('{"name": "format_disk"', "}"),
        ("<function=nothing>", "y"),
        ("<tool_call> opens", " a call"),
        ("<|python_tag|>import os", ""),
        ("[TOOL_CALLS] are", " words"),
    ],
)
def test_what_cannot_be_a_call_is_shown_in_the_read_it_came_with(pieces: tuple[str, ...]) -> None:
    assert shown(*pieces) == [*pieces, ""]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("a <", "b"), ["a ", "<b", ""]),
        (("a <tool", "_box"), ["a ", "<tool_box", ""]),
        (("a <tool_call>", "x"), ["a ", "<tool_call>x", ""]),
        (("```", "js\n"), ["", "```js\n", ""]),
        (("`", "x`"), ["", "`x`", ""]),
        (('{"na', 'ture":1}'), ["", '{"nature":1}', ""]),
        (('{"name": "re', 'd"}'), ["", '{"name": "red"}', ""]),
        (("{", "}"), ["", "{}", ""]),
        (("[TOOL_", "BOX]"), ["", "[TOOL_BOX]", ""]),
        (("a [TOOL_CALLS]", " none"), ["a ", "[TOOL_CALLS] none", ""]),
        (("<function=rea", "l>"), ["", "<function=real>", ""]),
        (("end <",), ["end ", "<"]),
    ],
)
def test_what_may_be_a_call_waits_until_it_is_ruled_out(
    pieces: tuple[str, ...], expected: list[str]
) -> None:
    assert shown(*pieces) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "call",
    [
        CALL,
        '[TOOL_CALLS][{"name":"read","arguments":{"path":"a"}}]',
        '<function=read>{"path":"a"}</function>',
        '<|python_tag|>{"name":"read","parameters":{"path":"a"}}',
        '[TOOL_CALLS]read{"path":"a"}',
        "<tool_call><function=read><parameter=path>a</parameter></function></tool_call>",
    ],
)
def test_a_call_after_words_is_found_however_it_is_sliced(call: str, size: int) -> None:
    text = f"Look, x < y [1] <tool_box>:\n{call}"
    gate = CallGate(TOOLS)
    out = "".join(gate.feed(text[at : at + size]) for at in range(0, len(text), size))
    assert out == text[: -len(call)]
    assert gate.finish() == ("", READ)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "text",
    [
        '{"name":"read","arguments":{"path":"a"}}',
        ' [ { "type": "function", "name": "read", "arguments": {"path":"a"} } ]',
        '```json\n\n{"name":"read","arguments":{"path":"a"}}\n```',
        '```\n[{"function":{"name":"read","arguments":{"path":"a"}}}]\n```\n',
    ],
)
def test_a_call_that_is_the_whole_text_is_found(text: str, size: int) -> None:
    gate = CallGate(TOOLS)
    out = "".join(gate.feed(text[at : at + size]) for at in range(0, len(text), size))
    assert not out.strip()
    assert gate.finish() == ("", READ)


def test_a_call_that_does_not_end_as_one_is_text_after_all() -> None:
    gate = CallGate(TOOLS)
    assert gate.feed(CALL + " is an example.") == ""
    assert gate.finish() == (CALL + " is an example.", ())


def test_a_later_marker_is_looked_at_when_an_earlier_one_was_nothing() -> None:
    gate = CallGate(TOOLS)
    assert gate.feed("<tool_call>? " + CALL) == "<tool_call>? "
    assert gate.finish() == ("", READ)


def test_released_text_is_given_back_and_nothing_is_held_any_more() -> None:
    gate = CallGate(TOOLS)
    assert gate.feed("a <tool_call>{") == "a "
    assert gate.release() == "<tool_call>{"
    assert gate.feed(CALL) == CALL
    assert gate.finish() == ("", ())


@pytest.mark.parametrize("size", [1000, MAX_HELD * 2])
def test_what_is_held_is_bounded(size: int) -> None:
    text = '<tool_call>{"name":"read","arguments":{"path":"' + "x" * MAX_HELD
    gate = CallGate(TOOLS)
    out = "".join(gate.feed(text[at : at + size]) for at in range(0, len(text), size))
    assert out == text
    assert gate.finish() == ("", ())


def test_without_tools_everything_passes() -> None:
    gate = CallGate(())
    assert gate.feed(CALL) == CALL


def test_many_false_starts_cost_no_more_than_their_length() -> None:
    gate = CallGate(TOOLS)
    text = "<tool_call>x" * 20_000
    assert gate.feed(text) == text
