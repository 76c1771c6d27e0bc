"""JSON as a strict reader takes it, and typed access to its objects.

UTF-8 without a byte-order mark; a name at most once in an object; no NaN, no Infinity, no
half characters; true is no number and 1.0 is no integer. Where two readers could take
one text for two things, a signature over it says nothing. Pure.
"""

from __future__ import annotations

import json

from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_U32 = 2**32 - 1
MAX_U64 = 2**64 - 1
MAX_DIGITS = 1000


class BadJson(ValueError):
    """What is wrong with a text, and where if that is known."""


def parse(data: bytes) -> Any:
    """The value that ``data`` holds. Raises BadJson."""
    if data.startswith(b"\xef\xbb\xbf"):
        raise BadJson("begins with a byte-order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadJson(f"is not UTF-8 (byte {exc.start})") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
        if "\\u" in text:
            _refuse_half_characters(value)
    except BadJson:
        raise
    except json.JSONDecodeError as exc:
        raise BadJson(f"{exc.msg} at line {exc.lineno} column {exc.colno}") from None
    except RecursionError:
        raise BadJson("is nested too deeply") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise BadJson(f"holds the name {name!r} twice in one object")
            seen.add(name)
    return found


def _constant(word: str) -> Any:
    raise BadJson(f"holds {word}, which is not JSON")


def _int(text: str) -> int:
    # Reading digits takes their square in time, and only newer Pythons have a limit.
    if len(text) > MAX_DIGITS:
        raise BadJson("holds a number that is too long")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise BadJson("holds a number out of range")
    return number


def _refuse_half_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BadJson("holds half a character (a lone surrogate)") from None


def typed_object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadJson(f"{where} must be an object, not {kind(value)}")
    return value


def array(fields: Mapping[str, Any], name: str, where: str, *, required: bool = False) -> list[Any]:
    """The array ``name``; an absent one is empty unless it is required, null is an error."""
    if name not in fields and not required:
        return []
    value = _required(fields, name, where)
    if not isinstance(value, list):
        raise BadJson(f"{where}: {name} must be an array, not {kind(value)}")
    return value


def string(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = _required(fields, name, where)
    if not isinstance(value, str):
        raise BadJson(f"{where}: {name} must be a string, not {kind(value)}")
    return value


def optional_string(fields: Mapping[str, Any], name: str, where: str) -> str | None:
    """The string ``name``, None where it is absent or null."""
    return None if fields.get(name) is None else string(fields, name, where)


def flag(fields: Mapping[str, Any], name: str, where: str) -> bool:
    """The truth value ``name``, false where it is absent; null is an error."""
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise BadJson(f"{where}: {name} must be true or false, not {kind(value)}")
    return value


def integer(fields: Mapping[str, Any], name: str, where: str, largest: int) -> int:
    value = _required(fields, name, where)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadJson(f"{where}: {name} must be an integer, not {kind(value)}")
    if not 0 <= value <= largest:
        raise BadJson(f"{where}: {name} must be between 0 and {largest}")
    return value


def optional_integer(fields: Mapping[str, Any], name: str, where: str, largest: int) -> int | None:
    """The integer ``name``, None where it is absent or null."""
    return None if fields.get(name) is None else integer(fields, name, where, largest)


def kind(value: Any) -> str:
    """The JSON word for the type of ``value``, for error messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    words = ((str, "a string"), (int, "an integer"), (float, "a float"), (list, "an array"))
    return next((word for types, word in words if isinstance(value, types)), "an object")


def _required(fields: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in fields:
        raise BadJson(f"{where}: {name} is missing")
    return fields[name]
