"""The page an export makes: what is in it, and what a browser may do with it."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

import pytest

from pi.sessions.export_html import MAX_PICTURE, STYLE, to_html
from pi.tools.images import picture_mime
from tests.fakes.session_files import answer, entry, result, rows

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 52).decode()


def page(*records: dict[str, object], title: str = "t") -> str:
    return b"".join(to_html(title, rows(*records), picture_mime)).decode()


def test_the_policy_allows_this_style_sheet_and_pictures_in_the_file() -> None:
    text = page(entry(1, None))
    (policy,) = re.findall('Content-Security-Policy" content="([^"]*)"', text)
    style = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert f"<style>{STYLE}</style>" in text
    assert "<script" not in text
    assert "style=" not in text
    assert "prefers-color-scheme: dark" in text


def test_calls_results_thinking_and_summaries_can_be_opened() -> None:
    spoken = answer(2, 1, "c")
    spoken["message"]["content"].append({"type": "thinking", "text": "hm"})
    summed = {"record_type": "entry", "kind": "compaction", "id": 4, "parent_id": 3}
    summed["summary"] = "it began"
    text = page(entry(1, None, ts=0), spoken, result(3, 2, "c", failed=True), summed)
    summaries = re.findall("<summary>(.*)</summary>", text)
    assert summaries == [
        "calls <code>read</code>",
        "thinking",
        'result of <code>read</code> <span class="error">error</span>',
        "summary of what came before",
    ]
    assert '<time datetime="1970-01-01T00:00:00.000Z">' in text
    assert "it began" in text


def test_a_title_is_only_text() -> None:
    text = page(entry(1, None), title="</title><script>x\u202e")
    assert text.count("</title>") == 1
    assert "<h1>&lt;/title&gt;&lt;script&gt;x" in text


@pytest.mark.parametrize(
    ("mime", "data", "why"),
    [
        ("image/png", PNG, ""),
        ("image/svg+xml", PNG, "of an unknown kind"),
        ('image/png" onload="x', PNG, "of an unknown kind"),
        ("image/jpeg", PNG, "not what it says it is"),
        ("image/png", PNG[:-1], "damaged"),
        ("image/png", PNG + "\n", "damaged"),
        ("image/png", 'iVBORw0KGgo" onerror="x', "damaged"),
        ("image/png", "", "damaged"),
        ("image/png", PNG[:80] + "A" * MAX_PICTURE, "too large to be shown"),
    ],
    ids=["whole", "svg", "quote", "kind", "cut", "newline", "attribute", "empty", "large"],
)
def test_only_a_picture_of_a_known_kind_is_shown(mime: str, data: str, why: str) -> None:
    found = entry(1, None)
    found["message"]["content"] = [{"type": "image", "mime": mime, "data": data}]
    text = page(found)
    assert (f'src="data:{mime};base64,{data}"' in text) == (not why)
    assert why in text
    assert text.count("<img") == (not why)
