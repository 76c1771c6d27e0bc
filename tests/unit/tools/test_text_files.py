"""Bytes as text and back."""

from __future__ import annotations

import pytest

from pi.tools.text_files import TextFile, binary_kind, decode


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", TextFile("")),
        (b"plain\n", TextFile("plain\n")),
        ("é".encode(), TextFile("é")),
        (b"\xef\xbb\xbfmarked", TextFile("marked", b"\xef\xbb\xbf")),
        (b"\xff\xfea\0\n\0", TextFile("a\n", b"\xff\xfe", "utf-16-le")),
        (b"\xfe\xff\0a\0\n", TextFile("a\n", b"\xfe\xff", "utf-16-be")),
        (b"caf\xe9", TextFile("café", encoding="latin-1")),
    ],
)
def test_text_is_recognised_and_written_back_unchanged(data: bytes, expected: TextFile) -> None:
    file = decode(data)
    assert file == expected
    assert file.encode(file.text) == data


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        b"text\0more",
        b"\xff\xfe\0\0a\0\0\0",  # UTF-32
        b"\xff\xfea",  # half a character of UTF-16
        b"\xff\xfe\x00\xd8",  # a lone surrogate
    ],
)
def test_what_cannot_be_text_is_binary(data: bytes) -> None:
    assert decode(data) is None


@pytest.mark.parametrize(
    ("text", "line_end"),
    [("", "\n"), ("a", "\n"), ("a\nb\r\n", "\n"), ("a\r\nb\n", "\r\n"), ("\na\r\n", "\n")],
)
def test_the_first_line_end_decides(text: str, line_end: str) -> None:
    assert TextFile(text).line_end == line_end


def test_only_a_guess_is_called_one() -> None:
    assert decode(b"caf\xe9").guessed
    assert not decode(b"cafe").guessed


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0", "PNG image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP image"),
        (b"\x7fELF\2\1\1\0", "ELF program or library"),
        (b"\0\0\0", "binary data"),
    ],
)
def test_a_binary_file_is_named_by_its_first_bytes(head: bytes, kind: str) -> None:
    assert binary_kind(head) == kind
