"""The commands about skills, to the letter, over real files; text and JSON."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi.base.host import Host
from pi.cli.conversation import Conversation
from pi.cli.parse import parse
from pi.cli.settings import build_settings
from pi.commands.context import CommandContext
from pi.commands.dispatch import Outcome, run_line
from pi.commands.table import COMMANDS
from pi.skills.lockfile import LockEntry, make_lock, make_source, render
from tests.fakes.skill_keys import OFF_CURVE_KEY, OTHER_SEED, PUBLISHER_KEY, ROOT_KEY
from tests.fakes.skill_signer import public_key

OTHER_KEY = public_key(OTHER_SEED)
D = ".pi/skills"
LOCK = f"{D}/skills.lock.json"
TOOLS = "---\nname: tools\ndescription: Makes tools & more.\nlicense: MIT\n---\nUse the saw.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inside = tmp_path / "in"
    inside.mkdir()
    monkeypatch.chdir(inside)
    return inside


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


class Commands:
    """Commands of one run in ``folder``, whose session nothing may touch."""

    def __init__(self, folder: Path, *argv: str) -> None:
        host = Host()
        host.environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
        parsed = parse(["--session", "s.jsonl", *argv], host.environ)
        self.context: CommandContext = Conversation(parsed, build_settings(parsed), host).context()
        assert self.context.store is not None
        self._session = folder / "s.jsonl"
        self._before = self._state()

    def _state(self) -> bytes | None:
        return self._session.read_bytes() if self._session.exists() else None

    def outcome(self, line: str) -> Outcome:
        found = run_line(line, self.context)
        assert self._state() == self._before
        return found

    def __call__(self, line: str, code: int = 0) -> tuple[str, ...]:
        found = self.outcome(line)
        error = found.result.error
        assert (error.exit_code if error else 0) == code, found.lines
        return found.lines

    def json(self, line: str, code: int = 0) -> dict[str, Any]:
        (text,) = self(f"{line} --json", code)
        found: dict[str, Any] = json.loads(text)
        assert found["ok"] is (code == 0)
        assert ("error" in found) is (code != 0)
        return found


@pytest.fixture
def run(folder: Path) -> Commands:
    return Commands(folder)


@pytest.fixture
def filled(folder: Path) -> Path:
    """Three skills: a plain one, a flat one, a folder."""
    managed = folder / D
    write(managed / "checklist.md", "Always use a list.\n")
    write(managed / "alpha.md", "---\ndescription: First.\n---\nThe checklist of alpha.\n")
    write(managed / "tools" / "SKILL.md", TOOLS)
    write(managed / "notes.txt", "no skill")
    return managed


# Looking.


def test_list_names_each_skill_and_its_file(run: Commands, filled: Path) -> None:
    assert run("/skills-list") == (
        f"skills list: path={D} count=3",
        "skill: name=alpha file=alpha.md",
        "skill: name=checklist file=checklist.md",
        "skill: name=tools file=tools/SKILL.md",
    )
    data = run.json("/skills-list")["data"]
    assert (data["path"], data["count"], data["warnings"]) == (D, 3, [])
    assert [(one["name"], one["kind"], one["listed"]) for one in data["skills"]] == [
        *(("alpha", "flat", True), ("checklist", "plain", False), ("tools", "folder", True))
    ]
    assert run("/skills-list x", 2) == ("usage: /skills-list",)


def test_a_name_with_a_line_end_forges_no_line(run: Commands, folder: Path) -> None:
    write(folder / D / "a\nentry: file=b.md", "x")
    write(folder / D / "a\nskill: name=b.md", "x")
    write(folder / D / "c.md", "x")
    run("/skills-lock-write")
    write(folder / D / "a\nskill: name=b.md", "y")
    for line in ("/skills-list", "/skills-search a", "/skills-verify", "/skills-sync"):
        told = run_line(line, run.context).lines
        assert told
        assert not any("\n" in one for one in told)


def test_list_of_nothing_and_of_no_folder(run: Commands, folder: Path) -> None:
    assert run("/skills-list") == (f"skills list: path={D} count=0", "skills: none")
    write(folder / D, "a file")
    assert run("/skills-list", 2) == (
        f"skills list error: path={D} error=failed to load skills from {folder}/{D}: "
        f"{folder}/{D} is not a directory",
    )
    assert run.json("/skills-list", 2)["error"]["code"] == "bad-config"


def test_list_goes_on_past_a_file_that_cannot_be_read(run: Commands, filled: Path) -> None:
    (filled / "bad.md").write_bytes(b"\xff")
    lines = run("/skills-list")
    assert lines[0] == f"skills list: path={D} count=3"
    assert lines[-1].startswith(
        f"warning: failed to read {os.path.abspath(D)}/bad.md: is not UTF-8"
    )
    (line,) = run("/skills-show bad", 2)
    assert line.startswith(f"skills show error: path={D} name=bad error=skill 'bad' cannot be used")


def test_show_gives_the_text_and_what_is_known(run: Commands, filled: Path) -> None:
    assert run("/skills-show checklist") == (
        f"skills show: path={D} name=checklist file=checklist.md content_bytes=19",
        "---",
        "Always use a list.",
    )
    assert run("/skills-show tools") == (
        f"skills show: path={D} name=tools file=tools/SKILL.md content_bytes=12",
        "description: Makes tools & more.",
        "license: MIT",
        "---",
        "Use the saw.",
    )
    data = run.json("/skills-show tools")["data"]
    assert (data["content"], data["license"], data["kind"]) == ("Use the saw.", "MIT", "folder")
    lines = run("/skills-show missing", 2)
    assert lines[0] == f"skills show error: path={D} name=missing error=unknown skill 'missing'"
    assert lines[1] == f"hint: searched: {os.path.abspath(D)}"
    assert "did you mean checklist?" in run("/skills-show cheklist", 2)[1]
    assert run("/skills-show", 2) == ("usage: /skills-show <name>",)
    assert run.json("/skills-show missing", 2)["error"]["code"] == "unknown-skill"


def test_search_finds_names_first_then_contents(run: Commands, filled: Path) -> None:
    assert run("/skills-search CHECKlist") == (
        f'skills search: path={D} query="CHECKlist" max_results=20 matched=2 shown=2',
        "skill: name=checklist file=checklist.md match=name",
        "skill: name=alpha file=alpha.md match=content",
    )
    assert run("/skills-search checklist 1")[0].endswith("max_results=1 matched=2 shown=1")
    assert run("/skills-search use the saw")[1:] == (
        "skill: name=tools file=tools/SKILL.md match=content",
    )
    assert run("/skills-search nothing") == (
        f'skills search: path={D} query="nothing" max_results=20 matched=0 shown=0',
        "skills: none",
    )
    write(filled / "list.md", "list")
    assert (
        run("/skills-search list")[1]
        == "skill: name=checklist file=checklist.md match=name+content"
    )
    data = run.json("/skills-search list")["data"]
    assert (data["matched"], data["skills"][0]["match"]) == (3, "name+content")


def test_a_number_can_be_searched_for(run: Commands, filled: Path) -> None:
    write(filled / "py.md", "python 3\n")
    assert "max_results=3 matched=1" in run("/skills-search python 3")[0]
    assert 'query="python 3" max_results=5 matched=1' in run("/skills-search python 3 --limit 5")[0]


def test_a_search_that_cannot_be(run: Commands, filled: Path) -> None:
    start = f"skills search error: path={D} "
    usage = "usage: /skills-search <query> [max_results]"
    assert run("/skills-search", 2) == (f'{start}args="" error=query is required; {usage}',)
    assert run("/skills-search 5", 2) == (f'{start}args="5" error=query is required; {usage}',)
    assert run("/skills-search x 0", 2) == (
        f'{start}args="x 0" error=max_results must be greater than zero',
    )


# The lockfile.


def lock(folder: Path, *files: str, name: str = LOCK, **sources: Any) -> None:
    """A lockfile that knows these files as they are."""
    entries = []
    for file in files:
        path = folder / D / file
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "0" * 64
        entries.append(
            LockEntry(file[:-3], file, digest, sources.get(file[:-3], {"kind": "unknown"}))
        )
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(render(make_lock(entries)))


def test_lock_write_records_what_is_there(run: Commands, folder: Path, filled: Path) -> None:
    assert run("/skills-lock-write") == (f"skills lock write: path={LOCK} entries=3",)
    entries = json.loads((folder / LOCK).read_bytes())["entries"]
    assert [one["file"] for one in entries] == ["alpha.md", "checklist.md", "tools/SKILL.md"]
    assert run("/skills-lock-write my locks/a b.json") == (
        "skills lock write: path=my locks/a b.json entries=3",
    )
    assert (folder / "my locks" / "a b.json").exists()
    assert run.json("/skills-lock-write")["data"] == {"path": LOCK, "entries": 3}


def test_lock_write_that_cannot_be(run: Commands, folder: Path, filled: Path) -> None:
    (folder / "dir").mkdir()
    assert run("/skills-lock-write dir", 2) == (
        "skills lock write error: path=dir error=failed to read skills lockfile dir: "
        "it is a folder",
        "hint: --skills-lock-file names the file",
    )
    write(folder / "bad.json", "{")
    line, hint = run("/skills-lock-write bad.json", 7)
    assert hint.startswith("hint: restore it, or move it away: pi --skills-lock-write then makes")
    assert line.startswith(
        "skills lock write error: path=bad.json error=failed to parse skills lockfile bad.json: "
    )
    assert (folder / "bad.json").read_text("utf-8") == "{"
    run("/skills-lock-write")
    before = (folder / LOCK).read_bytes()
    write(filled / "alpha.md", "edited")
    lines = run("/skills-lock-write", 7)
    assert lines[0].startswith(
        f"skills lock write error: path={LOCK} error='alpha.md' is not as the lockfile says, "
    )
    assert (folder / LOCK).read_bytes() == before


@pytest.mark.parametrize(
    ("command", "words"),
    [("/skills-lock-diff", "skills lock diff"), ("/skills-sync", "skills sync")],
)
def test_what_differs_is_told_in_one_line(
    run: Commands, folder: Path, command: str, words: str
) -> None:
    write(folder / D / "focus.md", "focus")
    lock(folder, "focus.md")
    lock(folder, "focus.md", name="other.json")
    counts = "expected_entries=1 actual_entries=1"
    assert run(command) == (f"{words}: in-sync path={LOCK} {counts}",)
    assert run(f"{command} other.json") == (f"{words}: in-sync path=other.json {counts}",)
    found = run.json(f"{command} other.json")
    fields = {"path": "other.json", "in_sync": True, "status": "in_sync", "expected_entries": 1,
              "actual_entries": 1, "missing": [], "extra": [], "changed": [],
              "metadata_mismatch": []}  # fmt: skip
    assert {name: found[name] for name in fields} == fields == found["data"]
    write(folder / D / "focus.md", "edited")
    write(folder / D / "new.md", "new")
    write(folder / D / "newer.md", "newer")
    told = (
        f"{words}: drift path={LOCK} expected_entries=1 actual_entries=3 missing=none "
        "extra=new.md,newer.md changed=focus.md metadata=none"
    )
    assert run(command, 7) == (told,)
    found = run.json(command, 7)
    assert (found["status"], found["in_sync"], found["changed"]) == ("drift", False, ["focus.md"])
    assert found["error"]["code"] == "skills-drift"


def test_metadata_that_contradicts_itself_is_told(run: Commands, folder: Path) -> None:
    write(folder / D / "a.md", "a")
    source = make_source("remote", {"url": "u", "signature": "sig"})
    lock(folder, "a.md", a=source)
    (line,) = run("/skills-sync", 7)
    assert line.endswith("changed=none metadata=a.md: signature_sha256 missing for signed source")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/skills-lock-diff", "skills lock diff"),
        ("/skills-sync", "skills sync"),
        ("/skills-verify", "skills verify"),
    ],
)
def test_a_lockfile_that_is_not_there_or_damaged(
    run: Commands, folder: Path, command: str, words: str
) -> None:
    why = f"failed to read skills lockfile {LOCK}: there is no such file"
    lines = run(command, 2)
    assert lines[0] == f"{words} error: path={LOCK} error={why}"
    found = run.json(f"{command} x.json", 2)
    assert (found["path"], found["status"]) == ("x.json", "error")
    assert found["error"]["message"] == "failed to read skills lockfile x.json"
    write(folder / LOCK, '{"schema_version": 9, "entries": []}')
    line, hint = run(command, 7)
    assert f"unsupported skills lockfile schema_version 9 in {LOCK}" in line
    assert hint.startswith("hint: use a newer pi, or restore it, or move it away: ")


def test_two_lockfiles_are_too_many_and_the_loop_goes_on(run: Commands) -> None:
    assert run("/skills-lock-diff a b", 2) == ("usage: /skills-lock-diff [lockfile_path] [--json]",)
    assert run("/skills-verify a b c", 2) == (
        "usage: /skills-verify [lockfile_path] [trust_root_file] [--json]",
    )


# Pruning.


@pytest.fixture
def stale(folder: Path) -> Path:
    write(folder / D / "tracked.md", "tracked")
    lock(folder, "tracked.md")
    write(folder / D / "old" / "SKILL.md", TOOLS)
    return write(folder / D / "stale.md", "stale")


def head(mode: str, candidates: int, tracked: int = 1, installed: int = 3) -> str:
    return (
        f"skills prune: mode={mode} lockfile={LOCK} skills_dir={D} tracked_entries={tracked} "
        f"installed_skills={installed} prune_candidates={candidates}"
    )


def test_prune_shows_what_it_would_do(run: Commands, stale: Path) -> None:
    told = (
        head("dry-run", 2),
        "prune: file=old/SKILL.md action=would_delete",
        "prune: file=stale.md action=would_delete",
    )
    assert run("/skills-prune") == run("/skills-prune --dry-run") == told
    assert run(f"/skills-prune {LOCK}") == told
    assert stale.exists()
    data = run.json("/skills-prune")["data"]
    assert (data["mode"], data["candidates"]) == ("dry-run", ["old/SKILL.md", "stale.md"])


def test_prune_deletes_when_it_is_told_to(run: Commands, stale: Path) -> None:
    run = Commands(stale.parents[2])
    yes = run.context._replace(confirm=lambda question: True)
    no = run.context._replace(confirm=lambda question: False)
    run.context = no
    assert "not confirmed" in run("/skills-prune --apply", 2)[0]
    assert stale.exists()
    run.context = yes
    assert run("/skills-prune --apply") == (
        head("apply", 2),
        "prune: file=old/SKILL.md action=delete",
        "prune: file=stale.md action=delete",
        "prune: file=old/SKILL.md status=deleted",
        "prune: file=stale.md status=deleted",
        "skills prune result: mode=apply deleted=2 failed=0",
    )
    assert sorted(os.listdir(stale.parent)) == ["skills.lock.json", "tracked.md"]
    assert run("/skills-prune --apply") == (head("apply", 0, installed=1), "prune: none")


def test_prune_counts_what_it_cannot_delete(run: Commands, stale: Path, folder: Path) -> None:
    run.context = run.context._replace(confirm=lambda question: True)
    (stale.parent / "link.md").symlink_to(write(folder / "mine.md", "mine"))
    lines = run("/skills-prune --apply", 1)
    assert "prune: file=link.md status=error error=not a regular file" in lines
    assert lines[-1] == "skills prune result: mode=apply deleted=2 failed=1"
    assert (folder / "mine.md").read_text("utf-8") == "mine"


def test_prune_that_cannot_be(run: Commands, stale: Path, folder: Path) -> None:
    run.context = run.context._replace(confirm=lambda question: True)
    usage = "usage: /skills-prune [lockfile_path] [--dry-run|--apply]"
    error = f"skills prune error: path={LOCK} mode=apply error="
    assert run("/skills-prune --apply --dry-run", 2) == (
        f"{error}conflicting flags --dry-run and --apply; {usage}",
    )
    assert run("/skills-prune a b", 2) == (
        f"skills prune error: path=a mode=dry-run error=unexpected argument 'b'; {usage}",
    )
    write(folder / LOCK, '{"schema_version": 1, "entries": []}')
    lines = run("/skills-prune --apply", 2)
    assert lines[0] == f"{error}the lockfile is empty: every skill would be deleted"
    assert stale.exists()
    assert run("/skills-prune --apply --all")[-1].endswith("deleted=3 failed=0")
    (folder / LOCK).unlink()
    assert "failed to read skills lockfile" in run("/skills-prune --apply", 2)[0]


@pytest.mark.parametrize("file", ["../escape.md", "/x.md", "a\\\\b.md", "a/b.md"])
def test_prune_stops_at_an_unsafe_entry(
    run: Commands, stale: Path, folder: Path, file: str
) -> None:
    text = (folder / LOCK).read_text("utf-8").replace('"tracked.md"', f'"{file}"')
    write(folder / LOCK, text)
    line, hint = run("/skills-prune --apply", 7)
    assert hint.startswith("hint: restore it")
    shown = file.replace("\\\\", "\\")
    assert f"mode=apply error=skills lockfile {LOCK}: unsafe lockfile entry '{shown}'" in line
    assert stale.exists()


# Verifying.


def signed(**changes: Any) -> dict[str, Any]:
    known = {"url": "u", "signing_key_id": "unknown", "signature": "c2ln",
             "signer_public_key": "YQ==",
             "signature_sha256": hashlib.sha256(b"c2ln").hexdigest()}  # fmt: skip
    return make_source("remote", {**known, **changes})


def test_verify_tells_each_entry_and_the_worst(run: Commands, folder: Path) -> None:
    write(folder / D / "focus.md", "focus")
    lock(folder, "focus.md", focus=signed())
    write(folder / D / "extra.md", "extra")
    write(folder / "trust.json", "[]")
    told = (
        f"skills verify: status=fail lock_path={LOCK} trust_root_path=trust.json entries=2 "
        "pass=0 warn=0 fail=2",
        "sync: expected_entries=1 actual_entries=2 missing=none extra=extra.md changed=none "
        "metadata=none",
        "trust: total=0 active=0 revoked=0 expired=0",
        "entry: file=extra.md name=extra status=fail checks=sync=extra_not_in_lockfile",
        "entry: file=focus.md name=focus status=fail "
        "checks=sync=ok;signature=untrusted key=unknown",
    )
    assert run(f"/skills-verify {LOCK} trust.json", 7) == told
    assert Commands(folder, "--skill-trust-root-file", "trust.json")("/skills-verify", 7) == told
    found = run.json(f"/skills-verify {LOCK} trust.json", 7)
    members = ["lock_path", "trust_root_path", "expected_entries", "actual_entries", "missing",
               "extra", "changed", "metadata_mismatch", "trust", "summary", "entries"]  # fmt: skip
    assert set(members) <= set(found)
    assert found["summary"] == {"entries": 2, "pass": 0, "warn": 0, "fail": 2, "status": "fail"}
    assert found["entries"][0]["checks"] == ["sync=extra_not_in_lockfile"]
    assert found["error"]["code"] == "skills-verification"


def test_verify_without_keys_warns_and_strict_makes_that_a_failure(
    run: Commands, folder: Path
) -> None:
    write(folder / D / "focus.md", "focus")
    lock(folder, "focus.md", focus=signed())
    told = run("/skills-verify")
    assert told[0] == (
        f"skills verify: status=warn lock_path={LOCK} trust_root_path=none entries=1 "
        "pass=0 warn=1 fail=0"
    )
    assert told[2:] == (
        "trust: none",
        "entry: file=focus.md name=focus status=warn "
        "checks=sync=ok;signature=unverified key=unknown trust_root=none",
    )
    assert run("/skills-verify --strict", 7) == told
    assert run.json("/skills-verify")["trust"] is None


def test_verify_of_nothing(run: Commands, folder: Path) -> None:
    write(folder / LOCK, '{"schema_version": 1, "entries": []}')
    assert run("/skills-verify")[-1] == "entry: none"
    assert run("/skills-verify")[0].startswith("skills verify: status=pass ")


# Trust.


@pytest.fixture
def trusting(folder: Path) -> Commands:
    roots = [
        {"id": "zeta", "public_key": ROOT_KEY, "expires_unix": 1},
        {"id": "beta", "public_key": PUBLISHER_KEY, "revoked": True, "rotated_from": "alpha"},
        {"id": "alpha", "public_key": OTHER_KEY},
    ]
    write(folder / "trust.json", json.dumps({"roots": roots}))
    return Commands(folder, "--skill-trust-root-file", "trust.json")


def records(folder: Path) -> dict[str, dict[str, Any]]:
    roots = json.loads((folder / "trust.json").read_bytes())["roots"]
    return {one["id"]: one for one in roots}


def test_trust_list_tells_each_key_and_its_state(trusting: Commands, folder: Path) -> None:
    told = (
        "skills trust list: path=trust.json count=3",
        "root: id=alpha revoked=false expires_unix=none rotated_from=none status=active",
        "root: id=beta revoked=true expires_unix=none rotated_from=alpha status=revoked",
        "root: id=zeta revoked=false expires_unix=1 rotated_from=none status=expired",
    )
    assert trusting("/skills-trust-list") == told
    assert Commands(folder)("/skills-trust-list trust.json") == told
    assert trusting("/skills-trust-list none.json", 2)[0] == (
        "skills trust list error: path=none.json error=failed to read trusted root file "
        "'none.json': there is no such file"
    )
    assert trusting.json("/skills-trust-list")["data"]["roots"][2]["status"] == "expired"
    write(folder / "trust.json", "{")
    (line, _) = trusting("/skills-trust-list", 2)
    assert line.startswith(
        "skills trust list error: path=trust.json error=failed to parse trusted root file "
    )


def test_trust_add_revoke_and_rotate(trusting: Commands, folder: Path) -> None:
    path = "path=trust.json"
    assert trusting(f"/skills-trust-add extra={ROOT_KEY}") == (
        f"skills trust add: {path} id=extra added=1 updated=0 revoked=0 rotated=0",
    )
    assert trusting(f"/skills-trust-add extra={ROOT_KEY}") == (
        f"skills trust add: {path} id=extra added=0 updated=1 revoked=0 rotated=0",
    )
    assert trusting("/skills-trust-revoke extra") == (
        f"skills trust revoke: {path} id=extra added=0 updated=0 revoked=1 rotated=0",
    )
    assert trusting("/skills-trust-revoke extra")[0].endswith("revoked=0 rotated=0")
    assert trusting(f"/skills-trust-rotate alpha:new={PUBLISHER_KEY}") == (
        f"skills trust rotate: {path} old_id=alpha new_id=new "
        "added=1 updated=0 revoked=0 rotated=1",
    )
    found = records(folder)
    assert found["alpha"]["revoked"] is True
    assert (found["new"]["rotated_from"], found["new"]["revoked"]) == ("alpha", False)
    data = trusting.json(f"/skills-trust-add more={ROOT_KEY} trust.json")["data"]
    assert data == {"path": "trust.json", "id": "more", "added": 1, "updated": 0, "revoked": 0,
                    "rotated": 0}  # fmt: skip


def test_trust_revoke_tells_which_skills_lose_their_key(trusting: Commands, folder: Path) -> None:
    write(folder / D / "a.md", "a")
    write(folder / D / "b.md", "b")
    chain = [{"id": "p", "public_key": ROOT_KEY, "signed_by": "alpha", "signature": "x"}]
    lock(
        folder,
        "a.md",
        "b.md",
        a=signed(signing_key_id="alpha"),
        b=signed(signing_key_id="p", signer_chain=chain),
    )
    assert trusting("/skills-trust-revoke alpha")[1] == "no longer trusted: a, b"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/skills-trust-revoke missing", "cannot revoke unknown trust key id 'missing'"),
        (
            f"/skills-trust-rotate missing:new={ROOT_KEY}",
            "cannot rotate unknown trust key id 'missing'",
        ),
        (f"/skills-trust-rotate alpha:alpha={ROOT_KEY}", "to itself"),
        ("/skills-trust-add nonsense", "expected key_id=base64_key"),
        ("/skills-trust-add =x", "expected key_id=base64_key"),
        ("/skills-trust-rotate a=b", "expected old_id:new_id=base64_key"),
        ("/skills-trust-add x=YQ==", "32 bytes"),
        ("/skills-trust-add x=!", "base64"),
        (f"/skills-trust-add x={OFF_CURVE_KEY}", "the public key"),
        (f"/skills-trust-add alpha={ROOT_KEY}", "this id already has another key"),
        (f"/skills-trust-add a/b={ROOT_KEY}", "a key id must be"),
    ],
)
def test_trust_that_cannot_be_leaves_the_file_alone(
    trusting: Commands, folder: Path, line: str, says: str
) -> None:
    before = (folder / "trust.json").read_bytes()
    words = line.split()[0][1:].replace("-", " ")
    told = trusting(line, 2)
    assert told[0].startswith(f"{words} error: path=trust.json error=")
    assert says in told[0]
    assert (folder / "trust.json").read_bytes() == before
    assert trusting.json(line, 2)["command"] == line.split()[0]


def test_another_key_is_taken_when_that_is_said(trusting: Commands, folder: Path) -> None:
    trusting(f"/skills-trust-add alpha={ROOT_KEY} --replace")
    assert records(folder)["alpha"]["public_key"] == ROOT_KEY


def test_trust_needs_a_file(run: Commands) -> None:
    for line, usage in (
        (f"/skills-trust-add x={ROOT_KEY}", "/skills-trust-add <id=base64_key> [trust_root_file]"),
        ("/skills-trust-revoke x", "/skills-trust-revoke <id> [trust_root_file]"),
        (
            f"/skills-trust-rotate x:y={ROOT_KEY}",
            "/skills-trust-rotate <old_id:new_id=base64_key> [trust_root_file]",
        ),
        ("/skills-trust-list", "/skills-trust-list [trust_root_file]"),
    ):
        words = line.split()[0][1:].replace("-", " ")
        (told,) = run(line, 2)
        assert told.startswith(
            f"{words} error: path=none error=trust root file is required; usage: {usage}"
        )
        assert run.json(line, 2)["error"]["code"] == "no-trust-file"


def test_every_command_fails_in_one_line_where_the_flags_cannot_be(folder: Path) -> None:
    run = Commands(folder, "--skill-trust-root", "nonsense")
    lines = {
        "/skills-show": "/skills-show x",
        "/skills-search": "/skills-search x",
        "/skills-install": "/skills-install x.md",
        "/skills-remove": "/skills-remove x",
        "/skills-trust-add": f"/skills-trust-add x={ROOT_KEY}",
        "/skills-trust-revoke": "/skills-trust-revoke x",
        "/skills-trust-rotate": f"/skills-trust-rotate x:y={ROOT_KEY}",
    }
    for spec in COMMANDS:
        if spec.name.startswith("/skills-"):
            told = run(lines.get(spec.name, spec.name), 2)
            assert "expected key_id=base64_key" in told[0]
            assert told[0].startswith(f"{spec.name[1:].replace('-', ' ')} error: path=none")


# Calling one.


def test_a_skill_that_is_called_is_a_prompt(folder: Path, filled: Path) -> None:
    asked: list[str] = []
    run = Commands(folder)

    def prompt(text: str) -> Any:
        asked.append(text)
        raise AssertionError("asked")

    run.context = run.context._replace(services={**run.context.services, "prompt": prompt})
    assert run.outcome("/skill:tools saw this").result.error is not None
    place = os.path.abspath(D) + "/tools"
    assert asked == [
        f'<skill name="tools" location="{place}/SKILL.md">\n'
        f"References are relative to {place}.\n\nUse the saw.\n</skill>\n\nsaw this"
    ]
    found = run.outcome("/skill:tols")
    assert found.result.error is not None
    assert "unknown skill 'tols'" in found.result.error.message
    assert "did you mean tools?" in found.result.error.hint
    assert len(asked) == 1


def test_where_signatures_are_demanded_an_unsigned_skill_is_not_called(
    folder: Path, filled: Path
) -> None:
    run = Commands(folder, "--require-signed-skills")
    error = run.outcome("/skill:tools").result.error
    assert error is not None
    assert (error.message, error.cause, error.exit_code) == (
        "skill 'tools' is not signed by a trusted key",
        "it is not in the lockfile",
        7,
    )
