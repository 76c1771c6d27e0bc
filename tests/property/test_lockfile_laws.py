"""Laws of the lockfile: what is written is read back, and damage is seen or does no harm."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.errors import VerificationFailed
from pi.skills.drift import compare, metadata_problems
from pi.skills.installed import Installed, tree_digest
from pi.skills.lockfile import (
    SIGNED,
    SOURCES,
    Lock,
    LockEntry,
    make_lock,
    make_source,
    parse_lock,
    render,
)
from tests.fakes.examples import few

DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def sources(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(SOURCES)))
    known: dict[str, Any] = {
        field: draw(st.none() | TEXTS) for field in (*SOURCES[kind], "statement_signature")
    }
    known["expires_unix"] = draw(st.none() | st.integers(0, 2**64 - 1))
    known["signer_chain"] = draw(
        st.none() | st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2)
    )
    return make_source(kind, known)


@st.composite
def entries(draw: st.DrawFn) -> LockEntry:
    name = draw(NAMES)
    if draw(st.booleans()):
        return LockEntry(name, f"{name}.md", draw(DIGESTS), draw(sources()))
    files = draw(st.dictionaries(NAMES, DIGESTS, max_size=3))
    pairs = (("SKILL.md", draw(DIGESTS)), *sorted(files.items()))
    return LockEntry(name, f"{name}/SKILL.md", tree_digest(pairs), draw(sources()), pairs)


LOCKS = st.lists(entries(), max_size=4, unique_by=lambda entry: entry.file).map(make_lock)


@given(LOCKS)
@settings(max_examples=few(50), deadline=None)
def test_what_is_rendered_is_read_back(lock: Lock) -> None:
    """parse(render(lock)) == lock, and its bytes are the same again."""
    data = render(lock)
    assert parse_lock(data, "p") == lock
    assert render(parse_lock(data, "p")) == data


@given(st.lists(entries(), max_size=4, unique_by=lambda entry: entry.file), st.randoms())
@settings(max_examples=few(30), deadline=None)
def test_equal_skills_give_equal_bytes_in_whatever_order(
    found: list[LockEntry], chance: Any
) -> None:
    """render(make_lock(entries)) depends on the set of entries only."""
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert render(make_lock(shuffled)) == render(make_lock(found))


@given(LOCKS, st.data())
@settings(max_examples=few(80), deadline=None)
def test_a_damaged_byte_is_seen_or_changes_what_is_read_and_nothing_else(
    lock: Lock, data: st.DataObject
) -> None:
    """A changed byte gives VerificationFailed, or a lock that is whole: it renders and
    compares like any other. Never another exception."""
    whole = render(lock)
    position = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    _read(whole[:position] + bytes([byte]) + whole[position + 1 :])
    _read(whole[:position])


@given(st.binary(max_size=300))
@settings(max_examples=few(100), deadline=None)
def test_whatever_the_bytes_nothing_but_a_refusal_comes_of_them(data: bytes) -> None:
    """parse_lock raises VerificationFailed or gives a lock."""
    _read(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


@given(
    st.sampled_from(["name", "file", "sha256", "source", "files", "signer_chain", *SIGNED,
                     "statement_signature", "expires_unix", "artifact_sha256"]),
    VALUES,
)  # fmt: skip
@settings(max_examples=few(150), deadline=None)
def test_a_field_of_another_type_is_refused_or_does_no_harm(field: str, value: Any) -> None:
    """Whatever stands in one field: VerificationFailed, or a lock that can be compared."""
    source = {"kind": "registry", field: value}
    item = {"name": "a", "file": "a.md", "sha256": "1" * 64, "source": source, field: value}
    if field == "source":
        item["source"] = value
    document = {"schema_version": 1, "entries": [item]}
    _read(json.dumps(document).encode())


def _read(data: bytes) -> None:
    try:
        lock = parse_lock(data, "p")
    except VerificationFailed:
        return
    assert parse_lock(render(lock), "p") == lock
    there = [Installed(one.name, one.file, one.sha256, one.files) for one in lock.entries]
    drift = compare(lock, there)
    assert (drift.missing, drift.extra, drift.changed) == ((), (), ())
    for entry in lock.entries:
        metadata_problems(entry)
