"""Is a request the recorded one? If not: which part differs first, and how. Pure.

Both requests must have had their secrets taken out. Strict, but for what cannot repeat:
``x-pi-request-id`` and ``user-agent`` match by name, and credentials may be missing from
the request that is sent, because a replay needs no key.
"""

from __future__ import annotations

import json

from pi.base.cassette_pieces import common_start
from pi.base.text import is_credential
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.http import Request

    Headers = tuple[tuple[str, str], ...]

VOLATILE_HEADERS = {"x-pi-request-id", "user-agent"}
SHOWN = 72  # characters of each side: two of them and their labels fit a terminal's line each
BEFORE = 24  # of them, how many before the first difference
_ABSENT = object()


class Difference(NamedTuple):
    """``part`` is a place ("body at messages[2].content"); the rest is shortened for display."""

    part: str
    recorded: str
    sent: str


def difference(recorded: Request, sent: Request, *, lenient: bool = False) -> Difference | None:
    """The first difference, or None. ``lenient`` ignores the order of headers only."""
    if recorded.method != sent.method:
        return Difference("method", *_texts(recorded.method, sent.method))
    if recorded.url != sent.url:
        return Difference("url", *_texts(recorded.url, sent.url))
    found = _header_difference(recorded.headers, sent.headers, lenient)
    if found is None and recorded.body != sent.body:
        return _body_difference(recorded.body, sent.body)
    return found


def _header_difference(recorded: Headers, sent: Headers, lenient: bool) -> Difference | None:
    sent_names = {name.lower() for name, _ in sent}
    ours = [
        pair
        for pair in map(_comparable, recorded)
        if pair[0].lower() in sent_names or not is_credential(pair[0])
    ]
    theirs = [*map(_comparable, sent)]
    if lenient:
        ours.sort(key=_lower_name)  # stable: the values of a repeated header keep their order
        theirs.sort(key=_lower_name)
    if ours == theirs:
        return None
    for here, there in ((ours, theirs), (theirs, ours)):
        for pair in here:
            if here.count(pair) > there.count(pair):
                return _one_header(pair[0], ours, theirs)
    order = (", ".join(name for name, _ in pairs) for pairs in (ours, theirs))
    return Difference("the order of headers", *_texts(*order))


def _one_header(
    name: str, ours: list[tuple[str, str]], theirs: list[tuple[str, str]]
) -> Difference:
    """Show all values of the header, spelled as it is on the side that lacks something."""
    sides = [", ".join(value for key, value in pairs if key == name) for pairs in (ours, theirs)]
    present = [any(key == name for key, _ in pairs) for pairs in (ours, theirs)]
    shown = _texts(*sides)
    return Difference(
        f"header {name}",
        shown[0] if present[0] else "(no such header)",
        shown[1] if present[1] else "(no such header)",
    )


def _comparable(pair: tuple[str, str]) -> tuple[str, str]:
    return (pair[0], "") if pair[0].lower() in VOLATILE_HEADERS else pair


def _lower_name(pair: tuple[str, str]) -> str:
    return pair[0].lower()


def _body_difference(recorded: bytes, sent: bytes) -> Difference:
    try:
        found = _json_difference(json.loads(recorded), json.loads(sent))
    except (ValueError, RecursionError):
        found = None  # not JSON, or nested beyond reason: by position then
    if found is not None:
        return found
    at = common_start(recorded, sent)
    texts = [body.decode("utf-8", "backslashreplace") for body in (recorded, sent)]
    return Difference(f"body at byte {at}", *_texts(*texts))


def _json_difference(ours: Any, theirs: Any) -> Difference | None:
    """The innermost value that differs. None: equal but for how it is written."""
    path = ""
    if _written(ours) == _written(theirs):
        return None
    while True:
        step = _step(ours, theirs)
        if step is None:
            break
        path += step[0]
        ours, theirs = step[1:]
    place = f"body at {path.lstrip('.')}" if path else "body"
    if isinstance(ours, str) and isinstance(theirs, str):
        return Difference(place, *_texts(ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = _texts(", ".join(ours), ", ".join(theirs))
        return Difference(f"{place}, the order of keys", *keys)
    return Difference(place, _value(ours), _value(theirs))


def _step(ours: Any, theirs: Any) -> tuple[str, Any, Any] | None:
    """The way into the first member that differs, if that is where the difference is."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*ours, *theirs]:
            pair = ours.get(key, _ABSENT), theirs.get(key, _ABSENT)
            if _written(pair[0]) != _written(pair[1]):
                return (f".{key}" if key.isidentifier() else f"[{key!r}]", *pair)
    elif isinstance(ours, list) and isinstance(theirs, list):
        for index in range(max(len(ours), len(theirs))):
            pair = (
                ours[index] if index < len(ours) else _ABSENT,
                theirs[index] if index < len(theirs) else _ABSENT,
            )
            if _written(pair[0]) != _written(pair[1]):
                return (f"[{index}]", *pair)
    return None


def _written(value: Any) -> str:
    """Text, because 1 == True == 1.0 and dicts of another order are equal in Python."""
    return "" if value is _ABSENT else json.dumps(value)


def _value(value: Any) -> str:
    if value is _ABSENT:
        return "(absent)"
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return repr(shown)[1:-1] if not shown.isprintable() else shown


def _texts(ours: str, theirs: str) -> tuple[str, str]:
    """Both texts around their first difference, in quotes, with nothing unprintable in them."""
    start = max(0, common_start(ours, theirs) - BEFORE)
    shown = []
    for text in (ours, theirs):
        cut = text[start : start + SHOWN]
        before = "…" if start else ""
        after = "…" if start + SHOWN < len(text) else ""
        shown.append(before + repr(cut) + after)
    return shown[0], shown[1]
