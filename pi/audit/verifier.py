"""Judges a tool audit log, line by line, in constant memory (see ``chain`` for the format).

Pure. Invariants (each has a property test):
  * an intact log is found whole, whatever its records hold;
  * one edit anywhere but a cut at a record's end is noticed, and the right line named.
"""

from __future__ import annotations

from hashlib import sha256

from pi.audit.chain import GENESIS, TORN, Flaw, Head, Sealed, read_record
from pi.base.typing import NamedTuple, Union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(NamedTuple):
    """What a file is worth.

    ``line`` (from 1), ``kind`` and ``problem`` are of the first thing that is wrong, and
    ``head`` is None then. ``kind`` is "edited", "not-json", "duplicate-keys", "foreign",
    "torn", "removed", "reordered", "repeated", "truncated" or "other-head". ``torn_lines``
    counts torn lines that a note of the log itself accounts for.
    """

    lines: int
    records: int
    line: int | None = None
    kind: str = ""
    problem: str = ""
    head: Head | None = None
    torn_lines: int = 0

    @property
    def ok(self) -> bool:
        return self.line is None


def verify(lines: Iterable[bytes], expect_head: Head | None = None) -> Verdict:
    """Judge a whole file, given as lines with their newlines (as a file is iterated).

    ``expect_head`` is one that was kept earlier: the file must still hold that record.
    """
    verifier = Verifier(expect_head)
    for line in lines:
        verifier.feed(line)
    return verifier.finish()


class _Doubt(NamedTuple):
    """``second`` does not follow ``first``; whom the next record names is the true one."""

    first: int  # their lines
    second: int
    digest: str  # of the second
    rivals: bool  # both claim the same number


class _Gap(NamedTuple):
    """Records from ``seq`` on are not where they belong."""

    line: int
    seq: int
    prev: str
    found: int  # the number that stands there


_Pending = Union[_Doubt, _Gap, None]


class Verifier:
    """Fed line by line. After the first problem it counts, and looks for what is missing."""

    def __init__(self, expect_head: Head | None = None) -> None:
        self._expected = expect_head
        self._lines = 0
        self._records = 0
        self._torn = 0
        self._last = Sealed(0, "", GENESIS, {})
        self._last_line = 0
        self._strange = _Strange()
        self._pending: _Pending = None
        self._problem: tuple[int, str, str] | None = None
        self._open_line = False
        if expect_head is not None and expect_head.seq == 0:
            self._expect(self._last, 1)

    def feed(self, line: bytes) -> None:
        """Take the next line, with its newline if it has one."""
        self._lines += 1
        self._open_line = not line.endswith(b"\n")
        found = read_record(line[: len(line) - (not self._open_line)])
        if isinstance(found, Sealed):
            self._records += 1
        if self._problem is not None:
            return
        if isinstance(self._pending, _Gap):
            self._look_for_missing(self._pending, found)
        elif isinstance(self._pending, _Doubt):
            self._settle(self._pending, found)
        elif isinstance(found, Flaw):
            self._strange.add(self._lines, line, found)
        else:
            self._record(found)

    def finish(self) -> Verdict:
        """The end of the file."""
        if isinstance(self._pending, _Gap):
            self._say_missing(self._pending)
        elif isinstance(self._pending, _Doubt):
            self._settle(self._pending, None)
        if self._strange.line and self._problem is None:
            if self._open_line and self._strange.line == self._lines:
                self._blame(self._lines, "torn", "is torn: it is no whole record")
            else:
                self._blame(self._strange.line, *self._strange.flaw)
        if self._open_line and self._problem is None:
            self._blame(self._lines, "torn", "is torn: it has no line end")
        wanted = self._expected
        if wanted is not None and wanted.seq > self._last.seq and self._problem is None:
            self._problem = (
                self._lines + 1,
                "truncated",
                f"the end is missing: {_records(self._last.seq + 1, wanted.seq)}",
            )
        if self._problem is not None:
            return Verdict(self._lines, self._records, *self._problem, None, self._torn)
        head = Head(self._last.seq, self._last.digest)
        return Verdict(self._lines, self._records, head=head, torn_lines=self._torn)

    def _record(self, found: Sealed) -> None:
        """A good record: does it follow the last one?"""
        if not self._accounts_for_strange(found):
            return
        last, wanted = self._last, self._last.seq + 1
        if found.seq > wanted:
            self._pending = _Gap(self._lines, wanted, last.digest, found.seq)
        elif found.seq < wanted:
            rivals = found.seq == last.seq and found.prev == last.prev
            if rivals and found.digest != last.digest:
                self._pending = _Doubt(self._last_line, self._lines, found.digest, rivals=True)
            else:
                self._blame(self._lines, "repeated", f"holds record {found.seq} again")
        elif found.prev == last.digest:
            self._last, self._last_line = found, self._lines
            self._expect(found, self._lines)
        elif not self._last_line:
            self._blame(self._lines, "edited", "is not the first record of a chain")
        else:
            self._pending = _Doubt(self._last_line, self._lines, found.digest, rivals=False)

    def _accounts_for_strange(self, found: Sealed) -> bool:
        """Whether the lines before it that are no records are what it says they are."""
        noted = found.value.get("event") == TORN
        if not self._strange.line and not noted:
            return True
        size, digest = found.value.get("torn_bytes"), found.value.get("torn_sha256")
        if noted and self._strange.line and (size, digest) == self._strange.seen():
            self._torn += self._strange.lines
            self._strange = _Strange()
            return True
        if self._strange.line:
            self._blame(self._strange.line, *self._strange.flaw)
        else:
            self._blame(self._lines, "removed", "notes a torn line that is not there")
        return False

    def _settle(self, doubt: _Doubt, found: Sealed | Flaw | None) -> None:
        if isinstance(found, Sealed):
            second_is_true = found.prev == doubt.digest
        else:
            second_is_true = not doubt.rivals
        if second_is_true:
            line, other = doubt.first, f"line {doubt.second} was not written after it"
        else:
            line, other = doubt.second, f"it was not written after line {doubt.first}"
        if doubt.rivals:
            other = f"lines {doubt.first} and {doubt.second} claim the same number"
        self._blame(line, "edited", f"was edited or put in: {other}")

    def _look_for_missing(self, gap: _Gap, found: Sealed | Flaw) -> None:
        if isinstance(found, Sealed) and (found.seq, found.prev) == (gap.seq, gap.prev):
            where = f"holds record {gap.found}, and record {gap.seq} stands at line {self._lines}"
            self._blame(gap.line, "reordered", where)

    def _say_missing(self, gap: _Gap) -> None:
        missing = _records(gap.seq, gap.found - 1)
        self._problem = (gap.line, "removed", f"before line {gap.line} is missing: {missing}")

    def _expect(self, found: Sealed, line: int) -> None:
        wanted = self._expected
        if wanted is not None and wanted.seq == found.seq and wanted.digest != found.digest:
            self._blame(line, "other-head", f"is not the record of the head {wanted}")

    def _blame(self, line: int, kind: str, why: str) -> None:
        self._problem = (line, kind, f"line {line} {why}")
        self._pending = None


class _Strange:
    """Lines in a row that are no records: where they begin, why, and what they come to."""

    def __init__(self) -> None:
        self.line = 0
        self.lines = 0
        self.flaw = Flaw("", "")
        self._size = 0
        self._digest = sha256()
        self._newline = b""  # held back: the last one was added by who noted the tear

    def add(self, number: int, line: bytes, flaw: Flaw) -> None:
        if not self.line:
            self.line, self.flaw = number, flaw
        self.lines += 1
        whole = self._newline + line
        self._newline = b"\n" if whole.endswith(b"\n") else b""
        whole = whole[: len(whole) - len(self._newline)]
        self._size += len(whole)
        self._digest.update(whole)

    def seen(self) -> tuple[int, str]:
        return self._size, self._digest.hexdigest()


def _records(first: int, last: int) -> str:
    return f"record {first}" if first == last else f"records {first} to {last}"
