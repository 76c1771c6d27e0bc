"""What is looked for in a line, and how dangerous looking for it is.

``re`` tries every way to match. A pattern that allows only a few ways at each place costs
its text's length; one with an unbounded repetition may cost a power of it, and nested
ones more time than there is, in a call that nothing can stop. Those are ``risky`` and
run in a child process.
"""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from threading import Lock

from pi.base.typing import Any, NamedTuple
from pi.tools.outcome import ToolFailure

_ops: Any
_parser: Any
try:
    _ops, _parser = import_module("re._constants"), import_module("re._parser")
except ImportError:  # before Python 3.11
    _ops, _parser = import_module("sre_constants"), import_module("sre_parse")

MAX_PATTERN = 10_000
_FEW = 200  # ways to match at one place
_REPEATS = frozenset(("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"))
# In a whole text these can refuse what a single line would match.
_LINE_ONLY = frozenset(("ASSERT_NOT", "GROUPREF_EXISTS", "ATOMIC_GROUP", "POSSESSIVE_REPEAT"))
_LINE_ONLY_AT = frozenset(("AT_BEGINNING_STRING", "AT_END_STRING"))
_warnings = Lock()


class Pattern(NamedTuple):
    """``line`` is searched in each line, or the text ``exact`` if there is no expression.

    ``needle`` is text, ASCII unless ``exact``, that every matching line holds, or "".
    ``whole``, if not None, finds something in every text that has a matching line.
    """

    exact: str
    line: re.Pattern[str] | None
    whole: re.Pattern[str] | None
    needle: str
    risky: bool


def make_pattern(text: str, *, literal: bool, ignore_case: bool) -> Pattern:
    """Raises ToolFailure for an expression that is not one."""
    if len(text) > MAX_PATTERN:
        raise ToolFailure(f"the pattern is too long: {len(text)} characters, limit {MAX_PATTERN}")
    if not text:
        raise ToolFailure("the pattern must not be empty")
    if literal and not ignore_case:
        return Pattern(text, None, None, text, risky=False)
    expression = re.escape(text) if literal else text
    flags = re.IGNORECASE if ignore_case else 0
    with _warnings, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a pattern may mean in later Pythons
        try:
            line = re.compile(expression, flags)
            tree = _parser.parse(expression, flags)
        except re.error as exc:
            where = "" if exc.pos is None else f" at position {exc.pos}"
            raise ToolFailure(
                f"invalid regular expression: {exc.msg}{where}; "
                "set literal to search for the text as it is"
            ) from None
        except (OverflowError, RecursionError, MemoryError):
            raise ToolFailure("invalid regular expression: too large or too deep") from None
        flags = line.flags
        parts = _flat(tree)
        if not flags & re.IGNORECASE and all(name == "LITERAL" for name, _ in parts):
            exact = "".join(chr(value) for _, value in parts)
            return Pattern(exact, None, None, exact, risky=False)
        names = set(_names(tree))
        whole = None
        if not names & _LINE_ONLY and not names & _LINE_ONLY_AT:
            whole = re.compile(expression, flags | re.MULTILINE)
    needle = "" if flags & re.IGNORECASE else _needle(parts)
    return Pattern("", line, whole, needle, risky=_ways(tree) > _FEW)


def _flat(tree: Any) -> list[tuple[str, Any]]:
    """The items of a parsed expression by name, plain groups opened."""
    found: list[tuple[str, Any]] = []
    for op, value in tree:
        if op is _ops.SUBPATTERN and not value[1] and not value[2]:
            found.extend(_flat(value[3]))
        else:
            found.append((str(op), value))
    return found


def _needle(parts: list[tuple[str, Any]]) -> str:
    """The longest run of ASCII letters that must be there."""
    best = run = ""
    for name, value in parts:
        run = run + chr(value) if name == "LITERAL" and value < 128 else ""
        best = max(best, run, key=len)
    return "" if "\n" in best or "\r" in best else best


def _names(tree: Any) -> list[str]:
    """The names of all operators, at any depth."""
    found: list[str] = []
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (list, tuple, _parser.SubPattern)):
            waiting.extend(value)
        elif isinstance(value, type(_ops.LITERAL)):
            found.append(str(value))
    return found


def _ways(tree: Any) -> int:
    """How many ways to match there are at one place, at most; over ``_FEW`` once so many."""
    ways = 1
    for op, value in tree:
        ways *= _ways_of(str(op), value)
        if ways > _FEW:
            return _FEW + 1
    return ways


def _ways_of(name: str, value: Any) -> int:
    if name == "BRANCH":
        return sum(_ways(branch) for branch in value[1])
    if name == "SUBPATTERN":
        return _ways(value[3])
    if name in ("ASSERT", "ASSERT_NOT"):
        return _ways(value[1])
    if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "AT", "RANGE", "CATEGORY", "FAILURE"):
        return 1
    if name in _REPEATS:
        least, most, body = value
        if int(most) > _FEW:
            return _FEW + 1
        once = _ways(body)
        total = 0
        for times in range(int(least), int(most) + 1):
            total += once**times if once > 1 else 1
            if total > _FEW:
                break
        # What is repeated is looked at again each time.
        return max(total, int(most))
    return _FEW + 1  # back references and what later Pythons add
