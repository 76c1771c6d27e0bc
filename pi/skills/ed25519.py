"""Ed25519: one verdict, from PyNaCl where it is installed and judges as pi does, else our own.

The only module that imports PyNaCl for skills. Which of the two checks is found out once,
with the first signature: importing PyNaCl takes 15 ms. It must pass two vectors that tell
its rules from those of other libraries, so that a later release with other rules is left
aside. Signing needs PyNaCl; there is no signer of our own.
"""

from __future__ import annotations

import functools

from pi.base.errors import PiError
from pi.base.typing import Any
from pi.skills import ed25519_pure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Verify = Callable[[bytes, bytes, bytes], bool]

KEY_BYTES = 32
SIGNATURE_BYTES = 64

# A key with a small-order part: what holds exactly, and what holds only times 8.
_MIXED = "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"
SELF_TEST = (
    (
        _MIXED,
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
        "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        True,
    ),
    (
        _MIXED,
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
        "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        False,
    ),
)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is one of ``message`` by ``public_key``; never raises for bytes."""
    # Here, because libsodium would take the missing bytes of a short one from the message.
    if len(public_key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    return _chosen()[1](public_key, message, signature)


def backend() -> str:
    """What checks signatures here: "pynacl" or "pure"."""
    return _chosen()[0]


def acceptable_key(public_key: bytes) -> str:
    """ "" for a key that signatures can be checked with, else what is wrong with it."""
    if len(public_key) != KEY_BYTES:
        return f"must be {KEY_BYTES} bytes, not {len(public_key)}"
    y = int.from_bytes(public_key, "little") & ((1 << 255) - 1)
    if y in ed25519_pure.SMALL_ORDER_Y:
        return "is a point of small order, for which everybody can sign"
    if y >= ed25519_pure.P:
        return "is not in canonical form"
    return "" if ed25519_pure.decode_key(public_key) else "is not a point of the curve"


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature of ``message`` by the key of this seed. Raises PiError without PyNaCl."""
    return bytes(_signing_key(seed).sign(message).signature)


def public_key_of(seed: bytes) -> bytes:
    """The public key of a seed. Raises PiError without PyNaCl."""
    return bytes(_signing_key(seed).verify_key)


def _signing_key(seed: bytes) -> Any:
    try:
        from nacl.signing import SigningKey
    except Exception as exc:  # a broken installation fails in many ways
        raise PiError(
            "signing needs PyNaCl, which cannot be used here",
            cause=f"{type(exc).__name__}: {exc}",
            hint="python3 -m pip install pynacl; checking signatures works without it",
            code="no-pynacl",
        ) from exc
    return SigningKey(seed)


@functools.cache
def _chosen() -> tuple[str, Verify]:
    return choose(pynacl_verify)


def choose(load: Callable[[], Verify]) -> tuple[str, Verify]:
    """The verifier that ``load`` gives, if it loads and passes the self-test, else our own."""
    try:
        candidate = load()
        if passes_self_test(candidate):
            return "pynacl", candidate
    except Exception:  # not installed, or a broken installation: both mean the same here
        pass
    return "pure", ed25519_pure.verify


def passes_self_test(candidate: Verify) -> bool:
    """Whether ``candidate`` judges both vectors as pi does."""
    return all(
        candidate(*(bytes.fromhex(text) for text in (key, message, signature))) is wanted
        for key, message, signature, wanted in SELF_TEST
    )


def pynacl_verify() -> Verify:
    """PyNaCl's verifier. Raises ImportError, or what a broken installation raises."""
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    def check(public_key: bytes, message: bytes, signature: bytes) -> bool:
        try:
            crypto_sign_open(signature + message, public_key)
        except BadSignatureError:
            return False
        return True

    return check
