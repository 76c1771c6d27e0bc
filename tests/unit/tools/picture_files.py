"""Small pictures as files, made by hand."""

from __future__ import annotations

import base64
import struct
import zlib


def png(width: int, height: int, *, filler: int = 0) -> bytes:
    """A grey PNG that every decoder takes; ``filler`` bytes of comment make it larger."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    rows = zlib.compress((b"\0" + b"\x80" * width) * height, 9)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
            chunk(b"tEXt", b"Comment\0" + b"x" * filler) if filler else b"",
            chunk(b"IDAT", rows),
            chunk(b"IEND", b""),
        )
    )


def jpeg(width: int, height: int, frame: int = 0xC0) -> bytes:
    """The markers of a JPEG, with a padded one, one that stands alone and no picture data."""
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + b"\xff\x01\xff"
    tables = b"\xff\xc4\x00\x05\xff\xc0\x00"  # what looks like a frame within a table
    size = struct.pack(">BBHBHHB", 0xFF, frame, 11, 8, height, width, 1)
    return head + tables + size + b"\x01\x11\0\xff\xd9"


GIF = base64.b64decode("R0lGODdhAwACAIEAAMgeHgAAAAAAAAAAACwAAAAAAwACAAAIBgABCBwYEAA7")
WEBP = base64.b64decode(
    "UklGRjAAAABXRUJQVlA4ICQAAABwAQCdASoDAAIADMDOJaACdAFAAAD+2iYRho1+LuxHGSQAAAA="
)
WEBP_LOSSLESS = base64.b64decode("UklGRh4AAABXRUJQVlA4TBEAAAAvAkAAAAdQjyLXo/+BiOh/AAA=")
WEBP_EXTENDED = base64.b64decode(
    "UklGRlIAAABXRUJQVlA4WAoAAAAQAAAAAgAAAQAAQUxQSAcAAAAAY2NjY2NjAFZQOCAkAAAAcAEAnQEqAwACAAzA"
    "ziWgAnQBQAAA/tomEYaNfi7sRxkkAAAA"
)
