"""Which paths may be touched."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from pi.tools.outcome import ToolFailure
from pi.tools.paths import PathRule, holds_process_secrets, parts_below


@pytest.fixture
def rule(root: Path) -> PathRule:
    return PathRule([str(root)])


def refusal(rule: PathRule, given: str, cwd: Path, *, write: bool = False) -> str:
    with pytest.raises(ToolFailure) as failure:
        (rule.writable if write else rule.existing)(given, str(cwd))
    return failure.value.error


def test_a_file_below_a_root_has_a_place(rule: PathRule, root: Path) -> None:
    (root / "a").mkdir()
    (root / "a" / "f").write_bytes(b"")
    place = rule.existing("a/../a/f", str(root))
    assert place.absolute == f"{root}/a/../a/f"
    assert place.resolved == f"{root}/a/f"
    assert place.parts == ("a", "f")


def test_the_root_itself_has_a_place(rule: PathRule, root: Path) -> None:
    assert rule.existing(".", str(root)).parts == ()


@pytest.mark.parametrize("given", ["../x", "/etc/passwd", "nope/../../out.txt", "a/../../../x"])
@pytest.mark.parametrize("write", [False, True])
def test_what_leads_outside_is_refused(rule: PathRule, root: Path, given: str, write: bool) -> None:
    resolved = os.path.realpath(os.path.join(root, given))
    assert refusal(rule, given, root, write=write) == f"path '{resolved}' is outside allowed roots"


def test_roots_are_compared_by_whole_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "bc").mkdir()
    (tmp_path / "bc" / "x").write_bytes(b"")
    rule = PathRule([str(tmp_path / "b")])
    assert "outside allowed roots" in refusal(rule, str(tmp_path / "bc" / "x"), tmp_path)


def test_a_link_that_leads_outside_is_refused_whether_its_target_exists_or_not(
    rule: PathRule, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "there").write_bytes(b"")
    (root / "link").symlink_to(tmp_path / "there")
    (root / "dangling").symlink_to(tmp_path / "missing")
    for given in ("link", "dangling"):
        for write in (False, True):
            assert "outside allowed roots" in refusal(rule, given, root, write=write)


def test_a_link_inside_is_refused_unless_links_are_allowed(rule: PathRule, root: Path) -> None:
    (root / "file").write_bytes(b"")
    (root / "link").symlink_to("file")
    told = "path 'link' is a symbolic link, which is denied by policy"
    assert refusal(rule, "link", root) == told
    assert refusal(rule, "link", root, write=True) == told
    lax = PathRule([str(root)], enforce_regular_files=False)
    assert lax.existing("link", str(root)).parts == ("file",)


def test_a_linked_parent_directory_inside_is_fine(rule: PathRule, root: Path) -> None:
    (root / "real").mkdir()
    (root / "real" / "f").write_bytes(b"")
    (root / "alias").symlink_to("real")
    assert rule.existing("alias/f", str(root)).parts == ("real", "f")


def test_a_root_may_be_a_link_itself(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    (root / "f").write_bytes(b"")
    rule = PathRule([str(tmp_path / "alias")])
    assert rule.existing("f", str(tmp_path / "alias")).resolved == f"{root}/f"


def test_nothing_is_found_behind_a_loop_of_links(
    rule: PathRule, root: Path, tmp_path: Path
) -> None:
    (root / "loop").symlink_to("loop")
    (root / "out").symlink_to(tmp_path)
    told = "failed to canonicalize path 'loop/../out/f': a loop of symbolic links"
    assert refusal(rule, "loop/../out/f", root, write=True) == told


def test_without_roots_everything_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    assert PathRule([]).existing(str(tmp_path / "f"), "/").root == "/"


def test_a_missing_file_is_answered_with_names_like_it(rule: PathRule, root: Path) -> None:
    for name in ("settings.py", "setting.py", "other"):
        (root / name).write_bytes(b"")
    assert refusal(rule, "setings.py", root) == (
        "path 'setings.py' does not exist; there are: settings.py, setting.py"
    )
    assert refusal(rule, "zzz", root) == "path 'zzz' does not exist"
    assert refusal(rule, "no/such/folder", root) == "path 'no/such/folder' does not exist"


@pytest.mark.parametrize(
    ("actual", "asked"),
    [
        ("Screenshot at 9.41\u202fAM.txt", "Screenshot at 9.41 AM.txt"),
        ("it\u2019s.txt", "it's.txt"),
        (unicodedata.normalize("NFD", "résumé.txt"), "résumé.txt"),
        ("plain name.txt", "plain\u00a0name.txt"),
    ],
)
def test_a_name_that_looks_the_same_is_found(
    rule: PathRule, root: Path, actual: str, asked: str
) -> None:
    (root / actual).write_bytes(b"")
    assert rule.existing(asked, str(root)).parts == (actual,)


def test_a_name_that_looks_the_same_but_leads_outside_is_refused(
    rule: PathRule, root: Path, tmp_path: Path
) -> None:
    (root / "it\u2019s").symlink_to(tmp_path)
    assert "outside allowed roots" in refusal(rule, "it's", root)


def test_a_leading_at_sign_is_dropped_unless_it_is_a_name(rule: PathRule, root: Path) -> None:
    (root / "f").write_bytes(b"")
    assert rule.existing("@f", str(root)).parts == ("f",)
    (root / "@types").mkdir()
    assert rule.writable("@types/new.d.ts", str(root)).parts == ("@types", "new.d.ts")


def test_a_tilde_is_the_home_directory(
    rule: PathRule, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "f").write_bytes(b"")
    monkeypatch.setenv("HOME", str(root))
    assert rule.existing("~/f", "/").parts == ("f",)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("", "path must not be empty"),
        ("a\0b", "path must not hold a NUL character"),
        ("a\ud800", "path is not valid Unicode text"),
    ],
)
def test_what_is_no_path_is_refused(rule: PathRule, root: Path, given: str, error: str) -> None:
    assert refusal(rule, given, root) == error
    assert refusal(rule, given, root, write=True) == error


def test_a_directory_is_no_file_to_write(rule: PathRule, root: Path) -> None:
    for given in (".", "new/"):
        told = f"path '{given}' names a directory, not a file"
        assert refusal(rule, given, root, write=True) == told


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="needs /proc")
def test_secrets_of_processes_are_denied_even_below_a_root() -> None:
    rule = PathRule(["/"])
    assert "is denied" in refusal(rule, "/proc/self/environ", Path("/"))
    assert "is denied" in refusal(rule, f"/proc/{os.getpid()}/mem", Path("/"), write=True)


def test_kept_credentials_are_denied_unless_the_policy_is_permissive(root: Path) -> None:
    (root / ".pi").mkdir()
    for name in ("credentials.json", "settings.json"):
        (root / ".pi" / name).write_bytes(b"")
    (root / "mine.json").write_bytes(b"")
    (root / "link").symlink_to("mine.json")
    options = {"enforce_regular_files": False, "private_files": [str(root / "mine.json")]}
    guarded = PathRule([str(root)], **options)
    for given in (".pi/credentials.json", ".pi/../.pi/credentials.json", "mine.json", "link"):
        for write in (False, True):
            told = f"path '{given}' is denied: it holds secrets"
            assert refusal(guarded, given, root, write=write) == told
    assert guarded.is_private("/elsewhere/.PI/Credentials.json")
    assert not guarded.is_private(str(root / ".pi" / "settings.json"))
    guarded.existing(".pi/settings.json", str(root))
    lax = PathRule([str(root)], guards_secrets=False, **options)
    lax.existing(".pi/credentials.json", str(root))
    lax.existing("mine.json", str(root))


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="needs /proc")
def test_what_the_kernel_shows_may_be_read_under_a_permissive_policy() -> None:
    PathRule(["/"], guards_secrets=False).existing("/proc/self/environ", "/")


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("/proc/1/environ", True),
        ("/proc/1/task/1/mem", True),
        ("/proc/1/fd/3", True),
        ("/proc/kcore", True),
        ("/proc/1/status", False),
        ("/proc/meminfo", False),
        ("/home/proc/environ", False),
        ("/proc", False),
    ],
)
def test_which_files_show_secrets(path: str, held: bool) -> None:
    assert holds_process_secrets(path) is held


def test_one_file_of_ours_may_be_read_but_not_written(
    rule: PathRule, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "ours.log").write_bytes(b"")
    (tmp_path / "other.log").write_bytes(b"")
    rule.allow_reading(str(tmp_path / "ours.log"))
    ours = str(tmp_path / "ours.log")
    assert rule.existing(ours, str(root), own_files=True).resolved == ours
    assert "outside" in refusal(rule, ours, root)
    assert "outside" in refusal(rule, ours, root, write=True)
    with pytest.raises(ToolFailure):
        rule.existing(str(tmp_path / "other.log"), str(root), own_files=True)


@pytest.mark.parametrize(
    ("root", "path", "parts"),
    [
        ("/a", "/a", ()),
        ("/a", "/a/b/c", ("b", "c")),
        ("/a", "/ab", None),
        ("/a/b", "/a", None),
        ("/", "/x", ("x",)),
        ("/", "/", ()),
    ],
)
def test_parts_below_a_root(root: str, path: str, parts: object) -> None:
    assert parts_below(root, path) == parts
