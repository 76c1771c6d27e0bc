"""The store of trusted root keys: its text, its records, and what changes them. Pure.

Invariants (each has a property test):
  * what is rendered parses to the same records;
  * a change is made as a whole or, after any error, not at all;
  * every key that was added or rotated to can verify signatures.
"""

from __future__ import annotations

import json

from pi.base.errors import ConfigError, UsageError
from pi.base.typing import NamedTuple
from pi.skills import base64_strict, strict_json
from pi.skills.registry import NAME_RULE, is_expired, is_name
from pi.skills.statements import decode_public_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_FIELDS = ("id", "public_key", "revoked", "expires_unix", "rotated_from")


class TrustRecord(NamedTuple):
    """``extra`` are fields of other programs, kept as they were."""

    id: str
    public_key: str
    revoked: bool = False
    expires_unix: int | None = None
    rotated_from: str | None = None
    extra: tuple[tuple[str, Any], ...] = ()

    def status(self, now: int) -> str:
        """ "revoked", "expired" or "active"; a record can be only one."""
        if self.revoked:
            return "revoked"
        return "expired" if is_expired(self.expires_unix, now) else "active"


class KeySpec(NamedTuple):
    """What was typed as ``ID=B64``; ``flag`` is where, for messages."""

    id: str
    public_key: str
    flag: str = "--skill-trust-add"


class Rotation(NamedTuple):
    old_id: str
    new: KeySpec


class Expiry(NamedTuple):
    """``expires_unix`` None: never."""

    id: str
    expires_unix: int | None


class Changes(NamedTuple):
    """Made in this order. ``replace`` lets an added key take the place of another."""

    adds: tuple[KeySpec, ...] = ()
    revokes: tuple[str, ...] = ()
    rotates: tuple[Rotation, ...] = ()
    expires: tuple[Expiry, ...] = ()
    replace: bool = False

    def is_empty(self) -> bool:
        return not (self.adds or self.revokes or self.rotates or self.expires)


class Counts(NamedTuple):
    added: int = 0
    updated: int = 0
    revoked: int = 0
    rotated: int = 0

    def text(self) -> str:
        return (
            f"added={self.added} updated={self.updated} "
            f"revoked={self.revoked} rotated={self.rotated}"
        )


def parse_key_spec(text: str, flag: str = "--skill-trust-add") -> KeySpec:
    """``ID=B64``. Raises UsageError; the key itself is looked at when it is used."""
    key_id, equals, key = text.partition("=")
    key_id, key = base64_strict.trim(key_id), base64_strict.trim(key)
    if not (equals and key_id and key):
        raise UsageError(f"{flag} '{text}': expected key_id=base64_key")
    return KeySpec(_checked_id(key_id, f"{flag} '{text}'"), key, flag)


def parse_rotation(text: str, flag: str = "--skill-trust-rotate") -> Rotation:
    """``OLD:NEW=B64``. Raises UsageError."""
    old_id, colon, rest = text.partition(":")
    old_id = base64_strict.trim(old_id)
    new_id, equals, key = (base64_strict.trim(part) for part in rest.partition("="))
    if not (colon and equals and old_id and new_id and key):
        raise UsageError(f"{flag} '{text}': expected old_id:new_id=base64_key")
    return Rotation(old_id, KeySpec(_checked_id(new_id, f"{flag} '{text}'"), key, flag))


def parse_expiry(text: str, flag: str = "--skill-trust-expires") -> Expiry:
    """``ID=UNIX`` or ``ID=none``. Raises UsageError."""
    key_id, _, when = (base64_strict.trim(part) for part in text.partition("="))
    if key_id and when == "none":
        return Expiry(key_id, None)
    is_number = when.isascii() and when.isdigit() and len(when) <= 20
    if not (key_id and is_number and int(when) <= strict_json.MAX_U64):
        raise UsageError(f"{flag} '{text}': expected key_id=unix_seconds or key_id=none")
    return Expiry(key_id, int(when))


def parse_store(data: bytes, path: str) -> tuple[TrustRecord, ...]:
    """The records of a trust file. Raises ConfigError."""
    try:
        records = tuple(
            _record(item, f"root {number}")
            for number, item in enumerate(_items(strict_json.parse(data)), 1)
        )
        repeated = _first_repeated(record.id for record in records)
        if repeated is not None:
            raise strict_json.BadJson(f"the id '{repeated}' stands there twice")
    except strict_json.BadJson as exc:
        raise ConfigError(
            f"failed to parse trusted root file '{path}'",
            cause=str(exc),
            hint="mend it by hand, or move it away and add the keys again",
        ) from None
    return records


def render_store(records: Sequence[TrustRecord]) -> bytes:
    """The one form in which a trust file is written."""
    roots = [{**dict(zip(_FIELDS, record)), **dict(record.extra)} for record in records]
    return (json.dumps({"roots": roots}, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def change(
    records: Sequence[TrustRecord], changes: Changes, now: int
) -> tuple[tuple[TrustRecord, ...], Counts]:
    """The records after all changes, and how many of each there were.

    Raises UsageError, with nothing done. A store keeps the order of its records.
    """
    store = {record.id: record for record in records}
    added = updated = revoked = rotated = 0
    for spec in changes.adds:
        known = store.get(spec.id)
        store[spec.id] = _added(known, spec, now, replace=changes.replace)
        added, updated = added + (known is None), updated + (known is not None)
    for key_id in filter(None, map(base64_strict.trim, changes.revokes)):
        record = _known(store, key_id, "revoke")
        revoked += not record.revoked
        store[key_id] = record._replace(revoked=True)
    for rotation in changes.rotates:
        old, new_id = _known(store, rotation.old_id, "rotate"), rotation.new.id
        if old.id == new_id:
            raise UsageError(
                f"cannot rotate trust key id '{new_id}' to itself",
                hint="give the new key an id of its own",
            )
        store[old.id] = old._replace(revoked=True)
        known = store.get(new_id)
        fresh = _added(known, rotation.new, now, replace=True)
        store[new_id] = fresh._replace(rotated_from=old.id)
        added, updated = added + (known is None), updated + (known is not None)
        rotated += 1
    for expiry in changes.expires:
        record = _known(store, expiry.id, "set the expiry of")
        store[expiry.id] = record._replace(expires_unix=expiry.expires_unix)
        updated += record.expires_unix != expiry.expires_unix
    return tuple(store.values()), Counts(added, updated, revoked, rotated)


def _added(known: TrustRecord | None, spec: KeySpec, now: int, *, replace: bool) -> TrustRecord:
    """The record of a key that is trusted from now on."""
    where = f"{spec.flag} '{spec.id}'"
    try:
        decode_public_key(spec.public_key)
    except base64_strict.NotBase64 as exc:
        raise UsageError(
            f"{where}: the public key {exc}",
            hint="pi --skill-keygen prints one: 32 bytes in base64",
        ) from None
    if known is None:
        return TrustRecord(_checked_id(spec.id, where), spec.public_key)
    if not replace and base64_strict.trim(known.public_key) != spec.public_key:
        raise UsageError(
            f"{where}: this id already has another key",
            hint=f"--skill-trust-rotate {spec.id}:NEW_ID=KEY gives way to a new key; "
            "--skill-trust-replace replaces it",
            code="trust-key-conflict",
        )
    past = is_expired(known.expires_unix, now)
    return known._replace(
        public_key=spec.public_key,
        revoked=False,
        rotated_from=None,
        expires_unix=None if past else known.expires_unix,
    )


def _known(store: dict[str, TrustRecord], key_id: str, verb: str) -> TrustRecord:
    record = store.get(key_id)
    if record is None:
        raise UsageError(
            f"cannot {verb} unknown trust key id '{key_id}'",
            hint="known: " + ", ".join(store) if store else "the store is empty",
            code="unknown-trust-key",
        )
    return record


def _checked_id(key_id: str, where: str) -> str:
    if not is_name(key_id):
        raise UsageError(f"{where}: a key id must be {NAME_RULE}")
    return key_id


def _items(value: Any) -> list[Any]:
    """The list of records, in whichever of the three forms it is written."""
    if isinstance(value, list):
        return value
    fields = strict_json.typed_object(value, "the file")
    name = "roots" if "roots" in fields else "keys"
    if name not in fields:
        raise strict_json.BadJson("it has neither roots nor keys")
    return strict_json.array(fields, name, "the file", required=True)


def _record(value: Any, where: str) -> TrustRecord:
    fields = strict_json.typed_object(value, where)
    key_id = strict_json.string(fields, "id", where)
    if not is_name(key_id):
        raise strict_json.BadJson(f"{where}: id {key_id[:140]!r} must be {NAME_RULE}")
    return TrustRecord(
        key_id,
        strict_json.string(fields, "public_key", where),
        strict_json.flag(fields, "revoked", where),
        strict_json.optional_integer(fields, "expires_unix", where, strict_json.MAX_U64),
        strict_json.optional_string(fields, "rotated_from", where),
        tuple((name, item) for name, item in fields.items() if name not in _FIELDS),
    )


def _first_repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
