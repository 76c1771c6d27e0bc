"""The rules of ignore files: the cases that gitignore(5) tells of, and where they come from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from search_bench import put

from pi.tools.places import Place
from pi.tools.search.git_files import MAX_BYTES, GitFiles
from pi.tools.search.ignore import ignored, parse_rules
from pi.tools.search.walk import Walk

# Each row: the lines of an ignore file, then paths it ignores and paths it leaves.
CASES = (
    ("# a comment\n\n", "", "#comment a"),
    ("\\#a\n\\!b\n", "#a !b x/#a", "a b"),
    ("a.c", "a.c d/a.c", "b.c xa.c"),
    ("/a.c", "a.c", "d/a.c"),
    ("d/a.c", "d/a.c", "x/d/a.c a.c"),
    ("/d/a.c", "d/a.c", "x/d/a.c"),
    ("d/", "d/ x/d/", "d"),
    ("doc/frotz/", "doc/frotz/", "a/doc/frotz/ doc/frotz"),
    ("frotz/", "frotz/ a/frotz/", ""),
    ("*.[oa]", "x.o x.a d/x.o", "x.c x."),
    ("foo/*", "foo/test.json foo/bar/", "foo/bar/hello.c foo"),
    ("**/foo", "foo a/foo a/b/foo", "foox"),
    ("**/foo/bar", "foo/bar a/foo/bar", "foo/x/bar"),
    ("abc/**", "abc/x abc/x/y", "abc abc/"),
    ("a/**/b", "a/b a/x/b a/x/y/b", "ab a/x/bc"),
    ("a**b", "ab axxb d/ab", "a/b"),
    ("/a**b", "ab axb", "a/b x/ab"),
    ("*.html\n!foo.html", "x.html", "foo.html d/foo.html"),
    ("!x\nx", "x", ""),
    ("x\n!x", "", "x"),
    ("a b", "a\u00a0b", "ab"),
    ("a?", "ab", "a abc a/"),
    ("[!a]b", "xb", "ab /b"),
    ("[^a]b", "xb", "ab"),
    ("[a-c]", "a b c", "d -"),
    ("[]-]x", "]x -x", "ax"),
    ("[[:digit:]]*", "1 1a", "a1"),
    ("[[:nope:]]", "", "n ["),
    ("[a", "", "[a a"),
    ("a\\", "", "a a\\"),
    ("\\a\\*", "a*", "ab"),
    ("a\\[b", "a[b", "ab"),
    ("*", "x .x d/", ""),
    ("/*\n!/foo\n/foo/*\n!/foo/bar", "x foo/x", "foo foo/bar"),
    ("/", "", "a"),
    ("//", "", "a"),
    ("é*", "éx", "e"),
    ("?", "a", "é"),
    ("??", "é ab", "a"),
)


@pytest.mark.parametrize(("text", "gone", "kept"), CASES)
def test_a_line_ignores_what_the_manual_says(text: str, gone: str, kept: str) -> None:
    rules = parse_rules(text.replace("a b", "a\u00a0b").encode(), 0)
    for paths, is_gone in ((gone, True), (kept, False)):
        for path in paths.split(" "):
            if not path:
                continue
            folder, _, name = path.rstrip("/").rpartition("/")
            names = ([], [name]) if path.endswith("/") else ([name], [])
            answer = ignored(rules, folder + "/" if folder else "", *names)
            assert (name in answer) == is_gone, path


def test_spaces_at_the_end_count_only_behind_a_backslash() -> None:
    names = ["a", "a ", "b", "b ", "b  ", "c\\", "d\t"]
    assert ignored(parse_rules(b"a  \n", 0), "", names, []) == {"a"}
    assert ignored(parse_rules(b"b\\ \n", 0), "", names, []) == {"b "}
    assert ignored(parse_rules(b"b\\  \n", 0), "", names, []) == {"b "}
    assert ignored(parse_rules(b"c\\\\ \n", 0), "", names, []) == {"c\\"}
    assert ignored(parse_rules(b"d\t\n", 0), "", names, []) == {"d\t"}


def test_a_mark_and_windows_line_ends_are_no_part_of_a_rule() -> None:
    names = ["a", "b", "\ufeffa", "b\r"]
    assert ignored(parse_rules(b"\xef\xbb\xbfa\r\nb \r\n", 0), "", names, []) == {"a", "b"}


def test_a_rule_counts_from_its_own_directory() -> None:
    rules = parse_rules(b"/x\ny\n", len("sub/"))
    assert ignored(rules, "sub/", ["x", "y"], []) == {"x", "y"}
    assert ignored(rules, "sub/d/", ["x", "y"], []) == {"y"}


def listed(root: Path, below: str = "", **environ: str) -> list[str]:
    top = os.path.realpath(root)
    place = Place(".", top, top, tuple(below.split("/")) if below else ())
    walk = Walk(place, GitFiles(environ), lambda: None, listing=True)
    return [run.prefix + name for run in walk.runs() for name in run.names if name[-1] != "/"]


def test_a_deeper_file_weighs_more(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            ".gitignore": "*.log\n!b.log\nsub/deep/*\n",
            "sub/.gitignore": "!a.log\nb.log\n",
            **{f"{place}{name}.log": "" for place in ("", "sub/", "sub/deep/") for name in "ab"},
        },
    )
    assert listed(tmp_path) == [
        ".gitignore",
        "b.log",
        "sub/.gitignore",
        "sub/a.log",
        "sub/deep/a.log",
    ]


def test_nothing_comes_back_out_of_an_ignored_directory(tmp_path: Path) -> None:
    put(tmp_path, {".gitignore": "d/\n!d/keep\n", "d/keep": "", "d/.gitignore": "!keep\n"})
    assert listed(tmp_path) == [".gitignore"]


def test_the_user_s_and_the_repository_s_own_files_count(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "home/.config/git/ignore": "*.user\n",
            "repo/.git/info/exclude": "*.info\n!b.user\n",
            **{f"repo/{name}": "" for name in ("a.user", "b.user", "c.info", "d")},
        },
    )
    assert listed(tmp_path / "repo", HOME=str(tmp_path / "home")) == ["b.user", "d"]
    assert listed(tmp_path / "repo", HOME="/nowhere") == ["a.user", "b.user", "d"]


@pytest.mark.parametrize(
    "setting",
    [
        "[core]\n\texcludesFile = ~/mine\n",
        '[CORE] excludesfile = "~/mine" # a comment\n',
        "[x]\nexcludesFile = /no\n[core]\neditor=vi\nexcludesfile=~/mi\\\nne ; c\n"
        '[core "s"]\n excludesFile=/no\n',
        "[core]\nexcludesFile = /no\nexcludesFile = ~/mine\n[user]\nname = x\n",
    ],
)
def test_the_configured_excludes_file_takes_the_place_of_the_usual_one(
    tmp_path: Path, setting: str
) -> None:
    home = tmp_path / "home"
    put(home, {".gitconfig": setting, "mine": "*.mine\n", ".config/git/ignore": "*.usual\n"})
    put(tmp_path, {"t/a.mine": "", "t/b.usual": ""})
    assert listed(tmp_path / "t", HOME=str(home)) == ["b.usual"]
    said = subprocess.run(
        ["git", "config", "--path", "core.excludesFile"],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        cwd=home,
        capture_output=True,
        check=True,
    )
    assert said.stdout.decode().strip() == str(home / "mine")


def test_other_places_of_the_configuration_are_known(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "xdg/git/ignore": "*.xdg\n",
            "other": "[core]\nexcludesFile = ../named\n",
            "named": "*.named\n",
            **{f"t/{name}": "" for name in ("a.xdg", "b.named", "c")},
        },
    )
    xdg = str(tmp_path / "xdg")
    assert listed(tmp_path / "t", HOME="/no", XDG_CONFIG_HOME=xdg) == ["b.named", "c"]
    other = str(tmp_path / "other")
    assert listed(tmp_path / "t", HOME="/no", GIT_CONFIG_GLOBAL=other) == ["a.xdg", "c"]
    put(tmp_path, {"t/.git/config": "[core]\n excludesFile =\n"})
    assert listed(tmp_path / "t", XDG_CONFIG_HOME=xdg) == ["a.xdg", "b.named", "c"]


def test_the_rules_above_a_searched_directory_count_up_to_the_repository_s_top(
    tmp_path: Path,
) -> None:
    put(
        tmp_path,
        {
            ".gitignore": "*\n",
            "repo/.git/HEAD": "",
            "repo/.gitignore": "*.log\n/a/b/x\n",
            "repo/a/.gitignore": "!k.log\n/b/y\n",
            **{f"repo/a/b/{name}": "" for name in ("k.log", "l.log", "x", "y", "z")},
        },
    )
    assert listed(tmp_path / "repo", "a/b") == ["k.log", "z"]
    # The allowed root may lie below the repository's top.
    assert listed(tmp_path / "repo" / "a", "b") == listed(tmp_path / "repo/a/b") == ["k.log", "z"]


def test_outside_a_repository_the_allowed_root_is_the_top(tmp_path: Path) -> None:
    put(tmp_path, {".gitignore": "*\n", "r/.gitignore": "x\n", "r/d/x": "", "r/d/y": ""})
    assert listed(tmp_path / "r", "d") == ["y"]
    assert listed(tmp_path / "r" / "d") == ["x", "y"]


def test_a_repository_within_another_goes_by_its_own_rules(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            ".git/info/exclude": "*.out\n",
            ".gitignore": "*.log\ngone/\n",
            "in/.git/info/exclude": "/x\n",
            "in/.gitignore": "*.tmp\n",
            **{f"in/{name}": "" for name in ("a.log", "b.out", "c.tmp", "x", "d/x")},
            "gone/.git/HEAD": "",
            "gone/f": "",
        },
    )
    assert listed(tmp_path) == [".gitignore", "in/.gitignore", "in/a.log", "in/b.out", "in/d/x"]


def test_a_work_tree_shares_its_repository_s_excludes(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "main/.git/info/exclude": "*.gone\n",
            "main/.git/worktrees/w/commondir": "../..\n",
            "w/.git": f"gitdir: {tmp_path}/main/.git/worktrees/w\n",
            "w/a.gone": "",
            "w/b": "",
        },
    )
    assert listed(tmp_path / "w") == ["b"]


def test_ignore_files_that_are_no_files_are_no_matter(tmp_path: Path) -> None:
    put(tmp_path, {"a": "", "rules": "a\n", "d/x": "", "e/.gitignore/f": ""})
    os.symlink("rules", tmp_path / ".gitignore")
    os.mkfifo(tmp_path / "d" / ".gitignore")
    assert "a" in listed(tmp_path)
    assert "d/x" in listed(tmp_path)
    assert "e/.gitignore/f" in listed(tmp_path)


def test_an_endless_ignore_file_is_read_to_a_limit(tmp_path: Path) -> None:
    put(tmp_path, {".gitignore": "a\n" + "#" * MAX_BYTES + "\nb\n", "a": "", "b": ""})
    assert listed(tmp_path) == [".gitignore", "b"]
