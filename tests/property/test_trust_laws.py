from __future__ import annotations

import os
import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.errors import ConfigError, PiError, UsageError
from pi.skills.statements import decode_public_key
from pi.skills.trust_file import read_trust_file, update_trust_file
from pi.skills.trust_set import trusted_roots
from pi.skills.trust_store import (
    Changes,
    Expiry,
    KeySpec,
    Rotation,
    TrustRecord,
    change,
    parse_expiry,
    parse_key_spec,
    parse_rotation,
    parse_store,
    render_store,
)
from tests.fakes.examples import few
from tests.fakes.skill_keys import NOW, PUBLISHER_KEY, ROOT_KEY, SMALL_ORDER_KEY

ids = st.sampled_from(["a", "b", "c", "d-1", "E_2."])
good_keys = st.sampled_from([ROOT_KEY, PUBLISHER_KEY])
keys = good_keys | st.sampled_from(["YQ==", SMALL_ORDER_KEY])
ends = st.none() | st.sampled_from([0, NOW - 1, NOW, NOW + 1, 2**64 - 1])
clean = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
extras = st.dictionaries(clean.map(lambda name: "x" + name), clean | st.integers(), max_size=2)
records = st.builds(
    TrustRecord,
    ids,
    keys | clean,
    st.booleans(),
    ends,
    st.none() | clean,
    extras.map(lambda fields: tuple(fields.items())),
)
stores = st.lists(records, max_size=5, unique_by=lambda record: record.id)
changes = st.builds(
    Changes,
    st.lists(st.builds(KeySpec, ids, keys), max_size=2).map(tuple),
    st.lists(ids | st.just(" "), max_size=2).map(tuple),
    st.lists(st.builds(Rotation, ids, st.builds(KeySpec, ids, keys)), max_size=2).map(tuple),
    st.lists(st.builds(Expiry, ids, ends), max_size=2).map(tuple),
    st.booleans(),
)


@given(store=stores)
@settings(max_examples=few(80), deadline=None)
def test_a_store_comes_back_as_it_was_written(store: list[TrustRecord]) -> None:
    """parse(render(s)) == s, and rendering that again gives the same bytes."""
    data = render_store(store)
    assert list(parse_store(data, "x")) == store
    assert render_store(parse_store(data, "x")) == data


@given(data=st.binary(max_size=60) | stores.map(render_store), cut=st.integers(0, 400))
@settings(max_examples=few(80), deadline=None)
def test_a_damaged_store_is_read_or_refused(data: bytes, cut: int) -> None:
    """Any bytes are a store, or a ConfigError."""
    try:
        parse_store(data[:cut], "x")
    except ConfigError:
        pass


@given(store=stores, wanted=changes)
@settings(max_examples=few(120), deadline=None)
def test_a_change_keeps_what_it_does_not_name(store: list[TrustRecord], wanted: Changes) -> None:
    """No record is lost or moved; new ones stand at the end; only named ones differ; a key
    that was put in can verify; a record that is revoked is active nowhere."""
    try:
        after, counts = change(store, wanted, NOW)
    except UsageError:
        return
    assert [record.id for record in after[: len(store)]] == [record.id for record in store]
    assert len(after) == len(store) + counts.added
    named = {spec.id for spec in wanted.adds} | set(wanted.revokes)
    named |= {each.old_id for each in wanted.rotates} | {each.new.id for each in wanted.rotates}
    named |= {each.id for each in wanted.expires}
    before = {record.id: record for record in store}
    for record in after:
        if record.id not in named:
            assert record == before[record.id]
        elif record.id not in before or record.public_key != before[record.id].public_key:
            assert len(decode_public_key(record.public_key)) == 32
    for record in after:
        if record.status(NOW) != "active":
            others = [each for each in after if each.id == record.id]
            assert record.id not in trusted_roots([], others, NOW).keys


@given(store=stores, names=st.lists(ids, max_size=3))
@settings(max_examples=few(100), deadline=None)
def test_revoking_twice_is_revoking_once(store: list[TrustRecord], names: list[str]) -> None:
    """change(change(s)) == change(s) for revocations, and the second counts nothing."""
    wanted = Changes(revokes=tuple(names))
    try:
        once, _ = change(store, wanted, NOW)
    except UsageError:
        return
    again, counts = change(once, wanted, NOW)
    assert again == once
    assert counts.revoked == 0


@given(store=stores, steps=st.lists(changes, max_size=3))
@settings(max_examples=few(40), deadline=None)
def test_the_file_follows_the_values(store: list[TrustRecord], steps: list[Changes]) -> None:
    """After any changes, good or refused, the file holds what the pure changes give, and
    nothing lies beside it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "roots.json")
        with open(path, "wb") as file:
            file.write(render_store(store))
        now: tuple[TrustRecord, ...] = tuple(store)
        for step in steps:
            try:
                now, counts = change(now, step, NOW)
            except UsageError:
                with pytest.raises(UsageError):
                    update_trust_file(path, step, now=NOW, random_bytes=os.urandom)
                continue
            found, told = update_trust_file(path, step, now=NOW, random_bytes=os.urandom)
            assert (found.records, told) == (now, counts)
        assert read_trust_file(path).records == now
        assert os.listdir(folder) == ["roots.json"]


@given(text=st.text(max_size=20) | st.text(alphabet="ab:= Q", max_size=8))
@settings(max_examples=few(80), deadline=None)
def test_any_spec_is_taken_or_refused(text: str) -> None:
    """Each parser gives a value with an id, or UsageError that shows the text."""
    parsers: list[Any] = [parse_key_spec, parse_rotation, parse_expiry]
    for parser in parsers:
        try:
            found, said = parser(text)[0], text
        except PiError as exc:
            found, said = "none", exc.message
        assert found
        assert text in said
