"""The doctor on real files and a loopback server: what it finds, leaves alone, and survives."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, PiError
from pi.base.host import Host
from pi.cli.doctor import CHECKS, Row, examine, run_doctor, run_in_spite, run_row
from pi.cli.doctor_checks_machine import examine_archive
from pi.cli.doctor_checks_models import key_of
from pi.cli.doctor_world import find, look, nearest_folder, read_bytes
from pi.cli.parse import parse
from pi.commands.doctor import Check
from pi.sessions.lock import SessionLock
from tests.fakes.fault_server import FaultServer, always, answer
from tests.fakes.session_files import dump, entry

SECRET = "sk-doctor-secret-0123456789"
DATE = "Date: Thu, 01 Jan 1970 00:00:01 GMT"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class QuietHost(Host):
    """A host with an environment of its own, whose standard output is kept."""

    def __init__(self, folder: Path, **environ: str) -> None:
        super().__init__()
        self.environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **environ}
        self.stdout = io.StringIO()


def checks(folder: Path, *argv: str, online: bool = False, **environ: str) -> dict[str, Check]:
    host = QuietHost(folder, **environ)
    found = examine(parse(argv, host.environ), host, online=online)
    return {check.key: check for check in found}


def codes(found: dict[str, Check], *keys: str) -> list[str]:
    return [found[key].code for key in keys]


def test_an_empty_folder_is_looked_at_and_left_as_it_was(folder: Path) -> None:
    found = checks(folder, OPENAI_API_KEY=SECRET)
    assert list(found)[:7] == [
        "model", "provider_auth_mode.openai", "provider_key.openai", "session_path",
        "skills_dir", "skills_lock", "trust_root",
    ]  # fmt: skip
    assert [check.further for check in found.values()][:8] == [False] * 7 + [True]
    assert all(check.status != "fail" for check in found.values())
    assert SECRET not in str(found)
    assert list(folder.iterdir()) == []


def test_session_and_lock_are_looked_into(folder: Path) -> None:
    path = folder / "s.jsonl"
    path.write_bytes(dump(entry(1, None), entry(2, 9)))
    found = checks(folder, "--session", str(path))
    assert found["session_content"].status == "fail"
    assert found["session_lock"].code == "free"
    now = Host().now_ms
    with SessionLock(f"{path}.lock", wait_ms=1000, now_ms=now):
        held = checks(folder, "--session", str(path))["session_lock"]
    assert held.status == "warn"
    assert held.code.startswith(f"held_by_process_{os.getpid()}_")
    path.write_text("hello\n", encoding="utf-8")
    assert checks(folder, "--session", str(path))["session_content"].code == "not_a_session"


def test_what_is_no_file_is_never_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    found = checks(folder, "--session", str(folder / "pipe"))
    assert codes(found, "session_path", "session_content") == ["not_file", "nothing_there"]
    with pytest.raises(OSError, match="not a regular file"):
        read_bytes(str(folder / "pipe"))


def test_a_bare_name_is_a_session_to_be_made(folder: Path) -> None:
    found = checks(folder, "--session", "fresh")["session_path"]
    assert (found.status, found.code) == ("warn", "missing_will_create")
    below = checks(folder, "--session", "a/b/c.jsonl")["session_path"]
    assert below.code == "missing_will_create"
    (folder / "file").write_text("", encoding="utf-8")
    above = checks(folder, "--session", "file/s.jsonl")["session_path"]
    assert (above.status, above.code) == ("fail", "missing_parent")


def test_settings_and_credentials_of_folder_and_home_are_looked_at(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = folder / ".pi" / "agent"
    own.mkdir(parents=True)
    (own / "settings.json").write_text("{nope", encoding="utf-8")
    (folder / ".pi" / "credentials.json").write_text("{}", encoding="utf-8")
    (folder / ".pi" / "credentials.json").chmod(0o644)
    found = checks(folder)
    assert found["settings_file"].status == "fail"
    assert found["settings_file"].code.startswith(f"invalid:{own}/settings.json:1:2: ")
    assert found["credential_file"].code == "mode:0644"
    (own / "settings.json").write_text("{}", encoding="utf-8")
    assert checks(folder)["settings_file"].code == "read"
    inside = folder / "project" / ".pi"
    inside.mkdir(parents=True)
    (inside / "settings.json").write_text("[]", encoding="utf-8")
    monkeypatch.chdir(folder / "project")
    host = QuietHost(folder)
    found_all = examine(parse([], host.environ), host)
    rows = [(c.status, c.code[:8]) for c in found_all if c.key == "settings_file"]
    assert rows == [("warn", "invalid:"), ("pass", "read")]


def test_lockfile_and_keys_are_compared_with_what_is_there(folder: Path) -> None:
    skills = folder / ".pi" / "skills"
    skills.mkdir(parents=True)
    (skills / "a.md").write_bytes(b"a")
    (skills / "new.md").write_bytes(b"n")
    unknown = {"kind": "unknown"}
    lock = {"schema_version": 1, "entries": [
        {"name": "a", "file": "a.md", "sha256": sha256(b"a").hexdigest(), "source": unknown},
        {"name": "b", "file": "b.md", "sha256": "0" * 64, "source": unknown},
    ]}  # fmt: skip
    (skills / "skills.lock.json").write_text(json.dumps(lock), encoding="utf-8")
    found = checks(folder)["skills_lock_content"]
    assert (found.status, found.code) == ("warn", "drift:missing=b.md;extra=new.md")
    (skills / "a.md").write_bytes(b"other")
    assert "changed=a.md" in checks(folder)["skills_lock_content"].code
    for text, status in (("{", "fail"), ('{"entries":[7]}', "fail"), ("{}\n", "pass")):
        (skills / "skills.lock.json").write_text(text, encoding="utf-8")
        assert checks(folder)["skills_lock_content"].status == status


def test_the_file_of_trusted_keys_is_read(folder: Path) -> None:
    path = folder / "t.json"
    path.write_text("[]\n", encoding="utf-8")
    path.chmod(0o644)

    def content() -> Check:
        return checks(folder, "--skill-trust-root-file", str(path))["trust_root_content"]

    assert content().status == "pass"
    path.write_text('[{"id":"a","public_key":"short"}]', encoding="utf-8")
    assert content().code == "bad_keys:a"
    path.write_text("{", encoding="utf-8")
    assert content().code.startswith("invalid:failed to parse trusted root file")


def test_a_bad_model_a_bad_value_and_a_removed_folder_end_nothing(folder: Path) -> None:
    found = checks(folder, "--model", "nope/x", "--max-cost-usd", "lots")
    assert found["model"].code == "invalid:nope/x: unsupported provider 'nope'"
    assert found["configuration"].status == "fail"
    assert "python" in found
    gone = folder / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert checks(folder, "--model", "demo/tour")["model"].status == "pass"


def test_a_key_is_found_where_a_request_finds_it(folder: Path) -> None:
    def state(model: str, *argv: str, **environ: str) -> str:
        host = QuietHost(folder, **environ)
        world = look(parse(["--model", model, *argv], host.environ), host)
        (ref,) = world.providers
        return key_of(ref, world).state

    assert state("groq/x") == "missing"
    assert state("groq/x", GROQ_API_KEY="k") == "present"
    assert state("groq/x", OPENAI_API_KEY="k") == "missing"
    assert state("gemini/x", GOOGLE_API_KEY="k") == "present"
    assert state("openai/x", "--api-key", "k") == "present"
    assert state("openai/x", "--api-base", "http://127.0.0.1:9/v1") == "not_required"
    assert state("ollama/x") == "not_required"
    assert state("azure/x", PI_API_KEY="k") == "present"
    assert state("openai/x", OPENAI_API_KEY="a b") == "malformed"


def test_an_archive_is_whole_or_names_the_damaged_member(folder: Path) -> None:
    path = folder / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("member", b"hello hello hello")
    assert examine_archive(str(path))[1:] == (1, "")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"hello hello", b"hellO hello"))
    assert examine_archive(str(path)).damaged == "member"
    path.write_bytes(b"#!/usr/bin/env python3\n")
    assert examine_archive(str(path)).damaged


def test_a_provider_is_asked_for_its_models_with_the_key_in_a_header(folder: Path) -> None:
    with FaultServer(always(answer(b"{}", DATE))) as server:
        found = checks(
            folder, "--api-base", server.url + "/v1", "--header", "X-Team=a",
            online=True, OPENAI_API_KEY=SECRET,
        )  # fmt: skip
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/v1/models")
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["x-team"] == "a"
    assert found["online.openai"].code == "answered:200"
    assert found["clock"].status == "warn"
    assert SECRET not in str(found)


def test_a_refused_key_and_a_server_that_is_not_there_are_failures(folder: Path) -> None:
    refused = answer(b"no", status="401 Unauthorized")
    with FaultServer(always(refused)) as server:
        url = server.url
        found = checks(folder, "--api-base", url + "/v1", online=True, OPENAI_API_KEY=SECRET)
    assert found["online.openai"].code == "key_refused:401"
    found = checks(folder, "--api-base", url + "/v1", online=True, OPENAI_API_KEY=SECRET)
    assert found["online.openai"].code.startswith("connection-refused:")
    assert checks(folder, online=True)["online.openai"].code.startswith("missing-api-key:")
    assert checks(folder, "--model", "demo/tour", online=True)["online.demo"].status == "pass"
    bad = checks(folder, "--model", "openai/x", "--max-cost-usd", "x", online=True)
    assert bad["online.openai"].code == "not_asked:configuration"


def test_a_row_that_fails_itself_is_a_failed_check() -> None:
    def raising(exc: Exception) -> Row:
        def gather(world: object) -> None:
            raise exc

        return Row("x", gather, lambda facts: [])

    host = Host()
    world = look(parse([], {}), host)
    assert run_row(raising(ConfigError("no", hint="do")), world) == [
        Check("x", "fail", "bad-config:no", "", "do")
    ]
    assert run_row(raising(PermissionError(13, "denied", "/f")), world) == [
        Check("x", "fail", "unreadable:denied", "/f")
    ]
    assert run_row(raising(KeyError("k")), world)[0].code.startswith("bug:KeyError")
    assert len({row.name for row in CHECKS}) == len(CHECKS)


def test_a_command_line_that_cannot_be_read_is_a_failed_check(folder: Path) -> None:
    def found(*argv: str, **environ: str) -> dict[str, Check]:
        host = QuietHost(folder, **environ)
        with pytest.raises(PiError) as caught:
            parse(argv, host.environ)
        assert run_in_spite(caught.value, argv, host) == 1
        assert isinstance(host.stdout, io.StringIO)
        rows = json.loads(host.stdout.getvalue())["checks"]
        return {row["key"]: Check(**row) for row in rows}

    variable = found("--doctor", "--json", "--model", "demo/tour", PI_MAX_TURNS="many")
    assert variable["model"].code == "demo/tour"
    assert variable["configuration"].code.startswith("bad-config:PI_MAX_TURNS")
    flag = found("--doctor", "--json", "--no-such-flag")
    assert flag["configuration"].code.startswith("bad-usage:unknown flag")


def test_quiet_shows_what_is_not_well_and_strict_fails_for_warnings(folder: Path) -> None:
    def run(*argv: str) -> tuple[int, list[str]]:
        host = QuietHost(folder)
        code = run_doctor(parse(["--doctor", "--model", "demo/tour", *argv], {}), host)
        assert isinstance(host.stdout, io.StringIO)
        return code, host.stdout.getvalue().splitlines()

    code, lines = run("--quiet")
    assert code == 0
    assert lines[0].startswith("doctor summary: checks=")
    assert all("status=warn" in line for line in lines[1:])
    assert run("--doctor-strict")[0] == 1


def test_what_is_at_a_path_is_found_without_raising(folder: Path) -> None:
    (folder / "f").write_text("", encoding="utf-8")
    assert [find(str(folder / name)).kind for name in ("f", ".", "no", "f/x")] == [
        "file", "folder", "missing", "missing",
    ]  # fmt: skip
    assert find("a\0b").kind == "error"
    assert nearest_folder(str(folder / "a" / "b")) == str(folder)
    assert nearest_folder(str(folder / "f" / "b")) == ""
    assert sys.platform != "linux" or nearest_folder("/") == "/"
