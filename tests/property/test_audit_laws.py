"""The audit chain: an intact log is found whole, one edit is noticed and its line named."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pi.audit.chain import GENESIS, Head, Sealed, read_record, seal
from pi.audit.tail import EMPTY, End, find_end, go_on
from pi.audit.verifier import Verdict, verify
from tests.fakes.examples import few

clean_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | clean_texts
fields = st.dictionaries(clean_texts.map(lambda name: f"x{name}"), values, max_size=4)


def build(records: list[dict[str, Any]]) -> list[bytes]:
    """A log as lines with their newlines."""
    end, lines = End(), []
    for record in records:
        data, head = go_on(end, record, 0)
        lines.append(data)
        end = End(head)
    return lines


logs = st.lists(fields, min_size=2, max_size=7).map(build)


def judge_bytes(data: bytes, expect: Head | None = None) -> Verdict:
    """As a file would be judged."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
    return verify(lines, expect)


def head_of(line: bytes) -> Head:
    found = read_record(line.rstrip(b"\n"))
    assert isinstance(found, Sealed)
    return Head(found.seq, found.digest)


@given(record=fields, seq=st.integers(1, 2**53 - 1))
@settings(max_examples=few(200), deadline=None)
def test_what_was_sealed_is_read_back(record: dict[str, Any], seq: int) -> None:
    """read_record(seal(fields)) is that record, whatever it holds, and it is one line."""
    line = seal(record, seq, GENESIS)
    assert b"\n" not in line
    digest = sha256(line).hexdigest()
    assert read_record(line) == Sealed(
        seq, GENESIS, digest, {**record, "seq": seq, "prev": GENESIS}
    )


@given(lines=logs, at=st.integers(0, 6))
@settings(max_examples=few(200), deadline=None)
def test_an_intact_log_is_verified_and_holds_every_head_it_ever_had(
    lines: list[bytes], at: int
) -> None:
    """Every prefix of whole lines is intact; the head of each is found in the whole log."""
    kept = head_of(lines[at % len(lines)])
    verdict = judge_bytes(b"".join(lines), kept)
    assert verdict.ok
    assert verdict.head == head_of(lines[-1])
    assert (verdict.lines, verdict.records) == (len(lines), len(lines))
    assert judge_bytes(b"".join(lines), EMPTY).ok


@given(lines=logs, at=st.integers(0, 10**6), bits=st.integers(1, 255))
@settings(max_examples=few(500), deadline=None)
def test_a_changed_byte_is_noticed_in_its_line(lines: list[bytes], at: int, bits: int) -> None:
    """Whichever byte is changed to whatever: the line that held it is named."""
    data = bytearray(b"".join(lines))
    at %= len(data)
    number = bytes(data[:at]).count(b"\n") + 1
    data[at] ^= bits
    verdict = judge_bytes(bytes(data))
    assert not verdict.ok
    assert verdict.line == number


@given(lines=logs, at=st.integers(0, 10**6), size=st.integers(1, 8))
@settings(max_examples=few(300), deadline=None)
def test_removed_bytes_are_noticed_in_their_line(lines: list[bytes], at: int, size: int) -> None:
    """Bytes cut out of one line (not a whole line): the line is named."""
    data = b"".join(lines)
    at %= len(data)
    number = data[:at].count(b"\n") + 1
    end = min(at + size, sum(map(len, lines[:number])))
    verdict = judge_bytes(data[:at] + data[end:])
    assert not verdict.ok
    assert verdict.line == number


@given(lines=logs, at=st.integers(0, 10**6), junk=st.binary(min_size=1, max_size=8))
@settings(max_examples=few(300), deadline=None)
def test_added_bytes_are_noticed_in_their_line(lines: list[bytes], at: int, junk: bytes) -> None:
    """Bytes put in anywhere, also before the first line or behind the last."""
    data = b"".join(lines)
    at %= len(data) + 1
    changed = data[:at] + junk + data[at:]
    verdict = judge_bytes(changed)
    assert not verdict.ok
    # Junk of line breaks behind a line makes blank lines after it.
    first = data[:at].count(b"\n") + 1
    inside = at < len(data) and junk.startswith(b"\n") and data[at : at + 1] == b"\n"
    assert verdict.line == first + inside


@given(lines=logs, at=st.integers(0, 6), many=st.integers(1, 3))
@settings(max_examples=few(200), deadline=None)
def test_removed_lines_are_noticed_where_they_stood(lines: list[bytes], at: int, many: int) -> None:
    """Lines removed anywhere but at the end: the number of the first of them is named."""
    at %= len(lines) - 1
    many = min(many, len(lines) - 1 - at)
    verdict = judge_bytes(b"".join(lines[:at] + lines[at + many :]))
    assert (verdict.line, verdict.kind) == (at + 1, "removed")


@given(lines=logs, one=st.integers(0, 6), other=st.integers(0, 6))
@settings(max_examples=few(200), deadline=None)
def test_exchanged_lines_are_noticed(lines: list[bytes], one: int, other: int) -> None:
    """Two lines change places: the first place is named."""
    one, other = sorted((one % len(lines), other % len(lines)))
    assume(one != other)
    lines = list(lines)
    lines[one], lines[other] = lines[other], lines[one]
    verdict = judge_bytes(b"".join(lines))
    assert (verdict.line, verdict.kind) == (one + 1, "reordered")


@given(lines=logs, source=st.integers(0, 6), target=st.integers(0, 7))
@settings(max_examples=few(200), deadline=None)
def test_a_line_that_stands_there_twice_is_noticed(
    lines: list[bytes], source: int, target: int
) -> None:
    """A copy of a line put in anywhere: the first line that is not in its place is named."""
    source, target = source % len(lines), target % (len(lines) + 1)
    verdict = judge_bytes(b"".join([*lines[:target], lines[source], *lines[target:]]))
    assert not verdict.ok
    # Beside the original nobody can say which of the two is the copy.
    assert verdict.line == (source + 2 if target == source else target + 1)
    assert verdict.kind == ("repeated" if target >= source else "reordered")


@given(lines=logs, at=st.integers(0, 6), record=fields)
@settings(max_examples=few(300), deadline=None)
def test_a_rewritten_record_with_a_good_hash_is_noticed(
    lines: list[bytes], at: int, record: dict[str, Any]
) -> None:
    """Content, number and hash forged, link kept: noticed by the next record, if there is one."""
    at %= len(lines) - 1
    old = read_record(lines[at][:-1])
    assert isinstance(old, Sealed)
    forged = seal(record, old.seq, old.prev) + b"\n"
    assume(forged != lines[at])
    verdict = judge_bytes(b"".join([*lines[:at], forged, *lines[at + 1 :]]))
    assert (verdict.line, verdict.kind) == (at + 1, "edited")


@given(lines=logs, at=st.integers(0, 7), record=fields)
@settings(max_examples=few(300), deadline=None)
def test_a_forged_record_put_in_is_noticed(
    lines: list[bytes], at: int, record: dict[str, Any]
) -> None:
    """A well-made record put in before another: whom the records after it name is true."""
    at %= len(lines) - 1
    old = read_record(lines[at][:-1])
    assert isinstance(old, Sealed)
    forged = seal(record, old.seq, old.prev) + b"\n"
    assume(forged != lines[at])
    verdict = judge_bytes(b"".join([*lines[:at], forged, *lines[at:]]))
    assert (verdict.line, verdict.kind) == (at + 1, "edited")


@given(lines=logs, at=st.integers(0, 6))
@settings(max_examples=100, deadline=None)
def test_a_cut_at_the_end_is_noticed_by_a_head_that_was_kept(lines: list[bytes], at: int) -> None:
    """Without its last records the log is intact in itself, but does not reach the head."""
    at %= len(lines)
    short, kept = b"".join(lines[:at]), head_of(lines[-1])
    assert judge_bytes(short).ok
    verdict = judge_bytes(short, kept)
    assert (verdict.line, verdict.kind) == (at + 1, "truncated")


@given(lines=logs, cut=st.integers(1, 10**6), more=st.lists(fields, min_size=1, max_size=3))
@settings(max_examples=few(300), deadline=None)
def test_a_torn_last_line_is_named_and_chained_over(
    lines: list[bytes], cut: int, more: list[dict[str, Any]]
) -> None:
    """Cut anywhere in the last line, the log says so; what is then appended verifies."""
    whole, last = b"".join(lines[:-1]), lines[-1]
    torn = whole + last[: 2 + cut % (len(last) - 2)]
    verdict = judge_bytes(torn)
    assert (verdict.line, verdict.kind) == (len(lines), "torn")
    data = torn
    for record in more:
        end = find_end(data, is_all=True)
        assert end is not None
        data += go_on(end, record, 0)[0]
    verdict = judge_bytes(data)
    assert verdict.ok
    whole_again = len(torn) == len(whole) + len(last) - 1
    assert verdict.torn_lines == (0 if whole_again else 1)


@given(data=st.binary(max_size=300))
@settings(max_examples=few(300), deadline=None)
def test_any_bytes_are_judged(data: bytes) -> None:
    """No bytes raise anything; none but the empty file are taken for a log."""
    assert judge_bytes(data).ok == (not data)
