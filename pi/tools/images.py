"""Pictures by their first bytes: kind, size in pixels, whether they seem whole.

Formats: PNG (W3C PNG, section 5 and 11.2.1), JPEG (ITU-T T.81, annex B), GIF (GIF89a,
section 18), WebP (RFC 9649, section 2). Pure: a broken file is None, never an exception.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple

# What providers take without scaling it down or refusing it. They count base64.
MAX_SIDE = 2000
MAX_BYTES = 4_500_000 // 4 * 3

# Markers of JPEG that stand alone, and those that begin a frame and so tell its size.
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Picture(NamedTuple):
    mime: str
    width: int
    height: int

    @property
    def name(self) -> str:
        return NAMES[self.mime]


NAMES = {
    "image/png": "PNG image",
    "image/jpeg": "JPEG image",
    "image/gif": "GIF image",
    "image/webp": "WebP image",
}


def picture_mime(head: bytes) -> str:
    """The MIME type that the first bytes tell, "" if they are no picture's."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return ""


def look_at(data: bytes) -> Picture | None:
    """What a whole file holds; None if it is no picture or visibly broken.

    A provider refuses a broken one, and with it the whole conversation.
    """
    mime = picture_mime(data)
    size = _SIZES[mime](data) if mime else None
    if size is None or not all(size):
        return None
    return Picture(mime, *size)


def fits(picture: Picture, size: int, max_bytes: int) -> bool:
    return size <= max_bytes and max(picture.width, picture.height) <= MAX_SIDE


def _png(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or b"\0\0\0\0IEND\xaeB`\x82" not in data:
        return None
    return _big(data[16:20]), _big(data[20:24])


def _gif(data: bytes) -> tuple[int, int] | None:
    return (_little(data[6:8]), _little(data[8:10])) if b";" in data[13:] else None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    if b"\xff\xd9" not in data:
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _FRAMES:
            return _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7])
        else:
            at += 2 + max(2, _big(data[at + 2 : at + 4]))
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    if len(data) < 30 or len(data) < 8 + _little(data[4:8]):
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + _little(data[24:27]), 1 + _little(data[27:30])
    if kind == b"VP8L":
        bits = _little(data[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


_SIZES = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/webp": _webp}
