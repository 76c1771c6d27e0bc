"""Verdicts, told by their words; the laws are in tests/property/test_audit_laws.py."""

from __future__ import annotations

from typing import Any

from pi.audit.chain import GENESIS, Head, Sealed, read_record, seal
from pi.audit.tail import End, find_end, go_on
from pi.audit.verifier import Verdict, verify


def log(count: int) -> list[bytes]:
    end, lines = End(), []
    for number in range(count):
        data, head = go_on(end, {"x": number}, 0)
        lines.append(data)
        end = End(head)
    return lines


def told(verdict: Verdict) -> tuple[int | None, str, str]:
    return verdict.line, verdict.kind, verdict.problem


def test_an_empty_file_is_intact_and_its_head_is_the_beginning() -> None:
    assert verify([]) == Verdict(0, 0, head=Head(0, GENESIS))


def test_removed_records_are_named_by_their_numbers() -> None:
    lines = log(6)
    assert told(verify(lines[:2] + lines[3:])) == (
        3, "removed", "before line 3 is missing: record 3"
    )  # fmt: skip
    assert told(verify(lines[4:])) == (1, "removed", "before line 1 is missing: records 1 to 4")


def test_exchanged_records_are_named_with_the_place_of_the_other() -> None:
    lines = log(5)
    lines[1], lines[3] = lines[3], lines[1]
    assert told(verify(lines)) == (
        2, "reordered", "line 2 holds record 4, and record 2 stands at line 4"
    )  # fmt: skip


def test_a_record_with_another_link_is_blamed_if_the_next_one_disowns_it() -> None:
    lines = log(5)
    lines[2] = seal({"x": 2}, 3, "0" * 64) + b"\n"
    assert told(verify(lines)) == (
        3, "edited", "line 3 was edited or put in: it was not written after line 2"
    )  # fmt: skip
    lines = log(1)
    lines[0] = seal({"x": 2}, 1, "0" * 64) + b"\n"
    assert told(verify(lines)) == (1, "edited", "line 1 is not the first record of a chain")


def test_of_two_last_records_of_one_number_the_later_is_blamed() -> None:
    lines = log(3)
    old = read_record(lines[2][:-1])
    assert isinstance(old, Sealed)
    lines.append(seal({"x": "other"}, old.seq, old.prev) + b"\n")
    line, kind, problem = told(verify(lines))
    assert (line, kind) == (4, "edited")
    assert problem.endswith("lines 3 and 4 claim the same number")


def test_a_head_of_another_history_is_told_apart_from_a_cut() -> None:
    lines = log(3)
    assert verify(lines, Head(2, "0" * 64)).kind == "other-head"
    assert told(verify(lines, Head(5, "0" * 64))) == (
        4, "truncated", "the end is missing: records 4 to 5"
    )  # fmt: skip
    assert verify(lines, Head(0, "0" * 64)).kind == "other-head"


def test_a_record_without_its_newline_is_torn() -> None:
    data = b"".join(log(2))[:-1]
    assert told(verify(data.splitlines(keepends=True))) == (
        2, "torn", "line 2 is torn: it has no line end"
    )  # fmt: skip


def test_a_tear_within_the_note_of_a_tear_is_accounted_for() -> None:
    data = b"".join(log(2)) + b'{"event'
    for cut in (1, 2, 60, 250):
        data += appended(data, {"x": 1})[:cut]
    data += appended(data, {"x": "last"})
    verdict = verify(lines_of(data))
    assert verdict.ok
    assert verdict.torn_lines >= 2
    assert b'"x":"last"' in lines_of(data)[-1]


def test_a_note_of_a_tear_holds_only_for_the_very_bytes() -> None:
    data = b"".join(log(2)) + b'{"event'
    data += appended(data, {"x": 1})
    assert told(verify(lines_of(data.replace(b'{"event\n', b'{"Event\n')))) == (
        3, "not-json", "line 3 is not JSON"
    )  # fmt: skip
    assert told(verify(lines_of(data.replace(b'{"event\n', b"")))) == (
        3, "removed", "line 3 notes a torn line that is not there"
    )  # fmt: skip
    assert not verify(lines_of(data.replace(b'{"event\n', b'{"event\n\n'))).ok


def appended(data: bytes, record: dict[str, Any]) -> bytes:
    end = find_end(data, is_all=True)
    assert end is not None
    return go_on(end, record, 7)[0]


def lines_of(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
