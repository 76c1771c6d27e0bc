"""Content blocks as stored."""

from __future__ import annotations

from typing import Any

import pytest

from pi.ai.types import Block, Image, Text, Thinking, ToolCall
from pi.sessions import blocks

CALL = {"type": "tool_call", "id": "i", "name": "n"}
PAIRS: list[tuple[Block, dict[str, Any]]] = [
    (Text("a"), {"type": "text", "text": "a"}),
    (Text("a", "sig"), {"type": "text", "text": "a", "signature": "sig"}),
    (Thinking("hm"), {"type": "thinking", "text": "hm"}),
    (
        Thinking("", "s", True, {"x": [1]}),
        {"type": "thinking", "text": "", "signature": "s", "redacted": True, "vendor": {"x": [1]}},
    ),
    (Image("image/png", "AAAA"), {"type": "image", "mime": "image/png", "data": "AAAA"}),
    (ToolCall("i", "n", {"a": 1}), {**CALL, "arguments": {"a": 1}}),
    (
        ToolCall("i", "n", {}, "{", "s", "fc_1", True),
        {"type": "tool_call", "id": "i", "name": "n", "arguments": {}, "raw_arguments": "{",
         "signature": "s", "item_id": "fc_1", "rescued": True},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("block", "record"), PAIRS)
def test_a_block_is_its_record_and_back(block: Block, record: dict[str, Any]) -> None:
    assert blocks.encode(block) == record
    assert blocks.decode(record) == block
    assert blocks.refusal(record) == ""


@pytest.mark.parametrize(
    "bad",
    [3, {}, {"type": 1}, {"type": "text"}, {"type": "tool_call", "id": "x"}],
)
def test_a_record_that_lacks_its_parts_is_refused(bad: Any) -> None:
    assert blocks.refusal(bad) != ""


def test_a_block_in_another_programs_shape_stays_in_the_file_and_out_of_the_message() -> None:
    for stored in ({"type": "thinking", "thinking": "hm"}, {"type": "image", "source": {}}):
        assert blocks.refusal(stored) == ""
        assert blocks.decode(stored) is None


def test_a_kind_of_a_later_version_is_accepted_and_left_alone() -> None:
    assert blocks.refusal({"type": "hologram"}) == ""
    assert blocks.decode({"type": "hologram"}) is None


def test_arguments_of_schema_1_that_are_no_object_are_kept_as_text() -> None:
    stored = {"type": "tool_call", "id": "i", "name": "n", "arguments": [1]}
    assert blocks.decode(stored) == ToolCall("i", "n", {}, "[1]")


def test_optional_fields_of_the_wrong_type_are_passed_over() -> None:
    assert blocks.decode({"type": "text", "text": "a", "signature": 5}) == Text("a")
