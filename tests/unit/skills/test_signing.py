from __future__ import annotations

import pytest

pytest.importorskip("nacl")

from pi.base.errors import UsageError
from pi.skills.registry import KeyEntry
from pi.skills.signing import Signer
from pi.skills.statements import (
    decode_public_key,
    registry_statement,
    signature_problem,
    skill_statement,
)
from tests.fakes import skill_keys as known


def test_the_known_answers_are_made() -> None:
    root, publisher = Signer("root", known.ROOT_SEED), Signer("publisher", known.PUBLISHER_SEED)
    assert (root.public_key, publisher.public_key) == (known.ROOT_KEY, known.PUBLISHER_KEY)
    link = root.certify("publisher", f" {known.PUBLISHER_KEY}\n")
    assert link == KeyEntry("publisher", known.PUBLISHER_KEY, "root", known.CERTIFICATE)[:4]
    assert publisher.sign(known.SKILL) == known.SKILL_SIGNATURE


def test_a_signer_shows_no_seed() -> None:
    signer = Signer("root", known.ROOT_SEED)
    assert repr(signer) == f"Signer('root', '{known.ROOT_KEY}')"


@pytest.mark.parametrize("key_id", ["", "a:b", "a b", "é", "x" * 129])
def test_an_id_must_be_one_that_a_certificate_can_hold(key_id: str) -> None:
    with pytest.raises(UsageError, match="must be 1 to 128 of"):
        Signer(key_id, known.ROOT_SEED)
    with pytest.raises(UsageError, match="must be 1 to 128 of"):
        Signer("root", known.ROOT_SEED).certify(key_id, known.PUBLISHER_KEY)


@pytest.mark.parametrize("key", ["", "YQ==", known.SMALL_ORDER_KEY, known.OFF_CURVE_KEY])
def test_a_key_that_nobody_would_accept_is_not_certified(key: str) -> None:
    with pytest.raises(UsageError, match="cannot certify key 'x': the public key"):
        Signer("root", known.ROOT_SEED).certify("x", key)


def test_statements_and_manifests_are_signed_as_they_are_checked() -> None:
    signer, digest = Signer("publisher", known.PUBLISHER_SEED), known.SKILL_SHA256
    key = decode_public_key(known.PUBLISHER_KEY)
    statement = signer.sign_statement("review", known.SKILL, 5)
    assert signature_problem(key, skill_statement("review", digest, 5), statement) == ""
    detached = signer.sign_registry(b"{}")
    assert detached.key_id == "publisher"
    assert signature_problem(key, registry_statement(b"{}"), detached.signature) == ""
