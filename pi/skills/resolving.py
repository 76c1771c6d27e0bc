"""From names to what may be downloaded, and from what came to what may be installed. Pure.

Every check that needs no download is made before the first one; ``check_payload`` makes the
others. A signature that is there is always enforced, whatever was asked for.
"""

from __future__ import annotations

import hashlib
import re

from pi.base.errors import UsageError, VerificationFailed
from pi.base.typing import NamedTuple
from pi.skills.registry import is_expired
from pi.skills.statements import signature_problem, skill_statement
from pi.skills.trust_set import trusted_keys
from pi.skills.urls import check_url, resolve_url, shown_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pi.skills.registry import Manifest, SkillEntry
    from pi.skills.trust_set import TrustedKey, TrustSet

REQUIREMENTS = ("", "signed", "strict")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}\Z")
_NO_DIGEST = "sha256 must be 64 hexadecimal digits"


class ResolvedSkill(NamedTuple):
    """``url`` is absolute; ``sha256`` stands as it was given, "" if it was not. ``signer``
    is None for an unsigned skill."""

    name: str
    url: str
    sha256: str = ""
    signature: str = ""
    statement_signature: str = ""
    expires_unix: int | None = None
    signer: TrustedKey | None = None


class Resolution(NamedTuple):
    skills: tuple[ResolvedSkill, ...]
    warnings: tuple[str, ...]


def resolve_names(
    manifest: Manifest,
    names: Iterable[str],
    roots: Mapping[str, TrustedKey],
    now: int,
    require: str = "",
) -> Resolution:
    """The skills of these names, each once, in order.

    ``require`` is "", "signed" or "strict" (with a statement too). Raises PiError or
    VerificationFailed for the first skill that may not be installed.
    """
    trust = trusted_keys(roots, manifest, now)
    entries = {entry.name: entry for entry in manifest.skills}
    found = []
    for name in dict.fromkeys(names):
        entry = entries.get(name)
        if entry is None:
            raise UsageError(
                f"registry does not contain skill '{name}'",
                hint=_nearest(name, entries),
                code="unknown-skill",
            )
        found.append(_resolve(manifest, entry, trust, now, require))
    return Resolution(tuple(found), trust.warnings)


def check_payload(skill: ResolvedSkill, data: bytes) -> None:
    """Check downloaded or cached bytes against all that is known of them.

    Raises VerificationFailed. The bytes never appear in a message.
    """
    actual = hashlib.sha256(data).hexdigest()
    check_digest(data, skill.sha256, skill.url, actual)
    signer = skill.signer
    if signer is None:
        return
    problem = signature_problem(signer.key, data, skill.signature)
    if skill.statement_signature and not problem:
        statement = skill_statement(skill.name, actual, skill.expires_unix)
        why = signature_problem(signer.key, statement, skill.statement_signature)
        problem = f"statement: {why}" if why else ""
    if problem:
        raise VerificationFailed(
            f"signature verification failed for '{shown_url(skill.url)}': {problem}",
            cause=f"signed by key '{signer.id}'",
            code="bad-signature",
        )


def check_digest(data: bytes, expected: str, url: str, actual: str = "") -> None:
    """Compare with a digest given as text, "" for none. Raises VerificationFailed."""
    if not expected:
        return
    actual = actual or hashlib.sha256(data).hexdigest()
    if actual != expected.strip().lower():
        raise VerificationFailed(
            f"sha256 mismatch for '{shown_url(url)}': "
            f"expected {expected.strip().lower()}, actual {actual}",
            code="sha256-mismatch",
        )


def check_sha256(text: str, where: str) -> None:
    """Refuse what cannot be a digest, before anything is downloaded for it."""
    if not _SHA256.match(text.strip()):
        raise VerificationFailed(f"{where}: {_NO_DIGEST}", code="bad-digest")


def check_typed_sha256(text: str, flag: str) -> None:
    """The same for what somebody typed: nothing was verified, the command line is wrong."""
    if not _SHA256.match(text.strip()):
        raise UsageError(f"{flag}: {_NO_DIGEST}", hint="sha256sum FILE prints them")


def _resolve(
    manifest: Manifest, entry: SkillEntry, trust: TrustSet, now: int, require: str
) -> ResolvedSkill:
    name = f"registry skill '{entry.name}'"
    if entry.revoked:
        raise _refused(f"{name} is revoked")
    if is_expired(entry.expires_unix, now):
        raise _refused(f"{name} is expired")
    signed = [entry.signature is not None, entry.signing_key is not None]
    if require and not any(signed):
        raise _refused(f"{name} is unsigned but signatures are required")
    if any(signed) != all(signed) or (entry.statement_signature is not None and not all(signed)):
        raise _refused(
            f"{name} has incomplete signing metadata: signing_key and signature go together"
        )
    if require == "strict" and entry.statement_signature is None:
        raise _refused(
            f"{name} has no statement_signature but signatures are required strictly",
            hint="who runs the registry can add one: pi --registry-build",
        )
    key_id = entry.signing_key
    signer = None if key_id is None else _signer(name, key_id, manifest, trust, now)
    url = resolve_url(manifest.url, entry.url)
    check_url(url, "skill", VerificationFailed)
    if entry.sha256 is not None:
        check_sha256(entry.sha256, name)
    return ResolvedSkill(
        entry.name,
        url,
        entry.sha256 or "",
        entry.signature or "",
        entry.statement_signature or "",
        entry.expires_unix,
        signer,
    )


def _signer(name: str, key_id: str, manifest: Manifest, trust: TrustSet, now: int) -> TrustedKey:
    """The key that signed a skill. Raises VerificationFailed if it is not believed."""
    key = trust.keys.get(key_id)
    if key is not None:
        return key
    entries = {entry.id: entry for entry in manifest.keys}
    entry = entries.get(key_id)
    if entry is not None and entry.revoked:
        raise _refused(f"{name} has revoked signing key '{key_id}'")
    if entry is not None and is_expired(entry.expires_unix, now):
        raise _refused(f"{name} has expired signing key '{key_id}'")
    cause = f"there is no key '{key_id}' in the registry, and no trusted root of that name"
    seen: set[str] = set()
    while entry is not None and entry.id not in seen:
        seen.add(entry.id)
        if entry.id in trust.broken:
            raise VerificationFailed(
                trust.broken[entry.id], cause=f"{name} needs it", code="bad-certificate"
            )
        if entry.revoked or is_expired(entry.expires_unix, now):
            state = "revoked" if entry.revoked else "expired"
            cause = f"key '{entry.id}' above it is {state}"
            break
        if entry.signed_by is None:
            cause = f"key '{entry.id}' is no trusted root and nobody certified it"
            break
        cause = f"key '{entry.id}' is certified by '{entry.signed_by}', which is not trusted"
        entry = entries.get(entry.signed_by)
    raise _refused(
        f"{name} has untrusted signing key '{key_id}'",
        cause=cause,
        hint="name a root with --skill-trust-root or --skill-trust-root-file",
    )


def _refused(message: str, *, cause: str = "", hint: str = "") -> VerificationFailed:
    return VerificationFailed(message, cause=cause, hint=hint, code="skill-refused")


def _nearest(name: str, entries: Mapping[str, object]) -> str:
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(name, list(entries)[:2000], n=3, cutoff=0.6)
    return "did you mean " + ", ".join(close) + "?" if close else ""
