"""Reading files and listing directories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tool_bench import Bench, Benches

from pi.base.errors import Interrupted
from pi.tools.policy import Policy


def test_a_text_file_is_given_as_it_is(bench: Bench, root: Path) -> None:
    (root / "f.txt").write_text("one\ntwo\n", encoding="utf-8")
    result = bench("read", path="f.txt")
    assert result.text == "one\ntwo\n"
    assert not result.is_error
    assert result.content == {
        "path": f"{root}/f.txt",
        "content": "one\ntwo\n",
        "start_line": 1,
        "end_line": 2,
        "total_lines": 2,
        "truncated": False,
    }


def test_a_long_file_is_read_in_parts_that_join(bench: Bench, root: Path) -> None:
    lines = [f"line {number}\n" for number in range(1, 5001)]
    (root / "f").write_text("".join(lines), encoding="utf-8")
    first = bench("read", path="f")
    notice = "[lines 1-2000 of 5000 shown (2000-line limit). Use offset=2001 to continue.]"
    assert first.text == "".join(lines[:2000]) + notice
    assert first.content["truncated"]
    second = bench("read", path="f", offset=2001)
    assert second.content["content"] == "".join(lines[2000:4000])
    assert bench("read", path="f", offset=4001).text == "".join(lines[4000:])


def test_fifty_kibibytes_are_the_most_at_once(bench: Bench, root: Path) -> None:
    (root / "f").write_text(("x" * 999 + "\n") * 100, encoding="utf-8")
    result = bench("read", path="f")
    assert result.content["end_line"] == 51
    assert result.text.endswith(
        "\n[lines 1-51 of 100 shown (51200-byte limit). Use offset=52 to continue.]"
    )


def test_a_limit_that_was_given_is_kept(bench: Bench, root: Path) -> None:
    (root / "f").write_text("a\nb\nc\nd\ne", encoding="utf-8")
    result = bench("read", path="f", offset=2, limit=2)
    assert result.text == "b\nc\n[lines 2-3 of 5 shown, 2 more. Use offset=4 to continue.]"
    assert bench("read", path="f", offset=5.0, limit=9).text == "e"


def test_a_file_over_the_limit_is_refused_whole_and_read_in_parts(
    benches: Benches, root: Path
) -> None:
    bench = benches.make(policy=Policy(max_file_read_bytes=4))
    (root / "f").write_text("ab\ncd", encoding="utf-8")
    result = bench("read", path="f")
    assert result.is_error
    assert result.content == {
        "path": "f",
        "error": "file is too large (5 bytes), limit is 4 bytes; "
        "give offset and limit to read it in parts",
    }
    assert bench("read", path="f", offset=2).text == "cd"
    assert bench("read", path="f", limit=1).content["content"] == "ab\n"


def test_a_line_that_is_too_long_comes_with_another_way(bench: Bench, root: Path) -> None:
    (root / "a b").write_text("short\n" + "x" * 60_000, encoding="utf-8")
    assert bench("read", path="a b", offset=2).text == (
        "[line 2 is 60000 bytes long, more than can be shown. "
        "Use bash: sed -n '2p' 'a b' | head -c 51200]"
    )


def test_an_offset_past_the_end_tells_where_the_end_is(bench: Bench, root: Path) -> None:
    (root / "f").write_text("one\n", encoding="utf-8")
    result = bench("read", path="f", offset=2)
    assert result.is_error
    assert result.content["error"] == "offset 2 is past the end of the file (1 line)"


def test_an_empty_file_says_so(bench: Bench, root: Path) -> None:
    (root / "f").write_bytes(b"")
    result = bench("read", path="f")
    assert result.text == "[the file is empty]"
    assert result.content["content"] == ""


def test_marks_and_utf16_are_decoded(bench: Bench, root: Path) -> None:
    (root / "bom").write_bytes(b"\xef\xbb\xbfa\r\n")
    (root / "utf16").write_bytes("é\n😀\n".encode("utf-16"))
    assert bench("read", path="bom").text == "a\r\n"
    assert bench("read", path="utf16").text == "é\n😀\n"
    assert bench("read", path="utf16", offset=2).text == "😀\n"


def test_other_encodings_are_shown_with_a_note(bench: Bench, root: Path) -> None:
    (root / "f").write_bytes(b"caf\xe9\n")
    note = "[not valid UTF-8: shown as Latin-1; it cannot be edited]"
    assert bench("read", path="f").text == f"café\n{note}"


def test_binary_content_is_not_shown(bench: Bench, root: Path) -> None:
    (root / "f.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    result = bench("read", path="f.txt")
    assert result.text == "[PNG image, 16 bytes: broken or cut off, not shown]"
    assert not result.is_error
    assert result.content["binary"] == "PNG image"


def test_a_part_that_turns_out_to_be_binary_is_not_shown(bench: Bench, root: Path) -> None:
    (root / "late").write_bytes(b"text\n" * 2000 + b"\0binary")
    assert (
        bench("read", path="late", offset=2001).text == "[binary data, 7 bytes: content not shown]"
    )


def test_a_directory_is_listed(bench: Bench, root: Path) -> None:
    for name in ("b", "A", ".hidden"):
        (root / name).write_bytes(b"")
    (root / "sub").mkdir()
    result = bench("read", path=".")
    assert result.text == ".hidden\nA\nb\nsub/"
    assert bench("read", path="sub").text == "(empty directory)"


def test_a_name_in_a_directory_is_one_line_whatever_it_holds(bench: Bench, root: Path) -> None:
    (root / "a\nb\x1b[2J").write_bytes(b"")
    assert bench("read", path=".").text == "a\\nb\\x1b[2J"


def test_a_large_directory_is_cut(bench: Bench, root: Path) -> None:
    for number in range(501):
        (root / f"{number:04}").write_bytes(b"")
    assert bench("read", path=".").text.endswith("0499\n[500 of 501 entries shown]")


def test_names_that_are_no_text_do_not_break_the_result(bench: Bench, root: Path) -> None:
    try:
        os.close(os.open(os.fsencode(root) + b"/caf\xe9", os.O_CREAT | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system only takes text")
    bench("read", path=".").text.encode("utf-8")
    bench("read", path="cafe").text.encode("utf-8")


@pytest.mark.parametrize("enforce", [True, False])
def test_a_fifo_is_refused_at_once(benches: Benches, root: Path, enforce: bool) -> None:
    os.mkfifo(root / "fifo")
    bench = benches.make(policy=Policy(enforce_regular_files=enforce))
    for arguments in ({}, {"offset": 1}):
        result = bench("read", path="fifo", **arguments)
        told = "path 'fifo' must be a regular file for this operation"
        assert result.content["error"] == told


def test_a_link_is_read_only_when_links_are_allowed(benches: Benches, root: Path) -> None:
    (root / "f").write_text("x", encoding="utf-8")
    (root / "link").symlink_to("f")
    assert benches.make()("read", path="link").is_error
    lax = benches.make(policy=Policy(enforce_regular_files=False))
    assert lax("read", path="link").text == "x"


def test_secrets_are_not_shown(benches: Benches, root: Path) -> None:
    bench = benches.make(environ={"FOO_TOKEN": "supersecret"})
    (root / ".env").write_text("TOKEN=supersecret\n", encoding="utf-8")
    result = bench("read", path=".env")
    assert result.text == "TOKEN=[REDACTED]\n"
    assert "supersecret" not in str(result.content)


def test_a_part_of_a_file_does_not_show_a_part_of_a_secret(benches: Benches, root: Path) -> None:
    key = "-----BEGIN A KEY-----\nabcdefghijklmnopqrst\n-----END A KEY-----"
    bench = benches.make(environ={"SSH_KEY": key})
    (root / "key").write_bytes(key.replace("\n", "\r\n").encode())
    for part in ({}, {"offset": 2, "limit": 1}):
        assert "abcdef" not in bench("read", path="key", **part).text


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_a_file_whose_size_is_not_told_is_read(benches: Benches) -> None:
    bench = benches.make(roots=[Path("/proc")])
    assert bench("read", path=f"/proc/{os.getpid()}/status").text.startswith("Name:")
    assert "is denied" in bench("read", path=f"/proc/{os.getpid()}/environ").text


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "missing required string argument 'path'"),
        ({"path": 1}, "missing required string argument 'path'"),
        ({"path": "f", "offset": 0}, "'offset' must be a whole number from 1 up"),
        ({"path": "f", "limit": True}, "'limit' must be a whole number from 1 up"),
        ({"path": "f", "limit": float("nan")}, "'limit' must be a whole number from 1 up"),
        ({"path": "f", "limit": float("inf")}, "'limit' must be a whole number from 1 up"),
        ({"path": "a\0b"}, "path must not hold a NUL character"),
        ({"path": "f" * 300}, "path '" + "f" * 300 + "' does not exist"),
    ],
)
def test_bad_arguments_are_an_error_result(
    bench: Bench, arguments: dict[str, object], error: str
) -> None:
    result = bench("read", **arguments)
    assert result.is_error
    assert result.text == f"error: {error}"


def test_a_cancelled_read_of_a_long_file_ends(bench: Bench, root: Path) -> None:
    (root / "f").write_bytes(b"x\n" * 500_000)
    bench.cancel.set(Interrupted("interrupted"))
    assert bench("read", path="f", offset=1).content["error"] == "cancelled: interrupted"
