"""Whether installed skills are what was locked, and whether somebody trusted signed them.

Signatures are made over the bytes that came: of a flat skill those of its file, of a folder
those of the archive it came in, which the download cache still has and which must unpack to
what was locked. Nothing here asks a network; keys count as of now, by the trust file.
"""

from __future__ import annotations

import hashlib

from pi.base.errors import PiError
from pi.base.typing import Any, NamedTuple
from pi.skills.archive import File, read_archive
from pi.skills.discovery import SKILL_FILE
from pi.skills.drift import compare, metadata_problems
from pi.skills.items import Item
from pi.skills.statements import signature_problem, skill_statement
from pi.skills.trust_set import Link, recorded_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.skills.drift import Drift
    from pi.skills.installed import Installed
    from pi.skills.lockfile import Lock, LockEntry
    from pi.skills.trust_set import TrustedKey
    from pi.skills.trust_store import TrustRecord

PASS, WARN, FAIL = "pass", "warn", "fail"
WORST = (PASS, WARN, FAIL)


class Trust(NamedTuple):
    """``records`` is None where no trust file is configured; ``roots`` are what counts."""

    records: Sequence[TrustRecord] | None
    roots: Mapping[str, TrustedKey]
    now: int


class Verdict(NamedTuple):
    file: str
    name: str
    status: str
    checks: tuple[str, ...]


class Report(NamedTuple):
    drift: Drift
    trust: Mapping[str, int] | None
    entries: tuple[Verdict, ...]

    @property
    def status(self) -> str:
        return _worst(one.status for one in self.entries)

    def count(self, status: str) -> int:
        return sum(1 for one in self.entries if one.status == status)


def verify(
    lock: Lock,
    there: Sequence[Installed],
    trust: Trust,
    payload: Callable[[LockEntry], bytes | None],
    require: str = "",
) -> Report:
    """Judge every entry of the lock and everything beside it.

    ``payload`` gives the bytes that a signature of an entry is over, None if they are not
    to be had. ``require`` is "", "signed" or "strict" (with a statement of name and time).
    """
    actual = {one.file: one for one in there}
    verdicts = []
    for entry in lock.entries:
        checks = [_sync(entry, actual.get(entry.file))]
        checks += [(f"metadata={reason}", FAIL) for reason in metadata_problems(entry)]
        checks.append(signature(entry, trust, payload, require))
        verdicts.append(_verdict(entry.file, entry.name, checks))
    known = lock.by_file()
    beside = (one for one in there if one.file not in known)
    verdicts += [_verdict(o.file, o.name, [("sync=extra_not_in_lockfile", FAIL)]) for o in beside]
    verdicts.sort(key=lambda one: one.file)
    return Report(compare(lock, there), trust_counts(trust), tuple(verdicts))


def trust_counts(trust: Trust) -> dict[str, int] | None:
    """How many roots the trust file has, by state; None without a file."""
    if trust.records is None:
        return None
    states = [record.status(trust.now) for record in trust.records]
    found = {"total": len(states)}
    found.update({state: states.count(state) for state in ("active", "revoked", "expired")})
    return found


def _verdict(file: str, name: str, checks: Sequence[tuple[str, str]]) -> Verdict:
    return Verdict(file, name, _worst(status for _, status in checks), tuple(c for c, _ in checks))


def _worst(statuses: Any) -> str:
    return max(statuses, key=WORST.index, default=PASS)


def _sync(entry: LockEntry, now: Installed | None) -> tuple[str, str]:
    if now is None:
        return "sync=missing", FAIL
    return ("sync=ok", PASS) if now.sha256 == entry.sha256 else ("sync=changed", FAIL)


def signature(
    entry: LockEntry,
    trust: Trust,
    payload: Callable[[LockEntry], bytes | None],
    require: str,
) -> tuple[str, str]:
    """The check of an entry's signature and its status."""
    source = entry.source
    require_signed = bool(require)
    kind = source["kind"]
    if kind not in ("remote", "registry"):
        return f"source={kind}", FAIL if require_signed else PASS
    key_id, signed = source.get("signing_key_id"), source.get("signature")
    if not key_id and not signed:
        return "signature=unsigned", FAIL if require_signed else WARN
    if not key_id or not signed:
        return "signature=incomplete_metadata", FAIL
    if trust.records is None and not trust.roots:
        unverified = f"signature=unverified key={key_id} trust_root=none"
        return unverified, FAIL if require_signed else WARN
    state = _state(key_id, trust)
    if state != "active":
        return f"signature={state} key={key_id}", FAIL
    if require == "strict" and not source.get("statement_signature"):
        return f"signature=no_statement key={key_id}", FAIL
    return _checked(entry, key_id, signed, trust, payload)


def _state(key_id: str, trust: Trust) -> str:
    """What the trust file says of a key of this id; "active" if nothing against it."""
    for record in trust.records or ():
        if record.id == key_id:
            return record.status(trust.now)
    return "active"


def _checked(
    entry: LockEntry,
    key_id: str,
    signed: str,
    trust: Trust,
    payload: Callable[[LockEntry], bytes | None],
) -> tuple[str, str]:
    source = entry.source
    chain = [Link(*link) for link in _links(source.get("signer_chain"))]
    public_key = source.get("signer_public_key") or ""
    if not public_key and key_id in trust.roots:
        public_key = trust.roots[key_id].public_key
    key = recorded_key(key_id, public_key, chain, trust.roots)
    if isinstance(key, str):
        root = trust.roots.get(key_id)
        if root is not None:
            return f"signature=key_mismatch key={key_id}", FAIL
        above = chain[-1].signed_by if chain else key_id
        state = _state(above, trust)
        shown = state if state != "active" and chain else "untrusted"
        return f"signature={shown} key={key_id}", FAIL
    data = payload(entry)
    if data is None:
        return f"signature=unverified key={key_id} payload=none", WARN
    if signature_problem(key.key, data, signed) or not _holds(data, entry):
        return f"signature=invalid key={key_id}", FAIL
    statement = source.get("statement_signature")
    if statement:
        digest = hashlib.sha256(data).hexdigest()
        name = entry.file.partition("/")[0] if entry.is_folder else entry.file[: -len(".md")]
        until = source.get("expires_unix")
        until = until if isinstance(until, int) else None
        if signature_problem(key.key, skill_statement(name, digest, until), str(statement)):
            return f"signature=invalid key={key_id} statement", FAIL
    return f"signature=trusted key={key_id}", PASS


def _holds(data: bytes, entry: LockEntry) -> bool:
    """Whether signed bytes are the locked skill: those of its one file, or of an archive
    that unpacks to its folder."""
    files = {SKILL_FILE if entry.is_folder else "": File(data)}
    if entry.is_folder and entry.source.get("artifact_sha256"):
        try:
            files = dict(read_archive(data, entry.file).files)
        except PiError:
            return False
    return Item(entry.name, files, {}, entry.file, "").entry().sha256 == entry.sha256


def _links(value: Any) -> list[tuple[str, str, str, str]]:
    """The recorded chain; of one that is no chain nothing."""
    names = ("id", "public_key", "signed_by", "signature")
    found: list[tuple[str, str, str, str]] = []
    for item in value if isinstance(value, list) else ():
        texts: list[Any] = [item.get(name) for name in names] if isinstance(item, dict) else [None]
        if not all(isinstance(text, str) for text in texts):
            return []
        found.append((texts[0], texts[1], texts[2], texts[3]))
    return found
