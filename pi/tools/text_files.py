"""Bytes of a file as text, and back, without changing what was not meant.

Decided in this order: UTF-16 with its mark, binary (a NUL near the start), UTF-8 with or
without its mark, else Latin-1, which never fails but only guesses: such text may be
shown, with a note, and is never written back.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple

SNIFF_BYTES = 8192  # where git, too, looks for a NUL

_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF8_MARK = b"\xef\xbb\xbf"
_MAGIC = (
    (b"\x89PNG\r\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\x7fELF", "ELF program or library"),
    (b"SQLite format 3", "SQLite database"),
)


class TextFile(NamedTuple):
    """A file's text. ``encode`` gives the same bytes back unless ``guessed``."""

    text: str
    mark: bytes = b""
    encoding: str = "utf-8"

    @property
    def guessed(self) -> bool:
        return self.encoding == "latin-1"

    def encode(self, text: str) -> bytes:
        """``text`` as the file would hold it."""
        return self.mark + text.encode(self.encoding)

    @property
    def line_end(self) -> str:
        """What ends the file's first line; LF if it has only one line."""
        first = self.text.find("\n")
        return "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"


def utf16_encoding(head: bytes) -> str:
    """The encoding that a UTF-16 mark at the start of ``head`` tells, or ""."""
    # The little-endian UTF-32 mark starts like the UTF-16 one: two NULs follow.
    return "" if head[2:4] == b"\0\0" else _UTF16.get(head[:2], "")


def is_binary(head: bytes) -> bool:
    """Whether a file that starts with ``head`` is better not shown."""
    return not utf16_encoding(head) and b"\0" in head[:SNIFF_BYTES]


def binary_kind(head: bytes) -> str:
    """What a binary file is, by its first bytes, for a person."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP image"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "binary data")


def decode(data: bytes) -> TextFile | None:
    """The text of a whole file, or None if it is binary."""
    encoding = utf16_encoding(data)
    if encoding:
        try:
            return TextFile(data[2:].decode(encoding), data[:2], encoding)
        except UnicodeDecodeError:
            return None
    if is_binary(data):
        return None
    mark = data[:3] if data.startswith(_UTF8_MARK) else b""
    try:
        return TextFile(data[len(mark) :].decode("utf-8"), mark)
    except UnicodeDecodeError:
        return TextFile(data.decode("latin-1"), encoding="latin-1")
