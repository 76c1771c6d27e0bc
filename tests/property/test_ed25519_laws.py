"""Our own verifier gives PyNaCl's verdict, also where no honest signer ever goes."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.skills import ed25519_pure
from pi.skills.ed25519 import acceptable_key, pynacl_verify
from tests.fakes import edwards
from tests.fakes.examples import few

pytest.importorskip("nacl")

TORSION = edwards.torsion()
# Encodings that libraries disagree about: small order, unreduced, no point at all.
ODD_Y = (
    *(0, 1, 2, 3, edwards.P - 1, edwards.P, edwards.P + 1, edwards.P + 2, edwards.P + 18),
    *(int.from_bytes(edwards.encode(point), "little") & (2**255 - 1) for point in TORSION),
    2**255 - 1,
)
ODD_S = (0, 1, edwards.L - 1, edwards.L, edwards.L + 1, 2**252, 2**253, 2**255, 2**256 - 1)

odd_points = st.tuples(st.sampled_from(ODD_Y), st.booleans()).map(
    lambda parts: (parts[0] | parts[1] << 255).to_bytes(32, "little")
)
scalars = st.integers(1, edwards.L - 1)
messages = st.binary(max_size=80)
small = st.sampled_from(TORSION)


@functools.cache
def reference():  # type: ignore[no-untyped-def]
    return pynacl_verify()


def both(key: bytes, message: bytes, signature: bytes) -> bool:
    """The verdict of both; they must agree."""
    verdict = ed25519_pure.verify(key, message, signature)
    assert verdict == reference()(key, message, signature)
    if verdict:
        assert acceptable_key(key) == ""
    return verdict


@given(seed=st.binary(min_size=32, max_size=32), message=messages)
@settings(max_examples=few(60), deadline=None)
def test_what_pynacl_signs_is_valid(seed: bytes, message: bytes) -> None:
    """verify(key, m, sign(m)) is true."""
    from nacl.signing import SigningKey

    key = SigningKey(seed)
    assert both(bytes(key.verify_key), message, key.sign(message).signature)


@given(message=messages, bits=st.sets(st.integers(0, 768 - 1), min_size=1, max_size=3))
@settings(max_examples=few(100), deadline=None)
def test_flipped_bits_are_judged_alike(message: bytes, bits: set[int]) -> None:
    """For a signature with a few bits of key or signature flipped, the verdicts are equal."""
    from nacl.signing import SigningKey

    key = SigningKey(bytes(range(32)))
    data = bytearray(bytes(key.verify_key) + key.sign(message).signature)
    for bit in bits:
        data[bit // 8] ^= 1 << bit % 8
    assert not both(bytes(data[:32]), message, bytes(data[32:]))


@given(a=scalars, r=scalars, message=messages, key_part=small, nonce_part=small)
@settings(max_examples=few(100), deadline=None)
def test_mixed_orders_are_judged_alike(
    a: int, r: int, message: bytes, key_part: edwards.Point, nonce_part: edwards.Point
) -> None:
    """With points of small order added to key and nonce, the verdicts are equal: valid
    exactly when the equation holds without the factor 8."""
    key, signature = edwards.sign_mixed(a, r, message, key_part, nonce_part)
    both(key, message, signature)


@given(
    key=odd_points | st.binary(min_size=32, max_size=32),
    r=odd_points | st.binary(min_size=32, max_size=32),
    s=st.sampled_from(ODD_S) | st.integers(0, 2**256 - 1),
    message=messages,
)
@settings(max_examples=few(200), deadline=None)
def test_odd_encodings_are_judged_alike(key: bytes, r: bytes, s: int, message: bytes) -> None:
    """For small-order, unreduced, absent and random points, and any S, the verdicts are equal."""
    both(key, message, r + s.to_bytes(32, "little"))


@given(a=scalars, r=scalars, message=messages, multiple=st.integers(1, 15))
@settings(max_examples=few(40), deadline=None)
def test_a_signature_has_one_s(a: int, r: int, message: bytes, multiple: int) -> None:
    """S + k L is invalid for every k that fits."""
    neutral = edwards.NEUTRAL
    key, signature = edwards.sign_mixed(a, r, message, neutral, neutral)
    assert both(key, message, signature)
    other = int.from_bytes(signature[32:], "little") + multiple * edwards.L
    if other < 2**256:
        assert not both(key, message, signature[:32] + other.to_bytes(32, "little"))
