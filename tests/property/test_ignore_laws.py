"""Laws of the ignore rules, with git itself to compare with."""

from __future__ import annotations

import os
import subprocess
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.tools.places import Place
from pi.tools.search.git_files import GitFiles
from pi.tools.search.ignore import parse_rules
from pi.tools.search.walk import Walk
from pi.tools.search.wildcards import Glob, expand_braces
from tests.fakes.examples import few

NAMES = ("a", "b", "ab", "a.c", "b.c", ".h", "x y", "a*", "a\\b", "#c", "!d", "é", "[a]", "foo")
PIECES = (
    *("a", "b", "ab", "foo", "*", "**", "?", "*.c", "/", "//", "/**/", "**/", "/**", "!", "#"),
    *("\\", "\\*", "\\#", "\\!", "\\/", " ", "\\ ", "[ab]", "[!a]", "[^b]", "[a-b]", "[[:alpha:]]"),
    *("[", "]", "[]]", "[a-", "[[:x:]]", "é", ".", "\t", "\r", "x y", "a*b", "-", "[\\a-\\b]"),
)

HAS_GIT = subprocess.run(["git", "--version"], capture_output=True, check=False).returncode == 0

lines = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)
contents = st.lists(lines, max_size=5).map("\n".join)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(tuple)


def environment(home: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "x",
    }


def put(path: str, text: str) -> None:
    """Write a file unless a directory is in its way, or a file where a directory should be."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        pass


def by_git(top: str, environ: dict[str, str]) -> list[str]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=top,
        env=environ,
        capture_output=True,
        check=True,
    )
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]


def by_walk(top: str, parts: tuple[str, ...], environ: dict[str, str]) -> list[str]:
    place = Place(".", top, top, parts)
    walk = Walk(place, GitFiles(environ), lambda: None, listing=True)
    return [
        run.prefix + name for run in walk.runs() for name in run.names if not name.endswith("/")
    ]


@pytest.mark.skipif(not HAS_GIT, reason="git is not installed")
@settings(max_examples=few(150), deadline=None)
@given(
    tree=st.lists(paths, min_size=1, max_size=12),
    ignore_files=st.dictionaries(paths.map(lambda path: path[:-1]), contents, max_size=3),
    top_ignore=contents,
    exclude=contents,
    user_excludes=contents,
)
def test_the_files_of_a_tree_are_those_that_git_lists(
    tree: list[tuple[str, ...]],
    ignore_files: dict[tuple[str, ...], str],
    top_ignore: str,
    exclude: str,
    user_excludes: str,
) -> None:
    """With nothing tracked, a walk gives what ``git ls-files -co --exclude-standard`` gives."""
    with tempfile.TemporaryDirectory() as base:
        base = os.path.realpath(base)
        top = os.path.join(base, "top")
        environ = environment(os.path.join(base, "home"))
        put(os.path.join(base, "home", ".config", "git", "ignore"), user_excludes)
        subprocess.run(["git", "init", "-q", top], env=environ, check=True)
        for path in tree:
            put(os.path.join(top, *path), "")
        put(os.path.join(top, ".gitignore"), top_ignore)
        for folder, text in ignore_files.items():
            if os.path.isdir(os.path.join(top, *folder)):
                put(os.path.join(top, *folder, ".gitignore"), text)
        put(os.path.join(top, ".git", "info", "exclude"), exclude)
        expected = by_git(top, environ)
        assert by_walk(top, (), environ) == sorted(expected)


@settings(max_examples=few(300), deadline=None)
@given(data=st.one_of(st.binary(max_size=200), contents.map(str.encode)), name=st.text(max_size=8))
def test_any_bytes_are_rules_and_any_text_is_a_glob(data: bytes, name: str) -> None:
    """Nothing in an ignore file, a pattern or a name raises."""
    for rule in parse_rules(data, 0):
        rule.matches(name, name, is_directory=True)
        rule.matches("a", "a/b", is_directory=False)
    for each in expand_braces(data.decode("latin-1")):
        for is_path in (False, True):
            Glob(each, is_path=is_path).matches(name)


@settings(max_examples=few(300), deadline=None)
@given(pattern=lines, path=paths)
def test_what_a_glob_matches_holds_its_needle(pattern: str, path: tuple[str, ...]) -> None:
    """A name without the needle is never matched: whoever looks for it first loses nothing."""
    text = "/".join(path)
    for is_path, subject in ((False, path[-1]), (True, text)):
        glob = Glob(pattern, is_path=is_path)
        if glob.matches(subject):
            assert glob.needle in f"/{path[-1]}/"
