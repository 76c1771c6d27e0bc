"""Pictures that are too large made smaller, with what the machine has for it.

The standard library cannot. Tried in this order: Pillow if it can be imported, then the
first program found that the policy's rule for commands allows; it runs under the same
sandbox as every command.
"""

from __future__ import annotations

import os
from importlib import import_module

from pi.base.typing import NamedTuple
from pi.tools.environment import choose_shell
from pi.tools.images import MAX_SIDE, look_at
from pi.tools.outcome import ToolFailure
from pi.tools.process import run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pi.base.cancel import Cancel
    from pi.tools.images import Picture
    from pi.tools.toolkit import Toolkit

MAX_SOURCE_BYTES = 64 << 20
MAX_PIXELS = 100_000_000  # decoded: 400 MB
_TIMEOUT_MS = 20_000
_MAX_RESULT = 8 << 20

# Each reads the file {path} and writes a picture of at most {width} x {height} to its
# output. sips (macOS) can only write to a file. ImageMagick is told the kind, else it
# would go by the name of the file and what that makes it do.
_PROGRAMS: dict[str, str] = {
    "sips": "f=$(mktemp) && sips -Z {side} -s format jpeg {path} --out $f >/dev/null"
    " && cat $f; rm -f $f",
    "magick": "magick {kind}:{path}[0] -auto-orient -resize {width}x{height} png:-",
    "convert": "convert {kind}:{path}[0] -auto-orient -resize {width}x{height} png:-",
    "ffmpeg": "ffmpeg -v error -i {path} -vf scale={width}:{height} -frames:v 1"
    " -f image2pipe -c:v png -",
}


class Shrunk(NamedTuple):
    data: bytes
    picture: Picture
    by: str


def shrink(
    kit: Toolkit, path: str, data: bytes, picture: Picture, max_bytes: int, cancel: Cancel
) -> Shrunk | None:
    """The picture within the limits, or None if nothing here can do it.

    ``path`` is where ``data`` was read, for the programs.
    """
    if picture.width * picture.height > MAX_PIXELS:
        return None
    for side in (MAX_SIDE, MAX_SIDE // 2, MAX_SIDE // 4):
        width, height = scaled(picture, side)
        made, by = _by_pillow(data, width, height), "Pillow"
        if made is None:
            made, by = _by_program(kit, path, picture.mime, width, height, cancel)
        found = look_at(made) if made else None
        if made is None or found is None:
            return None
        if len(made) <= max_bytes and max(found.width, found.height) <= side:
            return Shrunk(made, found, by)
    return None


def scaled(picture: Picture, side: int) -> tuple[int, int]:
    """The size with the longest side at most ``side``, in the same proportion."""
    longest = max(picture.width, picture.height, side)
    return (
        max(1, picture.width * side // longest),
        max(1, picture.height * side // longest),
    )


def _by_pillow(data: bytes, width: int, height: int) -> bytes | None:
    try:
        pillow: Any = import_module("PIL.Image")
    except ImportError:
        return None
    from io import BytesIO  # loaded by the interpreter at its start

    try:
        with pillow.open(BytesIO(data)) as image:
            image.draft("RGB", (width, height))
            has_alpha = image.mode in ("RGBA", "LA", "PA", "P")
            plain = image.convert("RGBA" if has_alpha else "RGB")
            small = plain.resize((width, height))
            out = BytesIO()
            small.save(out, "PNG" if has_alpha else "JPEG")
    except (OSError, ValueError, SyntaxError, MemoryError, pillow.DecompressionBombError):
        return None  # its ways to say that a file is broken
    return out.getvalue()


def _by_program(
    kit: Toolkit, path: str, mime: str, width: int, height: int, cancel: Cancel
) -> tuple[bytes | None, str]:
    """What the first program gives that is there and allowed, and its name."""
    for name, template in _PROGRAMS.items():
        if not _is_there(name, kit.command_environ.get("PATH", os.defpath)):
            continue
        command = template.format(
            path=_quoted(path),
            kind=mime.partition("/")[2],
            width=width,
            height=height,
            side=max(width, height),
        )
        folder = os.path.dirname(path)
        if not kit.check_command(command, folder).allowed or kit.policy.bash_dry_run:
            continue
        made = _output_of(kit, command, folder, cancel)
        if made:
            return made, name
    return None, ""


def _output_of(kit: Toolkit, command: str, folder: str, cancel: Cancel) -> bytes | None:
    pieces: list[bytes] = []

    def take(stream: str, piece: bytes) -> None:
        if stream == "stdout" and sum(map(len, pieces)) <= _MAX_RESULT:
            pieces.append(piece)

    try:
        launch = kit.sandbox.launch((choose_shell(kit.environ), "-c"), command, folder)
        ended = run_command(
            launch.argv,
            cwd=folder,
            environ={**kit.command_environ, **launch.environ},
            timeout_ms=min(_TIMEOUT_MS, kit.policy.bash_timeout_ms),
            cancel=cancel,
            monotonic=kit.monotonic,
            on_output=take,
            on_pause=lambda: None,
        )
    except (OSError, ToolFailure):
        return None
    return b"".join(pieces) if ended.code == 0 else None


def _is_there(name: str, search_path: str) -> bool:
    return any(
        os.access(os.path.join(folder, name), os.X_OK) for folder in search_path.split(os.pathsep)
    )


def _quoted(path: str) -> str:
    """One word of the shell; a path is absolute, so no option."""
    return "'" + path.replace("'", "'\\''") + "'"
