"""/templates and a template's own name, /trust and /reload, against services handed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pi.agent.events import AgentEnd
from pi.ai.types import Usage
from pi.base.errors import ConfigError, MissingKey
from pi.commands.context import CommandContext
from pi.commands.dispatch import Outcome, run_line
from pi.commands.expansion import Template
from pi.commands.script import problems, read_script

REVIEW = Template("review", "/p/review.md", "project", "Review $1.", "Look closely", "<file>")
EMPTY = Template("only", "/p/only.md", "user", "$@")


def run(
    line: str, tmp_path: Path, *, interactive: bool = False, is_agreed: bool = True, **services: Any
) -> Outcome:
    context = CommandContext(
        None, str(tmp_path), {}, lambda: 0, bytes, lambda question: is_agreed, lambda: None,
        {}, services, interactive,
    )  # fmt: skip
    return run_line(line, context)


def known() -> dict[str, Template]:
    return {"only": EMPTY, "review": REVIEW}


def test_templates_are_listed_with_their_use(tmp_path: Path) -> None:
    outcome = run("/templates", tmp_path, templates=known)
    assert outcome.lines == (
        "templates: count=2",
        "  /only (user): ",
        "  /review <file> (project): Look closely",
    )
    assert outcome.result.data is not None
    assert outcome.result.data["templates"][1]["path"] == "/p/review.md"
    assert run("/templates", tmp_path).lines[0] == "templates: count=0"


def test_a_mistyped_name_of_a_template_is_told_with_the_right_one(tmp_path: Path) -> None:
    assert "did you mean /review?" in run("/reviw a.py", tmp_path, templates=known).lines
    assert run("/reviw a.py", tmp_path).lines[1] == "run /help for command list"


@pytest.mark.parametrize("interactive", [True, False])
def test_a_templates_name_is_a_prompt(tmp_path: Path, interactive: bool) -> None:
    asked: list[str] = []

    def prompt(text: str) -> AgentEnd:
        asked.append(text)
        return AgentEnd("completed", 1, Usage(1, 1))

    services: dict[str, Any] = {"templates": known, "prompt": prompt, "answer": lambda: "fine"}
    outcome = run("/review 'a b' --json", tmp_path, interactive=interactive, **services)
    assert asked == ["Review a b."]
    assert (outcome.command, outcome.result.ok) == ("/prompt", True)
    assert outcome.lines == (() if interactive else ("fine",))
    run("/REVIEW x", tmp_path, **services)
    assert asked[1] == "Review x."


def test_a_template_whose_name_begins_a_command_is_meant(tmp_path: Path) -> None:
    asked: list[str] = []
    template = REVIEW._replace(name="res", body="body")
    run(
        "/res", tmp_path, interactive=True, templates=lambda: {"res": template},
        prompt=lambda text: asked.append(text) or AgentEnd("completed", 1, Usage()),
        answer=lambda: "",
    )  # fmt: skip
    assert asked == ["body"]


def test_a_template_that_comes_to_nothing_is_an_error(tmp_path: Path) -> None:
    outcome = run("/only", tmp_path, templates=known)
    assert outcome.result.error is not None
    assert outcome.result.error.code == "empty-prompt"


def test_what_fails_before_the_model_is_asked_is_a_result(tmp_path: Path) -> None:
    def prompt(text: str) -> AgentEnd:
        raise MissingKey("no API key")

    outcome = run("/review x", tmp_path, templates=known, prompt=prompt, answer=lambda: "")
    assert outcome.result.error is not None
    assert outcome.result.error.exit_code == 3


def test_a_name_that_is_nothing_stays_unknown(tmp_path: Path) -> None:
    assert run("/nothing", tmp_path, templates=known).lines[0] == "unknown command: /nothing"
    lines = read_script(b"/review x\n/nothing\n", "f")
    found = problems(lines, lambda name: name == "/review")
    assert [why for _, why in found] == ["unknown command: /nothing"]


class Trust:
    """The services of /trust over one answer."""

    def __init__(self, root: str | None = "/work") -> None:
        self.root = root
        self.folders: dict[str, bool] = {"/other": False}
        self.reloads = 0

    def services(self) -> dict[str, Any]:
        return {"trust_state": self.state, "trust": self.change, "reload": self.reload}

    def state(self) -> dict[str, Any]:
        trusted = self.folders.get(self.root or "", False)
        things = [".pi/prompts"]
        return {
            "root": self.root, "trusted": trusted, "things": things, "folders": self.folders,
        }  # fmt: skip

    def change(self, answer: bool | None) -> bool:
        assert self.root is not None
        if self.folders.get(self.root) is answer:
            return False
        if answer is None:
            del self.folders[self.root]
        else:
            self.folders[self.root] = answer
        return True

    def reload(self) -> list[str]:
        self.reloads += 1
        return ["templates: 1"]


def test_a_person_approves_a_folder_and_it_counts_at_once(tmp_path: Path) -> None:
    trust = Trust()
    outcome = run("/trust", tmp_path, interactive=True, **trust.services())
    assert outcome.lines == (
        "trust: root=/work status=trusted brings=.pi/prompts",
        "  templates: 1",
    )
    again = run("/trust", tmp_path, interactive=True, **trust.services())
    assert "status=already_trusted" in again.lines[0]
    assert trust.reloads == 1
    listed = run("/trust --list", tmp_path, **trust.services())
    assert listed.lines == ("trust list: count=2", "  refused /other", "  trusted /work")
    revoked = run("/trust --revoke", tmp_path, **trust.services())
    assert "status=revoked" in revoked.lines[0]
    assert trust.folders == {"/other": False}


@pytest.mark.parametrize("before", [None, False])
def test_a_yes_whose_files_cannot_be_used_is_taken_back(
    tmp_path: Path, before: bool | None
) -> None:
    trust = Trust()
    if before is not None:
        trust.folders["/work"] = before
    folders = dict(trust.folders)

    def broken() -> list[str]:
        assert trust.folders["/work"], "what is read anew must count while it is read"
        raise ConfigError("/s.json:1:2: no", hint="mend it")

    outcome = run("/trust --yes", tmp_path, **{**trust.services(), "reload": broken})
    assert outcome.result.error is not None
    assert outcome.result.error.hint == "mend it; the folder was not approved"
    assert trust.folders == folders


def test_what_is_revoked_stays_so_whatever_the_files_say(tmp_path: Path) -> None:
    trust = Trust()
    trust.folders["/work"] = True

    def broken() -> list[str]:
        raise ConfigError("/s.json:1:2: no")

    outcome = run("/trust --revoke", tmp_path, **{**trust.services(), "reload": broken})
    assert outcome.result.error is not None
    assert outcome.result.error.hint == "the folder is not approved any more"
    assert "/work" not in trust.folders


def test_a_script_has_to_say_that_it_means_it(tmp_path: Path) -> None:
    trust = Trust()
    outcome = run("/trust", tmp_path, **trust.services())
    assert outcome.result.error is not None
    assert outcome.result.error.exit_code == 2
    assert "/work" not in trust.folders
    assert run("/trust --yes", tmp_path, **trust.services()).result.ok
    assert trust.folders["/work"]


def test_lines_of_which_nobody_knows_whose_they_are_approve_nothing(tmp_path: Path) -> None:
    """In the interactive loop a person is asked; through a pipe there is none."""
    trust = Trust()
    for line in ("/trust", "/trust --yes"):
        outcome = run(line, tmp_path, interactive=True, is_agreed=False, **trust.services())
        assert outcome.result.error is not None
        assert outcome.result.error.exit_code == 2
    assert "/work" not in trust.folders


def test_the_home_folder_is_not_approved(tmp_path: Path) -> None:
    outcome = run("/trust --yes", tmp_path, **Trust(None).services())
    assert outcome.result.error is not None
    assert outcome.result.error.code == "no-project"


def test_reload_tells_what_it_found_or_why_not(tmp_path: Path) -> None:
    outcome = run("/reload", tmp_path, reload=lambda: ["tools changed"])
    assert outcome.lines == ("reloaded", "  tools changed")

    def broken() -> list[str]:
        raise ConfigError("/s.json:1:2: no")

    outcome = run("/reload", tmp_path, reload=broken)
    assert outcome.result.error is not None
    assert outcome.result.error.exit_code == 2
    for line in ("/reload", "/trust"):
        assert run(line, tmp_path).result.error is not None
