"""The publisher's side: signatures, certificates, statements. Needs PyNaCl.

What is signed is built by ``statements``, where the verifier takes it from too.
"""

from __future__ import annotations

import hashlib

from pi.base.errors import UsageError
from pi.skills import base64_strict, ed25519
from pi.skills.registry import NAME_RULE, is_name
from pi.skills.registry_signature import DetachedSignature
from pi.skills.statements import (
    certificate_text,
    decode_public_key,
    registry_statement,
    skill_statement,
)
from pi.skills.trust_set import Link


class Signer:
    """A key and its id. The seed stays inside: no repr, no field of another value has it."""

    __slots__ = ("_seed", "id", "public_key")

    def __init__(self, key_id: str, seed: bytes) -> None:
        if not is_name(key_id):
            raise UsageError(f"key id '{key_id}' must be {NAME_RULE}")
        self.id = key_id
        self.public_key = base64_strict.encode(ed25519.public_key_of(seed))
        self._seed = seed

    def __repr__(self) -> str:
        return f"Signer({self.id!r}, {self.public_key!r})"

    def sign(self, message: bytes) -> str:
        """The signature as base64."""
        return base64_strict.encode(ed25519.sign(self._seed, message))

    def sign_statement(self, name: str, data: bytes, expires_unix: int | None) -> str:
        """Bind ``data`` to the skill's name and last second."""
        digest = hashlib.sha256(data).hexdigest()
        return self.sign(skill_statement(name, digest, expires_unix))

    def sign_registry(self, manifest: bytes) -> DetachedSignature:
        return DetachedSignature(self.id, self.sign(registry_statement(manifest)))

    def certify(self, key_id: str, public_key: str) -> Link:
        """Vouch for another key. Raises UsageError for one that nobody would accept."""
        if not is_name(key_id):
            raise UsageError(f"key id '{key_id}' must be {NAME_RULE}")
        try:
            decode_public_key(public_key)
        except base64_strict.NotBase64 as exc:
            raise UsageError(f"cannot certify key '{key_id}': the public key {exc}") from None
        text = base64_strict.trim(public_key)
        return Link(key_id, text, self.id, self.sign(certificate_text(key_id, text)))
