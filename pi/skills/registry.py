"""A registry's manifest: read strictly, refused as a whole if anything in it is unclear. Pure.

What is checked here is form. Whom to believe is decided by ``trust_set``, what may be
installed by ``resolving``.
"""

from __future__ import annotations

import re

from pi.base.errors import PiError
from pi.base.typing import NamedTuple
from pi.skills import strict_json
from pi.skills.urls import shown_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_BYTES = 8 * 1024 * 1024
# A check of a certificate takes 1 ms without PyNaCl: a hostile host must not buy minutes.
MAX_KEYS = 1000
MAX_SKILLS = 20_000
VERSION = 1
NAME_RULE = "1 to 128 of A-Z a-z 0-9 . _ -"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")


class KeyEntry(NamedTuple):
    id: str
    public_key: str
    signed_by: str | None = None
    signature: str | None = None
    revoked: bool = False
    expires_unix: int | None = None


class SkillEntry(NamedTuple):
    """``url`` as it is written, perhaps relative; ``statement_signature`` covers more than
    the bytes, see ``statements``."""

    name: str
    url: str
    sha256: str | None = None
    signing_key: str | None = None
    signature: str | None = None
    revoked: bool = False
    expires_unix: int | None = None
    statement_signature: str | None = None


class Manifest(NamedTuple):
    """``url`` is where it came from; names and ids are unique."""

    url: str
    keys: tuple[KeyEntry, ...]
    skills: tuple[SkillEntry, ...]

    def key(self, key_id: str) -> KeyEntry | None:
        return next((entry for entry in self.keys if entry.id == key_id), None)


class RegistryError(PiError):
    code = "bad-registry"


def is_name(text: str) -> bool:
    """Whether ``text`` can be a key's id or a skill's name: see ``NAME_RULE``."""
    return bool(_NAME.match(text))


def is_expired(expires_unix: int | None, now: int) -> bool:
    """Whether the second ``expires_unix`` has come; None is never."""
    return expires_unix is not None and expires_unix <= now


def parse_registry(data: bytes, url: str) -> Manifest:
    """The manifest in ``data``, which was found at ``url``. Raises RegistryError."""
    where = shown_url(url)
    try:
        if len(data) > MAX_BYTES:
            raise strict_json.BadJson(f"is larger than {MAX_BYTES} bytes")
        fields = strict_json.typed_object(strict_json.parse(data), "the manifest")
        version = strict_json.integer(fields, "version", "the manifest", strict_json.MAX_U32)
        _check_version(version, where)
        keys = tuple(map(_key_entry, _entries(fields, "keys", MAX_KEYS)))
        skills = tuple(map(_skill_entry, _entries(fields, "skills", MAX_SKILLS)))
    except strict_json.BadJson as exc:
        raise RegistryError(f"failed to parse registry '{where}'", cause=str(exc)) from None
    _refuse_repeated([entry.id for entry in keys], "key id", where)
    _refuse_repeated([entry.name for entry in skills], "skill name", where)
    return Manifest(url, keys, skills)


def _check_version(version: int, where: str) -> None:
    if version == 0:
        raise RegistryError(f"registry '{where}' has invalid version 0")
    if version != VERSION:
        raise RegistryError(
            f"registry '{where}' has version {version}, and this program reads version {VERSION}",
            hint="a newer program is needed",
            code="registry-too-new",
        )


def _entries(fields: dict[str, Any], name: str, most: int) -> list[tuple[str, Any]]:
    """The items of an array, each with the words that say where it stands."""
    found = strict_json.array(fields, name, "the manifest", required=name == "skills")
    if len(found) > most:
        raise strict_json.BadJson(f"more than {most} {name}")
    return [(f"{name}[{index}]", item) for index, item in enumerate(found)]


def _key_entry(numbered: tuple[str, Any]) -> KeyEntry:
    where, value = numbered
    fields = strict_json.typed_object(value, where)
    return KeyEntry(
        _name(fields, "id", where),
        strict_json.string(fields, "public_key", where),
        _optional_name(fields, "signed_by", where),
        strict_json.optional_string(fields, "signature", where),
        strict_json.flag(fields, "revoked", where),
        strict_json.optional_integer(fields, "expires_unix", where, strict_json.MAX_U64),
    )


def _skill_entry(numbered: tuple[str, Any]) -> SkillEntry:
    where, value = numbered
    fields = strict_json.typed_object(value, where)
    return SkillEntry(
        _name(fields, "name", where),
        strict_json.string(fields, "url", where),
        strict_json.optional_string(fields, "sha256", where),
        _optional_name(fields, "signing_key", where),
        strict_json.optional_string(fields, "signature", where),
        strict_json.flag(fields, "revoked", where),
        strict_json.optional_integer(fields, "expires_unix", where, strict_json.MAX_U64),
        strict_json.optional_string(fields, "statement_signature", where),
    )


def _name(fields: dict[str, Any], name: str, where: str) -> str:
    text = strict_json.string(fields, name, where)
    if not is_name(text):
        raise strict_json.BadJson(f"{where}: {name} {text[:140]!r} must be {NAME_RULE}")
    return text


def _optional_name(fields: dict[str, Any], name: str, where: str) -> str | None:
    return None if fields.get(name) is None else _name(fields, name, where)


def _refuse_repeated(names: list[str], what: str, where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise RegistryError(f"registry '{where}' has a duplicate {what} '{name}'")
        seen.add(name)
