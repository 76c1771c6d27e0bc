"""/profile with real files; what the run says of itself is handed in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi.commands.dispatch import Outcome, run_line
from pi.commands.profile_fields import FIELDS
from pi.commands.profiles import Change
from tests.fakes.session_files import context, entry

DEFAULTS = {field.name: field.default for field in FIELDS}


class Here:
    """A project folder and a home; a run that says of itself what a test tells it to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "project", folder / "home"
        self.folder.mkdir()
        self.home.mkdir()
        self.store = self.folder / ".pi" / "profiles.json"
        self.user_store = self.home / ".config" / "pi" / "profiles.json"
        self.values: dict[str, Any] = dict(DEFAULTS)
        self.given: tuple[tuple[str, ...], dict[str, Any], tuple[str, ...]] = ((), {}, ())
        self.changes: list[Change] = []
        self.loaded: list[tuple[str, bool, bool]] = []
        self.trusted = False
        self.asked: list[str] = []
        base = context(
            self.folder,
            entry(1, None),
            profile_values=lambda: self.values,
            profile_given=lambda: self.given,
            apply_profile=self.apply,
            trusted=lambda: self.trusted,
        )
        self.context = base._replace(environ={"HOME": str(self.home)}, confirm=self.confirm)

    def confirm(self, question: str) -> bool:
        self.asked.append(question)
        return True

    def apply(self, found: Any, allow: Any, trusted: bool) -> list[Change]:
        self.loaded.append((found.name, trusted, allow(("policy.preset",))))
        return list(self.changes)

    def run(self, line: str) -> Outcome:
        return run_line(line, self.context)

    def lines(self, line: str) -> tuple[str, ...]:
        return self.run(line).lines

    def refused(self, line: str, code: str = "") -> str:
        outcome = self.run(line)
        assert outcome.result.error is not None, outcome.lines
        assert code in ("", outcome.result.error.code)
        return outcome.lines[-1]

    def found(self, path: Path | None = None, **profiles: object) -> None:
        path = path or self.store
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"schema_version": 1, "profiles": profiles}))


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def test_the_life_of_a_profile(here: Here) -> None:
    path = here.store
    assert here.lines("/profile save baseline") == (
        f"profile save: path={path} name=baseline status=saved",
    )
    assert path.read_text().startswith(
        '{\n  "schema_version": 1,\n  "profiles": {\n    "baseline": {\n      "model": "openai'
    )
    assert here.lines("/profile list") == (
        f"profile list: path={path} profiles=1",
        "profile: name=baseline",
    )
    shown = here.lines("/profile show baseline")
    assert shown[:3] == (
        f"profile show: path={path} name=baseline status=found",
        "value: model=openai/gpt-4o-mini",
        "value: fallback_models=none",
    )
    assert [line.split("=")[0] for line in shown[1:-1]] == [f"value: {name}" for name in DEFAULTS]
    assert here.lines("/profile load baseline") == (
        f"profile load: path={path} name=baseline status=in_sync diffs=0",
    )
    assert here.lines("/profile diff baseline") == (
        f"profile diff: path={path} name=baseline status=in_sync diffs=0",
    )
    assert here.lines("/profile delete baseline") == (
        f"profile delete: path={path} name=baseline status=deleted remaining=0",
    )
    assert here.lines("/profile list") == (f"profile list: path={path} profiles=0 names=none",)


def test_usage_names_and_unknown_ones(here: Here) -> None:
    begin = f"profile error: path={here.store} "
    for verb in ("save", "load", "show", "delete", "diff"):
        told = here.refused(f"/profile {verb}")
        assert told.startswith(f"{begin}error=usage: /profile {verb} <name>")
    usage = "usage: /profile <save|load|list|show|delete> ..."
    assert here.refused("/profile") == f"{begin}error={usage}"
    assert here.refused("/profile fly") == f"{begin}error=unknown subcommand 'fly'; {usage}"
    assert here.refused("/profile list --yes") == f"{begin}error=/profile list takes no --yes"
    assert here.refused("/profile save a.b") == (
        f"{begin}name=a.b error=profile name 'a.b' must contain only ASCII letters, digits, "
        "'-' or '_'"
    )
    for verb in ("load", "show", "delete", "diff"):
        told = here.refused(f"/profile {verb} x", "unknown-profile")
        assert told == f"{begin}name=x error=unknown profile 'x'"
    assert not here.store.exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "failed to parse profile store <p> ("),
        ('{"schema_version": 99, "profiles": {}}',
         "unsupported profile schema_version 99 in <p> (expected 1)"),
        ('{"schema_version": 1}', "failed to parse profile store <p> (no object 'profiles'"),
    ],
)  # fmt: skip
def test_a_store_that_is_none_is_told_and_left_as_it_is(here: Here, content: str, why: str) -> None:
    here.store.parent.mkdir()
    here.store.write_text(content)
    for verb in ("list", "show m", "load m", "diff m", "delete m", "save m"):
        told = here.refused(f"/profile {verb}")
        assert f"error={why.replace('<p>', str(here.store))}" in told
    assert here.store.read_text() == content


def test_a_bad_profile_is_not_in_the_way_of_the_others(here: Here) -> None:
    here.found(bad={"model": 1}, worse=[], good={"model": "a/b"})
    assert here.lines("/profile list") == (
        f"profile list: path={here.store} profiles=3",
        "profile: name=bad status=damaged error=profile 'bad' is damaged: "
        "model must be a text that is not empty",
        "profile: name=good",
        "profile: name=worse status=damaged error=profile 'worse' is damaged: it is no object",
    )
    assert here.run("/profile load good").result.ok
    assert "profile 'bad' is damaged" in here.refused("/profile load bad", "bad-profile")
    assert "delete it first" in here.refused("/profile save worse")
    assert here.run("/profile save bad").result.ok
    assert here.run("/profile delete worse").result.ok
    assert sorted(json.loads(here.store.read_text())["profiles"]) == ["bad", "good"]


def test_only_what_was_given_is_set_and_notes_say_what_is_left_out(here: Here) -> None:
    here.given = (("model",), {"--thinking": "high"}, ("--header is not kept: why",))
    assert here.lines("/profile save p")[1:] == (
        "profile note: name=p note=--header is not kept: why",
    )
    assert here.lines("/profile show p")[-2:] == ("flag: --thinking=high", "set: model")
    data = json.loads(here.lines("/profile show p --json")[0])["data"]
    assert (data["set"], data["flags"]) == (["model"], {"--thinking": "high"})
    assert data["values"]["fallback_models"] == []


def test_a_load_tells_differences_and_what_became_of_each(here: Here) -> None:
    here.given = (("model",), {}, ())
    here.run("/profile save p")
    here.values = {**DEFAULTS, "model": "x/y", "fallback_models": ("a/b",)}
    here.changes = [Change("applied", "model", "openai/gpt-4o-mini")]
    assert here.lines("/profile load p") == (
        f"profile load: path={here.store} name=p status=diff diffs=2",
        "diff: field=model current=x/y loaded=openai/gpt-4o-mini",
        "diff: field=fallback_models current=a/b loaded=none",
        "applied: field=model value=openai/gpt-4o-mini",
        "kept: field=fallback_models value=a/b reason=the profile does not set it",
    )
    assert here.lines("/profile diff p")[0].endswith("status=diff diffs=2")
    assert len(here.loaded) == 1, "diff changes nothing"


def test_what_was_refused_fails_the_command(here: Here) -> None:
    here.run("/profile save p")
    here.changes = [Change("refused", "policy.bash_dry_run", False, "why not")]
    outcome = here.run("/profile load p")
    assert outcome.lines[-1] == ("refused: field=policy.bash_dry_run value=false reason=why not")
    assert outcome.result.error is not None
    assert outcome.result.error.exit_code == 8


def test_loosening_needs_a_word_of_the_user(here: Here) -> None:
    here.run("/profile save p")
    here.run("/profile load p")
    here.run("/profile load p --yes")
    here.context = here.context._replace(interactive=True)
    here.run("/profile load p")
    assert here.loaded == [("p", True, False), ("p", True, True), ("p", True, True)]
    assert here.asked == ["Profile 'p' allows tools more: policy.preset. Load it?"]


def test_ones_own_profiles_are_approved_and_those_of_a_clone_are_not(here: Here) -> None:
    here.run("/profile save mine")
    content = json.loads(here.store.read_text())["profiles"]
    here.found(**content, theirs={"model": "a/b"})
    here.found(here.user_store, users={"model": "a/b"})
    for name in ("mine", "theirs", "users"):
        here.run(f"/profile load {name}")
    here.trusted = True
    here.run("/profile load theirs")
    assert [(name, trusted) for name, trusted, _ in here.loaded] == [
        ("mine", True),
        ("theirs", False),
        ("users", True),
        ("theirs", True),
    ]
    here.trusted = False
    here.found(mine={**content["mine"], "model": "evil/model"})
    here.run("/profile load mine")
    assert here.loaded[-1][:2] == ("mine", False)


def test_two_levels(here: Here) -> None:
    here.run("/profile save mine --user")
    assert here.user_store.exists()
    assert not here.store.exists()
    here.run("/profile save ours")
    assert here.lines("/profile list")[1:] == (
        "profile: name=mine level=user",
        "profile: name=ours",
    )
    assert f"path={here.user_store} " in here.lines("/profile show mine")[0]
    outcome = here.run("/profile delete mine")
    assert outcome.result.error is not None
    assert "--user" in outcome.result.error.hint
    assert here.run("/profile delete mine --user").result.ok
    here.user_store.write_text("{")
    assert here.run("/profile load ours").result.ok
    assert here.lines("/profile list")[-1].startswith("profile note: failed to parse profile")


def test_special_files_in_its_place_are_told(here: Here) -> None:
    here.store.parent.mkdir()
    os.mkfifo(here.store)
    assert "it is not a regular file" in here.refused("/profile save p")
    here.store.unlink()
    here.store.mkdir()
    assert "it is a folder" in here.refused("/profile list")


def test_where_there_are_no_settings_it_says_so(here: Here) -> None:
    here.context = here.context._replace(services={})
    assert "there are no settings here" in here.refused("/profile save p")
