"""The known answers: what is signed, and that it verifies."""

from __future__ import annotations

import hashlib

import pytest

from pi.skills.base64_strict import NotBase64
from pi.skills.statements import (
    certificate_text,
    decode_public_key,
    registry_statement,
    signature_problem,
    skill_statement,
)
from tests.fakes import skill_keys as known

ROOT = decode_public_key(known.ROOT_KEY)
PUBLISHER = decode_public_key(known.PUBLISHER_KEY)


def test_the_known_certificate_verifies() -> None:
    text = certificate_text("publisher", f"  {known.PUBLISHER_KEY}\n")
    assert text == f"pi-skill-key-v1:publisher:{known.PUBLISHER_KEY}".encode()
    assert signature_problem(ROOT, text, known.CERTIFICATE) == ""
    assert signature_problem(PUBLISHER, text, known.CERTIFICATE)
    assert signature_problem(ROOT, certificate_text("other", known.PUBLISHER_KEY),
                             known.CERTIFICATE)  # fmt: skip


def test_the_known_signature_of_a_skill_verifies() -> None:
    assert hashlib.sha256(known.SKILL).hexdigest() == known.SKILL_SHA256
    signature_digest = hashlib.sha256(known.SKILL_SIGNATURE.encode()).hexdigest()
    assert signature_digest == known.SIGNATURE_SHA256
    assert signature_problem(PUBLISHER, known.SKILL, f" {known.SKILL_SIGNATURE} ") == ""
    problem = signature_problem(PUBLISHER, known.SKILL + b"\n", known.SKILL_SIGNATURE)
    assert problem == "the signature does not match"


def test_a_statement_binds_name_bytes_and_end() -> None:
    digest = known.SKILL_SHA256
    assert skill_statement("a", digest.upper(), None) == f"pi-skill-v2\na\n{digest}\n\n".encode()
    assert skill_statement("a", digest, 0) == f"pi-skill-v2\na\n{digest}\n0\n".encode()
    assert registry_statement(b"{}") == b"pi-skill-registry-v1\n{}"


@pytest.mark.parametrize(
    ("signature", "says"),
    [("", "64 bytes"), ("%", "signature is not base64"), ("YQ==", "must decode to 64 bytes"),
     (known.SKILL_SIGNATURE[:-3] + "x==", "base64")],
)  # fmt: skip
def test_what_is_no_signature_is_named(signature: str, says: str) -> None:
    problem = signature_problem(PUBLISHER, known.SKILL, signature)
    assert problem.startswith("signature ")
    assert says in problem


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("YQ==", "must decode to 32 bytes"),
        ("*", "base64"),
        (known.SMALL_ORDER_KEY, "small order"),
        (known.OFF_CURVE_KEY, "not a point of the curve"),
        ("7v///////////////////////////////////////38=", "small order"),
        ("8P///////////////////////////////////////38=", "canonical"),
    ],
)
def test_a_key_that_nobody_may_trust_is_refused_when_it_is_read(key: str, says: str) -> None:
    with pytest.raises(NotBase64, match=says):
        decode_public_key(key)
