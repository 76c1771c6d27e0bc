from __future__ import annotations

from typing import Any

import pytest

from pi.ai.events import CallDelta
from pi.ai.providers.calls import CallCollector, parse_arguments
from pi.ai.types import Message, ToolCall, ToolDefinition

TOOLS = tuple(ToolDefinition(name, "", {}) for name in ("read", "bash", "read_all"))
A, B = {"path": "a.py"}, {"path": "b.py"}
RAW_A, RAW_B = '{"path":"a.py"}', '{"path":"b.py"}'


def piece(
    index: int | None = None, id: str | None = None, name: str | None = None, args: Any = None
) -> dict[str, Any]:
    fragment: dict[str, Any] = {"function": {"name": name, "arguments": args}}
    if index is not None:
        fragment["index"] = index
    if id is not None:
        fragment["id"] = id
    return fragment


def collected(*fragments: Any, history: tuple[Message, ...] = ()) -> list[tuple[str, str, Any]]:
    collector = CallCollector(TOOLS, history)
    for fragment in fragments:
        collector.add(fragment)
    return [(call.id, call.name, dict(call.arguments)) for call in collector.finish()]


TWO = [("x", "read", A), ("y", "read", B)]


@pytest.mark.parametrize(
    ("fragments", "calls"),
    [
        # interleaved indexes
        ([piece(0, "x", "read", '{"path'), piece(1, "y", "read", ""), piece(0, args='":"a.py"}'),
          piece(1, args=RAW_B)], TWO),
        # every index 0, ids differ
        ([piece(0, "x", "read", '{"path":'), piece(0, args='"a.py"}'),
          piece(0, "y", "read", RAW_B)], TWO),
        # no index
        ([piece(None, "x", "read", '{"path":'), piece(None, args='"a.py"}'),
          piece(None, "y", "read", ""), piece(None, args=RAW_B)], TWO),
        # no index, the id on every fragment, interleaved
        ([piece(None, "x", "read", '{"path":'), piece(None, "y", "read", ""),
          piece(None, "x", None, '"a.py"}'), piece(None, "y", None, RAW_B)], TWO),
        # the same id and name on every fragment
        ([piece(0, "x", "read", '{"path":'), piece(0, "x", "read", '"a.py"}'),
          piece(1, "y", "read", RAW_B)], TWO),
        # whole calls, neither ids nor indexes
        ([piece(None, None, "read", RAW_A), piece(None, None, "read", RAW_B)],
         [("call_1", "read", A), ("call_2", "read", B)]),
        # whole calls, no ids, every index 0
        ([piece(0, None, "read", RAW_A), piece(0, None, "read", RAW_B)],
         [("call_1", "read", A), ("call_2", "read", B)]),
        # ids that are none
        ([piece(0, "", "read", RAW_A), piece(1, "null", "read", RAW_B)],
         [("call_1", "read", A), ("call_2", "read", B)]),
        # two entries of one index at once; the id comes late
        ([piece(0, None, "read", '{"path":'), piece(0, "x", None, '"a.py"}')],
         [("x", "read", A)]),
        # one id for two calls
        ([piece(0, "x", "read", RAW_A), piece(1, "x", "read", RAW_B)],
         [("x", "read", A), ("x_2", "read", B)]),
        # arguments as an object; an empty object before the pieces
        ([piece(0, "x", "read", A)], [("x", "read", A)]),
        ([piece(0, "x", "read", {}), piece(0, args=RAW_A)], [("x", "read", A)]),
        # a name in two halves, a name that changes
        ([piece(0, "x", "read", ""), piece(0, None, "_all", RAW_A)], [("x", "read_all", A)]),
        ([piece(0, "x", "read", ""), piece(0, None, "bash", RAW_A)], [("x", "read", A)]),
        ([piece(0, "x", "read", '{"path":'), piece(0, None, "_all", '"a.py"}')],
         [("x", "read", A)]),
        # a split or repeated name without index and id
        ([piece(None, None, "read"), piece(None, None, "_all", RAW_A)],
         [("call_1", "read_all", A)]),
        ([piece(None, None, "read"), piece(None, None, "read", RAW_A)], [("call_1", "read", A)]),
        # a new id without a name, a name without arguments, after a call that came whole
        ([piece(0, "x", "read", '{"path":'), piece(0, "y", None, '"a.py"}')], [("x", "read", A)]),
        ([piece(0, None, "read", RAW_A), piece(0, None, "read", "")], [("call_1", "read", A)]),
        # one id under several indexes
        ([piece(0, "x", "read", '{"path":'), piece(1, "x", None, '"a.py"}')], [("x", "read", A)]),
        # a number as id; no arguments; no name at all
        ([piece(0, 7, "read")], [("7", "read", {})]),  # type: ignore[arg-type]
        ([piece(0, "x", None, RAW_A)], []),
        ([{"index": 0, "id": "x", "type": "custom", "custom": {"name": "read"}}], []),
    ],
)  # fmt: skip
def test_fragments_become_the_calls_the_server_meant(
    fragments: list[Any], calls: list[tuple[str, str, Any]]
) -> None:
    assert collected(*fragments) == calls


def test_ids_are_unique_in_the_conversation() -> None:
    history = (Message("assistant", (ToolCall("x", "read", {}), ToolCall("call_3", "read", {}))),)
    assert collected(
        piece(0, "x", "read", RAW_A), piece(1, None, "read", RAW_B), history=history
    ) == [("x_3", "read", A), ("call_4", "read", B)]


def test_a_delta_tells_what_is_known_of_its_call() -> None:
    collector = CallCollector(TOOLS, ())
    assert collector.add(piece(0, "x", "read", "{")) == CallDelta(0, "x", "read", "{")
    assert collector.add(piece(0, None, None, "}")) == CallDelta(0, "x", "read", "}")
    assert collector.add(piece(5, "y", "bash", None)) == CallDelta(1, "y", "bash", "")


@pytest.mark.parametrize(
    "fragment",
    [None, 1, "x", [], {"type": 3}, {"type": "custom"}],
)
def test_what_is_no_fragment_is_passed_over(fragment: Any) -> None:
    assert CallCollector(TOOLS, ()).add(fragment) is None


@pytest.mark.parametrize("index", [None, True, "0", 1.5, [], {}])
@pytest.mark.parametrize("identity", [None, True, [], {}, 10**30, "\ud83d"])
@pytest.mark.parametrize("function", [None, 1, [], {"name": 1}, {"name": [], "arguments": [1]}])
def test_no_fragment_raises(index: Any, identity: Any, function: Any) -> None:
    collector = CallCollector(TOOLS, ())
    for _ in range(2):
        collector.add({"index": index, "id": identity, "function": function})
    collector.finish()


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        ("", {}),
        (" \n", {}),
        ("{}", {}),
        (RAW_A, A),
        ('"{\\"path\\":\\"a.py\\"}"', A),
        (RAW_A + "}", A),
        (RAW_A + "\n</tool_call>", A),
        ('{"text":"line\nline"}', {"text": "line\nline"}),
    ],
)
def test_arguments_are_read_where_they_are_clear(raw: str, arguments: Any) -> None:
    assert parse_arguments(raw) == (arguments, None)


@pytest.mark.parametrize(
    "raw",
    ["{", '{"a":1', "[1]", "3", "null", '"x"', RAW_A + RAW_B, '{"a":NaN}', '{"a":1e999}',
     '{"a":' * 200 + "1" + "}" * 200, '"[1]"', "path=a"],
)  # fmt: skip
def test_arguments_that_are_no_object_are_kept_raw(raw: str) -> None:
    assert parse_arguments(raw) == ({}, raw)


def test_halves_of_a_character_in_two_fragments_are_joined() -> None:
    (call,) = collected(piece(0, "x", "read", '{"path":"\ud83d'), piece(0, args='\ude00"}'))
    assert call == ("x", "read", {"path": "😀"})


def test_a_half_at_the_end_of_the_arguments_is_replaced() -> None:
    collector = CallCollector(TOOLS, ())
    collector.add(piece(0, "x", "read", '{"path":"\ud83d'))
    assert collector.finish() == (ToolCall("x", "read", {}, '{"path":"\ufffd'),)
