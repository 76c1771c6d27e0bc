from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nacl")

from pi.base.errors import ConfigError, PiError, UsageError, VerificationFailed
from pi.skills.registry import Manifest, RegistryError, parse_registry
from pi.skills.registry_build import (
    Plan,
    Source,
    Written,
    apply_plan,
    plan_registry,
    read_previous,
    source,
)
from pi.skills.registry_signature import check_registry, parse_detached
from pi.skills.resolving import check_payload, resolve_names
from pi.skills.signing import Signer
from pi.skills.trust_set import trusted_roots
from tests.fakes import skill_keys as known
from tests.fakes.skill_keys import NOW, ROOT, URL, publisher, skill

ROOTS = trusted_roots([ROOT], [], NOW).keys
ROOT_SIGNER = Signer("root", known.ROOT_SEED)
PUBLISHER = Signer("publisher", known.PUBLISHER_SEED)
SOURCES = [Source("review", "review.md", known.SKILL), Source("pack", "pack.zip", b"PK\0\xff")]


def packed(name: str, folder: str = "") -> bytes:
    """A zip of a folder whose skill says that it is called ``name``."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        text = f"---\nname: {name}\ndescription: Does.\n---\nDo.\n"
        archive.writestr(f"{folder or name}/SKILL.md", text)
    return file.getvalue()


def plan(sources: Any = SOURCES, signer: Signer = PUBLISHER, **more: Any) -> Plan:
    return plan_registry(sources, signer, **{"root": ROOT_SIGNER, "now": NOW, **more})


def manifest_of(made: Plan) -> Manifest:
    return parse_registry(dict(made.files)["manifest.json"] or b"", URL)


def earlier(keys: list[dict[str, Any]], skills: list[dict[str, Any]]) -> Manifest:
    return parse_registry(known.manifest(keys=keys, skills=skills), URL)


def test_an_installer_accepts_what_was_built_even_strictly() -> None:
    files = dict(plan().files)
    data = files["manifest.json"] or b""
    check_registry(data, parse_detached(files["manifest.json.sig"] or b"", URL), ROOTS, URL)
    found = resolve_names(parse_registry(data, URL), ["pack", "review"], ROOTS, NOW, "strict")
    for each in found.skills:
        assert each.url.startswith("https://registry.example/r/skills/")
        check_payload(each, files[each.url[len("https://registry.example/r/") :]] or b"")
    assert json.loads(data)["keys"] == [publisher()]


def test_equal_input_makes_equal_files_in_any_order() -> None:
    assert plan(SOURCES[::-1]) == plan()
    again = plan(previous=manifest_of(plan()))
    assert again == plan()


def test_files_come_before_the_manifest_that_names_them() -> None:
    assert [name for name, _ in plan().files] == [
        *("skills/pack.zip", "skills/review.md", "manifest.json", "manifest.json.sig")
    ]


def test_a_publisher_that_nobody_certified_signs_as_a_root() -> None:
    files = dict(plan(root=None).files)
    roots = trusted_roots([known.KeySpec("publisher", known.PUBLISHER_KEY)], [], NOW).keys
    detached = parse_detached(files["manifest.json.sig"] or b"", URL)
    check_registry(files["manifest.json"] or b"", detached, roots, URL)


def test_without_the_root_the_certificate_stays_and_the_old_signature_goes() -> None:
    made = plan(root=None, previous=manifest_of(plan()))
    assert manifest_of(made).keys == manifest_of(plan()).keys
    assert dict(made.files)["manifest.json.sig"] is None


def test_what_was_revoked_stays_revoked() -> None:
    keys = [publisher(id="gone", revoked=True), publisher(id="other")]
    skills = [skill(name="bad", revoked=True), skill(name="dropped"), skill(revoked=True)]
    made = plan(previous=earlier(keys, skills))
    found = manifest_of(made)
    assert [key.id for key in found.keys] == ["publisher", "gone", "other"]
    assert [entry.name for entry in found.skills] == ["bad", "pack", "review"]
    assert [entry.revoked for entry in found.skills] == [True, False, True]
    assert made.dropped == ("dropped",)


def test_other_bytes_under_a_revoked_name_are_a_new_start() -> None:
    old = earlier([], [skill(revoked=True)])
    made = plan([Source("review", "review.md", b"mended")], previous=old)
    assert [entry.revoked for entry in manifest_of(made).skills] == [False]


def test_a_revoked_expired_or_other_key_cannot_sign() -> None:
    for changes, word in (({"revoked": True}, "is revoked"), ({"expires_unix": 5}, "is expired")):
        with pytest.raises(VerificationFailed, match=word):
            plan(previous=earlier([publisher(**changes)], []))
    with pytest.raises(UsageError, match="knows another key under the id 'publisher'"):
        plan(previous=earlier([publisher(public_key=known.ROOT_KEY)], []))


def test_an_end_is_signed_and_one_that_has_come_is_refused() -> None:
    (entry, _) = manifest_of(plan(expires_unix=NOW + 1)).skills
    assert entry.expires_unix == NOW + 1
    for past in (0, NOW):
        with pytest.raises(VerificationFailed, match="is expired"):
            plan(expires_unix=past)


def test_two_sources_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two sources make a skill named 'Review'"):
        plan([*SOURCES, Source("Review", "Review.zip", b"")])


@pytest.mark.parametrize(
    "path", ["a", "a.txt", ".md", "x/.hidden.md", "a b.md", "é.md", "-a.md", "con.md"]
)
def test_a_file_that_no_installer_would_take_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match=r"must|no skill can be named"):
        source(path, b"")


def test_the_name_is_the_file_without_its_ending() -> None:
    made = [
        source("x/a.b.md", b"Do."),
        source("p.zip", packed("p")),
        source("q.skill", packed("q", "q.old")),
    ]
    assert [each.name for each in made] == ["a.b", "p", "q"]
    assert source("a.md", b"---\nname: a\ndescription: A.\n---\n").name == "a"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("review.md", b"---\nname: deploy\ndescription: Deploys.\n---\n"),
        ("review.skill", packed("deploy", "review")),
        ("review.zip", packed("deploy")),
    ],
)
def test_a_skill_that_calls_itself_otherwise_is_refused(path: str, data: bytes) -> None:
    with pytest.raises(UsageError, match="calls itself 'deploy', its file calls it 'review'"):
        source(path, data)


@pytest.mark.parametrize(
    ("path", "data"),
    [("a.skill", b"PK"), ("a.md", b"\xff"), ("a.md", b"---\nname: a\nname: b\n---\n")],
)
def test_what_no_installer_could_read_is_refused(path: str, data: bytes) -> None:
    with pytest.raises(PiError):
        source(path, data)


# On disk


def test_what_is_planned_is_written_and_equal_files_are_left_alone(tmp_path: Path) -> None:
    folder = str(tmp_path / "site")
    assert read_previous(folder) is None
    assert apply_plan(folder, plan(), os.urandom) == Written(4, 0, 0)
    assert (tmp_path / "site/skills/pack.zip").read_bytes() == b"PK\0\xff"
    assert apply_plan(folder, plan(), os.urandom) == Written(0, 4, 0)
    previous = read_previous(folder)
    assert previous is not None
    later = plan(root=None, previous=previous)
    assert apply_plan(folder, later, os.urandom) == Written(0, 3, 1)
    assert sorted(path.name for path in (tmp_path / "site").iterdir()) == [
        *("manifest.json", "skills")
    ]


def test_a_link_in_the_way_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "skills").mkdir()
    (tmp_path / "outside").write_bytes(known.SKILL)
    (tmp_path / "skills/review.md").symlink_to("../outside")
    apply_plan(str(tmp_path), plan(), os.urandom)
    assert not (tmp_path / "skills/review.md").is_symlink()


def test_a_manifest_that_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"{")
    with pytest.raises(RegistryError, match="failed to parse registry"):
        read_previous(str(tmp_path))
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(ConfigError, match="failed to read"):
        read_previous(str(tmp_path))
    with pytest.raises(ConfigError, match="failed to write"):
        apply_plan(str(tmp_path), plan(), os.urandom)
