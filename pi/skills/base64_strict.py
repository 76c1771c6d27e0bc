"""Base64 that has one spelling: a signature or key that reads in two ways can be swapped.

Outer white space is dropped. What is left must be the standard alphabet with its padding,
no white space inside and no bits left over. Pure.
"""

from __future__ import annotations

import base64
import binascii

# Unicode's white space. Python's strip() would also take four control characters.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


class NotBase64(ValueError):
    """The text is no such base64; the message says why and never repeats the text."""


def trim(text: str) -> str:
    """``text`` without outer white space: what a certificate is made over."""
    return text.strip(WHITE_SPACE)


def decode(text: str, size: int) -> bytes:
    """The ``size`` bytes that ``text`` stands for. Raises NotBase64."""
    given = trim(text)
    try:
        data = base64.b64decode(given.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise NotBase64("is not base64") from None
    if encode(data) != given:
        raise NotBase64("is not canonical base64")
    if len(data) != size:
        raise NotBase64(f"must decode to {size} bytes, not {len(data)}")
    return data


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
