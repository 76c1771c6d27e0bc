"""The matching lines of one file, with the lines around them."""

from __future__ import annotations

import os
from collections import deque

from pi.base.typing import NamedTuple
from pi.tools.places import read_up_to
from pi.tools.text_files import SNIFF_BYTES, decode, is_binary, utf16_encoding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pi.tools.search.pattern import Pattern

FIRST = 1 << 16  # most files are smaller and need one call
BLOCK = 1 << 20  # how much of a larger file is held at a time
MAX_UTF16 = 16 << 20
LONGEST = 8192  # characters of a line that are handed on
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

MATCH, BEFORE, AFTER = ":", "<", ">"


class Found(NamedTuple):
    """A line to show: ``kind`` is MATCH, or BEFORE or AFTER for context."""

    path: str
    number: int
    kind: str
    text: str


class LineFinder:
    """Looks for one pattern in one file after another."""

    def __init__(self, pattern: Pattern, context: int, check: Callable[[], None]) -> None:
        self._context = context
        self._check = check
        self._search = _line_search(pattern)
        self._whole = pattern.whole
        self._needle = pattern.needle.encode("utf-8", "surrogatepass")
        self._in_latin1 = _latin1(pattern.needle)

    def is_candidate(self, data: bytes) -> bool:
        """Whether a matching line may be in ``data``, the beginning of a file or all of it."""
        return (
            self._needle in data
            or data.startswith(_UTF16_MARKS)
            or (self._in_latin1 is not None and self._in_latin1 in data)
        )

    def in_file(self, path: str, descriptor: int) -> Iterator[Found]:
        """The lines of an open file. Raises OSError if it cannot be read."""
        data = os.read(descriptor, FIRST)
        if len(data) == FIRST:
            yield from self.in_large(path, descriptor, data)
        elif self.is_candidate(data):
            yield from self.in_whole(path, data)

    def in_whole(self, path: str, data: bytes) -> Iterator[Found]:
        """The lines of a file of which ``data`` is everything."""
        found = None if is_binary(data) else decode(data)
        if found is not None:
            yield from _Lines(self, path).in_text(found.text, is_all=True)

    def in_large(self, path: str, descriptor: int, head: bytes) -> Iterator[Found]:
        """The lines of a file that begins with ``head``, block by block."""
        if is_binary(head[:SNIFF_BYTES]):
            return
        if utf16_encoding(head):
            data = head + read_up_to(descriptor, MAX_UTF16 - len(head))
            if len(data) < MAX_UTF16:
                yield from self.in_whole(path, data)
            return
        lines = _Lines(self, path)
        rest = head
        while True:
            self._check()
            piece = read_up_to(descriptor, BLOCK)
            rest += piece
            end = rest.rfind(b"\n") + 1 if len(piece) == BLOCK else len(rest)
            if not end and len(rest) < 4 * BLOCK:
                continue  # a long line: its end is still to come
            yield from lines.in_block(rest[: end or len(rest)])
            if len(piece) < BLOCK:
                return
            rest = rest[end or len(rest) :]


class _Lines:
    """Where we are in one file."""

    def __init__(self, finder: LineFinder, path: str) -> None:
        self._finder = finder
        self._path = path
        self._number = 0  # of the last line that was passed
        self._after = 0  # lines up to this one follow a match closely
        self._before: deque[str] = deque(maxlen=finder._context)

    def in_block(self, data: bytes) -> Iterator[Found]:
        """The next lines of a large file."""
        if not self._finder.is_candidate(data) and self._number >= self._after:
            context = self._finder._context
            if context:
                tail = data[:-1] if data.endswith(b"\n") else data
                for line in tail.rsplit(b"\n", context)[-context:]:
                    self._before.append(_text(line).rstrip("\r"))
            self._number += data.count(b"\n")
            return
        yield from self.in_text(_text(data))

    def in_text(self, text: str, *, is_all: bool = False) -> Iterator[Found]:
        """The next lines, as text; ``is_all`` says that no other text comes."""
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        finder = self._finder
        whole = finder._whole
        if whole is not None and (is_all or not finder._context) and not whole.search(text):
            self._number += text.count("\n")
            return
        lines = text.split("\n")
        if lines[-1]:
            unfinished = 1  # should more come, it belongs to the same line
        else:
            unfinished = 0
            lines.pop()
        if finder._context:
            yield from self._with_context(lines)
        else:
            search = finder._search
            for number, line in enumerate(lines, self._number + 1):
                if search(line):
                    yield Found(self._path, number, MATCH, line[:LONGEST])
            self._number += len(lines)
        self._number -= unfinished

    def _with_context(self, lines: list[str]) -> Iterator[Found]:
        search = self._finder._search
        for line in lines:
            self._number += 1
            number = self._number
            if search(line):
                first = number - len(self._before)
                for at, earlier in enumerate(self._before, first):
                    yield Found(self._path, at, BEFORE, earlier[:LONGEST])
                self._before.clear()
                yield Found(self._path, number, MATCH, line[:LONGEST])
                self._after = number + self._finder._context
            elif number <= self._after:
                yield Found(self._path, number, AFTER, line[:LONGEST])
            else:
                self._before.append(line)


def _line_search(pattern: Pattern) -> Callable[[str], object]:
    if pattern.line is not None:
        return pattern.line.search
    exact = pattern.exact
    return lambda line: exact in line


def _latin1(needle: str) -> bytes | None:
    """How a text outside ASCII looks in a file that is not UTF-8."""
    if needle.isascii():
        return None
    try:
        return needle.encode("latin-1")
    except UnicodeEncodeError:
        return None


def _text(data: bytes) -> str:
    """One block of a large file; each is decoded for itself."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
