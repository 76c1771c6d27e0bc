"""Writing whole files."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from tool_bench import Bench, Benches

from pi.tools.policy import Policy


def test_a_new_file_is_written_with_its_parents(bench: Bench, root: Path) -> None:
    result = bench("write", path="nested/deep/o.txt", content="héllo")
    assert (root / "nested/deep/o.txt").read_bytes() == "héllo".encode()
    assert result.content == {
        "path": f"{root}/nested/deep/o.txt",
        "bytes_written": 6,
        "created": True,
    }
    assert result.text == "wrote 6 bytes to nested/deep/o.txt (new file)"


def test_a_new_file_gets_the_usual_permissions(root: Path, benches: Benches) -> None:
    before = os.umask(0o027)
    try:
        benches.make()("write", path="f", content="x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((root / "f").stat().st_mode) == 0o640


def test_an_existing_file_is_replaced(bench: Bench, root: Path) -> None:
    (root / "f").write_bytes(b"old content")
    result = bench("write", path="f", content="new")
    assert (root / "f").read_bytes() == b"new"
    assert result.content["previous_bytes"] == 11
    assert not result.content["created"]
    assert result.text == "wrote 3 bytes to f (replaced 11 bytes)"


def test_the_same_content_is_not_written_again(bench: Bench, root: Path) -> None:
    (root / "f").write_bytes(b"same")
    before = (root / "f").stat()
    result = bench("write", path="f", content="same")
    assert result.text == "f already has exactly this content"
    assert result.content["unchanged"]
    assert (root / "f").stat().st_ino == before.st_ino


def test_content_over_the_limit_is_refused(benches: Benches, root: Path) -> None:
    bench = benches.make(policy=Policy(max_file_write_bytes=4))
    result = bench("write", path="f", content="hello")
    assert result.is_error
    assert result.content == {
        "path": "f",
        "error": "content is too large (5 bytes), limit is 4 bytes",
    }
    assert os.listdir(root) == []


def test_nothing_is_made_outside_the_roots(bench: Bench, root: Path, tmp_path: Path) -> None:
    (root / "dangling").symlink_to(tmp_path / "made")
    for path in ("nope/../../made", "dangling", str(tmp_path / "made")):
        assert "outside allowed roots" in bench("write", path=path, content="x").text
    assert not (tmp_path / "made").exists()
    assert os.listdir(root) == ["dangling"]


def test_what_is_no_regular_file_is_not_overwritten(benches: Benches, root: Path) -> None:
    (root / "d").mkdir()
    os.mkfifo(root / "fifo")
    bench = benches.make(policy=Policy(enforce_regular_files=False))
    for path in ("d", "fifo"):
        told = f"path '{path}' must be a regular file when overwriting existing content"
        content = bench("write", path=path, content="x").content
        assert (content["error"], content["policy_rule"]) == (told, "enforce_regular_files")


def test_a_link_is_written_through_only_when_links_are_allowed(
    benches: Benches, root: Path
) -> None:
    (root / "f").write_bytes(b"old")
    (root / "link").symlink_to("f")
    assert "symbolic link" in benches.make()("write", path="link", content="x").text
    lax = benches.make(policy=Policy(enforce_regular_files=False))
    assert not lax("write", path="link", content="new").is_error
    assert (root / "f").read_bytes() == b"new"
    assert (root / "link").is_symlink()


def test_half_characters_become_replacement_characters(bench: Bench, root: Path) -> None:
    bench("write", path="f", content="a\ud800b")
    assert (root / "f").read_text(encoding="utf-8") == "a\ufffdb"


def test_a_file_in_the_way_of_a_parent_is_told(bench: Bench, root: Path) -> None:
    (root / "f").write_bytes(b"")
    assert bench("write", path="f/x", content="").text == (
        "error: failed to create parent directory: Not a directory"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"content": "x"}, "missing required string argument 'path'"),
        ({"path": "f"}, "missing required string argument 'content'"),
        ({"path": "f" * 300, "content": "x"}, "File name too long"),
        ({"path": "a\ud800", "content": "x"}, "path is not valid Unicode text"),
    ],
)
def test_bad_arguments_are_an_error_result(
    bench: Bench, arguments: dict[str, object], error: str
) -> None:
    result = bench("write", **arguments)
    assert result.is_error
    assert result.content["error"] == error
    result.content["path"] and result.content["path"].encode("utf-8")


def test_a_reader_never_sees_a_part(bench: Bench, root: Path) -> None:
    contents = ["a" * 200_000, "b" * 300_000]
    bench("write", path="f", content=contents[0])
    done = threading.Event()
    seen = set()

    def watch() -> None:
        while not done.is_set():
            data = (root / "f").read_bytes()
            seen.add((len(data), data[:1], data[-1:]))

    reader = threading.Thread(target=watch)
    reader.start()
    try:
        for number in range(50):
            bench("write", path="f", content=contents[number % 2])
    finally:
        done.set()
        reader.join()
    assert seen <= {(200_000, b"a", b"a"), (300_000, b"b", b"b")}
    assert os.listdir(root) == ["f"]
