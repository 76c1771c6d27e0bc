from __future__ import annotations

import pytest

from pi.base.errors import VerificationFailed
from pi.skills.registry import RegistryError
from pi.skills.registry_signature import (
    MAX_BYTES,
    DetachedSignature,
    check_registry,
    parse_detached,
    render_detached,
)
from pi.skills.trust_set import trusted_roots
from tests.fakes.skill_keys import NOW, ROOT, ROOT_SEED, manifest

ROOTS = trusted_roots([ROOT], [], NOW).keys
URL = "https://h/m.json"


def test_what_is_rendered_is_read() -> None:
    detached = DetachedSignature("root", "c2ln")
    assert parse_detached(render_detached(detached), URL) == detached


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"key_id":"a"}',
        b'{"key_id":"\\u001b[2J","signature":"a"}',
        b'{"key_id":1,"signature":"a"}',
        b" " * (MAX_BYTES + 1),
    ],
)
def test_what_is_no_signature_file_is_refused(data: bytes) -> None:
    with pytest.raises(RegistryError, match="failed to parse registry signature 'https://h/"):
        parse_detached(data, URL)


def test_a_root_vouches_for_every_byte_of_a_manifest() -> None:
    pytest.importorskip("nacl")
    from pi.skills.signing import Signer

    signature = Signer("root", ROOT_SEED).sign_registry(manifest())
    check_registry(manifest(), signature, ROOTS, URL)
    with pytest.raises(VerificationFailed, match="signature verification failed for registry"):
        check_registry(manifest() + b" ", signature, ROOTS, URL)


def test_a_key_that_is_no_root_cannot_vouch_for_a_manifest() -> None:
    for key_id in ("publisher", "rooT"):
        with pytest.raises(VerificationFailed, match="not a trusted root") as caught:
            check_registry(manifest(), DetachedSignature(key_id, "c2ln"), ROOTS, URL)
        assert caught.value.code == "untrusted-registry"
    with pytest.raises(VerificationFailed, match="must decode to 64 bytes"):
        check_registry(manifest(), DetachedSignature("root", "c2ln"), ROOTS, URL)
