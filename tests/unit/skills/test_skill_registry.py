from __future__ import annotations

import json
from typing import Any

import pytest

from pi.skills import registry
from pi.skills.registry import RegistryError, is_expired, is_name, parse_registry
from tests.fakes.skill_keys import URL, manifest, publisher, skill


def parse(data: bytes) -> registry.Manifest:
    return parse_registry(data, URL)


def test_a_manifest_is_read_with_all_its_fields() -> None:
    found = parse(
        manifest(
            keys=[publisher(revoked=True, expires_unix=5, note="ignored")],
            skills=[skill(expires_unix=2**64 - 1, statement_signature="s", revoked=False)],
            more={"ignored": 1},
        )
    )
    assert found.url == URL
    (key,) = found.keys
    assert (key.id, key.signed_by, key.revoked, key.expires_unix) == ("publisher", "root", True, 5)
    assert found.key("publisher") == key
    assert found.key("other") is None
    (entry,) = found.skills
    assert (entry.expires_unix, entry.statement_signature) == (2**64 - 1, "s")


def test_keys_may_be_absent_and_optional_fields_null() -> None:
    bare = {"name": "a", "url": "u", "sha256": None, "signing_key": None, "expires_unix": None}
    found = parse(json.dumps({"version": 1, "skills": [bare]}).encode())
    assert found.keys == ()
    assert found.skills[0] == registry.SkillEntry("a", "u")


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"version": True}, "version must be an integer, not true"),
        ({"version": 1.0}, "version must be an integer, not a float"),
        ({"version": "1"}, "not a string"),
        ({"version": None}, "not null"),
        ({"version": -1}, "between 0 and 4294967295"),
        ({"version": 2**32}, "between 0 and 4294967295"),
        ({"keys": None}, "keys must be an array, not null"),
        ({"keys": {}}, "keys must be an array, not an object"),
        ({"skills": None}, "skills must be an array, not null"),
        ({"keys": [1]}, "keys[0] must be an object, not an integer"),
        ({"keys": [publisher(id=...)]}, "keys[0]: id is missing"),
        ({"keys": [publisher(id="a:b")]}, "keys[0]: id 'a:b' must be 1 to 128 of"),
        ({"keys": [publisher(id="")]}, "keys[0]: id ''"),
        ({"keys": [publisher(public_key=None)]}, "public_key must be a string, not null"),
        ({"keys": [publisher(revoked=None)]}, "revoked must be true or false, not null"),
        ({"keys": [publisher(revoked=0)]}, "revoked must be true or false, not an integer"),
        ({"keys": [publisher(expires_unix=1.5)]}, "expires_unix must be an integer"),
        ({"keys": [publisher(expires_unix=2**64)]}, "expires_unix must be between"),
        ({"keys": [publisher(signed_by="\x1b[2J")]}, "signed_by '\\x1b[2J' must be"),
        ({"skills": [skill(signing_key="")]}, "skills[0]: signing_key '' must be"),
        ({"skills": [skill(name=...)]}, "skills[0]: name is missing"),
        ({"skills": [skill(name="../x")]}, "skills[0]: name '../x' must be"),
        ({"skills": [skill(name="a" * 129)]}, "skills[0]: name"),
        ({"skills": [skill(url=...)]}, "skills[0]: url is missing"),
        ({"skills": [skill(sha256=5)]}, "sha256 must be a string"),
        ({"skills": [skill(revoked="no")]}, "revoked must be true or false"),
    ],
)
def test_a_wrong_type_is_named_with_its_place(changes: dict[str, Any], cause: str) -> None:
    with pytest.raises(RegistryError, match="failed to parse registry") as caught:
        parse(manifest(**changes))
    assert URL in caught.value.message
    assert cause in caught.value.cause


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"null", b"\xef\xbb\xbf{}", b"{", b'{"version":1,"version":1,"skills":[]}'],
)
def test_bad_json_fails_as_a_whole(data: bytes) -> None:
    with pytest.raises(RegistryError, match="failed to parse registry"):
        parse(data)


def test_skills_must_be_there() -> None:
    with pytest.raises(RegistryError) as caught:
        parse(b'{"version":1}')
    assert "skills is missing" in caught.value.cause


def test_version_0_and_newer_versions_are_refused() -> None:
    with pytest.raises(RegistryError, match="invalid version 0") as caught:
        parse(manifest(version=0))
    assert URL in caught.value.message
    with pytest.raises(RegistryError, match="version 2") as caught:
        parse(manifest(version=2))
    assert "newer program" in caught.value.hint


def test_repeated_ids_and_names_are_refused() -> None:
    with pytest.raises(RegistryError, match="duplicate key id 'publisher'"):
        parse(manifest(keys=[publisher(), publisher()]))
    with pytest.raises(RegistryError, match="duplicate skill name 'review'"):
        parse(manifest(skills=[skill(), skill(revoked=True)]))


def test_size_and_counts_are_limited() -> None:
    many = [{"id": f"k{n}", "public_key": ""} for n in range(registry.MAX_KEYS + 1)]
    with pytest.raises(RegistryError) as caught:
        parse(manifest(keys=many))
    assert "more than 1000 keys" in caught.value.cause
    with pytest.raises(RegistryError) as caught:
        parse(b" " * (registry.MAX_BYTES + 1))
    assert "larger than" in caught.value.cause


def test_what_a_name_is() -> None:
    assert all(map(is_name, ("a", "A.b_c-9", "x" * 128)))
    assert not any(map(is_name, ("", "a b", "a\n", "é", "a/b", "a:b", "x" * 129)))


def test_a_time_has_come_with_its_second() -> None:
    assert [is_expired(when, 5) for when in (None, 4, 5, 6)] == [False, True, True, False]


def test_a_password_in_the_address_is_not_shown() -> None:
    with pytest.raises(RegistryError) as caught:
        parse_registry(b"", "https://u:secret@h/m.json?token=abc")
    assert "secret" not in caught.value.message
    assert "abc" not in caught.value.message
