"""Laws of reading the head of a skill file, with PyYAML as the second opinion."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.skills.frontmatter import parse
from pi.skills.yaml_lines import FrontmatterError
from tests.fakes.examples import few

SIGNS = st.sampled_from(list("ab #:-'\"\\,[]|>\n  é0.!&*"))
TEXTS = st.text(SIGNS, max_size=30)
KEYS = st.from_regex(r"[a-z][a-z_-]{0,8}", fullmatch=True).filter(
    lambda key: key not in ("y", "n", "on", "off", "yes", "no", "true", "false", "null")
)
VALUES = st.one_of(
    TEXTS,
    st.booleans(),
    st.none(),
    st.lists(TEXTS, min_size=1, max_size=4),
    st.dictionaries(KEYS, TEXTS, min_size=1, max_size=3),
)


def as_text(value: Any) -> Any:
    """Both readers' values, with the words that one of them keeps as text made equal."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return [as_text(item) or "" for item in value]
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if value in (None, "", "~", "null", "Null", "NULL"):
        return None
    return value.lower() if str(value).lower() in ("true", "false") else value


@settings(max_examples=few(150), deadline=None)
@given(
    st.dictionaries(KEYS, VALUES, min_size=1, max_size=4),
    st.sampled_from([None, '"', "'", "|", ">"]),
    st.sampled_from([12, 30, 1000]),
    st.booleans(),
)
def test_what_another_writer_writes_is_read_back(
    fields: dict[str, Any], style: str | None, width: int, flow: bool
) -> None:
    """parse("---" + dump(fields) + "---") == fields, whatever style PyYAML chose."""
    if flow:
        fields = {key: value for key, value in fields.items() if not isinstance(value, dict)}
    head = yaml.safe_dump(
        fields,
        default_style=style,
        default_flow_style=None if flow else False,
        width=width,
        allow_unicode=True,
        sort_keys=False,
    )
    if not fields or "!!" in head or head.startswith("{") or "? " in head:
        return  # a tag or a complex key: refused on purpose
    found = parse(f"---\n{head}---\nbody\n")
    assert found.fields is not None
    assert as_text(dict(found.fields)) == as_text(fields)
    assert found.body == "body"


LINES = st.lists(
    st.sampled_from(
        [
            *("a: b", "c: 'd'", 'e: "f', "  more", "g: |", "   text", "h: >-", "", "# note", "- x"),
            *("i:", "  j: k", "  - l", "l: [m, n", "  o]", "p: [q]", 'r: "s\\n"', "t: u # v"),
            *("w: - x", "- - y", "z: 'it''s'", "\tq: r", "aa: true", "bb: ~", "cc: &x 1", "dd: >"),
        ]
    ),
    max_size=7,
)


@settings(max_examples=few(400), deadline=None)
@given(LINES)
def test_where_two_readers_accept_a_head_they_agree(lines: list[str]) -> None:
    """If parse and PyYAML both accept lines, their values are the same texts."""
    head = "".join(f"{line}\n" for line in lines)
    ours, refused_at = read(head)
    if refused_at:
        assert refused_at <= len(lines) + 2
        return
    try:
        theirs = yaml.load(head, yaml.BaseLoader)
    except yaml.YAMLError:
        return
    if any(isinstance(item, (list, dict)) for item in values(theirs)):
        return  # nested deeper than a map of texts: kept as text
    assert as_text(dict(ours or {})) == as_text(theirs or {})


def read(head: str) -> tuple[Any, int]:
    """The fields of a head and 0, or None and the line that was refused."""
    try:
        return parse(f"---\n{head}---\n").fields, 0
    except FrontmatterError as exc:
        return None, exc.line


def values(data: Any) -> list[Any]:
    found: list[Any] = []
    for value in data.values() if isinstance(data, dict) else ():
        if isinstance(value, (dict, list)):
            found += value.values() if isinstance(value, dict) else value
    return found


@settings(max_examples=few(300), deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_its_line(text: str) -> None:
    """parse never raises anything else, and a text without a head is its own body."""
    fields, refused_at = read(f"{text}\n")
    assert (fields is None) == (refused_at >= 1)
    if not text.startswith("---"):
        assert parse(text).fields is None
