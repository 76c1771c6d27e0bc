"""The head of a skill file: a small part of YAML, read strictly and never executed.

A file whose first line is ``---`` has a head, which ends at the next line ``---``. The
head is lines of ``key: value``. A value is one of

- plain text, which may go on in lines that are indented more; ``true``, ``false``,
  ``null`` and ``~`` are what they say, numbers and dates stay text;
- text in single or double quotes (with the escapes of YAML), also over several lines;
- a block, ``|`` (lines kept) or ``>`` (lines joined), with ``-``, ``+`` and a digit;
- a list, ``[a, b]`` or lines ``- a``;
- lines ``key: value``, indented: a map. What is nested deeper is kept as text.

``#`` begins a comment at the start of a line and after a blank. A plain value may hold
``: ``, which YAML forbids and people write. Anchors, aliases, tags, maps in braces,
repeated keys and tabs as indentation are refused. (YAML 1.2.2, chapters 6 to 8.)
"""

from __future__ import annotations

import re

from pi.base.typing import NamedTuple, Union
from pi.skills.yaml_lines import COMMENT, Lines
from pi.skills.yaml_text import block_text, depth_of, folded, unescaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Scalar = Union[str, bool, None]
Value = Union[str, bool, None, "list[str]", "dict[str, Scalar]"]

FENCE = "---"
KEY = re.compile(r"""(\w[^:"']*?)[ \t]*:(?:[ \t]+(.*))?$""")
QUOTED_KEY = re.compile(r"""("[^"\\]*"|'[^']*')[ \t]*:(?:[ \t]+(.*))?$""")
BLOCK = re.compile(r"([|>])(?:([+-])([1-9])?|([1-9])([+-])?)?(?:[ \t]+#.*)?[ \t]*$")
WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}


class Document(NamedTuple):
    """``fields`` is None for a file without a head. ``body`` is trimmed if there is one."""

    fields: Mapping[str, Value] | None
    body: str


def parse(text: str) -> Document:
    """Part a file's text into head and body. Raises FrontmatterError."""
    text = text.replace("\r\n", "\n")
    if not text.startswith(f"{FENCE}\n"):
        return Document(None, text)
    lines = text.split("\n")
    try:
        end = lines.index(FENCE, 1)
    except ValueError:
        return Document(None, text)  # a rule across the page
    fields = _Reader(lines[1:end]).fields()
    return Document(fields, "\n".join(lines[end + 1 :]).strip())


class _Reader(Lines):
    """Takes the lines of a head one after the other."""

    def fields(self) -> dict[str, Value]:
        """The whole head."""
        found: dict[str, Value] = {}
        for key, rest in self._keys(0):
            if key in found:
                raise self.error(f"{key!r} is given twice")
            found[key] = self._value(rest, 0, self._nested)
        return found

    def _keys(self, indent: int) -> Iterator[tuple[str, str]]:
        """The keys at this indentation, each with what stands beside it."""
        while True:
            line = self.peek()
            if line is None or depth_of(line) < indent:
                return
            self.next += 1
            if depth_of(line) > indent:
                raise self.error("unexpected indentation")
            match = QUOTED_KEY.match(line[indent:]) or KEY.match(line[indent:])
            if match is None:
                raise self.error("expected 'key: value'")
            yield match.group(1).strip("\"'"), (match.group(2) or "").strip()

    def _value(self, rest: str, indent: int, nested: Callable[[int], Value]) -> Value:
        """What follows a key at ``indent``; ``nested`` reads what stands below it alone."""
        if COMMENT.sub("", rest).strip():
            return self._list(rest) if rest[0] == "[" else self._scalar(rest, indent)
        return nested(indent)

    def _scalar(self, rest: str, indent: int) -> Scalar:
        if rest[0] in "|>":
            return self._block(rest, indent)
        if rest[0] in "\"'":
            return self._quoted(rest)
        return self._plain(rest, indent)

    def _nested(self, indent: int) -> Value:
        """A list, a map or text on the lines below a key that has nothing beside it."""
        line = self.peek()
        if line is None:
            return None
        depth = depth_of(line)
        words = line[depth:]
        if words.startswith("- ") or words == "-":
            return self._items(depth) if depth >= indent else None
        if depth <= indent:
            return None
        if KEY.match(words) or QUOTED_KEY.match(words):
            return self._map(depth)
        self.next += 1
        return self._value(words, indent, self._nested)

    def _map(self, indent: int) -> dict[str, Scalar]:
        found: dict[str, Scalar] = {}
        for key, rest in self._keys(indent):
            if key in found:
                raise self.error(f"{key!r} is given twice")
            value = self._value(rest, indent, self._deeper)
            assert not isinstance(value, dict)
            found[key] = ", ".join(value) if isinstance(value, list) else value
        return found

    def _deeper(self, indent: int) -> Value:
        """What is nested deeper than one map, as the text it is."""
        begin = self.next
        while self.next < len(self.lines):
            line = self.lines[self.next]
            depth = depth_of(line)
            words = line[depth:]
            if words and depth <= indent and not (depth == indent and words.startswith("- ")):
                break
            self.next += 1
        kept = self.lines[begin : self.next]
        cut = min((depth_of(line) for line in kept if line.strip()), default=0)
        return "\n".join(line[cut:].rstrip() for line in kept).strip("\n") or None

    def _items(self, indent: int) -> list[str]:
        found: list[str] = []
        while True:
            line = self.peek()
            if line is None or depth_of(line) != indent or not line[indent:].startswith("-"):
                if line is not None and depth_of(line) > indent:
                    self.next += 1
                    raise self.error("an item of this list is indented in another way")
                return found
            words = line[indent + 1 :]
            if words and not words[0].isspace():
                return found
            self.next += 1
            words = words.strip()
            if not COMMENT.sub("", words).strip():
                found.append("")
                continue
            if words[0] in "[-" and (words[0] == "[" or words[1:2] in (" ", "")):
                raise self.error("a list in a list is not supported")
            value = self._scalar(words, indent)
            found.append(words if isinstance(value, bool) else value or "")

    def _list(self, rest: str) -> list[str]:
        """``[a, "b, c"]``, also over several lines."""
        begin = self.next
        found: list[str] = []
        text = rest[1:].lstrip()
        while True:
            text = COMMENT.sub("", text) if text.startswith("#") else text.lstrip()
            if not text:
                text = self.go_on(begin, "the bracket '[' is never closed").strip()
                continue
            if text[0] == "]":
                self.only_comment(text[1:], "the list")
                return found
            if text[0] in "[{":
                raise self.error("a list holds a list or a map; only text is supported")
            if text[0] in "\"'":
                item, text = self._quoted_text(text)
            else:
                self.refuse(text)
                end = re.search(r",|\]|[ \t]#", text)
                cut = end.start() if end else len(text)
                item, text = text[:cut].strip(), text[cut:]
            found.append(item)
            text = text.lstrip()
            while not text or text.startswith("#"):
                text = self.go_on(begin, "the bracket '[' is never closed").strip()
            if text[0] == ",":
                text = text[1:]
            elif text[0] != "]":
                raise self.error("expected ',' or ']' in the list")

    def _plain(self, first: str, indent: int) -> Scalar:
        """Plain text; lines that are indented more go on with it."""
        self.refuse(first)
        if first[0] in "-?" and first[1:2] in (" ", ""):
            raise self.error(f"a value cannot begin with {first[:1]!r}; put it in quotes")
        words = COMMENT.sub("", first).strip()
        parts = [words]
        open_end = words == first.strip()  # a comment ends the text
        while open_end and self.next < len(self.lines):
            line = self.lines[self.next]
            if line.strip() and depth_of(line) <= indent:
                break
            if line.strip().startswith("#"):
                break
            self.no_tabs(line)
            self.next += 1
            more = COMMENT.sub("", line).strip()
            open_end = more == line.strip()
            parts.append(more)
        if len(parts) == 1 and words in WORDS:
            return WORDS[words]
        return folded(parts).strip()

    def _quoted(self, text: str) -> str:
        found, rest = self._quoted_text(text)
        self.only_comment(rest, "the quoted text")
        return found

    def _quoted_text(self, text: str) -> tuple[str, str]:
        """The text between quotes and what follows it in the last line."""
        mark, rest = text[0], text[1:]
        begin = self.next
        ends = re.compile(r'(?:[^"\\]|\\.)*' if mark == '"' else r"(?:[^']|'')*")
        parts: list[str] = []
        joined = False  # the line before ended in a backslash

        def add(part: str) -> None:
            if joined:
                part = parts.pop() + part
            parts.append(part)

        while True:
            match = ends.match(rest)
            assert match is not None
            inside = match.group()
            is_closed = match.end() < len(rest) and rest[match.end()] == mark
            if is_closed:
                break
            if rest[match.end() :] == "\\" and mark == '"':
                inside, joins = rest[: match.end()], True
            else:
                inside, joins = rest, False
            inside = inside.lstrip() if parts else inside
            inside = inside if joins else inside.rstrip()
            add(inside)
            joined = joins
            rest = self.go_on(begin, f"the quote {mark} is never closed")
        after = rest[match.end() + 1 :]
        inside = inside.lstrip() if parts else inside
        add(inside)
        whole = folded(parts)
        return (self._unescaped(whole) if mark == '"' else whole.replace("''", "'")), after

    def _unescaped(self, text: str) -> str:
        try:
            return unescaped(text)
        except ValueError as exc:
            raise self.error(str(exc)) from None

    def _block(self, header: str, indent: int) -> str:
        """``|`` and ``>``. The first line that is not blank says how far it is indented."""
        match = BLOCK.match(header)
        if match is None:
            raise self.error(f"{header!r} is no way to begin a block of text")
        chomp = match.group(2) or match.group(5) or ""
        digit = match.group(3) or match.group(4)
        depth = indent + int(digit) if digit else 0
        taken: list[str] = []
        while self.next < len(self.lines):
            line = self.lines[self.next]
            if line.strip(" "):
                here = depth_of(line)
                depth = depth or here
                if here < depth or depth <= indent:
                    break
            taken.append(line)
            self.next += 1
        return block_text([line[depth:] for line in taken], match.group(1) == ">", chomp)
