"""The lockfile's bytes, what of it is refused, and what drift is."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pi.base.errors import PiError, VerificationFailed
from pi.skills.drift import compare, metadata_problems
from pi.skills.installed import installed, tree_digest, tree_of
from pi.skills.lockfile import LockEntry, make_lock, make_source, parse_lock, render, unsafe

D1, D2 = "1" * 64, "2" * 64
LOCAL = make_source("local", {"path": "b.md"})


def entry(file: str, digest: str = D1, **source: Any) -> LockEntry:
    return LockEntry(file.partition(".")[0], file, digest, source or {"kind": "unknown"})


def test_a_lock_of_flat_skills_has_the_bytes_of_the_older_program() -> None:
    remote = make_source("remote", {"url": "https://x/\u00e9", "signature": "sig"})
    lock = make_lock([LockEntry("b", "b.md", D2, remote), LockEntry("a", "a.md", D1, LOCAL)])
    assert render(lock).decode() == (
        '{\n  "schema_version": 1,\n  "entries": [\n    {\n      "name": "a",\n'
        f'      "file": "a.md",\n      "sha256": "{D1}",\n      "source": {{\n'
        '        "kind": "local",\n        "path": "b.md"\n      }\n    },\n    {\n'
        f'      "name": "b",\n      "file": "b.md",\n      "sha256": "{D2}",\n'
        '      "source": {\n        "kind": "remote",\n        "url": "https://x/\u00e9",\n'
        '        "expected_sha256": null,\n        "signing_key_id": null,\n'
        '        "signature": "sig",\n        "signer_public_key": null,\n'
        '        "signature_sha256": null\n      }\n    }\n  ]\n}\n'
    )


def test_a_folder_makes_it_schema_2_and_it_is_read_back() -> None:
    folder = LockEntry("x", "x/SKILL.md", D1, {"kind": "unknown"}, (("SKILL.md", D2),))
    lock = make_lock([folder, entry("a.md")])
    assert json.loads(render(lock))["schema_version"] == 2
    assert parse_lock(render(lock), "p") == lock


def document(**changes: Any) -> bytes:
    item = {"name": "a", "file": "a.md", "sha256": D1, "source": {"kind": "unknown"}}
    item.update(changes)
    return json.dumps({"schema_version": 1, "entries": [item]}).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "failed to parse skills lockfile p"),
        (b"\xff", "failed to parse skills lockfile p"),
        (b"[" * 100_000, "failed to parse skills lockfile p"),
        (b'{"a": 1, "a": 2}', "failed to parse skills lockfile p"),
        (b"[]", "expected an object"),
        (b'{"schema_version": 9, "entries": []}', "unsupported skills lockfile schema_version 9"),
        (b'{"schema_version": true, "entries": []}', "unsupported skills lockfile"),
        (document(file=""), "empty file name"),
        (document(file="a.txt"), "non-markdown entry 'a.txt'"),
        (document(file="../escape.md"), "unsafe lockfile entry '../escape.md'"),
        (document(file="/a.md"), "unsafe lockfile entry '/a.md'"),
        (document(file="a\\b.md"), "unsafe lockfile entry"),
        (document(file="a/b.md"), "unsafe lockfile entry 'a/b.md'"),
        (document(file=3), "'file' must be a text"),
        (document(sha256=""), "empty sha256 of 'a.md'"),
        (document(sha256="12"), "sha256 of 'a.md' is not 64 hex digits"),
        (document(source={"kind": "x"}), "source of 'a.md' must be an object whose 'kind'"),
        (document(source={"kind": "local", "path": 3}), "'path' must be a text or null"),
        (document(files=[{}]), "files of 'a.md'"),
    ],
)
def test_what_is_wrong_with_a_lockfile_is_named(data: bytes, words: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        parse_lock(data, "p")
    assert words in caught.value.message
    assert "p" in caught.value.message


def test_an_entry_that_is_there_twice_is_refused() -> None:
    item = json.loads(document())["entries"][0]
    twice = json.dumps({"schema_version": 1, "entries": [item, item]}).encode()
    with pytest.raises(VerificationFailed, match=r"duplicate entry 'a\.md'"):
        parse_lock(twice, "p")


def test_names_that_lead_elsewhere_are_unsafe() -> None:
    assert unsafe("a.md") == ""
    assert unsafe("a/SKILL.md") == ""
    for file in ("a/../b.md", "./a.md", "c:a.md", "a//SKILL.md", "a/b/SKILL.md", "a.txt", "\0.md"):
        assert unsafe(file)


def test_drift_is_what_is_missing_extra_and_changed(tmp_path: Path) -> None:
    (tmp_path / "same.md").write_text("same")
    (tmp_path / "changed.md").write_text("new")
    (tmp_path / "extra.md").write_text("")
    same = hashlib.sha256(b"same").hexdigest()
    lock = make_lock([entry("same.md", same), entry("changed.md"), entry("gone.md")])
    drift = compare(lock, installed(str(tmp_path)))
    assert not drift.in_sync
    assert drift.detail() == (
        "expected_entries=3 actual_entries=3 missing=gone.md extra=extra.md "
        "changed=changed.md metadata=none"
    )
    assert drift.as_json()["metadata_mismatch"] == []


def test_a_changed_folder_is_one_drift_that_names_its_files(tmp_path: Path) -> None:
    (tmp_path / "x" / "scripts").mkdir(parents=True)
    (tmp_path / "x" / "SKILL.md").write_text("one")
    (tmp_path / "x" / "scripts" / "a.sh").write_text("two")
    (tmp_path / "x" / ".hidden").write_text("not counted")
    before = installed(str(tmp_path))
    assert [(one.file, len(one.files)) for one in before] == [("x/SKILL.md", 2)]
    lock = make_lock([LockEntry(o.name, o.file, o.sha256, LOCAL, o.files) for o in before])
    assert compare(lock, before).in_sync
    (tmp_path / "x" / "scripts" / "a.sh").write_text("three")
    (tmp_path / "x" / "new.txt").write_text("")
    drift = compare(lock, installed(str(tmp_path)))
    assert drift.changed == ("x/SKILL.md",)
    assert drift.as_json()["changed_files"] == {"x/SKILL.md": ["new.txt", "scripts/a.sh"]}


def test_the_tree_digest_is_that_of_what_sha256sum_prints(tmp_path: Path) -> None:
    for name in ("b", "a", "z"):
        (tmp_path / name).write_text(name)
    done = subprocess.run(
        ["sha256sum", "a", "b", "z"], cwd=tmp_path, capture_output=True, check=True
    )
    assert tree_digest(tree_of(str(tmp_path))) == hashlib.sha256(done.stdout).hexdigest()


def test_links_in_a_skill_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(PiError, match="failed to read"):
        tree_of(str(tmp_path))


def test_entries_that_contradict_themselves_are_told() -> None:
    text = "a543997d84f12798350c09bdef2cdb171bf41ed3e4a5f808af2feb0c56263009"
    signed = make_source("remote", {"signature": " sig ", "signature_sha256": text})
    assert metadata_problems(entry("a.md", **signed)) == ()
    for changes, words in (
        ({"signature_sha256": None}, "signature_sha256 missing for signed source"),
        ({"signature_sha256": D1}, f"signature_sha256 {D1} does not match computed digest {text}"),
        ({"signature": None}, "signature_sha256 is present without signature"),
    ):
        assert metadata_problems(entry("a.md", **{**signed, **changes})) == (words,)
    wrong = entry("a.md", **make_source("remote", {"expected_sha256": D2.upper()}))
    assert metadata_problems(wrong) == (
        f"expected_sha256 {D2} does not match lockfile sha256 {D1}",
    )
