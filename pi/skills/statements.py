"""The bytes that signatures are made over, and their check. Pure.

    certificate   pi-skill-key-v1:<id>:<public key, base64, trimmed>
    skill         the bytes of the skill, nothing else
    statement     pi-skill-v2\\n<name>\\n<sha256, lower-case hex>\\n<expires_unix or nothing>\\n
    registry      pi-skill-registry-v1\\n and the bytes of the manifest

The first two are version 1 and bind neither name nor time; a statement binds the bytes to
a name and a last second, so that no signed skill can be served as another one or for ever.
Ids and names hold neither ":" nor a line end (``registry.is_name``), so no text can be read
in two ways.
"""

from __future__ import annotations

from pi.skills import base64_strict, ed25519


def certificate_text(key_id: str, public_key: str) -> bytes:
    """What a key signs to vouch for another key and its id."""
    return f"pi-skill-key-v1:{key_id}:{base64_strict.trim(public_key)}".encode()


def skill_statement(name: str, sha256: str, expires_unix: int | None) -> bytes:
    """What a key signs to say: these bytes are this skill, until then."""
    until = "" if expires_unix is None else str(expires_unix)
    return f"pi-skill-v2\n{name}\n{sha256.lower()}\n{until}\n".encode()


def registry_statement(manifest: bytes) -> bytes:
    """What a root signs to vouch for a whole manifest, revocations included."""
    return b"pi-skill-registry-v1\n" + manifest


def decode_public_key(text: str) -> bytes:
    """A key as bytes. Raises NotBase64, also for a key that cannot be accepted."""
    data = base64_strict.decode(text, ed25519.KEY_BYTES)
    problem = ed25519.acceptable_key(data)
    if problem:
        raise base64_strict.NotBase64(problem)
    return data


def signature_problem(public_key: bytes, message: bytes, signature: str) -> str:
    """ "" if ``signature`` (base64) is one of ``message`` by the key, else the reason."""
    try:
        data = base64_strict.decode(signature, ed25519.SIGNATURE_BYTES)
    except base64_strict.NotBase64 as exc:
        return f"signature {exc}"
    if not ed25519.verify(public_key, message, data):
        return "the signature does not match"
    return ""
