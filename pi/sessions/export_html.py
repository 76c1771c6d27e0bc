"""A session for a person to look at, as one HTML file. Pure.

The file needs nothing and asks for nothing: no scripts, no other files, no network, and a
Content-Security-Policy that forbids them should a browser be told otherwise. Law (it has a
property test): read back by an HTML parser, each text is what was said, to the character.
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

MAX_PICTURE = 8 << 20  # characters of base64; a browser stalls on more
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BASE64 = "[A-Za-z0-9+/]+={0,2}"

STYLE = """
:root { color-scheme: light dark; --edge: #d0d4da; --soft: #f4f5f7; --mark: #9a3412; }
@media (prefers-color-scheme: dark) {
  :root { --edge: #3d444d; --soft: #1c2128; --mark: #fdba74; }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
h2 { font-size: .9rem; margin: 0 0 .5rem; }
h2 a { color: inherit; text-decoration: none; }
small { font-weight: normal; opacity: .7; }
section { border: 1px solid var(--edge); border-radius: .5rem; padding: .75rem 1rem;
  margin: 1rem 0; }
section.user { background: var(--soft); }
.text, .code { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.code { font: .85rem/1.45 ui-monospace, monospace; background: var(--soft); padding: .6rem;
  border-radius: .3rem; margin: .4rem 0; }
.mark { color: var(--mark); font: .75em ui-monospace, monospace; border: 1px solid;
  border-radius: .2em; padding: 0 .2em; unicode-bidi: isolate; }
.error { color: var(--mark); }
details { margin: .5rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; }
@media print { section { break-inside: avoid-page; } }
"""
_SIGNS = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_TABLE = str.maketrans(_SIGNS)


def to_html(
    title: str,
    rows: Iterable[Row],
    picture_mime: Callable[[bytes], str],
    full: Callable[[Row], Mapping[str, Any]] = held,
) -> Iterator[bytes]:
    """The messages, root first, in pieces. ``picture_mime`` tells a picture's kind by its
    first bytes, ``full`` gives the whole record of a row."""
    title = one_line(title)
    plain = marked(title, "\u2039", "\u203a").translate(_TABLE)  # no elements in a title
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{plain}</title>\n<style>{STYLE}</style>\n"
        f"</head>\n<body>\n<h1>{_escaped(title)}</h1>\n<main>\n"
    )
    yield head.encode("utf-8", "replace")
    for item in items(rows, full):
        yield _section(item, picture_mime).encode("utf-8", "replace")
    yield b"</main>\n</body>\n</html>\n"


def _policy() -> str:
    """Nothing is allowed but this one style sheet and pictures that are in the file."""
    from base64 import b64encode
    from hashlib import sha256  # 2 ms, and only for an export

    style = b64encode(sha256(STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _escaped(text: str) -> str:
    """``text`` as the content of an element. The marks are put in before the escapes, as
    signs that well-formed text does not hold once they are marked."""
    text = marked(text, "\x01", "\x02").translate(_TABLE)
    return text.replace("\x01", '<span class="mark">').replace("\x02", "</span>")


def _section(item: Item, picture_mime: Callable[[bytes], str]) -> str:
    message = item.message
    kind = "summary" if message is None else message.role
    time = f' <time datetime="{item.time}">{item.time}</time>' if item.time else ""
    head = (
        f'<section class="{kind}" id="e{item.id}">\n'
        f'<h2><a href="#e{item.id}">{kind}</a> <small>{item.id}{time}</small></h2>\n'
    )
    if message is None:
        body = _details("summary of what came before", _text(item.summary))
    elif message.role == "tool":
        shown = "".join(_shown(block, message, picture_mime) for block in message.blocks)
        failed = ' <span class="error">error</span>' if message.is_error else ""
        body = _details(f"result of {_name(message.tool_name or 'a tool')}{failed}", shown)
    else:
        body = "".join(_shown(block, message, picture_mime) for block in message.blocks)
    return f"{head}{body}</section>\n"


def _shown(block: Block, message: Message, picture_mime: Callable[[bytes], str]) -> str:
    if isinstance(block, Text):
        return _text(block.text, "code" if message.role == "tool" else "text")
    if isinstance(block, Thinking):
        return _details("thinking", _text(block.text))
    if isinstance(block, Image):
        return _picture(block, picture_mime)
    return _details(f"calls {_name(block.name)}", _text(arguments_text(block), "code"))


def _text(text: str, kind: str = "text") -> str:
    return f'<div class="{kind}" dir="auto">{_escaped(text)}</div>\n'


def _name(name: str) -> str:
    return f"<code>{_escaped(one_line(name))}</code>"


def _details(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n{body}</details>\n"


def _picture(image: Image, picture_mime: Callable[[bytes], str]) -> str:
    """A picture in the file; a line in its place if it is not one, or too large."""
    why = ""
    if image.mime not in _PICTURES:
        why = "of an unknown kind"
    elif len(image.data) > MAX_PICTURE:
        why = "too large to be shown"
    elif not re.fullmatch(_BASE64, image.data) or len(image.data) % 4:
        why = "damaged"
    else:
        from binascii import a2b_base64

        if picture_mime(a2b_base64(image.data[:64])) != image.mime:
            why = "not what it says it is"
    if why:
        size = len(image.data) * 3 // 4
        return f"<p><small>[picture, {_name(image.mime)}, {size} bytes: {why}]</small></p>\n"
    return f'<p><img alt="picture" src="data:{image.mime};base64,{image.data}"></p>\n'
