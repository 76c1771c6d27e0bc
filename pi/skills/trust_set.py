"""Which keys are believed: the roots of the user, and what they certify in a manifest. Pure.

Rules:
  * a root is believed because the user named it; the user's file beats the command line
    where the file says revoked;
  * a manifest may take trust in a root away (the whole install fails), never give it;
  * another key is believed if a believed key certified it and it is neither revoked nor
    expired, in chains of any length and any order; an end or revocation cuts what is below;
  * what is wrong with a key that nobody needs is a warning, not a failure.
"""

from __future__ import annotations

from pi.base.errors import ConfigError, VerificationFailed
from pi.base.typing import NamedTuple
from pi.skills import base64_strict
from pi.skills.registry import KeyEntry, is_expired
from pi.skills.statements import certificate_text, decode_public_key, signature_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pi.skills.registry import Manifest
    from pi.skills.trust_store import KeySpec, TrustRecord


class Link(NamedTuple):
    """One certificate of a chain: ``signed_by`` vouches for ``id`` having this key."""

    id: str
    public_key: str
    signed_by: str
    signature: str


class TrustedKey(NamedTuple):
    """``chain`` leads from this key up to a root; it is empty for a root itself."""

    id: str
    public_key: str  # base64, trimmed
    key: bytes
    chain: tuple[Link, ...] = ()


class Roots(NamedTuple):
    keys: Mapping[str, TrustedKey]
    warnings: tuple[str, ...] = ()


class TrustSet(NamedTuple):
    """``broken`` says of keys that could have been trusted why they are not."""

    keys: Mapping[str, TrustedKey]
    broken: Mapping[str, str]
    warnings: tuple[str, ...] = ()


def trusted_roots(inline: Iterable[KeySpec], records: Sequence[TrustRecord], now: int) -> Roots:
    """The roots that count now: inline ones first, then the active ones of the file.

    Raises ConfigError for a key that cannot be one, and for one id with two keys.
    """
    revoked = {record.id for record in records if record.revoked}
    found: dict[str, TrustedKey] = {}
    warnings = []
    for spec in inline:
        if spec.id in revoked:
            warnings.append(f"trusted root '{spec.id}' is revoked in the trust file: left out")
        else:
            _add_root(found, spec.id, spec.public_key)
    for record in records:
        if record.status(now) == "active":
            _add_root(found, record.id, record.public_key)
    return Roots(found, tuple(warnings))


def trusted_keys(roots: Mapping[str, TrustedKey], manifest: Manifest, now: int) -> TrustSet:
    """Every key that counts for ``manifest``. Raises VerificationFailed if the manifest
    contradicts a root."""
    _check_roots(roots, manifest, now)
    found = dict(roots)
    broken: dict[str, str] = {}
    waiting: dict[str, list[KeyEntry]] = {}
    for entry in manifest.keys:
        if entry.id in roots:
            continue
        if (entry.signed_by is None) != (entry.signature is None):
            broken[entry.id] = (
                f"registry key '{entry.id}' has incomplete signing metadata: "
                "signed_by and signature go together"
            )
        elif entry.signed_by is not None and not (entry.revoked or is_expired_key(entry, now)):
            waiting.setdefault(entry.signed_by, []).append(entry)
    believed = list(roots.values())
    while believed:
        signer = believed.pop()
        for entry in waiting.pop(signer.id, []):
            key = _certified(entry, signer)
            if isinstance(key, str):
                broken[entry.id] = key
            else:
                found[key.id] = key
                believed.append(key)
    return TrustSet(found, broken, tuple(f"{why}: left out" for why in broken.values()))


def recorded_key(
    key_id: str, public_key: str, chain: Sequence[Link], roots: Mapping[str, TrustedKey]
) -> TrustedKey | str:
    """The key that a lockfile recorded with its chain, or why ``roots`` do not vouch for it.

    What a registry says today plays no part: this is for installed skills, offline.
    """
    text = base64_strict.trim(public_key)
    root = roots.get(key_id)
    if root is not None:
        same = root.public_key == text
        return root if same else f"root '{key_id}' has another key than the one recorded"
    path: list[Link] = []
    above = key_id
    for step in chain:  # from the key upwards; each vouches for the one before it
        if step.id != above or not (path or base64_strict.trim(step.public_key) == text):
            return f"the recorded chain of key '{key_id}' does not hang together"
        path.append(step)
        above = step.signed_by
        root = roots.get(above)
        if root is not None:
            break
    if root is None:
        return f"key '{above}' is not a trusted root"
    signer = root
    for step in reversed(path):
        certified = _certified(KeyEntry(*step), signer)
        if isinstance(certified, str):
            return certified
        signer = certified
    return signer


def is_expired_key(entry: KeyEntry, now: int) -> bool:
    return is_expired(entry.expires_unix, now)


def _add_root(found: dict[str, TrustedKey], key_id: str, public_key: str) -> None:
    text = base64_strict.trim(public_key)
    try:
        base64_strict.decode(text, 32)
    except base64_strict.NotBase64 as exc:
        raise ConfigError(f"trusted root public key of '{key_id}' {exc}") from None
    try:
        key = decode_public_key(text)
    except base64_strict.NotBase64 as exc:
        raise ConfigError(f"invalid trusted root key '{key_id}': it {exc}") from None
    known = found.setdefault(key_id, TrustedKey(key_id, text, key))
    if known.public_key != text:
        raise ConfigError(
            f"duplicate trusted root id '{key_id}' with conflicting keys",
            hint="it is given both inline and in the trust file, or twice inline",
        )


def _check_roots(roots: Mapping[str, TrustedKey], manifest: Manifest, now: int) -> None:
    for entry in manifest.keys:
        root = roots.get(entry.id)
        if root is None:
            continue
        why = ""
        if entry.revoked:
            why = "is revoked in registry manifest"
        elif is_expired_key(entry, now):
            why = "is expired in registry manifest"
        elif base64_strict.trim(entry.public_key) != root.public_key:
            why = "does not match registry key material"
        if why:
            raise VerificationFailed(
                f"trusted root '{entry.id}' {why}",
                hint="ask who runs the registry, then --skill-trust-rotate or --skill-trust-revoke",
                code="trusted-root-refused",
            )


def _certified(entry: KeyEntry, signer: TrustedKey) -> TrustedKey | str:
    """The key of ``entry``, or why ``signer`` does not vouch for it."""
    public_key, signature = base64_strict.trim(entry.public_key), entry.signature or ""
    try:
        key = decode_public_key(public_key)
        why = signature_problem(signer.key, certificate_text(entry.id, public_key), signature)
    except base64_strict.NotBase64 as exc:
        why = f"public_key {exc}"
    if why:
        return f"failed to verify registry key '{entry.id}' signed by '{signer.id}': {why}"
    link = Link(entry.id, public_key, signer.id, base64_strict.trim(signature))
    return TrustedKey(entry.id, public_key, key, (link, *signer.chain))
