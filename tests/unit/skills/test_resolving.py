from __future__ import annotations

from typing import Any

import pytest

from pi.base.errors import PiError, VerificationFailed
from pi.skills.registry import parse_registry
from pi.skills.resolving import (
    Resolution,
    ResolvedSkill,
    check_digest,
    check_payload,
    check_sha256,
    resolve_names,
)
from pi.skills.trust_set import trusted_roots
from tests.fakes import skill_keys as known
from tests.fakes.skill_keys import NOW, ROOT, SKILL, URL, manifest, publisher, skill

ROOTS = trusted_roots([ROOT], [], NOW).keys
UNSIGNED = {"signing_key": ..., "signature": ...}


def resolve(data: bytes, *names: str, require: str = "", roots: Any = ROOTS) -> Resolution:
    return resolve_names(parse_registry(data, URL), names or ["review"], roots, NOW, require)


def refused(data: bytes, says: str, *, require: str = "", roots: Any = ROOTS) -> PiError:
    with pytest.raises(PiError) as caught:
        resolve(data, require=require, roots=roots)
    assert says in caught.value.message
    return caught.value


def test_a_signed_skill_is_resolved_to_all_that_is_needed() -> None:
    (found,) = resolve(manifest()).skills
    assert found.url == "https://registry.example/review.md"
    assert (found.sha256, found.signature) == (known.SKILL_SHA256, known.SKILL_SIGNATURE)
    assert found.signer is not None
    assert found.signer.public_key == known.PUBLISHER_KEY
    check_payload(found, SKILL)


def test_names_keep_their_order_and_count_once() -> None:
    data = manifest(skills=[skill(name=name, **UNSIGNED) for name in "abc"])
    assert [each.name for each in resolve(data, "c", "a", "c").skills] == ["c", "a"]


def test_an_absent_name_is_named_with_its_nearest() -> None:
    with pytest.raises(PiError, match="registry does not contain skill 'reviev'") as caught:
        resolve(manifest(), "reviev")
    assert caught.value.hint == "did you mean review?"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"revoked": True}, "'review' is revoked"),
        ({"expires_unix": NOW}, "'review' is expired"),
        ({"signature": ...}, "'review' has incomplete signing metadata: signing_key and signature"),
        ({"signing_key": None}, "'review' has incomplete signing metadata"),
        ({**UNSIGNED, "statement_signature": "x"}, "'review' has incomplete signing metadata"),
        ({"signing_key": "nobody"}, "'review' has untrusted signing key 'nobody'"),
        ({"sha256": "abc"}, "sha256 must be 64 hexadecimal digits"),
        ({"url": "file:///etc/passwd"}, "unsupported skill URL scheme"),
        ({"url": "https://"}, "invalid skill URL"),
    ],
)
def test_what_may_not_be_installed_is_refused_before_a_download(
    entry: dict[str, Any], says: str
) -> None:
    assert refused(manifest(skills=[skill(**entry)]), says).exit_code == 7


def test_unsigned_skills_are_refused_where_signatures_are_required() -> None:
    data = manifest(skills=[skill(**UNSIGNED)])
    (found,) = resolve(data).skills
    assert (found.signer, found.signature) == (None, "")
    for require in ("signed", "strict"):
        refused(data, "'review' is unsigned but signatures are required", require=require)


def test_strictly_required_means_a_statement_too() -> None:
    resolve(manifest(), require="signed")
    refused(manifest(), "has no statement_signature", require="strict")


@pytest.mark.parametrize(
    ("key", "says", "cause"),
    [
        ({"revoked": True}, "'review' has revoked signing key 'publisher'", ""),
        ({"expires_unix": 1}, "'review' has expired signing key 'publisher'", ""),
        ({"signed_by": ..., "signature": ...}, "untrusted signing key", "nobody certified it"),
        ({"signed_by": "gone"}, "untrusted signing key 'publisher'", "certified by 'gone'"),
        ({"signature": "YQ=="}, "failed to verify registry key 'publisher' signed by 'root'", ""),
        ({"signature": ...}, "incomplete signing metadata", ""),
    ],
)
def test_why_the_signing_key_does_not_count_is_said(
    key: dict[str, Any], says: str, cause: str
) -> None:
    assert cause in refused(manifest(keys=[publisher(**key)]), says).cause


def test_a_broken_key_fails_only_what_needs_it() -> None:
    broken = publisher(id="other", signature="YQ==")
    found = resolve(manifest(keys=[broken, publisher()]))
    assert [each.name for each in found.skills] == ["review"]
    assert "failed to verify registry key 'other'" in found.warnings[0]
    above = [publisher(id="top", signature="YQ=="), publisher(signed_by="top")]
    refused(manifest(keys=above), "failed to verify registry key 'top' signed by 'root'")


def test_an_end_above_the_signing_key_is_named() -> None:
    keys = [publisher(id="top", revoked=True), publisher(signed_by="top")]
    error = refused(manifest(keys=keys), "untrusted signing key 'publisher'")
    assert error.cause == "key 'top' above it is revoked"
    circle = [publisher(signed_by="b"), publisher(id="b", signed_by="publisher")]
    refused(manifest(keys=circle), "untrusted signing key 'publisher'")


def test_a_root_may_sign_a_skill_itself() -> None:
    pytest.importorskip("nacl")
    from pi.skills.signing import Signer

    signature = Signer("root", known.ROOT_SEED).sign(SKILL)
    data = manifest(keys=[], skills=[skill(signing_key="root", signature=signature)])
    (found,) = resolve(data).skills
    check_payload(found, SKILL)


def test_a_root_refused_by_the_manifest_fails_also_unsigned_skills() -> None:
    root = {"id": "root", "public_key": known.ROOT_KEY, "revoked": True}
    refused(manifest(keys=[root], skills=[skill(**UNSIGNED)]), "is revoked in registry manifest")


def test_a_relative_address_begins_at_the_registry() -> None:
    (found,) = resolve(manifest(skills=[skill(url="skills/review.md")])).skills
    assert found.url == "https://registry.example/r/skills/review.md"


# Payloads


def fails(found: ResolvedSkill, data: bytes, says: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        check_payload(found, data)
    assert says in caught.value.message
    assert found.url in caught.value.message
    assert "registry skill" not in caught.value.message  # no content


def test_digest_and_signature_are_both_checked() -> None:
    (found,) = resolve(manifest()).skills
    fails(found, SKILL + b"!", "sha256 mismatch for")
    (found,) = resolve(manifest(skills=[skill(sha256=...)])).skills
    fails(found, SKILL + b"!", "signature verification failed for")
    (found,) = resolve(manifest(skills=[skill(signature="YQ==")])).skills
    fails(found, SKILL, "signature must decode to 64 bytes")


def test_an_unsigned_skill_has_only_its_digest() -> None:
    check_payload(ResolvedSkill("a", "https://h/a"), b"anything")
    empty = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
    check_digest(b"", f" {empty}\n", "https://h/a")
    with pytest.raises(VerificationFailed, match=r"expected 00.*actual e3b0c442"):
        check_digest(b"", "0" * 64, "https://h/a")
    check_sha256("A" * 64, "x")


def test_a_statement_binds_name_and_end() -> None:
    pytest.importorskip("nacl")
    from pi.skills.signing import Signer

    signer = Signer("publisher", known.PUBLISHER_SEED)
    statement = signer.sign_statement("review", SKILL, NOW + 5)
    entry = skill(statement_signature=statement, expires_unix=NOW + 5)
    (found,) = resolve(manifest(skills=[entry]), require="strict").skills
    check_payload(found, SKILL)
    for change in ({"name": "deploy"}, {"expires_unix": NOW + 6}, {"expires_unix": ...}):
        other = manifest(skills=[{**known.without_absent({**entry, **change})}])
        (found,) = resolve(other, str(change.get("name", "review")), require="strict").skills
        fails(found, SKILL, "statement: the signature does not match")
