"""Pictures known by their first bytes."""

from __future__ import annotations

import pytest
from picture_files import GIF, WEBP, WEBP_EXTENDED, WEBP_LOSSLESS, jpeg, png

from pi.tools.images import Picture, fits, look_at, picture_mime


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (png(3, 2), "image/png"),
        (jpeg(3, 2), "image/jpeg"),
        (jpeg(3, 2, 0xC2), "image/jpeg"),
        (GIF, "image/gif"),
        (WEBP, "image/webp"),
        (WEBP_LOSSLESS, "image/webp"),
        (WEBP_EXTENDED, "image/webp"),
    ],
)
def test_kind_and_size_are_told_and_a_cut_file_is_none(data: bytes, mime: str) -> None:
    assert look_at(data) == Picture(mime, 3, 2)
    assert picture_mime(data[:16]) == mime
    for end in range(len(data) - 1):
        assert look_at(data[:end]) is None, end


def test_large_sizes_are_told() -> None:
    assert look_at(png(70_000, 1)) == ("image/png", 70_000, 1)
    assert look_at(jpeg(40_000, 50_000)) == ("image/jpeg", 40_000, 50_000)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"RIFF\x04\0\0\0WAVE",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x00" * 9 + b"\xff\xd9",
        b"\xff\xd8" + b"\xff" * 50 + b"\xff\xd9",
        png(0, 5),
        b"GIF89a",
    ],
)
def test_what_is_no_whole_picture_is_none(data: bytes) -> None:
    assert look_at(data) is None


def test_both_limits_count() -> None:
    assert fits(Picture("image/png", 2000, 1), 10, 10)
    assert not fits(Picture("image/png", 2001, 1), 10, 10)
    assert not fits(Picture("image/png", 1, 2001), 10, 10)
    assert not fits(Picture("image/png", 1, 1), 11, 10)
