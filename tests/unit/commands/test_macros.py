"""/macro with real files: what it prints, keeps, refuses and asks."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pi.base.errors import PiError
from pi.commands.context import CommandContext
from pi.commands.dispatch import Outcome, run_line
from pi.commands.macro_shelf import Shelf
from tests.fakes.session_files import context, entry


class Here:
    """A project folder and a home, side by side, and one session with two entries."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.home = folder / "home"
        self.folder.mkdir()
        self.home.mkdir()
        self.store = self.folder / ".pi" / "macros.json"
        self.user_store = self.home / ".config" / "pi" / "macros.json"
        self.asked: list[str] = []
        self.answer = True
        base = context(self.folder, entry(1, None), entry(2, 1))
        self.context: CommandContext = base._replace(environ={"HOME": str(self.home)})

    def run(self, line: str) -> Outcome:
        return run_line(line, self.context)

    def lines(self, line: str) -> tuple[str, ...]:
        return self.run(line).lines

    def refused(self, line: str, code: str = "") -> str:
        outcome = self.run(line)
        assert outcome.result.error is not None, outcome.lines
        assert code in ("", outcome.result.error.code)
        return outcome.lines[-1]

    def data(self, line: str) -> dict[str, Any]:
        answer = json.loads(self.lines(line)[0])
        assert answer["ok"], answer
        found: dict[str, Any] = answer["data"]
        return found

    def file(self, name: str, *lines: str) -> None:
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def found(self, path: Path | None = None, **macros: object) -> None:
        """A macro file as it comes with a clone."""
        path = path or self.store
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"schema_version": 1, "macros": macros}), encoding="utf-8")

    def interactive(self) -> None:
        def confirm(question: str) -> bool:
            self.asked.append(question)
            return self.answer

        self.context = self.context._replace(interactive=True, confirm=confirm)


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def test_of_two_that_edit_one_macro_the_later_is_told_and_drops_nothing(here: Here) -> None:
    here.found(m=["/session"])
    mine, theirs = Shelf(here.context), Shelf(here.context)
    before = mine.find("m").lines
    theirs.put("m", ["/session", "/branch 1"], None, theirs.find("m").lines)
    with pytest.raises(PiError, match="was changed by another process meanwhile"):
        mine.put("m", ["/session", "/branch 2"], None, before)
    assert Shelf(here.context).find("m").lines == ("/session", "/branch 1")


def test_the_life_of_a_macro(here: Here) -> None:
    here.file("F", "# first back", "", "  /branch 1  ", "/session")
    path = here.store
    assert here.lines("/macro save rewind F") == (
        f"macro save: path={path} name=rewind source=F commands=2",
    )
    assert path.read_text() == (
        '{\n  "schema_version": 1,\n  "macros": {\n    "rewind": [\n      "/branch 1",\n'
        '      "/session"\n    ]\n  }\n}\n'
    )
    assert here.lines("/macro list") == (
        f"macro list: path={path} count=1",
        "macro: name=rewind commands=2",
    )
    assert here.lines("/macro show rewind") == (
        f"macro show: path={path} name=rewind commands=2",
        "command: index=0 value=/branch 1",
        "command: index=1 value=/session",
    )
    assert here.lines("/macro run rewind --dry-run") == (
        f"macro run: path={path} name=rewind mode=dry-run commands=2",
        "plan: command=/branch 1",
        "plan: command=/session",
    )
    assert here.context.store is not None
    assert here.context.store.head == 2
    assert here.lines("/macro run rewind") == (
        "switched to branch id 1",
        "entry: id=1 parent=none role=user preview=hi depth=1 was=2",
        "session: path=s.jsonl entries=2 active_head=1",
        f"macro run: path={path} name=rewind mode=apply commands=2 executed=2",
    )
    assert here.lines("/macro delete rewind") == (
        f"macro delete: path={path} name=rewind status=deleted remaining=0",
    )
    assert here.lines("/macro list") == (f"macro list: path={path} count=0", "macros: none")


def test_usage_and_names(here: Here) -> None:
    begin = f"macro error: path={here.store} "
    for verb, more in (("show", "<name>"), ("delete", "<name>"), ("save", "<name> <commands")):
        assert here.refused(f"/macro {verb}").startswith(
            f"{begin}error=usage: /macro {verb} {more}"
        )
    assert here.refused("/macro run").startswith(
        f"{begin}error=usage: /macro run <name> [--dry-run]"
    )
    assert here.refused("/macro") == f"{begin}error=usage: /macro <save|run|list|show|delete> ..."
    assert here.refused("/macro fly x") == (
        f"{begin}name=x error=unknown subcommand 'fly'; "
        "usage: /macro <save|run|list|show|delete> ..."
    )
    assert here.refused("/macro list --dry-run").startswith(f"{begin}error=/macro list takes no")
    assert here.refused("/macro save 1bad F") == (
        f"{begin}name=1bad error=macro name '1bad' must start with an ASCII letter"
    )
    assert here.refused("/macro show missing", "unknown-macro") == (
        f"{begin}name=missing error=unknown macro 'missing'"
    )
    assert not here.store.exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "failed to read commands file F (it is not there)"),
        (b"", "commands file F does not contain runnable commands"),
        (b"# only words\n\n", "commands file F does not contain runnable commands"),
        (b"\xff", "failed to read commands file F (invalid start byte at byte 0)"),
        (b"/session\0", "failed to read commands file F (command file F: line 1 holds a NUL"),
        (b"/help\n\n/nope x", "macro command #1 failed validation: unknown command: /nope "
                              "(line 3 of F: /nope x)"),
        (b"/help\nhello", "macro command #1 failed validation: command must start with '/' "
                          "(line 2 of F: hello)"),
        (b"-/session", "macro command #0 failed validation: command must start with '/' "
                       "(line 1 of F: -/session)"),
        (b"/quit", "macro command #0 failed validation: /quit cannot be part of a macro (line"),
        (b"/macro run m", "macro command #0 failed validation: m -> m is a circle (line 1"),
    ],
)  # fmt: skip
def test_a_file_that_gives_no_macro_is_told_and_nothing_written(
    here: Here, content: bytes | None, why: str
) -> None:
    if content is not None:
        (here.folder / "F").write_bytes(content)
    assert f"name=m error={why}" in here.refused("/macro save m F")
    assert not here.store.exists()


def test_a_pipe_and_a_folder_give_no_macro(here: Here) -> None:
    os.mkfifo(here.folder / "pipe")
    assert "(it is not a regular file)" in here.refused("/macro save m pipe")
    assert "(it is a folder)" in here.refused("/macro save m .")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "failed to parse macro file <p> (Expecting property name"),
        (b"[]", "failed to parse macro file <p> (no object with a schema_version"),
        (b'{"schema_version": 99}', "unsupported macro schema_version 99 in <p> (expected 1)"),
        (b'{"schema_version": true}', "unsupported macro schema_version true in <p>"),
        (b'{"schema_version": 1, "macros": []}', "failed to parse macro file <p> (no object"),
        (b"\xff\xfe", "failed to parse macro file <p> (not UTF-8 text"),
        (b"[" * 100_000, "failed to parse macro file <p> (nested too deeply"),
    ],
)
def test_a_file_that_is_none_is_told_by_every_verb_and_left_as_it_is(
    here: Here, content: bytes, why: str
) -> None:
    here.file("F", "/session")
    here.store.parent.mkdir()
    here.store.write_bytes(content)
    for verb in ("list", "show m", "run m", "delete m", "save m F"):
        told = here.refused(f"/macro {verb}")
        assert f"error={why.replace('<p>', str(here.store))}" in told
    assert here.store.read_bytes() == content


def test_a_link_a_folder_and_a_pipe_in_the_files_place_are_refused(here: Here) -> None:
    here.file("F", "/session")
    outside = here.home / "secret"
    outside.write_text('{"schema_version": 1, "macros": {"m": ["/session"]}}')
    here.store.parent.mkdir()
    here.store.symlink_to(outside)
    assert "it is a link" in here.refused("/macro run m")
    assert "it is a link" in here.refused("/macro save m F")
    assert here.store.is_symlink()
    here.store.unlink()
    os.mkfifo(here.store)
    assert "it is not a regular file" in here.refused("/macro list")
    here.store.unlink()
    here.store.parent.rmdir()
    (here.home / "elsewhere").mkdir()
    here.store.parent.symlink_to(here.home / "elsewhere")
    assert "its folder is a link" in here.refused("/macro save m F")
    assert os.listdir(here.home / "elsewhere") == []


def test_what_nobody_knows_in_the_file_stays(here: Here) -> None:
    here.file("F", "/session")
    here.found(odd={"commands": []}, old=["/session"])
    content = {**json.loads(here.store.read_text()), "later": {"x": [1]}}
    here.store.write_text(json.dumps(content))
    here.run("/macro save mine F --description 'What it does'")
    assert json.loads(here.store.read_text()) == {
        **content,
        "macros": {"mine": ["/session"], "odd": {"commands": []}, "old": ["/session"]},
        "descriptions": {"mine": "What it does"},
    }
    assert here.lines("/macro list")[1:] == (
        "macro: name=mine commands=1 description=What it does",
        "macro: name=odd commands=0 status=damaged",
        "macro: name=old commands=1",
    )
    assert "macro 'odd' is damaged" in here.refused("/macro show odd")
    assert here.lines("/macro show mine")[-1] == "description: What it does"
    assert here.run("/macro delete odd").result.ok
    assert here.run("/macro delete mine").result.ok
    assert json.loads(here.store.read_text())["descriptions"] == {}


def test_a_macro_that_became_invalid_can_be_shown_and_deleted_but_not_run(here: Here) -> None:
    here.found(old=["/session", "/gone now"])
    why = "macro command #1 failed validation: unknown command: /gone"
    assert here.lines("/macro show old")[-1] == f"broken: {why}"
    for flag in ("", " --dry-run", " --trust-project"):
        assert here.refused(f"/macro run old{flag}") == (
            f"macro error: path={here.store} name=old error={why}"
        )
    assert here.run("/macro delete old").result.ok


def test_a_failure_stops_the_macro_and_is_counted(here: Here) -> None:
    here.file("F", "/session", "/branch 99", "/session")
    here.run("/macro save m F")
    outcome = here.run("/macro run m")
    assert outcome.lines[1:] == (
        "branch error: error=unknown session id 99",
        f"macro error: path={here.store} name=m command=/branch 99 error=unknown session id 99",
        f"macro run: path={here.store} name=m mode=apply commands=3 executed=2 failed=1",
    )
    error = outcome.result.error
    assert error is not None
    assert error.message == "macro 'm': command #1 /branch 99: unknown session id 99"
    assert error.code == "unknown-session-id"
    on = here.run("/macro run m --keep-going")
    assert on.lines[-1].endswith("commands=3 executed=3 failed=1")
    assert not on.result.ok
    told = json.loads(here.lines("/macro run m --json")[0])
    assert (told["ok"], told["data"]["executed"], told["data"]["failed"]) == (False, 2, 1)
    assert [step["ok"] for step in told["data"]["steps"]] == [True, False]
    assert told["data"]["steps"][1]["error"]["code"] == "unknown-session-id"


def test_a_failure_in_a_called_macro_names_both(here: Here) -> None:
    here.file("inner", "/branch ${id}")
    here.file("outer", "/session", "/macro run inner -- id=$1")
    here.run("/macro save inner inner")
    here.run("/macro save outer outer")
    outcome = here.run("/macro run outer -- 99")
    assert outcome.lines[-2].endswith(
        "name=outer command=/branch -- 99 error=unknown session id 99 (command #0 of 'inner')"
    )
    assert outcome.result.error is not None
    assert "macro 'inner' (called by 'outer'): command #0" in outcome.result.error.message


def test_arguments_too_many_and_too_few_run_nothing(here: Here) -> None:
    here.file("F", "/branch 1", "/branch $1")
    here.run("/macro save m F")
    assert "no value for $1; give it behind --" in here.refused("/macro run m")
    assert "unexpected argument 'b': the macro takes 1" in here.refused("/macro run m -- a b")
    assert here.context.store is not None
    assert here.context.store.head == 2
    assert here.data("/macro show m --json")["parameters"] == ["$1"]


def test_what_came_with_a_folder_runs_for_nobody_unasked(here: Here) -> None:
    here.found(evil=["/branch 1"])
    told = here.refused("/macro run evil", "project-not-trusted")
    assert "macro 'evil' came with this folder, and nobody has approved it" in told
    assert here.run("/macro run evil").result.error.exit_code == 8  # type: ignore[union-attr]
    assert here.run("/macro run evil --dry-run").result.ok
    assert here.context.store is not None
    assert here.context.store.head == 2
    assert here.run("/macro run evil --trust-project").result.ok
    assert here.context.store.head == 1
    here.refused("/macro run evil", "project-not-trusted")


def test_a_macro_of_ones_own_that_calls_a_foreign_one_is_asked_about(here: Here) -> None:
    here.found(evil=["/branch 1"])
    here.file("F", "/macro run evil")
    here.run("/macro save mine F")
    assert "macro 'evil' came" in here.refused("/macro run mine", "project-not-trusted")
    here.refused("/macro save yours F --user", "bad-macro-line")
    here.found(here.user_store, yours=["/macro run evil"], evil=["/session"])
    assert "macro 'evil' came" in here.refused("/macro run yours", "project-not-trusted")
    assert here.run("/macro run yours --user").result.ok


def test_a_person_is_asked_once_for_each_content(here: Here) -> None:
    here.found(evil=["/branch 1", "/session \u202e"])
    here.interactive()
    here.answer = False
    assert here.lines("/macro run evil") == ("macro error: path=" + str(here.store)
        + " name=evil error=macro command #1 failed validation: usage: /session",)  # fmt: skip
    here.found(evil=["/branch 1", "/session-search \u202ex"])
    assert here.lines("/macro run evil") == ("not done",)
    assert here.asked == [
        f"Macro 'evil' came with this folder ({here.store}) and runs:\n"
        "  /branch 1\n  /session-search \\u202ex\nRun it?"
    ]
    here.answer = True
    assert here.run("/macro run evil").result.ok
    assert here.run("/macro run evil").result.ok
    assert len(here.asked) == 2
    here.found(evil=["/branch 1", "/session"])
    assert here.run("/macro run evil").result.ok
    assert len(here.asked) == 3
    kept = here.home / ".config" / "pi" / "approvals.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_an_approval_is_of_one_folder(here: Here, tmp_path: Path) -> None:
    here.file("F", "/session")
    here.run("/macro save m F")
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / ".pi").mkdir()
    (copy / ".pi" / "macros.json").write_bytes(here.store.read_bytes())
    here.context = here.context._replace(cwd=str(copy))
    here.refused("/macro run m", "project-not-trusted")


def test_a_trusted_folder_is_not_asked_about(here: Here) -> None:
    here.found(m=["/session"])
    here.context = here.context._replace(services={"trusted": lambda: True})
    assert here.run("/macro run m").result.ok
    here.context = here.context._replace(services={"trusted": lambda: False})
    here.refused("/macro run m", "project-not-trusted")


def test_a_macro_that_could_not_be_approved_is_kept_and_says_so(here: Here) -> None:
    here.file("F", "/session")
    (here.home / ".config").write_text("not a folder")
    lines = here.lines("/macro save m F")
    assert lines[1].startswith("macro note: name=m note=asks before it runs: failed to ")
    assert here.store.exists()
    here.refused("/macro run m", "project-not-trusted")


def test_the_projects_macros_stand_before_the_users(here: Here) -> None:
    here.found(here.user_store, both=["/session"], mine=["/session", "/help"])
    here.found(both=["/branch 1"])
    assert here.lines("/macro list") == (
        f"macro list: path={here.store} count=2",
        "macro: name=both commands=1",
        "macro: name=mine commands=2 level=user",
    )
    assert f"path={here.user_store} name=mine" in here.lines("/macro show mine")[0]
    assert here.lines("/macro run mine")[-1].startswith(f"macro run: path={here.user_store} ")
    assert here.lines("/macro show both --user")[1] == "command: index=0 value=/session"
    assert "unknown macro 'mine'" in here.refused("/macro delete mine")
    outcome = here.run("/macro delete mine")
    assert outcome.result.error is not None
    assert "--user" in outcome.result.error.hint
    assert here.run("/macro delete mine --user").lines[0].endswith("remaining=1")


def test_a_broken_file_of_the_user_is_not_in_the_way(here: Here) -> None:
    here.found(here.user_store)
    here.user_store.write_text("{")
    here.file("F", "/session")
    here.run("/macro save m F")
    assert here.run("/macro run m").result.ok
    assert here.lines("/macro list")[-1].startswith("macro note: failed to parse macro file ")
    assert "failed to parse macro file" in here.refused("/macro show missing")
    assert "failed to parse macro file" in here.refused("/macro list --user")


def test_one_command_can_be_changed(here: Here) -> None:
    here.file("F", "/session", "/help")
    here.run("/macro save m F")
    here.run('/macro edit m 1 -- /session-search "a  b" --limit 5')
    here.run("/macro edit m 0 --insert -- /branch 1")
    here.run("/macro edit m 3 --insert -- /help macro run")
    here.run("/macro edit m 1 --remove")
    assert here.data("/macro show m --json")["commands"] == [
        "/branch 1",
        '/session-search "a  b" --limit 5',
        "/help macro run",
    ]
    assert here.run("/macro run m --dry-run").result.ok
    assert "is no index; the last one is 2" in here.refused("/macro edit m 3 -- /help")
    assert "unknown command: /nope" in here.refused("/macro edit m 0 -- /nope")
    assert "usage: /macro edit" in here.refused("/macro edit m 0")
    assert here.run("/macro run m").result.ok, "what one changes oneself stays approved"


def test_changing_a_foreign_macro_does_not_approve_it(here: Here) -> None:
    here.found(evil=["/branch 1", "/session"])
    assert here.run("/macro edit evil 1 -- /help").result.ok
    here.refused("/macro run evil", "project-not-trusted")


def test_the_macros_of_the_folder_above_are_the_projects(here: Here) -> None:
    here.file("F", "/session")
    here.run("/macro save m F")
    below = here.folder / "a" / "b"
    below.mkdir(parents=True)
    here.context = here.context._replace(cwd=str(below))
    assert here.lines("/macro list")[0] == f"macro list: path={here.store} count=1"
    assert here.run("/macro run m").result.ok


def test_steps_get_what_the_run_has_then(here: Here) -> None:
    """A line may begin another session; the next one must see it."""
    here.file("F", "/session", "/session")
    here.run("/macro save m F")
    given: list[Callable[[str], bool]] = []

    def fresh(confirm: Callable[[str], bool]) -> CommandContext:
        given.append(confirm)
        return here.context._replace(store=None)

    here.context = here.context._replace(services={"fresh_context": fresh})
    assert here.lines("/macro run m")[:2] == ("session: disabled", "session: disabled")
    assert given == [here.context.confirm] * 2


def test_a_line_that_holds_a_key_is_not_stored_in_a_file_made_to_be_passed_on(here: Here) -> None:
    environ = {**here.context.environ, "OPENAI_API_KEY": "sk-0123456789"}
    here.context = here.context._replace(environ=environ)
    here.file("steps", "/help", "/prompt ask with sk-0123456789")
    line = here.refused("/macro save m steps", "bad-macro-line")
    assert "it holds the value of a secret variable" in "".join(here.lines("/macro save m steps"))
    assert "0123456789" not in line
    assert not here.store.exists()
