"""Installing, updating, removing and using skills while a run goes on, over real files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.base.host import Host
from pi.cli.conversation import Conversation
from pi.cli.parse import parse
from pi.cli.settings import build_settings
from pi.commands.dispatch import run_line
from tests.fakes.skill_keys import OTHER_SEED, PUBLISHER_SEED, ROOT_KEY, ROOT_SEED
from tests.fakes.skill_signer import key_entry, skill_entry
from tests.fakes.skill_site import Site

D = ".pi/skills"
HEAD = "---\nname: {0}\ndescription: What {0} does.\n---\nThe body of {0}.\n"
HOSTILE = ("..", "../../keep.md", "/etc/passwd", ".", "a/../../keep", "x" * 10_000, "-", "a\\b")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "keep.md").write_text("keep")
    monkeypatch.chdir(inside)
    return inside


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def digest(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


class Run:
    """Commands of one run, and its system prompt."""

    def __init__(self, folder: Path, *argv: str) -> None:
        host = Host()
        host.environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder.parent / "home")}
        parsed = parse(["--no-session", *argv], host.environ)
        self.conversation = Conversation(parsed, build_settings(parsed), host)
        self.asked: list[str] = []
        self.answer = True

    def _confirm(self, question: str) -> bool:
        self.asked.append(question)
        return self.answer

    def __call__(self, line: str, code: int = 0) -> tuple[str, ...]:
        found = run_line(line, self.conversation.context(confirm=self._confirm))
        error = found.result.error
        assert (error.exit_code if error else 0) == code, found.lines
        return found.lines

    def data(self, line: str) -> dict[str, Any]:
        (text,) = self(f"{line} --json")
        found: dict[str, Any] = json.loads(text)["data"]
        return found

    @property
    def system(self) -> str:
        return self.conversation.system


def tree(folder: Path) -> dict[str, bytes]:
    """All files below ``folder`` but the cache."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".cache" not in path.parts
    }


def locked(folder: Path) -> dict[str, Any]:
    entries = json.loads((folder / D / "skills.lock.json").read_bytes())["entries"]
    return {entry["file"]: entry for entry in entries}


# Installing.


def test_a_file_and_an_address_are_installed_by_the_rules_of_a_start(
    folder: Path, site: Site
) -> None:
    run = Run(folder)
    write(folder / "local.md", "of a file")
    site.pages["/review.md"] = b"of an address"
    told = run(f"/skills-install local.md {site.url}/review.md")
    assert told == (
        f"skills install: path={D} count=2",
        f"install: name=local file=local.md action=installed sha256={digest('of a file')}",
        f"install: name=review file=review.md action=installed sha256={digest('of an address')}",
        "skills install: installed=1 updated=0 skipped=0",
        "remote skills install: installed=1 updated=0 skipped=0",
    )
    assert sorted(tree(folder / D)) == ["local.md", "review.md"]
    data = run.data("/skills-install local.md --lock-write")
    assert [(row["name"], row["action"]) for row in data["skills"]] == [("local", "skipped")]
    assert data["lock_written"]
    assert locked(folder)["local.md"]["source"]["kind"] == "local"


def test_a_digest_must_fit_and_one_bad_source_leaves_nothing(folder: Path, site: Site) -> None:
    run = Run(folder)
    site.pages["/a.md"] = b"text"
    write(folder / "local.md", "fine")
    assert "sha256 mismatch" in run(f"/skills-install {site.url}/a.md --sha256 {'0' * 64}", 7)[0]
    assert "64 hex" in run(f"/skills-install {site.url}/a.md --sha256 12", 2)[0]
    assert "one address" in run(f"/skills-install local.md --sha256 {'0' * 64}", 2)[0]
    assert "status 404" in run(f"/skills-install local.md {site.url}/none.md", 5)[0]
    assert not (folder / D).exists()
    run(f"/skills-install {site.url}/a.md --sha256 {digest('text')}")
    assert sorted(tree(folder / D)) == ["a.md"]


def test_an_install_is_only_as_free_as_the_run(folder: Path, site: Site) -> None:
    site.pages["/a.md"] = b"text"
    write(folder / "local.md", "fine")
    offline, signed, plain = (
        Run(folder, *flags) for flags in (("--skills-offline",), ("--require-signed-skills",), ())
    )
    assert "offline cache miss" in offline(f"/skills-install {site.url}/a.md", 1)[0]
    for source in ("local.md", f"{site.url}/a.md"):
        assert "unsigned but signatures are required" in signed(f"/skills-install {source}", 7)[0]
    assert "plain http" in plain("/skills-install http://example.com/a.md", 2)[0]
    assert "unsupported skill URL scheme" in plain("/skills-install ftp://example.com/a.md", 2)[0]
    assert "--skill-registry-url is required" in plain("/skills-install registry:a", 2)[0]
    assert "no version can be asked" in plain("/skills-install registry:a@2", 2)[0]
    assert site.asked() == 0
    assert not (folder / D).exists()


@pytest.mark.parametrize("word", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_lead_nowhere(folder: Path, word: str) -> None:
    run = Run(folder)
    write(folder / D / "mine.md", "mine")
    before = tree(folder.parent)
    for command in ("/skills-install", "/skills-remove --apply --", "/skills-use"):
        if word in ("..", ".") and command == "/skills-use":
            continue  # a folder that may be named, as with --skill
        found = run_line(f"{command} '{word}'", run.conversation.context())
        assert found.result.error is not None
        first = found.lines[0]
        assert first.startswith(f"{command.split()[0][1:].replace('-', ' ')} error: path={D} ")
        assert len(first) < 500
    assert tree(folder.parent) == before
    assert run("/skills-remove a\0b", 2)


# Removing.


def test_a_removal_is_shown_first_and_done_with_apply(folder: Path) -> None:
    run = Run(folder)
    write(folder / D / "a.md", "a")
    write(folder / D / "tools" / "SKILL.md", HEAD.format("tools"))
    write(folder / D / "tools" / "more" / "x.txt", "x")
    write(folder / D / "b.md", "b")
    run("/skills-lock-write")
    before = tree(folder / D)
    assert run("/skills-remove a tools") == (
        f"skills remove: mode=dry-run skills_dir={D} count=2",
        "remove: file=a.md action=would_delete",
        "remove: file=tools/SKILL.md action=would_delete",
    )
    run.answer = False
    assert "not confirmed" in run("/skills-remove a --apply", 2)[0]
    assert tree(folder / D) == before
    run.answer = True
    told = run("/skills-remove a --apply")
    assert told[-1] == f"lockfile: path={D}/skills.lock.json still_has=a.md"
    told = run("/skills-remove tools --apply --yes --lock-write")
    assert told[-2:] == (
        "skills remove result: mode=apply deleted=1 failed=0",
        f"skills lock write: path={D}/skills.lock.json entries=2",
    )
    assert sorted(tree(folder / D)) == ["b.md", "skills.lock.json"]
    assert sorted(locked(folder)) == ["a.md", "b.md"]
    assert len(run.asked) == 2


def test_nothing_is_removed_through_links_or_while_it_is_in_use(folder: Path) -> None:
    run = Run(folder)
    target = write(folder.parent / "out" / "SKILL.md", HEAD.format("out"))
    write(folder / D / "a.md", "a")
    os.symlink(target.parent, folder / D / "out")
    assert "not a folder" in run("/skills-remove out --apply", 1)[2]
    assert target.exists()
    (folder / D / "out").unlink()
    run("/skills-use a")
    assert "'a.md' is in the system prompt" in run("/skills-remove a --apply", 2)[0]
    run("/skills-use --none")
    run("/skills-remove a --apply")
    assert tree(folder / D) == {}


# Updating.


def test_an_update_fetches_again_and_says_both_digests(folder: Path, site: Site) -> None:
    run = Run(folder, "--trust-project")
    site.pages.update({"/a.md": b"one", "/b.md": b"same", "/p.md": b"pinned"})
    write(folder / "mine.md", "mine")
    run(f"/skills-install {site.url}/a.md {site.url}/b.md mine.md")
    run(f"/skills-install {site.url}/p.md --sha256 {digest('pinned')} --lock-write", 0)
    (folder / D / "skills.lock.json").unlink()
    run(f"/skills-install {site.url}/a.md {site.url}/b.md mine.md --lock-write")
    before = tree(folder / D)
    assert run("/skills-update a b")[0].endswith(
        "updated=0 installed=0 renewed=0 unchanged=2 skipped=0"
    )
    assert tree(folder / D) == before
    site.pages["/a.md"] = b"two"
    line = f"old_sha256={digest('one')} new_sha256={digest('two')} source={site.url}/a.md"
    dry = run("/skills-update --dry-run")
    assert f"update: name=a file=a.md action=would_be_updated {line}" in dry
    assert tree(folder / D) == before
    told = run("/skills-update")
    assert f"update: name=a file=a.md action=updated {line}" in told
    assert told[-1] == f"skills lock write: path={D}/skills.lock.json entries=4"
    assert (folder / D / "a.md").read_bytes() == b"two"
    assert run("/skills-sync")[0].startswith("skills sync: in-sync")
    skipped = {row["file"] for row in run.data("/skills-update")["skills"] if row["reason"]}
    assert skipped == {"mine.md", "p.md"}
    assert "cannot be updated" in run("/skills-update mine", 2)[0]
    write(folder / D / "a.md", "edited")
    site.pages["/a.md"] = b"three"
    assert "was edited" in run("/skills-update a", 1)[0]
    assert (folder / D / "a.md").read_text() == "edited"


def test_a_folder_nobody_trusts_sends_nobody_to_its_addresses(folder: Path, site: Site) -> None:
    site.pages["/a.md"] = b"one"
    run = Run(folder)
    run(f"/skills-install {site.url}/a.md --lock-write")
    asked = site.asked()
    run.answer = False
    assert "not confirmed" in run("/skills-update", 2)[0]
    assert f"{site.url}/a.md" in run.asked[0]
    assert site.asked() == asked


def test_an_update_holds_only_so_much_in_memory(
    folder: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pi.skills.updating.MAX_TOTAL", 100)
    run = Run(folder)
    for number in range(12):
        site.pages[f"/s{number}.md"] = b"x" * 30
    urls = " ".join(f"{site.url}/s{number}.md" for number in range(12))
    run(f"/skills-install {urls} --lock-write")
    asked = site.asked()
    was = tree(folder / D)
    assert "too large to be updated together" in run("/skills-update --yes", 1)[0]
    assert site.asked() == asked + 4
    assert tree(folder / D) == was
    assert "updated=0 installed=0 renewed=0 unchanged=2" in run("/skills-update s1 s2 --yes")[0]


def test_a_skill_of_a_registry_is_updated_from_that_of_the_run_only(
    folder: Path, site: Site
) -> None:
    url = f"{site.url}/r.json"

    def publish(text: bytes, name: str) -> None:
        entry = skill_entry("review", f"{site.url}/{name}", text, "publisher", PUBLISHER_SEED)
        key = key_entry("publisher", PUBLISHER_SEED, "root", ROOT_SEED)
        manifest = {"version": 1, "keys": [key], "skills": [entry]}
        site.pages.update({"/r.json": json.dumps(manifest).encode(), f"/{name}": text})

    flags = ("--trust-project", "--require-signed-skills", "--skill-trust-root", f"root={ROOT_KEY}")
    publish(b"one", "1.md")
    run = Run(folder, *flags, "--skill-registry-url", url, "--skills-lock-write")
    run("/skills-install registry:review")
    publish(b"two", "2.md")
    other = Run(folder, *flags, "--skill-registry-url", f"{site.url}/other.json")
    assert "is not that of this run" in other("/skills-update review", 2)[0]
    assert run("/skills-update")[1].startswith("update: name=review file=review.md action=updated")
    assert (folder / D / "review.md").read_bytes() == b"two"
    assert run("/skills-verify")[0].startswith("skills verify: status=pass")
    forged = skill_entry("review", f"{site.url}/3.md", b"three", "publisher", OTHER_SEED)
    key = key_entry("publisher", PUBLISHER_SEED, "root", ROOT_SEED)
    manifest = {"version": 1, "keys": [key], "skills": [forged]}
    site.pages.update({"/r.json": json.dumps(manifest).encode(), "/3.md": b"three"})
    before = tree(folder / D)
    run("/skills-update", 7)
    assert tree(folder / D) == before


# Using.


def test_a_used_skill_is_in_the_next_system_prompt_as_with_the_flag(folder: Path) -> None:
    write(folder / D / "a.md", "Use a list.\n")
    write(folder / D / "b.md", "Be brief.\n")
    run = Run(folder)
    assert run("/skills-use") == (f"skills use: path={D} count=0 bytes=0 tokens=0", "skills: none")
    before = run.system
    assert run("/skills-use a")[1].startswith("skill: name=a file=a.md bytes=22 tokens=")
    assert run.system == Run(folder, "--skill", "a").system != before
    run(f"/skills-use {D}/b.md")
    assert run.system == Run(folder, "--skill", "a,b").system
    assert run("/skills-list")[1:] == (
        "skill: name=a file=a.md in_use=true bytes=12",
        "skill: name=b file=b.md in_use=true bytes=10",
    )
    assert run.data("/skills-use --none b")["skills"][0]["name"] == "b"
    assert run.system == Run(folder, "--skill", "b").system
    assert "unknown skill 'c'" in run("/skills-use c", 2)[0]
    assert run.system == Run(folder, "--skill", "b").system
    run("/skills-use --none")
    assert run.system == before


def test_what_is_installed_or_updated_counts_from_the_next_prompt_on(folder: Path) -> None:
    write(folder / "a.md", "one")
    run = Run(folder, "--skills-overwrite")
    run("/skills-install a.md")
    run("/skills-use a")
    assert "# Skill: a\none" in run.system
    write(folder / "a.md", "two")
    run("/skills-install a.md")
    assert "# Skill: a\ntwo" in run.system


def test_an_unsigned_skill_is_not_used_where_signatures_are_demanded(folder: Path) -> None:
    write(folder / D / "a.md", "text")
    run = Run(folder, "--require-signed-skills")
    before = run.system
    assert "is not signed by a trusted key" in run("/skills-use a", 7)[0]
    assert run.system == before
