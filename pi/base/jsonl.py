"""JSON lines: bytes in any slices to records, and a record to its line. No files here.

A line that is not a JSON object is data about the file, not an exception: it comes back
as ``Damaged`` with its place, between the records before and after it.

Invariants (each has a property test):
  * any way of slicing the same bytes yields the same records and the same damage;
  * damage stays within its line: every other line is read;
  * ``encode`` gives exactly one line, and what was encoded comes back equal;
  * at most ``max_line_bytes`` of one line are held.
"""

from __future__ import annotations

import json
import re
import sys

from pi.base.typing import Any, NamedTuple, Union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# One line is one message or one exchange; a tool result of some hundred megabytes is
# already beyond what any model reads.
MAX_LINE_BYTES = 256 * 1024 * 1024

# CPython's own limit since 3.9.14; older ones need the same, because converting digits
# to an int costs the square of their number.
MAX_INT_DIGITS = 4300
_TOO_MANY_DIGITS = "a number of too many digits"


class Record(NamedTuple):
    """A line that holds a JSON object. ``number`` counts from 1, ``offset`` and ``size``
    are in bytes, without the newline."""

    number: int
    offset: int
    size: int
    value: dict[str, Any]


class Damaged(NamedTuple):
    """A line that does not, and why."""

    number: int
    offset: int
    size: int
    reason: str


Line = Union[Record, Damaged]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _bounded_int(digits: str) -> int:
    if len(digits) > MAX_INT_DIGITS:
        raise ValueError(_TOO_MANY_DIGITS)
    return int(digits)


# A Python function called for every integer is slow: only where CPython has no limit.
_PARSE_INT = None if hasattr(sys, "get_int_max_str_digits") else _bounded_int
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_PARSE_INT)
# The bare scanner: what json.loads adds to it (encoding guesses, white space around the
# value) is done by hand for the few lines that need it.
_SCAN: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]
# Lines that are read together, with this value between them.
_TOGETHER = 100
_BETWEEN = object()
_SCAN_BETWEEN: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(
    parse_constant={"NaN": _BETWEEN}.__getitem__, parse_int=_PARSE_INT
).scan_once  # type: ignore[attr-defined]
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonlReader:
    """Cuts bytes into lines at ``\\n`` and nothing else, and reads each.

    U+2028, U+0085 and form feeds are ordinary characters inside tool output. A trailing
    ``\\r`` is dropped, blank lines are skipped, ``number`` and ``offset`` say where the
    first line starts that has not ended yet.
    """

    def __init__(
        self, *, max_line_bytes: int = MAX_LINE_BYTES, number: int = 1, offset: int = 0
    ) -> None:
        self.number = number
        self.offset = offset
        self._max = max_line_bytes
        self._parts: list[bytes] = []  # joined only when the line ends: linear in its length
        self._held = 0

    def feed(self, chunk: bytes) -> list[Line]:
        """The lines that ``chunk`` ends."""
        lines = chunk.split(b"\n")
        tail = lines.pop()
        found: list[Line] = []
        if self._held:
            if not lines:
                self._hold(tail)
                return found
            self._hold(lines.pop(0))
            self._take(b"".join(self._parts), self._held, found)
            self._parts, self._held = [], 0
        longest, number, offset = self._max, self.number, self.offset
        make = tuple.__new__  # half of what calling the type costs
        for line, value in zip(lines, _values(lines)):
            size = len(line)
            whole = type(value) is dict and size <= longest
            if whole and b"\\ud" not in line and b"\\uD" not in line:
                found.append(make(Record, (number, offset, size, value)))
                number += 1
                offset += size + 1
            else:
                self.number, self.offset = number, offset
                self._take(line, size, found)
                number, offset = self.number, self.offset
        self.number, self.offset = number, offset
        self._hold(tail)
        return found

    def finish(self) -> Line | None:
        """The last line if no newline ended it, torn or whole. Leaves the position before it."""
        return self._read(b"".join(self._parts), self._held) if self._held else None

    def _hold(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > self._max:
            self._parts = []
        elif piece:
            self._parts.append(piece)

    def _take(self, line: bytes, size: int, found: list[Line]) -> None:
        item = self._read(line, size)
        if item is not None:
            found.append(item)
        self.number += 1
        self.offset += size + 1

    def _read(self, line: bytes, size: int) -> Line | None:
        """The slow and careful way; None for a blank line."""
        try:
            if size > self._max:
                raise ValueError(f"longer than {self._max} bytes")
            text = line.decode("utf-8").strip(" \t\r")
            if self.offset == 0:
                text = text.lstrip("\ufeff")  # left by editors on Windows
            if not text:
                return None
            value = _DECODER.decode(text)
            if type(value) is not dict:
                raise ValueError("not a JSON object")
            return Record(self.number, self.offset, size, _whole(value))
        except UnicodeDecodeError as exc:
            reason = f"not UTF-8 at byte {exc.start + 1}"
        except json.JSONDecodeError as exc:
            reason = f"not JSON: {exc.msg} at column {exc.colno}"
        except ValueError as exc:
            # CPython's own words advise to raise the limit.
            reason = _TOO_MANY_DIGITS if "Exceeds the limit" in str(exc) else str(exc)
        except RecursionError:
            reason = "nested too deeply"
        return Damaged(self.number, self.offset, size, reason)


def read_again(line: bytes, offset: int) -> dict[str, Any] | None:
    """The object of a line, without its newline, that a reader took at ``offset``; None if
    it is none any more."""
    value = _value(line)
    if type(value) is dict and b"\\ud" not in line and b"\\uD" not in line:
        return value
    lines = JsonlReader(max_line_bytes=len(line), offset=offset).feed(line + b"\n")
    return lines[0].value if len(lines) == 1 and isinstance(lines[0], Record) else None


def _values(lines: list[bytes]) -> list[Any]:
    """What each line holds; None for one that needs a closer look."""
    found: list[Any] = []
    for start in range(0, len(lines), _TOGETHER):
        some = lines[start : start + _TOGETHER]
        found += (len(some) > 1 and _values_together(some)) or map(_value, some)
    return found


def _value(line: bytes) -> Any:
    try:
        text = line.decode()
        value, end = _SCAN(text, 0)
    except (ValueError, StopIteration, RecursionError):
        return None
    return value if end == len(text) else None


def _values_together(lines: list[bytes]) -> list[Any]:
    """What the lines hold, read as one array: a third faster, since each name of a field is
    made once. [] if any of them needs a closer look.

    Damage in two lines could make up for one another. So a constant stands between the
    lines that is none in JSON and, as is made sure of, in none of them: where each comes
    out as an item of its own, what stands between two of them is one value.
    """
    joined = b",NaN,".join(lines)
    count = len(lines)
    if joined.count(b"NaN") != count - 1:
        return []
    try:
        text = f"[{joined.decode()}]"
        items, end = _SCAN_BETWEEN(text, 0)
    except (ValueError, KeyError, StopIteration, RecursionError):
        return []
    if end != len(text) or len(items) != 2 * count - 1:
        return []
    if items[1::2].count(_BETWEEN) != count - 1:
        return []
    values: list[Any] = items[::2]
    return values


def _whole(value: dict[str, Any]) -> dict[str, Any]:
    """``value`` with escaped lone surrogates replaced: no later encoder can take them."""
    text = json.dumps(value, ensure_ascii=False)
    if not _SURROGATE.search(text):
        return value
    clean: dict[str, Any] = json.loads(_SURROGATE.sub("\ufffd", text))
    return clean


def encode(record: Mapping[str, Any]) -> bytes:
    """``record`` as one line with its newline.

    What JSON or UTF-8 cannot hold is replaced rather than losing the record: a lone
    surrogate by U+FFFD, a number that is not finite or absurdly long by null. Raises
    ValueError if the record is nested too deeply to be read again.
    """
    try:
        try:
            text = _ENCODER.encode(record)
        except ValueError:
            text = _ENCODER.encode(_plain(record))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    try:
        return text.encode("utf-8") + b"\n"
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text).encode("utf-8") + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not -1e999 < value < 1e999:
        return None
    if isinstance(value, int) and value.bit_length() > 3 * MAX_INT_DIGITS:
        return None
    return value
