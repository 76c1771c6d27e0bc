"""Names that stand on entries: branch aliases and bookmarks. Pure.

They are records of the session itself, so they travel with it and two processes cannot
lose each other's; the last record of a name counts:

    {"record_type":"label","kind":"bookmark","name":"checkpoint","id":12}
    {"record_type":"label","kind":"bookmark","name":"checkpoint","id":null}     (taken away)

The older program kept them in files beside the session (``<session>.aliases.json``,
``<session>.bookmarks.json``); those are read as if their names had been set first.
"""

from __future__ import annotations

import json

from pi.base.typing import Any, NamedTuple
from pi.sessions.entry import is_id
from pi.sessions.errors import NamedWrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

SCHEMA_VERSION = 1


class Kind(NamedTuple):
    """One sort of names. ``ending`` and ``key`` are of the older program's file."""

    id: str
    ending: str
    key: str
    words: str  # in errors about that file


KINDS: dict[str, Kind] = {
    "alias": Kind("alias", "aliases.json", "aliases", "alias file"),
    "bookmark": Kind("bookmark", "bookmarks.json", "bookmarks", "session bookmark file"),
}


class LabelError(NamedWrong):
    """Why a name or a file of names cannot be used, in the report's words."""

    code = "bad-label"


def check_name(name: str, kind: str = "alias") -> str:
    """``name`` if it may be one. Raises LabelError."""
    if not name:
        raise LabelError(f"{kind} name must not be empty")
    if not (name[0].isascii() and name[0].isalpha()):
        raise LabelError(f"{kind} name '{name}' must start with an ASCII letter")
    if not all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in name):
        raise LabelError(
            f"{kind} name '{name}' must contain only ASCII letters, digits, '-' or '_'"
        )
    return name


def free_name(text: str, taken: Collection[str], entry_id: int) -> str:
    """``text`` as a name for an entry that is not ``taken``; "" if there is no name in it."""
    signs = (sign if sign.isascii() and (sign.isalnum() or sign in "-_") else " " for sign in text)
    name = "-".join("".join(signs).split()).lstrip("-_0123456789")
    while name and name in taken:
        name += f"-{entry_id}"
    return name


def sidecars(path: str, kind: str) -> tuple[str, ...]:
    """Where the older program may have kept the names of a session, the likeliest first:
    beside it with the last extension replaced, or appended to the whole name."""
    folder, slash, base = path.rpartition("/")
    stem, dot, _ = base.rpartition(".")
    ending = KINDS[kind].ending
    replaced = f"{stem}.{ending}" if dot and stem else f"{base}.{ending}"
    return tuple(dict.fromkeys((f"{folder}{slash}{replaced}", f"{path}.{ending}")))


def parse_sidecar(data: bytes, path: str, kind: str) -> dict[str, int]:
    """The names in a file of the older program. Raises LabelError."""
    spec = KINDS[kind]
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise LabelError(f"failed to parse {spec.words} {path}: {exc}") from None
    if not isinstance(content, dict) or not isinstance(content.get(spec.key), dict):
        raise LabelError(f"failed to parse {spec.words} {path}: no object {spec.key!r} in it")
    version = content.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise LabelError(
            f"unsupported {kind} schema_version {version} in {path} (expected {SCHEMA_VERSION})"
        )
    names = content[spec.key]
    if not all(is_id(value) for value in names.values()):
        raise LabelError(f"failed to parse {spec.words} {path}: a name stands on no entry id")
    return dict(names)


def fold(
    notes: Iterable[Mapping[str, Any]], kind: str, before: Mapping[str, int] | None = None
) -> dict[str, int]:
    """The names of ``kind`` that the session's records leave, sorted."""
    names = dict(before or {})
    for note in notes:
        if note.get("record_type") != "label" or note.get("kind") != kind:
            continue
        name, entry_id = note.get("name"), note.get("id")
        if not isinstance(name, str):
            continue
        if is_id(entry_id):
            names[name] = entry_id  # type: ignore[assignment]
        elif entry_id is None:
            names.pop(name, None)
    return dict(sorted(names.items()))


def record(kind: str, name: str, entry_id: int | None) -> dict[str, Any]:
    """The record that sets a name, or with None takes it away."""
    return {"record_type": "label", "kind": kind, "name": name, "id": entry_id}
