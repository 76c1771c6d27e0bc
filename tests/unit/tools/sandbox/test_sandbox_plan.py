"""Which places are shown, and the command lines and profiles made of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pi.tools.sandbox.bubblewrap import bubblewrap_argv
from pi.tools.sandbox.plan import Plan, below, make_plan, resolve
from pi.tools.sandbox.seatbelt import profile

PLAN = Plan(
    readable=("/etc/passwd", "/proc", "/usr"),
    writable=("/home/u/a", "/usr/src/b"),
    read_only=("/home/u/a/.git/hooks",),
    held_in_place=("/home/u/a/.git",),
    covered=("/home/u/a/keys",),
    links=(("/bin", "/usr/bin"),),
)


def test_whole_names_are_compared() -> None:
    assert below("/a/b", "/a/b")
    assert below("/a/b/c", "/a/b")
    assert below("/a", "/")
    assert not below("/a/bc", "/a/b")


def test_roots_are_resolved_and_a_root_in_a_root_is_no_root_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    names = ["a/b", "link", "missing"]
    roots = resolve(str(tmp_path / name) for name in names)
    plan = make_plan(roots, strict=True)
    assert plan.writable == (str(tmp_path / "a"),)


def test_hooks_and_settings_are_read_only_where_they_are_real_folders(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for folder in (one / ".git" / "hooks", one / ".pi", two / ".git", three):
        folder.mkdir(parents=True)
    (two / ".pi").symlink_to(one / ".pi")
    (three / ".git").write_text("gitdir: elsewhere\n")
    plan = make_plan([str(one), str(two), str(three)], strict=True)
    assert plan.read_only == (f"{one}/.git/hooks", f"{one}/.pi")
    assert plan.held_in_place == (f"{one}/.git",)
    assert plan.unguarded == (
        *(f"{three}/.git/hooks", f"{three}/.pi", f"{two}/.git/hooks", f"{two}/.pi"),
    )


def test_a_root_within_a_root_is_guarded_as_well(tmp_path: Path) -> None:
    inner = tmp_path / "all" / "project"
    for folder in (inner / ".git" / "hooks", inner / ".pi"):
        folder.mkdir(parents=True)
    plan = make_plan(resolve([str(inner), str(tmp_path / "all")]), strict=True)
    assert plan.writable == (str(tmp_path / "all"),)
    assert plan.read_only == (f"{inner}/.git/hooks", f"{inner}/.pi")
    assert plan.held_in_place == (str(inner), f"{inner}/.git")


def test_private_files_count_only_inside_the_roots(tmp_path: Path) -> None:
    (tmp_path / "root" / "store").mkdir(parents=True)
    for name in ("root/keys", "outside"):
        (tmp_path / name).write_text("")
    names = ("root/keys", "root/store", "outside", "missing")
    private = [str(tmp_path / name) for name in names]
    plan = make_plan([str(tmp_path / "root")], strict=True, private_files=private)
    assert plan.covered == (f"{tmp_path}/root/keys",)
    assert plan.covered_folders == (f"{tmp_path}/root/store",)
    (tmp_path / "root" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "root" / "deep" / "er" / "keys").write_text("")
    private = [str(tmp_path / "root" / "deep" / "er" / "keys")]
    plan = make_plan([str(tmp_path / "root")], strict=True, private_files=private)
    assert plan.held_in_place == (f"{tmp_path}/root/deep", f"{tmp_path}/root/deep/er")


def test_a_strict_policy_shows_fewer_settings_and_no_policy_shows_keys(tmp_path: Path) -> None:
    strict = set(make_plan([str(tmp_path)], strict=True).readable)
    more = set(make_plan([str(tmp_path)], strict=False).readable)
    assert strict <= more
    for shown in more:
        for secret in ("/etc/shadow", "/etc/ssl/private", "/etc/ssh", "/root", "/var", "/home"):
            assert not below(secret, shown)
    assert any(below(os.path.realpath(sys.base_prefix), shown) for shown in strict)


def test_what_lies_in_a_root_is_not_shown_twice(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    plan = make_plan([str(tmp_path)], strict=True, readable=[str(inside), "/nowhere"])
    assert not any(below(place, str(tmp_path)) for place in plan.readable)


def test_bubblewrap_binds_from_the_outside_in() -> None:
    argv = bubblewrap_argv(("bwrap",), PLAN, False, ("/bin/bash", "-c", "true"), "/home/u/a")
    text = " ".join(argv)
    assert text.startswith("bwrap --die-with-parent --new-session --unshare-all --cap-drop ALL")
    assert "--proc /proc --remount-ro /proc --dev /dev --tmpfs /tmp" in text
    assert "--symlink /usr/bin /bin" in text
    assert "--ro-bind-try /proc" not in text
    order = ["--ro-bind-try /etc/passwd", "--bind /home/u/a /home/u/a", "--bind /home/u/a/.git "]
    order += ["--ro-bind /home/u/a/.git/hooks", "--ro-bind-try /usr /usr", "--bind /usr/src/b"]
    order += ["--ro-bind /dev/null /home/u/a/keys"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert text.endswith("--chdir /home/u/a -- /bin/bash -c true")
    shared = bubblewrap_argv(("bwrap",), PLAN, True, ("sh",), "/")
    assert "--share-net" in shared
    assert "--share-net" not in argv


def test_the_profile_lets_write_in_roots_but_not_in_hooks() -> None:
    lines = profile(PLAN, "/tmp/private", share_net=False).split("\n")
    assert lines[:3] == ["(version 1)", "(allow default)", "(deny network*)"]
    assert "(deny file-write*)" in lines
    allowed = (
        '(allow file-write* (subpath "/home/u/a") (subpath "/usr/src/b") (subpath "/tmp/private"))'
    )
    denied = '(deny file-write* (subpath "/home/u/a/.git/hooks"))'
    assert lines.index("(deny file-write*)") < lines.index(allowed) < lines.index(denied)
    assert lines[-1] == '(deny file-read* file-write* (subpath "/home/u/a/keys"))'
    assert "(deny network*)" not in profile(PLAN, "/tmp/private", share_net=True)


def test_the_profile_quotes_names() -> None:
    plan = Plan((), ('/a "b" \\ (c)',))
    assert '(subpath "/a \\"b\\" \\\\ (c)")' in profile(plan, "/p", share_net=True)


PROBE = """
import sys
from pi.tools.policy import Policy
from pi.tools.sandbox.choose import choose_sandbox
before = set(sys.modules)
sandbox = choose_sandbox(Policy(), roots=["/"], environ={}, temp_dir="/tmp")
print(type(sandbox).__name__, *sorted(set(sys.modules) - before))
print(*(name for name in sys.modules if name.startswith("pi.")))
"""


def test_nothing_of_a_sandbox_is_loaded_where_none_is_used() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[4])},
        capture_output=True,
        text=True,
        check=True,
    )
    first, loaded = done.stdout.splitlines()
    assert first == "Unconfined"
    sandbox = {name for name in loaded.split() if name.startswith("pi.tools.sandbox.")}
    assert sandbox == {"pi.tools.sandbox.choose"}


@pytest.mark.parametrize("mode", ["auto", "force"])
def test_choosing_starts_nothing(mode: str, tmp_path: Path) -> None:
    from pi.tools.policy import Policy
    from pi.tools.sandbox.choose import choose_sandbox

    policy = Policy(os_sandbox_mode=mode)
    sandbox = choose_sandbox(policy, roots=[str(tmp_path)], environ={}, temp_dir="/nowhere")
    assert sandbox.mode == mode
