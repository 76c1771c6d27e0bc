"""Skills from files, folders and archives: what is one, what is written, and what never is."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, PiError, UsageError
from pi.skills.archive import File
from pi.skills.install import apply, counts, plan
from pi.skills.installed import installed
from pi.skills.items import Item, checked, local_item
from pi.skills.lockfile import LockEntry, make_source

HEAD = "---\nname: review\ndescription: Reviews code.\n---\n"
LOCAL = make_source("local", {"path": "x"})


def flat(name: str, text: str = "text", step: str = "local", **source: object) -> Item:
    known = make_source("remote", source) if source else LOCAL
    return Item(name, {"": File(text.encode())}, known, f"{name} of {step}", step)


def folder(name: str, **files: str) -> Item:
    text = HEAD.replace("review", name)
    content = {"SKILL.md": text, **{path.replace("__", "/"): body for path, body in files.items()}}
    return Item(
        name, {path: File(body.encode()) for path, body in content.items()}, LOCAL, name, "local"
    )


class Managed:
    """A managed folder, and installs into it."""

    def __init__(self, path: Path) -> None:
        self.path = path / "skills"

    def __call__(
        self, *items: Item, locked: tuple[LockEntry, ...] = (), overwrite: bool = False
    ) -> str:
        there = {one.file: one for one in installed(str(self.path))}
        writes = plan(items, there, {one.file: one for one in locked}, overwrite=overwrite)
        apply(writes, str(self.path), random_bytes=os.urandom)
        return counts(writes, "local")

    def tree(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.path)): path.read_text("utf-8")
            for path in sorted(self.path.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def managed(tmp_path: Path) -> Managed:
    return Managed(tmp_path)


def test_a_skill_is_installed_then_skipped_then_updated(managed: Managed) -> None:
    assert managed(flat("a")) == "installed=1 updated=0 skipped=0"
    before = os.stat(managed.path / "a.md")
    assert managed(flat("a"), flat("b")) == "installed=1 updated=0 skipped=1"
    assert os.stat(managed.path / "a.md").st_ino == before.st_ino
    assert managed(flat("a", "new")) == "installed=0 updated=1 skipped=0"
    assert managed.tree() == {"a.md": "new", "b.md": "text"}


def test_a_folder_is_replaced_as_a_whole(managed: Managed) -> None:
    managed(folder("a", scripts__old="1"))
    assert managed(folder("a", scripts__new="2")) == "installed=0 updated=1 skipped=0"
    assert sorted(managed.tree()) == ["a/SKILL.md", "a/scripts/new"]
    assert sorted(os.listdir(managed.path)) == ["a"]


def test_owners_may_execute_what_they_could_and_nobody_else_may_write(managed: Managed) -> None:
    item = folder("a")
    files = {**item.files, "run": File(b"#!/bin/sh\n", True), "data": File(b"")}
    managed(item._replace(files=files))
    assert os.stat(managed.path / "a" / "run").st_mode & 0o7722 == 0o0700
    assert os.stat(managed.path / "a" / "data").st_mode & 0o7722 == 0o0600


@pytest.mark.parametrize("other", [flat("A"), folder("a"), flat("a", "x", "remote", url="u")])
def test_two_sources_for_one_name_are_an_error(managed: Managed, other: Item) -> None:
    with pytest.raises(UsageError, match="two sources install the skill"):
        managed(flat("a"), other)
    assert not managed.path.exists()


def locked(item: Item, **changes: object) -> LockEntry:
    return item.entry()._replace(**changes)  # type: ignore[arg-type]


def test_what_was_edited_is_overwritten_only_when_told(managed: Managed) -> None:
    managed(flat("a", "edited"))
    known = (locked(flat("a", "as locked")),)
    with pytest.raises(PiError, match="the skill 'a' is not overwritten") as caught:
        managed(flat("a", "new"), locked=known)
    assert "was edited" in caught.value.cause
    assert caught.value.hint == "--skills-overwrite does it"
    assert managed.tree() == {"a.md": "edited"}
    managed(flat("a", "new"), locked=known, overwrite=True)
    assert managed.tree() == {"a.md": "new"}


def test_what_comes_from_elsewhere_is_overwritten_only_when_told(managed: Managed) -> None:
    managed(flat("a", url="https://h/a.md"))
    known = (locked(flat("a", url="https://h/a.md")),)
    with pytest.raises(PiError) as caught:
        managed(flat("a", "new", url="https://other/a.md"), locked=known)
    assert "comes from another source" in caught.value.cause
    managed(flat("a", "new", url="https://h/a.md"), locked=known)
    unknown = (locked(flat("a", "new"), source={"kind": "unknown"}),)
    managed(flat("a", "newer", url="https://other/a.md"), locked=unknown)
    assert managed.tree() == {"a.md": "newer"}


@pytest.mark.parametrize(
    ("there", "item", "says"),
    [
        ("link", flat("a"), "nothing is written through links"),
        ("folder-link", folder("a"), "nothing is written through links"),
        ("folder", folder("a"), "something else is there"),
        ("file", folder("a"), "something else is there"),
        ("folder.md", flat("a"), "something else is there"),
    ],
)
def test_what_is_no_skill_is_not_replaced(
    managed: Managed, tmp_path: Path, there: str, item: Item, says: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine", encoding="utf-8")
    managed.path.mkdir()
    made = managed.path / ("a.md" if not item.is_folder else "a")
    if there == "link":
        made.symlink_to(outside / "mine")
    elif there == "folder-link":
        made.symlink_to(outside)
    elif there == "file":
        made.write_text("mine", encoding="utf-8")
    else:
        made.mkdir()
        (made / "notes").write_text("mine", encoding="utf-8")
    before = sorted(os.walk(tmp_path))
    with pytest.raises(PiError) as caught:
        managed(item)
    assert f"failed to install skill {managed.path / item.file}" == caught.value.message or (
        f"failed to update skill {managed.path / item.file}" == caught.value.message
    )
    assert says in caught.value.cause
    assert sorted(os.walk(tmp_path)) == before
    assert (outside / "mine").read_text("utf-8") == "mine"


def test_a_later_failure_takes_back_what_was_written_before(managed: Managed) -> None:
    managed(flat("a", "old"), folder("b", x="old"))
    there = {one.file: one for one in installed(str(managed.path))}
    items = (flat("a", "new"), folder("b", x="new"), flat("c", "new"), flat("d", "new"))
    writes = plan(items, there, {}, overwrite=False)
    before = managed.tree()
    drawn = []

    def random_bytes(count: int) -> bytes:
        """At the last draw somebody takes the place that the third skill is to have."""
        drawn.append(count)
        if len(drawn) == 4:
            (managed.path / "c.md").mkdir()
        return os.urandom(count)

    with pytest.raises(PiError, match=r"failed to install skill .*c\.md"):
        apply(writes, str(managed.path), random_bytes=random_bytes)
    (managed.path / "c.md").rmdir()
    assert managed.tree() == before
    assert sorted(os.listdir(managed.path)) == ["a.md", "b"]


def test_what_vanished_since_the_plan_is_an_error(managed: Managed) -> None:
    managed(flat("a", "old"))
    there = {one.file: one for one in installed(str(managed.path))}
    writes = plan((flat("a", "new"),), there, {}, overwrite=False)
    (managed.path / "a.md").unlink()
    with pytest.raises(PiError, match="failed to update skill") as caught:
        apply(writes, str(managed.path), random_bytes=os.urandom)
    assert caught.value.cause == "it is gone"


def test_a_managed_folder_that_is_a_file_is_an_error(managed: Managed) -> None:
    managed.path.write_text("x", encoding="utf-8")
    writes = plan((flat("a"),), {}, {}, overwrite=False)
    with pytest.raises(ConfigError, match="is not a directory"):
        apply(writes, str(managed.path), random_bytes=os.urandom)


# What a path gives.


def zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def tarred(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def write(path: Path, content: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def test_a_path_is_a_text_a_folder_or_an_archive_of_one(tmp_path: Path) -> None:
    text = local_item(write(tmp_path / "checklist.md", "Always"), "checklist.md")
    assert (text.file, text.source) == (
        "checklist.md",
        {"kind": "local", "path": "checklist.md"},
    )
    head = write(tmp_path / "review" / "SKILL.md", HEAD)
    write(tmp_path / "review" / "scripts" / "run", "x")
    write(tmp_path / "review" / ".git" / "config", "no part of it")
    one = local_item(str(tmp_path / "review") + "/", "review")
    assert one == local_item(head, "review")._replace(label=one.label)
    assert sorted(one.files) == ["SKILL.md", "scripts/run"]
    content = {"review/SKILL.md": HEAD, "review/scripts/run": "x"}
    for name, data in (("a.skill", zipped(content)), ("b.tar.gz", tarred(content))):
        item = local_item(write(tmp_path / name, data), name)
        assert item.file == "review/SKILL.md"
        assert item.entry().sha256 == one.entry().sha256
        assert "artifact_sha256" in item.source


def test_an_archive_with_no_folder_goes_by_its_own_name(tmp_path: Path) -> None:
    named = write(tmp_path / "x.zip", zipped({"SKILL.md": HEAD}))
    assert local_item(named, "x").name == "review"
    nameless = HEAD.replace("name: review\n", "")
    unnamed = write(tmp_path / "y.zip", zipped({"SKILL.md": nameless}))
    assert local_item(unnamed, "y").name == "y"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("notes.txt", "x", "notes.txt must be a .md file"),
        ("notes", "x", "notes must be a .md file"),
        ("gone.md", None, "failed to read skill source"),
        ("gone.zip", None, "failed to read skill source"),
        ("bytes.md", b"\xff\xfe", "is not UTF-8 text"),
        ("nul.md", b"a\0b", "is not UTF-8 text"),
        ("big.md", b"x" * (5 * 1024 * 1024 + 1), "failed to read skill source"),
        (".md", "x", "a skill cannot be named ''"),
        ("con.md", "x", "a skill cannot be named 'con'"),
        ("\u0430.md", "x", "a skill cannot be named"),
        ("a b.md", "x", "a skill cannot be named 'a b'"),
        ("bad.zip", b"PK no", "it is no archive that can be read"),
        ("bad.tgz", b"\x1f\x8b", "it is no archive that can be read"),
        ("empty.zip", zipped({}), "there is no SKILL.md in it"),
        ("two.zip", zipped({"a/SKILL.md": HEAD, "b/SKILL.md": HEAD}), "it holds 2 skills"),
        ("slip.zip", zipped({"a/SKILL.md": HEAD, "../../x": "x"}), "a path that leads elsewhere"),
        ("named.zip", zipped({"x.md/SKILL.md": HEAD}), "a skill cannot be named 'x.md'"),
        ("latin.zip", zipped({"a/SKILL.md": "---\n"}), "is no skill that can be used"),
        ("plain/SKILL.md", "no head", "is no skill that can be used"),
        ("bytes/SKILL.md", b"---\ndescription: \xff\n---\n", "is not UTF-8 text"),
    ],
)
def test_what_is_no_skill_says_so(
    tmp_path: Path, name: str, content: str | bytes | None, says: str
) -> None:
    path = str(tmp_path / name) if content is None else write(tmp_path / name, content)
    with pytest.raises(PiError) as caught:
        local_item(path, name)
    assert says in f"{caught.value.message}: {caught.value.cause}"
    assert caught.value.exit_code == 2, "what was named is not there, or is no skill"
    assert str(tmp_path / name).rpartition("/SKILL.md")[0] in caught.value.message


def test_folders_with_links_fifos_and_no_skill_are_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="is no skill"):
        local_item(str(tmp_path / "none"), "none")
    write(tmp_path / "linked" / "SKILL.md", HEAD)
    (tmp_path / "linked" / "x").symlink_to("/etc/passwd")
    with pytest.raises(PiError) as caught:
        local_item(str(tmp_path / "linked"), "linked")
    assert caught.value.cause == "x is a link"
    write(tmp_path / "piped" / "SKILL.md", HEAD)
    os.mkfifo(tmp_path / "piped" / "x")
    with pytest.raises(PiError, match="failed to read"):
        local_item(str(tmp_path / "piped"), "piped")
    os.mkfifo(tmp_path / "fifo.md")
    with pytest.raises(PiError, match="failed to read skill source"):
        local_item(str(tmp_path / "fifo.md"), "fifo.md")


def test_the_rules_for_names_hold_for_every_item() -> None:
    with pytest.raises(UsageError, match=r"cannot be named '\.\./x'"):
        checked(flat("../x"))
