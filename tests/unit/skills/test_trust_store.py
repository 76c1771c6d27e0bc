from __future__ import annotations

import json
from typing import Any

import pytest

from pi.base.errors import ConfigError, UsageError
from pi.skills.trust_store import (
    Changes,
    Counts,
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
from tests.fakes.skill_keys import (
    NOW,
    OFF_CURVE_KEY,
    PUBLISHER_KEY,
    ROOT_KEY,
    SMALL_ORDER_KEY,
)

OLD = TrustRecord("old", ROOT_KEY)
RECORD = {"id": "old", "public_key": ROOT_KEY}


def parse(value: Any) -> tuple[TrustRecord, ...]:
    return parse_store(json.dumps(value).encode(), "roots.json")


def test_all_three_forms_are_read_and_one_is_written() -> None:
    for form in ([RECORD], {"roots": [RECORD]}, {"keys": [RECORD]}):
        assert parse(form) == (OLD,)
    assert parse({"roots": [], "keys": [RECORD]}) == ()
    assert render_store([OLD]).decode() == (
        '{\n  "roots": [\n    {\n      "id": "old",\n'
        f'      "public_key": "{ROOT_KEY}",\n'
        '      "revoked": false,\n      "expires_unix": null,\n      "rotated_from": null\n'
        "    }\n  ]\n}\n"
    )


def test_fields_of_other_programs_are_kept() -> None:
    (record,) = parse([{**RECORD, "note": {"é": 1}, "expires_unix": 7}])
    assert record.extra == (("note", {"é": 1}),)
    assert parse_store(render_store([record]), "x") == (record,)
    records, _ = change([record], Changes(revokes=("old",)), NOW)
    assert records[0].extra == record.extra


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (5, "must be an object"),
        ({}, "neither roots nor keys"),
        ({"roots": None}, "not null"),
        ({"roots": {}}, "must be an array"),
        ([5], "root 1 must be an object"),
        ([{"public_key": ""}], "root 1: id is missing"),
        ([{"id": "a"}], "root 1: public_key is missing"),
        ([{**RECORD, "revoked": None}], "revoked must be true or false"),
        ([{**RECORD, "expires_unix": 1.0}], "expires_unix must be an integer"),
        ([{**RECORD, "expires_unix": -1}], "between 0 and"),
        ([{**RECORD, "rotated_from": 1}], "rotated_from must be a string"),
        ([RECORD, {**RECORD, "revoked": True}], "'old' stands there twice"),
        ([{**RECORD, "id": "a:b"}], "id 'a:b' must be"),
    ],
)
def test_a_malformed_store_is_refused(value: Any, cause: str) -> None:
    with pytest.raises(ConfigError, match=r"failed to parse trusted root file 'roots\.json'") as no:
        parse(value)
    assert cause in no.value.cause


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"[" * 99_999, b'{"roots":[],"roots":[]}'])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigError, match="failed to parse trusted root file"):
        parse_store(data, "x")


def test_a_record_is_revoked_before_it_is_expired() -> None:
    assert TrustRecord("a", "k").status(NOW) == "active"
    assert TrustRecord("a", "k", False, NOW + 1).status(NOW) == "active"
    assert TrustRecord("a", "k", False, NOW).status(NOW) == "expired"
    assert TrustRecord("a", "k", True, NOW).status(NOW) == "revoked"


def test_specs_are_split_at_the_first_sign_so_that_padding_survives() -> None:
    assert parse_key_spec(" a = YQ== ") == KeySpec("a", "YQ==")
    assert parse_rotation("old : new = YQ==") == Rotation(
        "old", KeySpec("new", "YQ==", "--skill-trust-rotate")
    )
    assert parse_expiry("a=5") == Expiry("a", 5)
    assert parse_expiry(" a = none ") == Expiry("a", None)


@pytest.mark.parametrize("text", ["", "a", "a=", "=YQ==", " =YQ==", "a= "])
def test_a_bad_key_spec_names_flag_value_and_form(text: str) -> None:
    with pytest.raises(UsageError, match="expected key_id=base64_key") as caught:
        parse_key_spec(text, "--skill-trust-root")
    assert caught.value.message.startswith(f"--skill-trust-root '{text}'")


@pytest.mark.parametrize("text", ["", "a", "a:b", "a=YQ==", ":b=YQ==", "a:=YQ==", "a:b="])
def test_a_bad_rotation_names_value_and_form(text: str) -> None:
    with pytest.raises(UsageError, match="expected old_id:new_id=base64_key") as caught:
        parse_rotation(text)
    assert f"'{text}'" in caught.value.message


@pytest.mark.parametrize("text", ["", "a", "a=", "a=-1", "a=1.5", "=5", "a=²", f"a={2**64}"])
def test_a_bad_expiry_names_value_and_form(text: str) -> None:
    with pytest.raises(UsageError, match="expected key_id=unix_seconds"):
        parse_expiry(text)


def test_an_id_that_would_make_a_certificate_ambiguous_is_refused() -> None:
    for parser, text in ((parse_key_spec, "a:b=YQ=="), (parse_rotation, "a:b:c=YQ==")):
        with pytest.raises(UsageError, match="a key id must be"):
            parser(text)


def added(*specs: KeySpec, replace: bool = False) -> Changes:
    return Changes(adds=specs, replace=replace)


def test_add_appends_or_revives() -> None:
    records, counts = change([], added(KeySpec("a", ROOT_KEY)), NOW)
    assert (records, counts) == ((TrustRecord("a", ROOT_KEY),), Counts(added=1))
    gone = TrustRecord("a", ROOT_KEY, True, NOW + 9, "older")
    records, counts = change([gone], added(KeySpec("a", ROOT_KEY)), NOW)
    assert records == (TrustRecord("a", ROOT_KEY, False, NOW + 9, None),)
    assert counts == Counts(updated=1)


def test_add_takes_a_past_end_away() -> None:
    ended = TrustRecord("a", ROOT_KEY, False, NOW)
    records, _ = change([ended], added(KeySpec("a", ROOT_KEY)), NOW)
    assert records[0].expires_unix is None


def test_add_with_another_key_needs_to_be_meant() -> None:
    spec = KeySpec("old", PUBLISHER_KEY)
    with pytest.raises(UsageError, match="already has another key") as caught:
        change([OLD], added(spec), NOW)
    assert "--skill-trust-rotate" in caught.value.hint
    with pytest.raises(UsageError, match="already has another key"):
        change([], added(KeySpec("old", ROOT_KEY), spec), NOW)
    records, counts = change([OLD], added(spec, replace=True), NOW)
    assert (records[0].public_key, counts.updated) == (PUBLISHER_KEY, 1)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("YQ==", "32 bytes"),
        ("!", "base64"),
        (ROOT_KEY[:-2] + "p=", "canonical"),
        (SMALL_ORDER_KEY, "small order"),
        (OFF_CURVE_KEY, "not a point of the curve"),
    ],
)
def test_a_key_is_checked_when_it_is_added_or_rotated_to(key: str, says: str) -> None:
    spec = KeySpec("new", key)
    for changes in (added(spec), Changes(rotates=(Rotation("old", spec),))):
        with pytest.raises(UsageError, match=says):
            change([OLD], changes, NOW)


def test_revoke_counts_only_what_was_not_revoked_and_skips_blanks() -> None:
    records, counts = change([OLD], Changes(revokes=(" old ", "", "  ", "old")), NOW)
    assert (records[0].revoked, counts) == (True, Counts(revoked=1))
    with pytest.raises(UsageError, match="cannot revoke unknown trust key id 'x'") as caught:
        change([OLD], Changes(revokes=("x",)), NOW)
    assert caught.value.hint == "known: old"


def test_rotate_revokes_the_old_and_adds_the_new() -> None:
    rotation = Rotation("old", KeySpec("new", PUBLISHER_KEY))
    records, counts = change([OLD], Changes(rotates=(rotation,)), NOW)
    new = TrustRecord("new", PUBLISHER_KEY, False, None, "old")
    assert records == (OLD._replace(revoked=True), new)
    assert counts == Counts(added=1, rotated=1)
    gone = TrustRecord("new", ROOT_KEY, True, NOW - 1, None)
    records, counts = change([OLD, gone], Changes(rotates=(rotation,)), NOW)
    assert (records[1], counts) == (new, Counts(updated=1, rotated=1))


def test_rotate_needs_a_known_id_and_another_one() -> None:
    with pytest.raises(UsageError, match="cannot rotate unknown trust key id 'x'"):
        change([], Changes(rotates=(Rotation("x", KeySpec("n", ROOT_KEY)),)), NOW)
    with pytest.raises(UsageError, match="cannot rotate trust key id 'old' to itself"):
        change([OLD], Changes(rotates=(Rotation("old", KeySpec("old", PUBLISHER_KEY)),)), NOW)


def test_an_end_can_be_set_and_taken_away() -> None:
    records, counts = change([OLD], Changes(expires=(Expiry("old", 5),)), NOW)
    assert (records[0].expires_unix, counts) == (5, Counts(updated=1))
    records, counts = change(records, Changes(expires=(Expiry("old", None),)), NOW)
    assert records == (OLD,)
    with pytest.raises(UsageError, match="unknown trust key id 'x'"):
        change([], Changes(expires=(Expiry("x", 1),)), NOW)


def test_adds_come_before_revokes_and_these_before_rotates() -> None:
    changes = Changes(
        adds=(KeySpec("a", ROOT_KEY),),
        revokes=("a",),
        rotates=(Rotation("a", KeySpec("b", PUBLISHER_KEY)),),
        expires=(Expiry("b", NOW + 1),),
    )
    records, counts = change([], changes, NOW)
    assert [(each.id, each.status(NOW)) for each in records] == [("a", "revoked"), ("b", "active")]
    assert counts.text() == "added=2 updated=1 revoked=1 rotated=1"
    assert not changes.is_empty()
    assert Changes(replace=True).is_empty()
