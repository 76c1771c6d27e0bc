"""Laws of installing: counts add up, nothing outside is touched, a failure changes nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.errors import PiError, UsageError
from pi.skills.archive import File
from pi.skills.install import INSTALLED, SKIPPED, UPDATED, apply, counts, plan
from pi.skills.installed import installed
from pi.skills.items import Item
from pi.skills.lockfile import make_source
from tests.fakes.examples import few

SOURCE = make_source("local", {"path": "x"})
BODIES = st.sampled_from([b"", b"one", b"two", b"three\n"])
PATHS = st.sampled_from(["run", "scripts/run", "a/b/c", "x.md"])


@st.composite
def items(draw: st.DrawFn) -> Item:
    name = draw(st.sampled_from(["a", "b", "c", "D"]))
    files = {"": File(draw(BODIES))}
    if draw(st.booleans()):
        more = draw(st.dictionaries(PATHS, BODIES, max_size=2))
        files = {path: File(body) for path, body in more.items()}
        files["SKILL.md"] = File(draw(BODIES))
    return Item(name, files, SOURCE, name, draw(st.sampled_from(["local", "remote"])))


ITEMS = st.lists(items(), max_size=5, unique_by=lambda item: item.name)


@contextmanager
def place() -> Iterator[tuple[Path, Path]]:
    """A managed folder and what lies around it."""
    with tempfile.TemporaryDirectory() as name:
        around = Path(name)
        (around / "mine").mkdir()
        (around / "mine" / "file").write_bytes(b"mine")
        yield around, around / "skills"


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder; None for a folder or a link."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def install(managed: Path, wanted: list[Item]) -> tuple[str, ...]:
    there = {one.file: one for one in installed(str(managed))}
    writes = plan(wanted, there, {}, overwrite=False)
    apply(writes, str(managed), random_bytes=os.urandom)
    assert [write.item for write in writes] == wanted
    for step in ("local", "remote"):
        total = sum(int(part.partition("=")[2]) for part in counts(writes, step).split())
        assert total == sum(1 for item in wanted if item.step == step)
    return tuple(write.action for write in writes)


@given(ITEMS, ITEMS)
@settings(max_examples=few(60), deadline=None)
def test_what_is_there_afterwards_is_what_was_wanted(first: list[Item], then: list[Item]) -> None:
    """Each item is there with its bytes; the second time all are skipped; what was not
    asked for is as it was, inside and outside."""
    with place() as (around, managed):
        install(managed, first)
        kept = {one.file: one for one in installed(str(managed))}
        before = tree(around / "mine")
        actions = install(managed, then)
        found = {one.file: one for one in installed(str(managed))}
        for item, action in zip(then, actions):
            assert found[item.file].sha256 == item.entry().sha256
            was = kept.get(item.file)
            expected = INSTALLED if was is None else UPDATED
            assert action == (SKIPPED if was == found[item.file] else expected)
        touched = {item.file for item in then}
        assert {file: one for file, one in found.items() if file not in touched} == {
            file: one for file, one in kept.items() if file not in touched
        }
        assert set(install(managed, then)) <= {SKIPPED}
        assert tree(around / "mine") == before
        assert sorted(os.listdir(around)) in (["mine", "skills"], ["mine"])
        assert not [name for name in os.listdir(around) if name.startswith(".")]
        if managed.exists():
            assert not [name for name in os.listdir(managed) if name.startswith(".")]


OBSTACLES = st.sampled_from(["link", "folder-link", "file", "folder"])


@given(ITEMS, ITEMS, OBSTACLES, st.integers(0, 4))
@settings(max_examples=few(80), deadline=None)
def test_a_failure_leaves_the_directory_as_it_was(
    first: list[Item], then: list[Item], obstacle: str, late: int
) -> None:
    """Something that is no skill stands, or comes to stand while the others are staged, in
    the place of one item: no file in the directory or outside of it changes."""
    with place() as (around, managed):
        install(managed, first)
        taken = {item.name for item in first}
        blocked = [item for item in then if item.name not in taken]
        if not blocked:
            return
        item = blocked[0]
        target = managed / (item.name if item.is_folder else f"{item.name}.md")
        writes = plan(then, {o.file: o for o in installed(str(managed))}, {}, overwrite=False)
        before = tree(around)
        drawn: list[int] = []

        def random_bytes(count: int) -> bytes:
            if len(drawn) == min(late, sum(1 for w in writes if w.action != SKIPPED) - 1):
                _put(obstacle, target, around)
            drawn.append(count)
            return os.urandom(count)

        try:
            apply(writes, str(managed), random_bytes=random_bytes)
        except PiError:
            pass
        else:
            raise AssertionError("it was installed over what is no skill")
        if target.is_symlink() or target.is_file():
            target.unlink()
        else:
            (target / "notes").unlink()
            target.rmdir()
        after = tree(around)
        after.setdefault("skills", None)
        before.setdefault("skills", None)
        assert after == before


def _put(obstacle: str, target: Path, around: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if obstacle == "link":
        target.symlink_to(around / "mine" / "file")
    elif obstacle == "folder-link":
        target.symlink_to(around / "mine")
    elif obstacle == "file":
        target.write_bytes(b"notes")
    else:
        target.mkdir()
        (target / "notes").write_bytes(b"notes")


@given(st.lists(items(), max_size=6))
@settings(max_examples=few(50), deadline=None)
def test_no_plan_has_two_writes_for_one_name(wanted: list[Item]) -> None:
    """Two items of one name, in whatever letters and form, are refused; else none is lost."""
    names = [item.name.lower() for item in wanted]
    try:
        writes = plan(wanted, {}, {}, overwrite=True)
    except UsageError:
        assert len(set(names)) < len(names)
    else:
        assert len(set(names)) == len(names) == len(writes)
