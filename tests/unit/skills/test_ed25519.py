"""Both verifiers against the same vectors, and the choice between them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pi.base.errors import PiError
from pi.skills import ed25519, ed25519_pure
from pi.skills.ed25519 import acceptable_key, choose, passes_self_test, pynacl_verify

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "tests" / "data" / "ed25519"
NAMED = os.environ.get("PI_TEST_VECTORS", "")  # before the environment is cleaned
PUBLISHED = Path(NAMED) if NAMED else ROOT.parent / "shared" / "data" / "ed25519"
REJECTING_FLAGS = {
    *("low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"),
}

Verify = Callable[[bytes, bytes, bytes], bool]


@pytest.fixture(params=["pure", "pynacl"])
def verify(request: pytest.FixtureRequest) -> Verify:
    """Each of the two verifiers, behind the check of lengths that both have in front."""
    if request.param == "pure":
        return ed25519_pure.verify
    pytest.importorskip("nacl")
    check = pynacl_verify()

    def with_lengths(key: bytes, message: bytes, signature: bytes) -> bool:
        return len(key) == 32 and len(signature) == 64 and check(key, message, signature)

    return with_lengths


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def published(name: str) -> Any:
    if not NAMED and not (PUBLISHED / name).exists():
        pytest.skip(f"the published vectors are not here ({name}); PI_TEST_VECTORS names them")
    return load(PUBLISHED / name)


def parts(case: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    key, message, signature = (bytes.fromhex(case[n]) for n in ("key", "message", "signature"))
    return key, message, signature


def test_the_vectors_of_the_standard_are_valid(verify: Verify) -> None:
    cases = load(DATA / "rfc8032.json")["cases"]
    assert [verify(*parts(case)) for case in cases] == [True] * 5


def test_a_changed_vector_of_the_standard_is_invalid(verify: Verify) -> None:
    for case in load(DATA / "rfc8032.json")["cases"]:
        key, message, signature = parts(case)
        assert not verify(key, message + b"\0", signature)
        assert not verify(key, message, signature[:-1])
        for bit in range(0, 512, 37):
            changed = bytearray(signature)
            changed[bit // 8] ^= 1 << bit % 8
            assert not verify(key, message, bytes(changed))


def test_every_edge_gets_the_verdict_it_must_get(verify: Verify) -> None:
    cases = load(DATA / "edges.json")["cases"]
    wrong = [case["what"] for case in cases if verify(*parts(case)) != case["valid"]]
    assert wrong == []
    assert sum(case["valid"] for case in cases) == 56


def test_only_index_3_of_speccheck_is_valid(verify: Verify) -> None:
    cases = published("speccheck.json")
    fields = ("pub_key", "message", "signature")
    verdicts = [verify(*(bytes.fromhex(case[name]) for name in fields)) for case in cases]
    assert [index for index, verdict in enumerate(verdicts) if verdict] == [3]
    assert len(cases) == 12


def test_cctv_is_valid_where_no_rejecting_flag_is_set(verify: Verify) -> None:
    cases = published("cctv.json")
    valid = 0
    for case in cases:
        key, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["sig"])
        verdict = verify(key, case["msg"].encode(), signature)
        assert verdict is not bool(REJECTING_FLAGS & set(case["flags"] or ())), case["number"]
        valid += verdict
    assert (valid, len(cases)) == (43, 914)


def test_another_library_signs_and_ours_verifies(verify: Verify) -> None:
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    for number in range(8):
        key = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        message = bytes(range(number * 7))
        assert verify(public_key, message, key.sign(message))
        assert not verify(public_key, message + b"x", key.sign(message))


def test_wrong_lengths_are_invalid_and_never_raise() -> None:
    case = load(DATA / "rfc8032.json")["cases"][2]
    key, message, signature = parts(case)
    assert ed25519.verify(key, message, signature)
    for short in (b"", signature[:63], signature + b"\0"):
        assert not ed25519.verify(key, message, short)
    for short in (b"", key[:31], key + b"\0"):
        assert not ed25519.verify(short, message, signature)
    # The missing byte must not be taken from the message.
    assert not ed25519.verify(key, signature[63:] + message, signature[:63])


def test_bytes_of_another_length_are_no_point() -> None:
    assert ed25519_pure.decode_key(bytes(31)) is None
    assert not ed25519_pure.verify(bytes(31), b"", bytes(64))


def test_the_self_test_tells_our_rules_from_others() -> None:
    assert passes_self_test(ed25519_pure.verify)
    assert not passes_self_test(lambda key, message, signature: True)
    assert not passes_self_test(lambda key, message, signature: False)


def test_pynacl_is_taken_where_it_judges_as_we_do() -> None:
    pytest.importorskip("nacl")
    assert choose(pynacl_verify)[0] == "pynacl"
    assert ed25519.backend() == "pynacl"


def missing() -> Verify:
    raise ImportError("no nacl")


def broken() -> Verify:
    raise OSError("libsodium.so: wrong ELF class")


def raising() -> Verify:
    def check(key: bytes, message: bytes, signature: bytes) -> bool:
        raise TypeError

    return check


def lax() -> Verify:
    return lambda key, message, signature: True


@pytest.mark.parametrize("load", [missing, broken, raising, lax])
def test_our_own_is_taken_where_pynacl_is_missing_broken_or_judges_otherwise(
    load: Callable[[], Verify],
) -> None:
    assert choose(load) == ("pure", ed25519_pure.verify)


def le(number: int) -> bytes:
    return number.to_bytes(32, "little")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (b"", "must be 32 bytes, not 0"),
        (bytes(33), "must be 32 bytes, not 33"),
        (le(0), "small order"),
        (le(1), "small order"),
        (le(1 | 1 << 255), "small order"),
        (le(ed25519_pure.P), "small order"),
        (le(ed25519_pure.P + 3), "not in canonical form"),
        (le(2**255 - 1), "not in canonical form"),
        (le(2), "not a point of the curve"),
        (le(3), ""),
    ],
)
def test_a_key_is_accepted_only_if_signatures_can_be_checked_with_it(
    key: bytes, reason: str
) -> None:
    found = acceptable_key(key)
    assert reason in found
    assert bool(found) == bool(reason)


def test_what_was_signed_here_is_valid_here() -> None:
    pytest.importorskip("nacl")
    for case in load(DATA / "rfc8032.json")["cases"]:
        key, message, signature = parts(case)
        seed = bytes.fromhex(case["seed"])
        assert ed25519.public_key_of(seed) == key
        assert ed25519.sign(seed, message) == signature


def test_signing_without_pynacl_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "nacl.signing", None)
    with pytest.raises(PiError, match="needs PyNaCl") as caught:
        ed25519.sign(bytes(32), b"")
    assert caught.value.code == "no-pynacl"
    assert "pip install pynacl" in caught.value.hint
