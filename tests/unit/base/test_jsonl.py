from __future__ import annotations

import json
import sys

import pytest

from pi.base.jsonl import Damaged, JsonlReader, Line, Record, encode


def read(data: bytes, **options: int) -> list[Line]:
    reader = JsonlReader(**options)
    lines = reader.feed(data)
    last = reader.finish()
    return [*lines, last] if last is not None else lines


def values(lines: list[Line]) -> list[object]:
    return [line.value for line in lines if isinstance(line, Record)]


def test_records_come_with_line_number_offset_and_size() -> None:
    assert read(b'{"a":1}\n\n{"b":2}\n') == [Record(1, 0, 7, {"a": 1}), Record(3, 9, 7, {"b": 2})]


def test_only_a_newline_ends_a_line() -> None:
    text = "a\u2028b\u0085c\x0bd\x0ce"
    assert values(read(encode({"t": text}))) == [{"t": text}]


def test_a_carriage_return_and_white_space_around_a_record_are_dropped() -> None:
    assert values(read(b'{"a":1}\r\n  \r\n\t{"b":2} \n')) == [{"a": 1}, {"b": 2}]


def test_a_byte_order_mark_is_dropped_at_the_start_of_the_file_only() -> None:
    lines = read(b'\xef\xbb\xbf{"a":1}\n\xef\xbb\xbf{"b":2}\n')
    assert values(lines) == [{"a": 1}]
    assert isinstance(lines[1], Damaged)


def test_a_last_line_without_newline_is_a_record_if_it_is_whole() -> None:
    assert values(read(b'{"a":1}\n{"b":2}')) == [{"a": 1}, {"b": 2}]
    torn = read(b'{"a":1}\n{"b":')[1]
    assert isinstance(torn, Damaged)
    assert (torn.number, torn.offset, torn.size) == (2, 8, 5)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"a":1', "not JSON: Expecting ',' delimiter at column 7"),
        (b'{"a":1}{"b":2}', "not JSON: Extra data at column 8"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 7"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8 at byte 7"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "-Infinity is not JSON"),
        (b'{"a":"tab\t"}', "not JSON: Invalid control character at at column 10"),
        (b'{"a":' + b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b"\0" * 50, "not JSON: Expecting value at column 1"),
    ],
)
def test_a_damaged_line_costs_only_itself(line: bytes, reason: str) -> None:
    before, damaged, after = read(b'{"a":1}\n' + line + b'\n{"b":2}\n')
    assert isinstance(before, Record)
    assert damaged == Damaged(2, 8, len(line), reason)
    assert after == Record(3, 9 + len(line), 7, {"b": 2})


def test_a_number_of_many_digits_is_damage() -> None:
    (line,) = read(b'{"a":' + b"9" * 100_000 + b"}\n")
    assert line == Damaged(1, 0, 100_006, "a number of too many digits")


def test_every_depth_is_read_or_damage() -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 200, limit + 5):
        data = b'{"a":' + b"[" * depth + b'"\\ud800"' + b"]" * depth + b"}\n"
        (line,) = read(data)
        assert isinstance(line, Record) or line.reason == "nested too deeply"


def test_a_line_over_the_cap_is_damage_however_it_arrives() -> None:
    data = b'{"a":"' + b"x" * 100 + b'"}\n{"b":2}\n'
    whole = read(data, max_line_bytes=50)
    reader = JsonlReader(max_line_bytes=50)
    slices = [line for at in range(len(data)) for line in reader.feed(data[at : at + 1])]
    assert whole == slices
    assert whole[0] == Damaged(1, 0, 108, "longer than 50 bytes")
    assert values(whole) == [{"b": 2}]


def test_an_unfinished_line_over_the_cap_is_not_held() -> None:
    reader = JsonlReader(max_line_bytes=1000)
    piece = b"x" * 10_000
    for _ in range(1000):
        reader.feed(piece)
    assert sys.getsizeof(reader.__dict__) < 10_000
    last = reader.finish()
    assert isinstance(last, Damaged)
    assert last.size == 10_000_000


def test_reading_can_go_on_where_it_stopped() -> None:
    reader = JsonlReader()
    reader.feed(b'{"a":1}\n{"b"')
    assert (reader.number, reader.offset) == (2, 8)
    later = JsonlReader(number=reader.number, offset=reader.offset)
    assert later.feed(b'{"b":2}\n') == [Record(2, 8, 7, {"b": 2})]


def test_encode_writes_compact_utf8_and_one_newline() -> None:
    assert encode({"a": [1, "ä\n"], "b": None}) == b'{"a":[1,"\xc3\xa4\\n"],"b":null}\n'


def test_encode_replaces_lone_surrogates() -> None:
    assert values(read(encode({"k\udfff": "a\ud800b"}))) == [{"k\ufffd": "a\ufffdb"}]


def test_escaped_lone_surrogates_are_replaced_when_read() -> None:
    lines = read(b'{"a":"\\ud800"}\n{"a":"\\uD83D\\uDE00"}\n{"a":"\\\\ud800"}\n')
    assert values(lines) == [{"a": "\ufffd"}, {"a": "\U0001f600"}, {"a": "\\ud800"}]


def test_encode_writes_null_for_numbers_that_json_cannot_hold() -> None:
    record = {"a": float("nan"), "b": [float("inf")], "c": 10**5000, "d": (1.5, True)}
    assert encode(record) == b'{"a":null,"b":[null],"c":null,"d":[1.5,true]}\n'


def test_encode_refuses_what_is_nested_too_deeply() -> None:
    deep: list[object] = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        encode({"a": deep})
    while deep:  # taken apart by hand: freeing it in one go is recursive on old interpreters
        deep = deep[0]  # type: ignore[assignment]


def test_encode_refuses_a_cycle() -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop
    with pytest.raises(ValueError, match="nested too deeply"):
        encode(loop)


def test_a_number_too_large_for_a_float_is_read() -> None:
    (line,) = read(b'{"a":1e999}\n')
    assert isinstance(line, Record)
    assert json.loads(encode(line.value)) == {"a": None}
