from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.jsonl import Damaged, JsonlReader, Line, Record, encode
from tests.fakes.examples import few

# With lone surrogates: they reach us in file names and cut-off output.
texts = st.text(max_size=20)
clean_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
finite = scalars.filter(lambda value: value not in (float("inf"), float("-inf")))


def records(text: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    inner = st.recursive(
        finite | text,
        lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(text, deeper, max_size=3),
        max_leaves=6,
    )
    return st.dictionaries(text, inner, max_size=4)


lines = st.one_of(
    records(clean_texts).map(encode),
    st.binary(max_size=30).map(lambda junk: junk + b"\n"),
    st.sampled_from([b"\n", b"\r\n", b"[1]\n", b'{"a":1}\r\n', b'{"a":\n', b'{"a":"\\ud800"}\n']),
)
files = st.tuples(st.lists(lines, max_size=8), st.binary(max_size=10)).map(
    lambda parts: b"".join(parts[0]) + parts[1]
)


def read(data: bytes, cuts: list[int], longest: int) -> tuple[list[Line], int, int]:
    reader = JsonlReader(max_line_bytes=longest)
    found: list[Line] = []
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    for start, end in zip([0, *places], [*places, len(data)]):
        found += reader.feed(data[start:end])
    last = reader.finish()
    return [*found, *([last] if last else [])], reader.number, reader.offset


pieces = st.sampled_from(
    [
        b'{"a":1}',
        b'{"a":[',
        b'{"a":[{}',
        b"{}]}",
        b"]}",
        b"1",
        b"1]",
        b"[1",
        b"NaN",
        b"},{",
        b",",
        b'{"NaN":"',
        b'"}',
        b'{},{"b":2}',
        b"{},{}",
        b"{},NaN,{}",
        b" {} \r",
        b"",
        b"]",
        b"[",
    ]
)


@given(parts=st.lists(st.lists(pieces, min_size=1, max_size=3).map(b"".join), max_size=5))
@settings(max_examples=few(300), deadline=None)
def test_no_line_makes_up_for_the_damage_of_another(parts: list[bytes]) -> None:
    """Lines that come together are read as lines that come one by one."""
    data = b"".join(part + b"\n" for part in parts)
    one_by_one = JsonlReader()
    alone = [line for part in parts for line in one_by_one.feed(part + b"\n")]
    assert JsonlReader().feed(data) == alone


@given(record=records(clean_texts))
@settings(max_examples=few(200), deadline=None)
def test_what_was_encoded_comes_back_equal(record: dict[str, Any]) -> None:
    """feed(encode(record)) is that record, in one line."""
    line = encode(record)
    assert line.count(b"\n") == 1
    assert JsonlReader().feed(line) == [Record(1, 0, len(line) - 1, record)]


@given(record=records(texts))
@settings(max_examples=few(200), deadline=None)
def test_any_text_is_stored(record: dict[str, Any]) -> None:
    """Whatever the strings hold, a record makes one readable line, the same the next time."""
    (line,) = JsonlReader().feed(encode(record))
    assert isinstance(line, Record)
    assert JsonlReader().feed(encode(line.value)) == [line]


@given(data=files, cuts=st.lists(st.integers(0, 500), max_size=6), longest=st.integers(1, 60))
@settings(max_examples=few(300), deadline=None)
def test_slicing_changes_nothing(data: bytes, cuts: list[int], longest: int) -> None:
    """The same bytes in any slices give the same records and the same damage."""
    assert read(data, cuts, longest) == read(data, [], longest)


@given(data=st.binary(max_size=200) | files)
@settings(max_examples=few(300), deadline=None)
def test_every_byte_is_accounted_for(data: bytes) -> None:
    """Any bytes are read without an exception; each line is a record, damage or blank."""
    found, _, _ = read(data, [], 1000)
    whole = {line.offset: line for line in found}
    offset = 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        item = whole.pop(offset, None)
        if item is None:
            assert line.lstrip(b"\xef\xbb\xbf").strip(b" \t\r") == b""
        else:
            assert (item.number, item.size) == (number, len(line))
        offset += len(line) + 1
    assert whole == {}


@given(
    stored=st.lists(records(clean_texts), min_size=1, max_size=6),
    at=st.integers(0, 10_000),
    bit=st.integers(0, 7),
)
@settings(max_examples=few(300), deadline=None)
def test_a_flipped_bit_costs_at_most_the_lines_it_touches(
    stored: list[dict[str, Any]], at: int, bit: int
) -> None:
    """All other records are read; a flip that removes or makes a newline touches two lines."""
    encoded = [encode(record) for record in stored]
    data = bytearray(b"".join(encoded))
    at %= len(data)
    data[at] ^= 1 << bit
    touched, start = set(), 0
    for index, line in enumerate(encoded):
        if start <= at < start + len(line):
            touched.add(index)
            if at == start + len(line) - 1:
                touched.add(index + 1)
        start += len(line)
    found, _, _ = read(bytes(data), [], 10_000)
    kept = [line.value for line in found if isinstance(line, Record)]
    for index, record in enumerate(stored):
        if index not in touched:
            assert record in kept
    assert sum(isinstance(line, Damaged) for line in found) <= 2
