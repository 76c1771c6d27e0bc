"""The curve of Ed25519 as a textbook writes it: slow, and shares nothing with pi's own code.

For making signatures that no library makes: with points of small order mixed in, or in
encodings that are not canonical.
"""

from __future__ import annotations

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P

Point = tuple[int, int, int]  # X, Y, Z with x = X/Z and y = Y/Z

NEUTRAL: Point = (0, 1, 1)
BASE: Point = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
    1,
)


def add(one: Point, other: Point) -> Point:
    """The sum, by the projective formulas that hold for every pair."""
    (x1, y1, z1), (x2, y2, z2) = one, other
    a = z1 * z2 % P
    b = a * a % P
    c, d = x1 * x2 % P, y1 * y2 % P
    e = D * c * d % P
    f, g = (b - e) % P, (b + e) % P
    x = a * f * ((x1 + y1) * (x2 + y2) - c - d) % P
    return x, a * g * (d + c) % P, f * g % P


def times(factor: int, point: Point) -> Point:
    found = NEUTRAL
    for bit in bin(factor)[2:]:
        found = add(found, found)
        if bit == "1":
            found = add(found, point)
    return found


def encode(point: Point) -> bytes:
    x, y, z = point
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point:
    """The point of a canonical encoding; ValueError if there is none."""
    number = int.from_bytes(data, "little")
    y = number & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square:
        raise ValueError(data.hex())
    return (x if x & 1 == number >> 255 else P - x), y, 1


def torsion() -> list[Point]:
    """The eight points whose order divides 8; the first is the neutral one."""
    y = 2
    while True:
        try:
            point = times(L, decode(y.to_bytes(32, "little")))
        except ValueError:
            point = NEUTRAL
        if encode(times(4, point)) != encode(NEUTRAL):
            return [times(factor, point) for factor in range(8)]
        y += 1


def sign_mixed(
    a: int, r: int, message: bytes, key_part: Point, nonce_part: Point
) -> tuple[bytes, bytes]:
    """Public key and signature with these small-order points added to A and R.

    The equation holds times 8; without the factor only when the parts cancel out.
    """
    key = encode(add(times(a, BASE), key_part))
    nonce = encode(add(times(r, BASE), nonce_part))
    digest = hashlib.sha512(nonce + key + message).digest()
    s = (r + int.from_bytes(digest, "little") * a) % L
    return key, nonce + s.to_bytes(32, "little")
