"""A JSON object with the places of its members, so that a mistake in a file can be shown.

The standard decoder knows the place of a syntax error only; this reads the outermost
object itself and leaves the values to the decoder. Pure.
"""

from __future__ import annotations

import json
import re

from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

MAX_DIGITS = 30  # no setting is larger, and Python before 3.11 reads long numbers slowly
SHOWN = 80  # characters of a name in a complaint
_BLANKS = re.compile(r"[ \t\r\n]*")


class BadJson(Exception):
    """``why`` a text is no JSON object, and where: lines and columns count from 1."""

    def __init__(self, why: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"{why} at line {line} column {column}")
        self.why = why
        self.line = line
        self.column = column


class Member(NamedTuple):
    """One member; the place is that of its name."""

    name: str
    value: Any
    line: int
    column: int


def read_members(text: str) -> tuple[Member, ...]:
    """The members of the object that ``text`` is, in their order. Raises BadJson, also for
    a name that stands there twice."""
    return _Reader(text).members()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._decoder = json.JSONDecoder(parse_int=_whole, parse_constant=_refuse)

    def members(self) -> tuple[Member, ...]:
        self._expect("{", "expected an object: { ... }")
        found: dict[str, Member] = {}
        if self._sign() == "}":
            self._at += 1
        else:
            self._member(found)
            while self._sign() == ",":
                self._at += 1
                self._member(found)
            self._expect("}", "expected a comma or the closing brace")
        if self._sign():
            self._fail("something follows the closing brace")
        return tuple(found.values())

    def _member(self, found: dict[str, Member]) -> None:
        if self._sign() != '"':
            self._fail("expected a name in double quotes")
        start = self._at
        name = self._value()
        if name in found:
            self._fail(f"{name[:SHOWN]!r} stands there twice", start)
        self._expect(":", f"expected a colon behind {name[:SHOWN]!r}")
        self._sign()
        value = self._value()
        found[name] = Member(name, value, *self._place(start))

    def _value(self) -> Any:
        start = self._at
        try:
            value, self._at = self._decoder.raw_decode(self._text, start)
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except json.JSONDecodeError as exc:
            raise BadJson(exc.msg.lower(), exc.lineno, exc.colno) from None
        except UnicodeEncodeError:
            self._fail("half a character (a lone surrogate)", start)
        except RecursionError:
            self._fail("nested too deeply", start)
        except ValueError as exc:
            self._fail(str(exc), start)
        return value

    def _sign(self) -> str:
        """The next sign that is no blank, "" at the end."""
        match = _BLANKS.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _expect(self, sign: str, why: str) -> None:
        if self._sign() != sign:
            self._fail(why)
        self._at += 1

    def _place(self, at: int) -> tuple[int, int]:
        return self._text.count("\n", 0, at) + 1, at - self._text.rfind("\n", 0, at)

    def _fail(self, why: str, at: int | None = None) -> NoReturn:
        raise BadJson(why, *self._place(self._at if at is None else at))


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a number of too many digits")
    return int(digits)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")
