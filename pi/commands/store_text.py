"""Files of named things (macros, profiles, approvals): bytes to content and back. Pure.

One JSON object: ``schema_version`` 1, one member that maps names to things, and whatever
else a newer version or a person put there, which is kept.

Invariants (each has a property test):
  * any bytes are content or a ConfigError, never another exception;
  * what was encoded comes back equal;
  * changing one name changes no other member and no other name.
"""

from __future__ import annotations

import json

from pi.ai.jsontext import parse_strict_prefix
from pi.base.errors import ConfigError, UsageError
from pi.base.typing import Any, NamedTuple
from pi.sessions.labels import LabelError, check_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = 1
MAX_BYTES = 8 << 20


class Kind(NamedTuple):
    """One sort of file: its base name, the member with the names, and words for errors."""

    file: str
    member: str
    noun: str
    words: str


MACROS = Kind("macros.json", "macros", "macro", "macro file")
PROFILES = Kind("profiles.json", "profiles", "profile", "profile store")
APPROVALS = Kind("approvals.json", "approvals", "approval", "approvals file")


def valid_name(name: str, kind: Kind) -> str:
    """``name`` if it may be one: the rule of all names. Raises UsageError."""
    try:
        return check_name(name, kind.noun)
    except LabelError as exc:
        raise UsageError(exc.message, code=f"bad-{kind.noun}-name") from None


def empty(kind: Kind) -> dict[str, Any]:
    """The content of a file that is not there."""
    return {"schema_version": SCHEMA_VERSION, kind.member: {}}


def parse_store(data: bytes, path: str, kind: Kind) -> dict[str, Any]:
    """The content of a file. Raises ConfigError; what stands behind the names is not judged."""
    try:
        content, rest = parse_strict_prefix(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise unreadable(path, kind, f"not UTF-8 text at byte {exc.start}") from None
    except ValueError as exc:
        raise unreadable(path, kind, str(exc)) from None
    if rest:
        raise unreadable(path, kind, "more than one JSON value")
    if not isinstance(content, dict) or "schema_version" not in content:
        raise unreadable(path, kind, "no object with a schema_version")
    version = content["schema_version"]
    if version != SCHEMA_VERSION or isinstance(version, (bool, float)):
        raise ConfigError(
            f"unsupported {kind.noun} schema_version {json.dumps(version)[:40]} in {path} "
            f"(expected {SCHEMA_VERSION})",
            hint="a newer pi may have written it; it was left as it is",
            code=f"unsupported-{kind.noun}-schema",
        )
    if not isinstance(content.get(kind.member), dict):
        raise unreadable(path, kind, f"no object {kind.member!r} in it")
    return content


def unreadable(path: str, kind: Kind, why: str) -> ConfigError:
    """The error for a file that cannot be used; it is left as it is."""
    return ConfigError(
        f"failed to parse {kind.words} {path}",
        cause=why,
        hint="repair the file or move it away; pi left it as it is",
        code=f"bad-{kind.noun}-file",
    )


def with_entry(content: Mapping[str, Any], member: str, name: str, value: Any) -> dict[str, Any]:
    """``content`` with ``value`` under ``name`` of ``member``; None takes the name away."""
    entries = dict(content.get(member) or {})
    entries.pop(name, None)
    if value is not None:
        entries[name] = value
    return {**content, member: entries}


def encode_store(content: Mapping[str, Any], kind: Kind) -> bytes:
    """The file: version first, names sorted, pretty, a newline at the end."""
    rest = {key: value for key, value in content.items() if key not in ("schema_version",)}
    names = dict(sorted(rest.pop(kind.member).items()))
    whole = {"schema_version": SCHEMA_VERSION, kind.member: names, **rest}
    text = json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=2)
    return text.encode("utf-8", "replace") + b"\n"
