"""Reading pictures: as they are, made smaller, or not at all."""

from __future__ import annotations

import base64
import importlib.util
import os
from pathlib import Path

import pytest
from picture_files import GIF, png
from tool_bench import Bench, Benches

from pi.agent.tool import ToolResult
from pi.tools.decision import Decision
from pi.tools.images import look_at
from pi.tools.policy import Policy
from pi.tools.shrinking import scaled

HAS_PILLOW = importlib.util.find_spec("PIL") is not None
WIDE = png(2001, 100)


def shown(result: ToolResult) -> bytes:
    (image,) = result.images
    return base64.b64decode(image.data)


def test_a_picture_is_known_by_its_content_not_its_name(bench: Bench, root: Path) -> None:
    (root / "p.txt").write_bytes(png(3, 2))
    (root / "t.png").write_bytes(b"GIF89a; just text\n")
    result = bench("read", path="p.txt", offset=5)
    size = len(png(3, 2))
    assert result.text == f"[PNG image, 3x2, {size} bytes]"
    assert result.images[0].mime == "image/png"
    assert shown(result) == png(3, 2)
    assert result.content == {
        "path": f"{root}/p.txt",
        "content": "",
        "bytes": size,
        "mime": "image/png",
        "width": 3,
        "height": 2,
    }
    text = bench("read", path="t.png")
    assert (text.text, text.images) == ("GIF89a; just text\n", ())


def test_what_is_cut_off_is_not_shown(bench: Bench, root: Path) -> None:
    (root / "f.gif").write_bytes(GIF[:20])
    result = bench("read", path="f.gif")
    assert result.text == "[GIF image, 20 bytes: broken or cut off, not shown]"
    assert not result.images


def refuse(command: str, cwd: str) -> Decision:
    return Decision((), "allowed_commands", "no")


@pytest.mark.skipif(HAS_PILLOW, reason="Pillow makes it smaller")
@pytest.mark.parametrize(
    ("data", "policy", "told"),
    [
        (WIDE, Policy(), f"2001x100, {len(WIDE)} bytes is too large to be shown, limit is 2000x"),
        (png(9, 9, filler=2000), Policy(max_file_read_bytes=2000), "2000x2000 and 2000 bytes"),
    ],
)
def test_too_large_a_picture_is_refused_with_size_and_limit(
    benches: Benches, root: Path, data: bytes, policy: Policy, told: str
) -> None:
    (root / "f").write_bytes(data)
    result = benches.make(policy=policy, check_command=refuse)("read", path="f")
    assert result.is_error
    assert told in result.content["error"]


CONVERTER = """#!/bin/sh
echo "$0 $@" >> "$(dirname "$0")/calls"
cat "$(dirname "$0")/small.png"
"""
SIPS = """#!/bin/sh
echo "$0 $@" >> "$(dirname "$0")/calls"
for out; do :; done
cp "$(dirname "$0")/small.png" "$out"
"""


@pytest.mark.skipif(HAS_PILLOW or os.name != "posix", reason="Pillow makes it smaller")
@pytest.mark.parametrize("name", ["magick", "convert", "ffmpeg", "sips"])
def test_a_program_makes_it_smaller_if_the_policy_allows(
    benches: Benches, root: Path, tmp_path: Path, name: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "small.png").write_bytes(png(2000, 99))
    script = programs / name
    script.write_text(SIPS if name == "sips" else CONVERTER, encoding="utf-8")
    script.chmod(0o755)
    for tool in ("cat", "cp", "dirname", "mktemp", "rm"):
        (programs / tool).symlink_to(f"/bin/{tool}")
    (root / "it's").write_bytes(WIDE)
    path = {"PATH": str(programs)}
    assert benches.make(environ=path, check_command=refuse)("read", path="it's").is_error
    assert not (programs / "calls").exists()
    result = benches.make(environ=path)("read", path="it's")
    size = len(WIDE)
    assert result.text == f"[PNG image, 2001x100, {size} bytes; shown as 2000x99 by {name}]"
    assert shown(result) == png(2000, 99)
    assert result.content["shown_as"]["width"] == 2000
    assert f"{root}/it's" in (programs / "calls").read_text(encoding="utf-8")


@pytest.mark.skipif(HAS_PILLOW or os.name != "posix", reason="Pillow makes it smaller")
def test_a_program_that_fails_or_lies_shows_nothing(
    benches: Benches, root: Path, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (root / "f").write_bytes(WIDE)
    path = {"PATH": str(programs)}
    for body in ("exit 1", "echo hello", "printf '\\211PNG'"):
        (programs / "magick").write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (programs / "magick").chmod(0o755)
        assert benches.make(environ=path)("read", path="f").is_error


@pytest.mark.skipif(not HAS_PILLOW, reason="needs Pillow")
@pytest.mark.parametrize("size", [(3000, 1500), (1, 9000)])
def test_pillow_makes_it_smaller(benches: Benches, root: Path, size: tuple[int, int]) -> None:
    (root / "f").write_bytes(png(*size))
    result = benches.make(check_command=refuse)("read", path="f")
    found = look_at(shown(result))
    assert found is not None
    assert max(found.width, found.height) == 2000
    assert result.images[0].mime == found.mime
    assert "by Pillow]" in result.text


@pytest.mark.skipif(not HAS_PILLOW, reason="needs Pillow")
def test_what_pillow_cannot_read_is_refused(bench: Bench, root: Path) -> None:
    broken = bytearray(png(3000, 10))
    broken[60:70] = b"0123456789"
    (root / "f").write_bytes(broken)
    assert bench("read", path="f").is_error
    (root / "f").write_bytes(png(60_000, 1).replace(b"\0\0\xea\x60\0\0\0\1", b"\0\0\xea\x60" * 2))
    assert bench("read", path="f").is_error


def test_proportions_are_kept() -> None:
    picture = look_at(png(4000, 3000))
    assert picture is not None
    assert scaled(picture, 2000) == (2000, 1500)
    assert scaled(picture._replace(width=3, height=2), 2000) == (3, 2)
    assert scaled(picture._replace(width=90_000, height=1), 2000) == (2000, 1)
