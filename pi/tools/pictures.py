"""What the model is shown of a file that is a picture."""

from __future__ import annotations

from binascii import b2a_base64

from pi.agent.tool import ToolResult
from pi.ai.types import Image
from pi.base.typing import Any
from pi.tools.images import MAX_BYTES, MAX_SIDE, NAMES, fits, look_at, picture_mime
from pi.tools.outcome import ToolFailure
from pi.tools.shrinking import MAX_SOURCE_BYTES, shrink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.cancel import Cancel
    from pi.tools.places import Place
    from pi.tools.toolkit import Toolkit


def picture_result(
    kit: Toolkit, place: Place, data: bytes, size: int, cancel: Cancel
) -> ToolResult:
    """The picture itself where it fits, a smaller one where that can be had.

    ``data`` is the file, or its beginning if it is over ``MAX_SOURCE_BYTES``. Raises
    ToolFailure, naming size and limit, if it is too large and nothing here shrinks it.
    """
    most = min(MAX_BYTES, kit.policy.max_file_read_bytes)
    picture = look_at(data) if len(data) <= MAX_SOURCE_BYTES else None
    facts: dict[str, Any] = {"path": place.absolute, "content": "", "bytes": size}
    if picture is None:
        name = NAMES[picture_mime(data)]
        if len(data) > MAX_SOURCE_BYTES:
            raise ToolFailure(f"{name} is too large ({size} bytes), limit is {most} bytes")
        return ToolResult(
            f"[{name}, {size} bytes: broken or cut off, not shown]", {**facts, "binary": name}
        )
    shown, text = data, f"{picture.name}, {picture.width}x{picture.height}, {size} bytes"
    facts.update(mime=picture.mime, width=picture.width, height=picture.height)
    mime = picture.mime
    if not fits(picture, size, most):
        small = shrink(kit, place.resolved, data, picture, most, cancel)
        if small is None:
            raise ToolFailure(
                f"{text} is too large to be shown, limit is {MAX_SIDE}x{MAX_SIDE} and {most} "
                "bytes; nothing on this machine that the policy allows can make it smaller"
            )
        shown, mime = small.data, small.picture.mime
        text += f"; shown as {small.picture.width}x{small.picture.height} by {small.by}"
        facts["shown_as"] = small.picture._asdict()
    encoded = b2a_base64(shown, newline=False).decode("ascii")
    return ToolResult(f"[{text}]", facts, images=(Image(mime, encoded),))
