"""Ed25519 signatures checked with Python's integers, for machines without PyNaCl.

The verdict is that of libsodium for every key, message and signature; the numbers in
brackets are the steps of ``verify``. That means: S is not reduced, R and the key must not
be of small order, the key must be canonical, the equation has no cofactor, and R is compared
as bytes. Other libraries judge differently at these edges, so none of this may be "improved".

Only public data is handled, so nothing here takes constant time. About 1 ms a signature.
Nothing here signs: a signer must not leak its key through time.
"""

from __future__ import annotations

import functools
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
_ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
_Y_BITS = (1 << 255) - 1
_BASE_Y = 4 * pow(5, -1, P) % P

# The y of every point whose order divides 8, also where it is written unreduced.
SMALL_ORDER_Y = frozenset(
    (
        *(0, 1, P - 1, P, P + 1),
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    )
)

_WIDTH = 5  # digits of a window, of both scalars: 8 odd multiples in a table

Point = tuple[int, int, int, int]  # extended: x = X/Z, y = Y/Z, x*y = T/Z
Addend = tuple[int, int, int, int]  # made for adding: Y-X, Y+X, 2dT, 2Z


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is one of ``message`` by the owner of ``public_key``."""
    if len(public_key) != 32 or len(signature) != 64:  # (1)
        return False
    r_bytes = signature[:32]
    s = int.from_bytes(signature[32:], "little")
    if s >= L:  # (2)
        return False
    if int.from_bytes(r_bytes, "little") & _Y_BITS in SMALL_ORDER_Y:  # (3)
        return False
    key = decode_key(public_key)  # (4), (5)
    if key is None:
        return False
    digest = hashlib.sha512(r_bytes + public_key + message).digest()
    h = int.from_bytes(digest, "little") % L  # (6): before it is multiplied
    x, y = key
    minus_key = (P - x, y, 1, (P - x) * y % P)
    return _encode(_sum_of_multiples(s, h, minus_key)) == r_bytes  # (7)


def decode_key(public_key: bytes) -> tuple[int, int] | None:
    """The point of a public key as x and y; None if no signature by it may be accepted."""
    if len(public_key) != 32:
        return None
    number = int.from_bytes(public_key, "little")
    y = number & _Y_BITS
    if y >= P or y in SMALL_ORDER_Y:
        return None
    x = _x_of(y)
    if x is None:
        return None
    return (x if x & 1 == number >> 255 else P - x), y


def _x_of(y: int) -> int | None:
    """A root of x^2 = (y^2 - 1) / (d y^2 + 1), or None where there is none."""
    u = (y * y - 1) % P
    v = (D * y * y + 1) % P
    v3 = v * v * v % P
    x = u * v3 * pow(u * v3 * v3 * v % P, (P - 5) // 8, P) % P
    square = v * x * x % P
    if square == u:
        return x
    return x * _ROOT_OF_MINUS_1 % P if square == P - u else None


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _windows(scalar: int) -> list[int]:
    """``scalar`` as signed odd digits, one per power of two, the lowest first.

    Most digits are 0: of ``_WIDTH`` neighbours at most one is not.
    """
    digits = []
    whole, half = 1 << _WIDTH, 1 << (_WIDTH - 1)
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & (whole - 1)
            if digit >= half:
                digit -= whole
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


def _addend(point: Point) -> Addend:
    x, y, z, t = point
    return (y - x) % P, (y + x) % P, 2 * D * t % P, 2 * z


def _add(point: Point, other: Addend) -> Point:
    """The sum; right for every pair of points, also equal and opposite ones."""
    x, y, z, t = point
    minus, plus, t2d, z2 = other
    a, b, c, d = (y - x) * minus, (y + x) * plus, t * t2d, z * z2
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P


def _odd_multiples(point: Point) -> dict[int, Addend]:
    """1, 3, 5, ... times ``point``, and their opposites under negative numbers."""
    twice = _addend(_add(point, _addend(point)))
    table: dict[int, Addend] = {}
    for factor in range(1, 1 << (_WIDTH - 1), 2):
        minus, plus, t2d, z2 = table[factor] = _addend(point)
        table[-factor] = plus, minus, P - t2d, z2
        point = _add(point, twice)
    return table


@functools.cache
def _multiples_of_base() -> dict[int, Addend]:
    x = _x_of(_BASE_Y) or 0
    x = P - x if x & 1 else x
    return _odd_multiples((x, _BASE_Y, 1, x * _BASE_Y % P))


def _sum_of_multiples(s: int, h: int, point: Point) -> Point:
    """s times the base point plus h times ``point``.

    Both scalars share the doublings, which stand here without a call: they are most of
    the work. The new T is left out where a doubling follows, which does not read it.
    """
    of_base, of_point = _multiples_of_base(), _odd_multiples(point)
    s_digits, h_digits = _windows(s), _windows(h)
    size = max(len(s_digits), len(h_digits))
    s_digits += [0] * (size - len(s_digits))
    h_digits += [0] * (size - len(h_digits))
    prime = P
    x, y, z, t = 0, 1, 1, 0
    for s_digit, h_digit in zip(reversed(s_digits), reversed(h_digits)):
        xx, yy = x * x, y * y
        a, b, c = 2 * x * y % prime, (yy - xx) % prime, (yy + xx) % prime
        d = (2 * z * z - b) % prime
        x, y, z = a * d % prime, b * c % prime, d * b % prime
        if s_digit or h_digit:
            t = a * c % prime
            if s_digit:
                x, y, z, t = _add((x, y, z, t), of_base[s_digit])
            if h_digit:
                x, y, z, t = _add((x, y, z, t), of_point[h_digit])
    return x, y, z, t
