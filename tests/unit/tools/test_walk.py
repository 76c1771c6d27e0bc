"""The walk through a tree."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from search_bench import put

from pi.tools.outcome import ToolFailure
from pi.tools.places import Place
from pi.tools.search.git_files import GitFiles
from pi.tools.search.walk import MAX_DEPTH, Walk


def make(root: Path, **more: object) -> Walk:
    top = os.path.realpath(root)
    fields = {"listing": True, **more}
    return Walk(Place(".", top, top, ()), GitFiles({}), lambda: None, **fields)  # type: ignore[arg-type]


def paths(walk: Walk) -> list[str]:
    return [run.prefix + name for run in walk.runs() for name in run.names]


@pytest.mark.parametrize("use_handles", [True, False])
def test_paths_come_sorted_directories_before_what_is_in_them(
    tmp_path: Path, use_handles: bool
) -> None:
    put(tmp_path, dict.fromkeys(("b", "a/x", "a.c/y", "a-b", "a/d/z", ".h", "é/q"), ""))
    put(tmp_path, {"a/.gitignore": "x\n", "a/x": ""})
    found = paths(make(tmp_path, use_handles=use_handles))
    assert found == sorted(found)
    assert found == [
        ".h",
        "a-b",
        "a.c/",
        "a.c/y",
        "a/",
        "a/.gitignore",
        "a/d/",
        "a/d/z",
        "b",
        "é/",
        "é/q",
    ]


def test_only_regular_files_are_given_for_reading(tmp_path: Path) -> None:
    put(tmp_path, {"f": "", "d/g": ""})
    os.symlink("f", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    assert paths(make(tmp_path, listing=False)) == ["d/g", "f"]
    assert paths(make(tmp_path)) == ["d/", "d/g", "f", "link"]


def test_no_handle_is_left_open(tmp_path: Path) -> None:
    put(tmp_path, {f"{a}/{b}/f": "" for a in "abc" for b in "xyz"})
    before = len(os.listdir("/proc/self/fd"))
    paths(make(tmp_path))
    runs = make(tmp_path).runs()
    next(runs)
    next(runs)
    runs.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_what_is_too_deep_is_counted(tmp_path: Path) -> None:
    put(tmp_path, {"a/" * (MAX_DEPTH + 10) + "f": "", "b": ""})
    walk = make(tmp_path)
    found = paths(walk)
    assert found[-1] == "b"
    assert len(found) == MAX_DEPTH + 1
    assert walk.too_deep == 1


def test_the_check_can_end_a_walk(tmp_path: Path) -> None:
    put(tmp_path, {"a/f": "", "b/f": ""})
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise ToolFailure("enough")

    top = os.path.realpath(tmp_path)
    walk = Walk(Place(".", top, top, ()), GitFiles({}), check, listing=False)
    with pytest.raises(ToolFailure, match="enough"):
        list(walk.runs())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list everything")
def test_a_closed_directory_is_counted_and_passed(tmp_path: Path) -> None:
    put(tmp_path, {"a/f": "", "b": ""})
    (tmp_path / "a").chmod(0)
    walk = make(tmp_path)
    try:
        assert paths(walk) == ["a/", "b"]
    finally:
        (tmp_path / "a").chmod(0o700)
    assert walk.unreadable == 1


def test_a_directory_swapped_for_a_link_leads_nowhere(tmp_path: Path) -> None:
    """While another thread swaps it back and forth no file from outside is ever opened."""
    put(tmp_path, {"outside/secret": "secret", "root/z/f": "plain", "root/d/f": "plain"})
    root = tmp_path / "root"
    os.symlink(tmp_path / "outside", tmp_path / "link")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(root / "d", tmp_path / "kept")
            os.rename(tmp_path / "link", root / "d")
            os.rename(root / "d", tmp_path / "link")
            os.rename(tmp_path / "kept", root / "d")

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        for _ in range(1000):
            for run in make(root, listing=False).runs():
                for name in run.names:
                    try:
                        descriptor = run.open(name)
                    except OSError:
                        continue
                    seen.add(os.read(descriptor, 100))
                    os.close(descriptor)
    finally:
        stop.set()
        thread.join()
    assert seen == {b"plain"}


def test_a_file_swapped_for_a_link_is_not_opened(tmp_path: Path) -> None:
    put(tmp_path, {"outside": "secret", "root/f": "plain"})
    for run in make(tmp_path / "root", listing=False).runs():
        os.unlink(tmp_path / "root" / "f")
        os.symlink(tmp_path / "outside", tmp_path / "root" / "f")
        with pytest.raises(OSError, match="symbolic"):
            run.open("f")
