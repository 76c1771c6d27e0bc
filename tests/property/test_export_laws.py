"""Exports: whatever was said stays what was said, inside its frame."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pi.base.credentials import Credentials
from pi.base.jsonl import encode as encode_line
from pi.base.text import well_formed
from pi.sessions import pimono
from pi.sessions.compacted import read_context
from pi.sessions.entry import decode
from pi.sessions.export import to_json
from pi.sessions.export_html import to_html
from pi.sessions.export_markdown import fenced, to_markdown
from pi.sessions.export_pimono import to_pimono
from pi.sessions.export_redact import redacted
from pi.sessions.load_rows import lines_of, loaded
from pi.sessions.rows import Row
from pi.tools.images import picture_mime

HOSTILE = st.sampled_from(
    [
        *("</div>", "<script>x</script>", "&lt;", "&#60;", "<!--", "]]>", '" onload="x', "\x01"),
        *("```", "`````", "~~~", "\n", "\n# ", "\r", "\r\n", "\0", "\u202e", "\u2028", "\x85"),
        *("<style>", "</section>", "![a](http://x.invalid/y)", "\ud800", "\U000e0041", "'", "\\"),
    ]
)
texts = st.lists(HOSTILE | st.text(max_size=4), max_size=8).map("".join)


def rows(*records: dict[str, Any]) -> tuple[Row, ...]:
    data = "".join(json.dumps(record) + "\n" for record in records)
    return loaded(lines_of(data.encode())).rows


def entry(entry_id: int, message: dict[str, Any], **more: Any) -> dict[str, Any]:
    parent = entry_id - 1 or None
    return {"record_type": "entry", "id": entry_id, "parent_id": parent, "message": message, **more}


def spoken(role: str, text: str) -> dict[str, Any]:
    """A message with ``text`` wherever one can be."""
    content: list[dict[str, Any]] = [{"type": "text", "text": text}]
    found: dict[str, Any] = {"role": role, "content": content}
    if role == "assistant":
        content.append({"type": "thinking", "text": text})
        content.append({"type": "tool_call", "id": text, "name": text, "arguments": {text: text}})
    if role == "tool":
        content.append({"type": "image", "mime": text, "data": text})
        found.update(tool_call_id=text, tool_name=text)
    return found


class Reader(HTMLParser):
    """The texts of a page, marks taken back, and the elements that it is made of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.is_text = self.is_mark = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(f"{tag} {name}" for name, _ in attrs)}
        if tag not in ("meta", "img"):
            self.open.append(tag)
        kind = dict(attrs).get("class")
        if kind in ("text", "code"):
            self.is_text = True
            self.texts.append("")
        self.is_mark = kind == "mark"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.is_mark = False
        self.is_text = self.is_text and tag != "div"

    def handle_data(self, data: str) -> None:
        if self.is_text:
            self.texts[-1] += chr(int(data[2:], 16)) if self.is_mark else data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


ALLOWED = {
    *("html", "html lang", "head", "meta", "meta charset", "meta http-equiv", "meta content"),
    *("meta name", "title", "style", "body", "h1", "main", "section", "section class"),
    *("section id", "h2", "a", "a href", "small", "div", "div class", "div dir", "details"),
    *("summary", "code", "span", "span class", "p", "time", "time datetime"),
}


@given(text=texts, title=texts)
@settings(max_examples=60, deadline=None)
@example(text="\x01<\x02", title="</title>")
def test_a_page_says_what_was_said_and_nothing_breaks_out(text: str, title: str) -> None:
    """An HTML parser reads each text back to the character (ends of lines as newlines), and
    finds no element or attribute but those that pages are made of."""
    found = rows(
        entry(1, spoken("user", text)),
        entry(2, spoken("assistant", text)),
        entry(3, spoken("tool", text)),
        {"record_type": "entry", "kind": "compaction", "id": 4, "parent_id": 3, "summary": text},
    )
    page = b"".join(to_html(title, found, picture_mime)).decode("utf-8")
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert reader.seen <= ALLOWED
    whole = well_formed(text).replace("\r\n", "\n")
    calls = json.loads(reader.texts.pop(3))
    assert list(calls.values()) == [well_formed(text)]
    assert reader.texts == [whole] * 5
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page) is None


def outside(markdown: str) -> list[str]:
    """The lines of a document that are in no fenced block (CommonMark 0.31, section 4.5)."""
    found, fence = [], ""
    for line in re.split("\r\n|\n|\r", markdown):
        match = re.match(" {0,3}(`{3,}|~{3,})([^`]*)$", line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match:
            fence = match[1]
        else:
            found.append(line)
    assert fence == ""
    return found


@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_nothing_in_a_message_ends_its_fence(text: str) -> None:
    """Outside of fences a document is the same whatever was said; headings hold names in
    code spans only."""
    roles = ("user", "assistant", "tool")
    said = [entry(at, spoken(role, text)) for at, role in enumerate(roles, 1)]
    for record in said:
        for block in record["message"]["content"]:
            block.update(name="n", mime="m", data="")
        record["message"].pop("tool_name", None)
    plain = json.loads(json.dumps(said))
    for record in plain:
        for block in record["message"]["content"]:
            block.update(text="x", arguments={})
    one, other = (b"".join(to_markdown("t", rows(*which))).decode() for which in (said, plain))
    assert outside(one) == outside(other)
    named = b"".join(to_markdown(text, rows(entry(1, spoken("tool", text))))).decode()
    assert len([line for line in outside(named) if line.startswith("#")]) == 2
    assert outside(fenced(text)) == [""]


words = st.text('ab\u00e9\U0001f600 \n"\\', max_size=5)
odd = st.none() | words


def some(required: dict[str, Any], **optional: Any) -> Any:
    """Dictionaries with all of ``required`` and any of ``optional``."""
    return st.fixed_dictionaries(required, optional=optional)


pairs = st.dictionaries(words, words, max_size=2)
blocks: Any = st.one_of(
    some({"type": st.just("text"), "text": words}, signature=words, later=words),
    some(
        {"type": st.just("thinking"), "text": words},
        signature=words,
        redacted=st.booleans(),
        vendor=pairs,
    ),
    some({"type": st.just("image"), "mime": words, "data": words}),
    some(
        {"type": st.just("tool_call"), "id": words, "name": words},
        arguments=pairs | st.lists(words, max_size=2),
        raw_arguments=words,
        item_id=words,
        rescued=st.booleans(),
        signature=words,
    ),
)
reasons = st.sampled_from(["stop", "tool_use", "length", "refusal", "pause", "error", "", "new"])
apis = st.sampled_from(["anthropic", "openai-chat", "google", "openai-responses", "", "unknown"])
messages = some(
    {
        "role": st.sampled_from(["user", "assistant", "tool"]),
        "content": st.lists(blocks, max_size=3),
        "is_error": st.booleans(),
    },
    tool_call_id=words,
    tool_name=odd,
)
answers = some(
    {},
    api=apis,
    provider=words,
    model=odd,
    stop_reason=reasons | st.none(),
    usage=st.just({"input": 3}),
    ts=st.integers(-1, 2**60),
)


@given(said=st.lists(st.tuples(messages, answers), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_what_goes_to_the_ancestor_s_format_comes_back_the_same(
    said: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    """Export and import give the same messages in the same order, and the same context."""
    first = rows(*(entry(at, one, **more) for at, (one, more) in enumerate(said, 1)))
    before = [row.record for row in first if row.record is not None]
    assert len(before) == len(said)
    lines = lines_of(b"".join(to_pimono({}, first, len(said)))).lines
    after = [row.record for row in pimono.convert(lines) if row.record and row.is_entry]
    assert [decode(one).message for one in after] == [decode(one).message for one in before]
    assert read_context(after).messages == read_context(before).messages


secrets = st.text('abXYZ089-_/+"\\\u00e9', min_size=4, max_size=16).map(lambda at: f"Qz{at}9")
values: Any = st.recursive(
    st.booleans() | st.just("\0"),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["k", "text", "data", "\0"]), inner, max_size=3),
    max_leaves=6,
)


def with_secret(value: Any, secret: str) -> Any:
    """``value`` with the secret, as it is or as JSON, where its leaves are."""
    if isinstance(value, bool):
        return json.dumps({"a": secret}) if value else 7
    if isinstance(value, str):
        return f"x {secret}y"
    if isinstance(value, list):
        return [with_secret(item, secret) for item in value]
    return {
        name.replace("\0", f"k{secret}"): with_secret(item, secret) for name, item in value.items()
    }


@given(secret=secrets, value=values, role=st.sampled_from(["user", "assistant", "tool"]))
@settings(max_examples=60, deadline=None)
def test_nothing_redacted_tells_a_given_secret(secret: str, value: Any, role: str) -> None:
    """Neither as it is nor as JSON writes it, in no format, wherever in a record it was; and
    what comes out is a session."""
    message = spoken(role, f"a {secret}.")
    message["content"].append({"type": "later", "value": with_secret(value, secret)})
    record = entry(1, message, more=with_secret(value, secret), details={"d": secret})
    clean = [redacted(record, Credentials([secret]))]
    found = rows(*clean)
    assert [row.reason for row in found] == [""]
    outputs = [
        [encode_line(clean[0])],
        to_markdown("t", found),
        to_html("t", found, picture_mime),
        to_json("t", {}, found),
        to_pimono({}, found, 1),
    ]
    for output in outputs:
        text = b"".join(output).decode()
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text
