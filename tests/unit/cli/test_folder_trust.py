"""Which folders the user trusts, and how that is kept."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pi.base.errors import ConfigError
from pi.base.homes import Project, find_project
from pi.cli.folder_trust import (
    answer_for,
    ask_once,
    is_trusted,
    left_out,
    read_answers,
    things_in,
    trust_path,
    trusts_here,
    write_answer,
)
from tests.fakes.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.write("work/.pi/settings.json", "{}")
    return made


def project(desk: Desk) -> Project:
    found = find_project(desk.cwd(), desk.environ)
    assert found is not None
    return found


def answer(desk: Desk, value: bool | None, root: str = "") -> bool:
    return write_answer(desk.environ, root or project(desk).root, value, 7, os.urandom)


def test_an_answer_is_kept_for_its_own_folder_and_can_be_forgotten(desk: Desk) -> None:
    assert answer_for(project(desk), desk.environ) is None
    assert answer(desk, True)
    assert not answer(desk, True)
    assert answer_for(project(desk), desk.environ) is True
    assert read_answers(desk.environ) == {project(desk).root: {"trusted": True, "at_ms": 7}}
    assert answer(desk, True, "/other")
    assert answer(desk, None)
    assert not answer(desk, None)
    assert list(read_answers(desk.environ)) == ["/other"]


def test_the_file_is_for_the_user_alone_and_outside_of_the_folder(desk: Desk) -> None:
    answer(desk, True)
    path = trust_path(desk.environ)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    assert not path.startswith(project(desk).root)


def test_a_folder_below_a_trusted_one_is_judged_by_itself(desk: Desk) -> None:
    answer(desk, True)
    (desk.place / "vendor" / ".git").mkdir(parents=True)
    inner = find_project(str(desk.place / "vendor"), desk.environ)
    assert inner is not None
    assert not is_trusted(inner, desk.parsed(), desk.environ)
    assert is_trusted(inner, desk.parsed("--trust-project"), desk.environ)


def test_a_link_to_a_trusted_folder_is_trusted_and_a_moved_one_is_not(desk: Desk) -> None:
    answer(desk, True)
    link = desk.home / "link"
    link.symlink_to(desk.place)
    linked = find_project(str(link), desk.environ)
    assert linked is not None
    assert is_trusted(linked, desk.parsed(), desk.environ)
    desk.place.rename(desk.home / "moved")
    moved = find_project(str(desk.home / "moved"), desk.environ)
    assert moved is not None
    assert not is_trusted(moved, desk.parsed(), desk.environ)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"folders": 3}', '{"folders": {"/a": true}}', '{"folders": {"/a": {}}}',
     '{"folders": {"/a": {"trusted": "yes"}}}', "\0", "[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_trusts_nothing_and_is_not_overwritten(desk: Desk, text: str) -> None:
    desk.write(".config/pi/trusted.json", text)
    assert not is_trusted(project(desk), desk.parsed(), desk.environ)
    with pytest.raises(ConfigError, match=r"damaged|NUL"):
        answer(desk, True)
    assert Path(trust_path(desk.environ)).read_text() == text


def test_what_cannot_be_written_is_an_error_with_a_way_out(desk: Desk) -> None:
    (desk.home / ".config").write_text("a file")
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        answer(desk, True)
    assert "--trust-project" in caught.value.hint


def test_several_processes_lose_no_answer(desk: Desk) -> None:
    code = (
        "import os,sys\nfrom pi.cli.folder_trust import write_answer\n"
        "for n in range(5):\n"
        "    write_answer(dict(os.environ), f'/{sys.argv[1]}/{n}', True, 0, os.urandom)"
    )
    environ = {**desk.environ, "PYTHONPATH": os.getcwd()}
    running = [subprocess.Popen([sys.executable, "-c", code, name], env=environ) for name in "abc"]
    assert [each.wait(60) for each in running] == [0, 0, 0]
    assert len(read_answers(desk.environ)) == 15


def test_the_home_folder_is_the_users_own_and_the_root_is_nobodys(desk: Desk) -> None:
    assert trusts_here(None, str(desk.home), desk.parsed(), desk.environ)
    assert not trusts_here(None, "/", desk.parsed(), desk.environ)
    assert trusts_here(None, "/", desk.parsed("--trust-project"), desk.environ)
    assert not trusts_here(project(desk), desk.cwd(), desk.parsed(), desk.environ)


def test_what_a_folder_brings_is_named(desk: Desk) -> None:
    (desk.place / ".pi" / "prompts").mkdir()
    (desk.place / ".pi" / "sessions").mkdir()
    assert things_in(project(desk)) == (".pi/settings.json", ".pi/prompts")
    assert ".pi/settings.json, .pi/prompts left out" in left_out(project(desk))


def test_a_person_is_asked_once_about_what_needs_an_answer(desk: Desk) -> None:
    asked: list[str] = []

    def ask(reply: bool, *argv: str) -> bool:
        def confirm(question: str) -> bool:
            asked.append(question)
            return reply

        return ask_once(
            find_project(desk.cwd(), desk.environ),
            desk.parsed(*argv), desk.environ, confirm, 0, os.urandom,
        )  # fmt: skip

    assert not ask(True, "--trust-project")
    assert not ask(False)
    assert not ask(True)
    assert len(asked) == 1
    assert project(desk).root in asked[0]
    assert json.loads(Path(trust_path(desk.environ)).read_text())["version"] == 1
    answer(desk, None)
    assert ask(True)
    assert answer_for(project(desk), desk.environ) is True
    (desk.place / ".pi" / "settings.json").unlink()
    answer(desk, None)
    assert not ask(True)
    assert len(asked) == 2
