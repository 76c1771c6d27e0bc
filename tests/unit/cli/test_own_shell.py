"""A command of the user's own: what is shown, what the model is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pi.base.errors import PiError
from pi.base.host import Host
from pi.cli.own_shell import MAX_TOLD_BYTES, Ran, Tail, run_own, told


def run(command: str, folder: Path) -> tuple[Ran, str]:
    shown: list[str] = []
    ran = run_own(command, Host(), str(folder), shown.append)
    return ran, "".join(shown)


def test_output_is_shown_and_kept_with_the_exit_code(tmp_path: Path) -> None:
    ran, shown = run("echo out; echo é; exit 3", tmp_path)
    assert shown == ran.output == "out\né\n"
    assert (ran.code, ran.cut, ran.cancelled) == (3, 0, False)


def test_it_runs_in_the_working_directory(tmp_path: Path) -> None:
    ran, _ = run("echo x > made; pwd -P", tmp_path)
    assert ran.output.strip() == str(tmp_path.resolve())
    assert (tmp_path / "made").exists()


def test_a_folder_that_is_gone_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(PiError, match="cannot be started"):
        run("true", tmp_path / "gone")
    with pytest.raises(PiError, match="cannot be started"):
        run("echo \0", tmp_path)


def test_the_model_is_told_the_last_part_of_a_long_output(tmp_path: Path) -> None:
    ran, shown = run("seq 1 20000", tmp_path)
    assert shown.startswith("1\n2\n")
    assert ran.output.endswith("19999\n20000\n")
    assert len(ran.output) <= MAX_TOLD_BYTES
    assert ran.cut + len(ran.output) == len(shown)
    assert f"[output cut: {ran.cut} bytes came before]" in told(ran)


def test_the_model_reads_what_a_person_would_see() -> None:
    text = told(Ran("ls", "\x1b[31mred\x1b[0m\n10%\r100%\n", 0, 0, cancelled=False))
    assert text == "Ran `ls`\n```\nred\n100%\n```"


def test_no_output_a_failure_and_a_cancel_are_said() -> None:
    assert told(Ran("true", "", 0, 0, cancelled=False)) == "Ran `true`\n(no output)"
    assert told(Ran("x", "", 0, 127, cancelled=False)).endswith("Command exited with code 127")
    assert told(Ran("x", "", 0, -15, cancelled=True)).endswith("(command cancelled)")


def test_a_tail_keeps_the_end_from_the_beginning_of_a_line() -> None:
    tail = Tail(8)
    for piece in (b"first\n", b"second\n", b"third\n"):
        tail.feed(piece)
    assert (tail.text(), tail.cut) == ("third\n", 13)
    whole = Tail(100)
    whole.feed(b"a\nb")
    assert (whole.text(), whole.cut) == ("a\nb", 0)
