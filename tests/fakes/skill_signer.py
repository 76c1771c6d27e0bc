"""Signatures for tests, made with plain arithmetic (RFC 8032): nothing has to be installed."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from pi.skills.statements import certificate_text, registry_statement, skill_statement
from tests.fakes.edwards import BASE, L, encode, times


def public_key(seed: bytes) -> str:
    """The public key, base64."""
    return base64.b64encode(encode(times(_scalar(seed), BASE))).decode()


def sign(seed: bytes, message: bytes) -> str:
    """The signature, base64."""
    a = _scalar(seed)
    key = encode(times(a, BASE))
    r = _number(hashlib.sha512(seed).digest()[32:] + message)
    nonce = encode(times(r, BASE))
    s = (r + _number(nonce + key + message) * a) % L
    return base64.b64encode(nonce + s.to_bytes(32, "little")).decode()


def key_entry(key_id: str, seed: bytes, by: str, by_seed: bytes, **more: Any) -> dict[str, Any]:
    """A key of a manifest with the certificate of ``by``."""
    text = public_key(seed)
    signature = sign(by_seed, certificate_text(key_id, text))
    return {"id": key_id, "public_key": text, "signed_by": by, "signature": signature, **more}


def skill_entry(
    name: str, url: str, data: bytes, key_id: str, seed: bytes, **more: Any
) -> dict[str, Any]:
    """A signed skill of a manifest, with a statement."""
    digest = hashlib.sha256(data).hexdigest()
    statement = skill_statement(name, digest, more.get("expires_unix"))
    return {
        "name": name,
        "url": url,
        "sha256": digest,
        "signing_key": key_id,
        "signature": sign(seed, data),
        "statement_signature": sign(seed, statement),
        **more,
    }


def registry_signature(key_id: str, seed: bytes, manifest: bytes) -> dict[str, str]:
    """What lies beside a manifest that a root signed."""
    return {"key_id": key_id, "signature": sign(seed, registry_statement(manifest))}


def _scalar(seed: bytes) -> int:
    half = bytearray(hashlib.sha512(seed).digest()[:32])
    half[0] &= 248
    half[31] = (half[31] & 63) | 64
    return int.from_bytes(half, "little")


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % L
