from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.types import Message, Origin, Text, ToolCall
from pi.base.jsonl import JsonlReader, Record
from pi.base.jsonl import encode as encode_line
from pi.sessions.entry import MAX_ID, SessionEntry, decode, encode, is_waypoint, refusal
from tests.fakes.examples import few

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ids = st.integers(0, MAX_ID)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | texts,
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(texts, deeper, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(texts, json_values, max_size=3)
calls = st.one_of(
    st.tuples(texts, texts, objects).map(lambda row: ToolCall(*row)),
    st.tuples(texts, texts, st.just({}), texts).map(lambda row: ToolCall(*row)),
)
blocks = st.lists(texts.map(Text) | calls, max_size=4).map(tuple)
origins = st.none() | st.tuples(texts, texts, texts).map(lambda row: Origin(*row))
reasons = st.sampled_from(["", "stop", "tool_use", "aborted", "error"])
nothing = st.none()
messages = st.one_of(
    st.tuples(st.sampled_from(["user", "system"]), blocks, nothing, nothing, st.booleans()),
    st.tuples(st.just("assistant"), blocks, nothing, nothing, st.booleans(), reasons, origins),
    st.tuples(st.just("tool"), blocks, texts, st.none() | texts, st.booleans()),
).map(lambda row: Message(*row))
KNOWN = {
    *("record_type", "id", "parent_id", "message", "stop_reason"),
    *("api", "provider", "model"),
}
extras = st.dictionaries(texts.filter(lambda name: name not in KNOWN), json_values, max_size=3)
entries = st.tuples(ids, st.none() | ids, messages, extras).map(lambda row: SessionEntry(*row))

# Records that are often nearly right.
odd = st.one_of(json_values, st.floats(allow_nan=False), ids)
odd_blocks = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_call", "image"]) | odd},
    optional=dict.fromkeys(
        ("text", "id", "name", "arguments", "raw_arguments", "cache_control"), texts | odd
    ),
)
odd_messages = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["system", "user", "assistant", "tool"]) | odd,
        "content": st.lists(odd_blocks | odd, max_size=3) | odd,
    },
    optional={
        "is_error": st.booleans() | odd,
        "tool_call_id": texts | odd,
        "tool_name": texts | odd,
        "later": odd,
    },
)
odd_records = st.fixed_dictionaries(
    {"record_type": st.just("entry"), "id": ids | odd, "parent_id": st.none() | ids | odd},
    optional={
        "message": odd_messages | odd,
        "kind": texts | odd,
        **dict.fromkeys(("stop_reason", "api", "provider", "model", "usage"), texts | odd),
    },
)


@given(entry=entries)
@settings(max_examples=few(300), deadline=None)
def test_an_entry_comes_back_equal(entry: SessionEntry) -> None:
    """decode(line(encode(entry))) == entry."""
    (line,) = JsonlReader().feed(encode_line(encode(entry)))
    assert isinstance(line, Record)
    assert refusal(line.value) == ""
    assert decode(line.value) == entry


@given(record=odd_records)
@settings(max_examples=few(500), deadline=None)
def test_a_record_is_refused_or_kept_whole(record: dict[str, Any]) -> None:
    """Any record is refused with a reason or decoded; no field or block of it is lost."""
    if refusal(record) or is_waypoint(record):
        return
    again = encode(decode(record))
    assert {name: again.get(name, None) for name in record if name != "message"} == {
        name: value for name, value in record.items() if name != "message"
    }
    for name, value in record["message"].items():
        if name in again["message"]:
            assert again["message"][name] == value
        else:  # an empty id and none at all are the same
            assert (name, value) in {
                ("tool_call_id", ""),
                ("tool_call_id", None),
                ("tool_name", None),
            }
    assert decode(again).message == decode(record).message


@given(record=st.dictionaries(st.sampled_from(sorted(KNOWN)) | texts, odd, max_size=6))
@settings(max_examples=few(300), deadline=None)
def test_any_object_has_a_verdict(record: dict[str, Any]) -> None:
    """refusal never raises, and what it accepts can be decoded."""
    if not refusal(record) and not is_waypoint(record):
        decode(record)
