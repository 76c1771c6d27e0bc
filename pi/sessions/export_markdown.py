"""A session for a person to read, as Markdown. Pure.

Everything that was said stands in fences longer than any run of their sign inside, and
names in code spans made the same way: nothing in a conversation can end its frame, forge a
heading, or load a picture when the file is looked at.
"""

from __future__ import annotations

import re

from pi.ai.types import Image, Text, Thinking
from pi.base.typing import Any
from pi.sessions.export_items import Item, arguments_text, held, items, marked, one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pi.ai.types import Block, Message
    from pi.sessions.rows import Row


def to_markdown(
    title: str, rows: Iterable[Row], full: Callable[[Row], Mapping[str, Any]] = held
) -> Iterator[bytes]:
    """The messages, root first, in pieces. ``full`` gives the whole record of a row."""
    yield f"# {_span(title)}\n".encode("utf-8", "replace")
    for item in items(rows, full):
        yield "".join(f"\n{part}" for part in _section(item)).encode("utf-8", "replace")


def fenced(text: str, language: str = "") -> str:
    """``text`` as a code block that nothing in it can end."""
    text = marked(text, "\u2039", "\u203a")
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}\n"


def _span(text: str) -> str:
    """``text`` as a code span on one line."""
    text = marked(one_line(text), "\u2039", "\u203a")
    if not text:
        return ""
    sign = "`" * (_longest_run(text) + 1)
    blank = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{sign}{blank}{text}{blank}{sign}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _section(item: Item) -> Iterator[str]:
    when = f", {item.time}" if item.time else ""
    message = item.message
    if message is None:
        yield f"## {item.id}: summary of what came before{when}\n"
        yield fenced(item.summary, "markdown")
        return
    name = f" ({_span(message.tool_name)})" if message.tool_name else ""
    error = ", error" if message.is_error else ""
    yield f"## {item.id}: {message.role}{name}{error}{when}\n"
    for block in message.blocks:
        yield _shown(block, message)


def _shown(block: Block, message: Message) -> str:
    if isinstance(block, Text):
        return fenced(block.text, "markdown" if message.role == "assistant" else "")
    if isinstance(block, Thinking):
        return f"Thinking:\n\n{fenced(block.text)}"
    if isinstance(block, Image):
        return f"[picture, {_span(block.mime)}, {len(block.data) * 3 // 4} bytes]\n"
    return f"Calls {_span(block.name)}:\n\n{fenced(arguments_text(block), 'json')}"
