"""Every check of an installed skill, by what the lockfile says and by real signatures."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest

from pi.skills.archive import read_archive
from pi.skills.installed import Installed
from pi.skills.items import Item
from pi.skills.lockfile import Lock, LockEntry, make_lock, make_source
from pi.skills.trust_set import trusted_roots
from pi.skills.trust_store import KeySpec, TrustRecord
from pi.skills.verify import FAIL, PASS, WARN, Report, Trust, verify
from tests.fakes.skill_keys import (
    CERTIFICATE,
    NOW,
    OTHER_SEED,
    PUBLISHER_KEY,
    PUBLISHER_SEED,
    ROOT_KEY,
    ROOT_SEED,
    SIGNATURE_SHA256,
    SKILL,
    SKILL_SHA256,
    SKILL_SIGNATURE,
)
from tests.fakes.skill_signer import key_entry, public_key, skill_entry

CHAIN = [{"id": "publisher", "public_key": PUBLISHER_KEY, "signed_by": "root",
          "signature": CERTIFICATE}]  # fmt: skip
SIGNED: dict[str, Any] = {
    "registry_url": "https://h/r.json",
    "name": "review",
    "url": "https://h/review.md",
    "expected_sha256": SKILL_SHA256,
    "signing_key_id": "publisher",
    "signature": SKILL_SIGNATURE,
    "signer_public_key": PUBLISHER_KEY,
    "signature_sha256": SIGNATURE_SHA256,
    "signer_chain": CHAIN,
}
ROOT = TrustRecord("root", ROOT_KEY)


def trust(*records: TrustRecord, inline: Sequence[KeySpec] = ()) -> Trust:
    return Trust(records, trusted_roots(inline, records, NOW).keys, NOW)


NOBODY = Trust(None, {}, NOW)


def entry(kind: str = "registry", digest: str = SKILL_SHA256, **changes: Any) -> LockEntry:
    known = {**SIGNED, **changes} if kind in ("remote", "registry") else changes
    return LockEntry("review", "review.md", digest, make_source(kind, known))


def judged(
    one: LockEntry | Lock,
    trusted: Trust = NOBODY,
    require: str = "",
    data: bytes | None = SKILL,
    there: Sequence[Installed] | None = None,
) -> Report:
    lock = one if isinstance(one, Lock) else make_lock([one])
    if there is None:
        there = [Installed(e.name, e.file, e.sha256, e.files) for e in lock.entries]
    return verify(lock, there, trusted, lambda entry: data, require)


def only(report: Report) -> tuple[str, tuple[str, ...]]:
    (verdict,) = report.entries
    return verdict.status, verdict.checks


def test_a_key_that_a_root_certified_is_trusted_after_a_real_check() -> None:
    assert only(judged(entry(), trust(ROOT))) == (
        PASS,
        ("sync=ok", "signature=trusted key=publisher"),
    )
    inline = Trust(None, trusted_roots([KeySpec("root", ROOT_KEY)], (), NOW).keys, NOW)
    assert only(judged(entry(), inline))[0] == PASS


def test_a_root_may_sign_itself() -> None:
    one = entry(signing_key_id="publisher", signer_chain=None)
    assert only(judged(one, trust(TrustRecord("publisher", PUBLISHER_KEY))))[0] == PASS


@pytest.mark.parametrize(
    ("one", "trusted", "require", "status", "check"),
    [
        (entry("unknown"), NOBODY, "", PASS, "source=unknown"),
        (entry("local", path="x.md"), NOBODY, "", PASS, "source=local"),
        (entry("unknown"), NOBODY, "signed", FAIL, "source=unknown"),
        (entry("local", path="x.md"), NOBODY, "signed", FAIL, "source=local"),
        (entry("remote", signing_key_id=None, signature=None, signature_sha256=None), NOBODY, "",
         WARN, "signature=unsigned"),
        (entry("remote", signing_key_id=None, signature=None, signature_sha256=None), NOBODY,
         "signed", FAIL, "signature=unsigned"),
        (entry(signing_key_id=None), NOBODY, "", FAIL, "signature=incomplete_metadata"),
        (entry(signature=None, signature_sha256=None), NOBODY, "", FAIL,
         "signature=incomplete_metadata"),
        (entry(), NOBODY, "", WARN, "signature=unverified key=publisher trust_root=none"),
        (entry(), NOBODY, "signed", FAIL, "signature=unverified key=publisher trust_root=none"),
        (entry(), trust(), "", FAIL, "signature=untrusted key=publisher"),
        (entry(), trust(TrustRecord("publisher", PUBLISHER_KEY, revoked=True)), "", FAIL,
         "signature=revoked key=publisher"),
        (entry(), trust(TrustRecord("publisher", PUBLISHER_KEY, expires_unix=NOW)), "", FAIL,
         "signature=expired key=publisher"),
        (entry(), trust(ROOT._replace(revoked=True)), "", FAIL, "signature=revoked key=publisher"),
        (entry(), trust(ROOT._replace(expires_unix=1)), "", FAIL,
         "signature=expired key=publisher"),
        (entry(), trust(TrustRecord("root", public_key(OTHER_SEED))), "", FAIL,
         "signature=untrusted key=publisher"),
        (entry(), trust(TrustRecord("publisher", ROOT_KEY)), "", FAIL,
         "signature=key_mismatch key=publisher"),
        (entry(signature="c2ln", signer_public_key="YQ=="), trust(ROOT), "", FAIL,
         "signature=untrusted key=publisher"),
        (entry(signature="c2ln"), trust(ROOT), "", FAIL, "signature=invalid key=publisher"),
        (entry(signer_chain=[]), trust(ROOT), "", FAIL, "signature=untrusted key=publisher"),
        (entry(signer_chain=["x"]), trust(ROOT), "", FAIL, "signature=untrusted key=publisher"),
        (entry(signer_chain=[{**CHAIN[0], "signature": SKILL_SIGNATURE}]), trust(ROOT), "", FAIL,
         "signature=untrusted key=publisher"),
        (entry(), trust(ROOT), "strict", FAIL, "signature=no_statement key=publisher"),
        (entry(digest="0" * 64, expected_sha256=None), trust(ROOT), "", FAIL,
         "signature=invalid key=publisher"),
    ],
)  # fmt: skip
def test_each_check_of_a_signature(
    one: LockEntry, trusted: Trust, require: str, status: str, check: str
) -> None:
    found = only(judged(one, trusted, require))
    assert found[0] == status
    assert check in found[1]
    assert found[1][0] == "sync=ok"


def test_a_key_that_certified_itself_is_not_trusted() -> None:
    """A registry that was taken over rotates to a key of its own."""
    own = key_entry("new", OTHER_SEED, "new", OTHER_SEED)
    fresh = skill_entry("review", "u", SKILL, "new", OTHER_SEED)
    one = entry(
        signing_key_id="new",
        signature=fresh["signature"],
        signer_public_key=own["public_key"],
        signature_sha256=hashlib.sha256(fresh["signature"].encode()).hexdigest(),
        signer_chain=[own],
    )
    assert only(judged(one, trust(ROOT))) == (FAIL, ("sync=ok", "signature=untrusted key=new"))


def stated(name: str, **more: Any) -> LockEntry:
    signed = skill_entry(name, "u", SKILL, "publisher", PUBLISHER_SEED, **more)
    return entry(statement_signature=signed["statement_signature"], **more)


def test_a_statement_binds_the_bytes_to_the_name_of_the_file() -> None:
    assert only(judged(stated("review"), trust(ROOT), "strict"))[0] == PASS
    assert only(judged(stated("review", expires_unix=5), trust(ROOT), "strict"))[0] == PASS
    renamed = stated("review")._replace(name="deploy", file="deploy.md")
    invalid = "signature=invalid key=publisher statement"
    assert only(judged(renamed, trust(ROOT))) == (FAIL, ("sync=ok", invalid))
    later = stated("review", expires_unix=5)
    assert only(
        judged(later._replace(source={**later.source, "expires_unix": 6}), trust(ROOT))
    ) == (FAIL, ("sync=ok", invalid))
    odd = later._replace(source={**later.source, "expires_unix": "5", "statement_signature": 1})
    assert only(judged(odd, trust(ROOT)))[0] == FAIL


def archived(**files: str) -> tuple[bytes, LockEntry]:
    """A signed folder: its archive, and its entry."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("review/SKILL.md", "---\ndescription: x\n---\n")
        for name, text in files.items():
            archive.writestr(f"review/{name}", text)
    data = out.getvalue()
    signed = skill_entry("review", "u", data, "publisher", PUBLISHER_SEED)
    source = make_source(
        "registry",
        {
            **SIGNED,
            "signature": signed["signature"],
            "signature_sha256": hashlib.sha256(signed["signature"].encode()).hexdigest(),
            "expected_sha256": signed["sha256"],
            "artifact_sha256": signed["sha256"],
        },
    )
    files_of = read_archive(data, "x").files
    return data, Item("review", files_of, source, "x", "registry").entry()


def test_the_archive_that_was_signed_must_unpack_to_what_was_locked() -> None:
    data, one = archived(run="x")
    assert only(judged(one, trust(ROOT), data=data)) == (
        PASS,
        ("sync=ok", "signature=trusted key=publisher"),
    )
    assert only(judged(one, trust(ROOT), data=None)) == (
        WARN,
        ("sync=ok", "signature=unverified key=publisher payload=none"),
    )
    _, other = archived(run="something else")
    forged = one._replace(sha256=other.sha256, files=other.files)
    assert only(judged(forged, trust(ROOT), data=data)) == (
        FAIL,
        ("sync=ok", "signature=invalid key=publisher"),
    )


def test_a_folder_that_came_as_its_one_file_is_that_file() -> None:
    one = entry(name="review")._replace(file="review/SKILL.md")
    files = (("SKILL.md", SKILL_SHA256),)
    line = f"{SKILL_SHA256}  SKILL.md\n".encode()
    whole = one._replace(sha256=hashlib.sha256(line).hexdigest(), files=files)
    assert only(judged(whole, trust(ROOT)))[1][-1] == "signature=trusted key=publisher"
    assert only(judged(one, trust(ROOT)))[1][-1] == "signature=invalid key=publisher"


def test_what_is_missing_changed_or_beside_the_lock_fails() -> None:
    gone = only(judged(entry("unknown"), there=[]))
    assert gone == (FAIL, ("sync=missing", "source=unknown"))
    changed = only(judged(entry("unknown"), there=[Installed("review", "review.md", "0" * 64)]))
    assert changed == (FAIL, ("sync=changed", "source=unknown"))
    extra = judged(make_lock([]), there=[Installed("x", "x.md", "0" * 64)])
    assert only(extra) == (FAIL, ("sync=extra_not_in_lockfile",))
    assert extra.drift.extra == ("x.md",)


def test_an_entry_that_contradicts_itself_fails() -> None:
    status, checks = only(judged(entry(expected_sha256="0" * 64), trust(ROOT)))
    assert status == FAIL
    assert any(check.startswith("metadata=expected_sha256 000") for check in checks)
    status, checks = only(judged(entry(signature_sha256=None), trust(ROOT)))
    assert "metadata=signature_sha256 missing for signed source" in checks


def test_the_worst_check_is_the_entrys_and_the_worst_entry_the_reports() -> None:
    lock = make_lock(
        [
            entry("local", path="x"),
            LockEntry("b", "b.md", SKILL_SHA256, make_source("remote", {"url": "u"})),
            LockEntry("c", "c.md", SKILL_SHA256, {"kind": "unknown"}),
        ]
    )
    report = judged(lock, trust(ROOT, TrustRecord("x", PUBLISHER_KEY, revoked=True)))
    assert [(one.file, one.status) for one in report.entries] == [
        *(("b.md", WARN), ("c.md", PASS), ("review.md", PASS))
    ]
    assert (report.status, report.count(PASS), report.count(WARN)) == (WARN, 2, 1)
    assert report.trust == {"total": 2, "active": 1, "revoked": 1, "expired": 0}
    assert judged(make_lock([])).status == PASS
    assert judged(make_lock([])).trust is None


def test_the_seeds_of_these_tests_are_those_of_the_known_answers() -> None:
    assert public_key(ROOT_SEED) == ROOT_KEY
    signed = skill_entry("review", "u", SKILL, "publisher", PUBLISHER_SEED)
    assert signed["signature"] == SKILL_SIGNATURE
