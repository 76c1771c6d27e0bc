"""The end of a command's output, and the file with all of it."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest

from pi.tools.output import MAX_SPILL_BYTES, Output, Tail


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    return tmp_path


def output(temp: Path, limit: int = 100, secrets: tuple[str, ...] = ()) -> Output:
    return Output(limit, secrets, temp_dir=str(temp), random_bytes=os.urandom)


def test_a_tail_holds_the_end_in_bounded_memory() -> None:
    tail = Tail(10)
    for number in range(1000):
        tail.add(b"%04d\n" % number)
    assert tail.data() == b"0998\n0999\n"
    assert (tail.total, tail.line_ends, tail.dropped) == (5000, 1000, True)


def test_hex_and_base64_of_a_secret_are_not_shown(temp: Path) -> None:
    secret = "hunter2-correct-horse"
    out = output(temp, 10_000, (secret,))
    out.add("stdout", base64.encodebytes(b"x" * 50 + secret.encode() * 2))
    out.add("stdout", secret.encode().hex().encode())
    out.finish()
    shown = out.shown(out.merged).text
    assert shown.startswith("eHh4")
    assert shown.count("[REDACTED]") == 3


def test_short_output_is_shown_whole_and_leaves_no_file(temp: Path) -> None:
    out = output(temp)
    out.add("stdout", b"one\n")
    out.add("stderr", b"two\n")
    out.add("stdout", b"three")
    out.finish()
    assert out.shown(out.merged) == ("one\ntwo\nthree", False)
    assert out.shown(out.streams["stdout"]) == ("one\nthree", False)
    assert out.shown(out.streams["stderr"]) == ("two\n", False)
    assert (out.full_path, os.listdir(temp)) == ("", [])


def test_output_over_the_limit_is_cut_at_a_line_and_kept_in_a_private_file(temp: Path) -> None:
    out = output(temp, 10)
    out.add("stdout", b"first\nsecond\nthird\n")
    out.finish()
    assert out.shown(out.merged) == ("third\n", True)
    file = Path(out.full_path)
    assert file.read_bytes() == b"first\nsecond\nthird\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert out.full_is_complete


def test_a_long_line_is_cut_at_a_character(temp: Path) -> None:
    out = output(temp, 10)
    out.add("stdout", "😀".encode() * 100)
    out.finish()
    assert out.shown(out.merged).text == "😀😀"


def test_output_far_over_the_limit_is_complete_in_the_file(temp: Path) -> None:
    out = output(temp, 1000)
    piece = "é😀日本\n".encode() * 999
    whole = b""
    for at in range(100):  # pieces end within characters
        part = piece[at % 7 :]
        whole += part
        out.add(("stdout", "stderr")[at % 2], part)
    out.finish()
    shown = out.shown(out.merged)
    assert shown.cut
    assert len(shown.text.encode()) <= 1000
    assert len(Path(out.full_path).read_bytes()) == len(whole) == out.merged.total


def test_only_the_last_lines_are_shown(temp: Path) -> None:
    out = output(temp, 100_000)
    out.add("stdout", b"x\n" * 2001)
    out.finish()
    shown = out.shown(out.merged)
    assert (shown.text, shown.cut) == ("x\n" * 2000, True)


def test_a_character_split_by_the_other_stream_stays_whole(temp: Path) -> None:
    out = output(temp)
    euro = "€".encode()
    out.add("stdout", b"a" + euro[:1])
    out.add("stderr", b"b")
    out.add("stdout", euro[1:] + b"c")
    out.add("stdout", b"\xe2\x82")
    out.finish()
    assert out.shown(out.merged).text == "ab€c\ufffd"


def test_progress_lines_do_not_use_up_the_limit(temp: Path) -> None:
    out = output(temp, 100)
    out.add("stdout", b"start\n" + b"".join(b"%3d%%\r" % n for n in range(101)) + b"\nend\n")
    out.finish()
    assert out.shown(out.merged) == ("start\n100%\nend\n", False)


@pytest.mark.parametrize("before", range(1, 12))
def test_no_part_of_a_secret_shows_at_the_cut(temp: Path, before: int) -> None:
    """Wherever dropping the beginning splits the value."""
    out = output(temp, 300_000, ("supersecret",))
    out.add("stdout", b"x" * 1_000_000 + b"supersecret"[:before])
    out.add("stdout", b"supersecret"[before:] + b"y" * 1_200_000)
    out.add("stdout", b"z" * 100)
    out.finish()
    assert set(out.shown(out.merged).text) <= set("[REDACTED]yz")
    assert b"secret" not in Path(out.full_path).read_bytes()


def test_a_secret_right_behind_the_cut_is_redacted(temp: Path) -> None:
    """Whatever is left out at the edge must not split the next secret."""
    for before in range(14):
        out = output(temp, 300_000, ("supersecret",))
        out.add("stdout", b"x")
        out.add("stdout", b"." * before + b"supersecret" + b"y" * 1_200_000)
        out.finish()
        assert set(out.shown(out.merged).text) <= set(".[REDACTED]y")


def test_the_file_is_capped(temp: Path) -> None:
    out = output(temp, 100)
    piece = b"x" * (1 << 20)
    for _ in range((MAX_SPILL_BYTES >> 20) + 2):
        out.add("stdout", piece)
    out.finish()
    assert os.path.getsize(out.full_path) == MAX_SPILL_BYTES
    assert not out.full_is_complete


def test_without_a_place_for_the_file_the_end_is_still_shown(temp: Path) -> None:
    out = output(temp / "missing", 10)
    out.add("stdout", b"long enough to cut\nend\n")
    out.finish()
    assert out.shown(out.merged) == ("end\n", True)
    assert (out.full_path, out.full_is_complete) == ("", False)


def test_files_of_last_week_are_removed(temp: Path) -> None:
    for name in ("pi-bash-old.log", "pi-bash-new.log", "other-old.log"):
        (temp / name).write_bytes(b"")
    week_ago = (temp / "other-old.log").stat().st_mtime - 8 * 24 * 3600
    for name in ("pi-bash-old.log", "other-old.log"):
        os.utime(temp / name, (week_ago, week_ago))
    out = output(temp, 1)
    out.add("stdout", b"xx")
    out.finish()
    names = set(os.listdir(temp)) - {os.path.basename(out.full_path)}
    assert names == {"pi-bash-new.log", "other-old.log"}
