"""``pi --doctor`` on the built file: it runs when nothing else does."""

from __future__ import annotations

import json

from tests.cli.conftest import KEY, Pi


def test_the_doctor_runs_without_a_key_and_fails_for_want_of_it(pi: Pi) -> None:
    done = pi("--doctor", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["command"], found["ok"]) == ("doctor", False)
    by_key = {check["key"]: check for check in found["checks"]}
    assert by_key["provider_key.openai"]["action"] == "set OPENAI_API_KEY"
    assert by_key["archive"]["code"].startswith("whole:members=")
    assert by_key["archive"]["path"] == str(pi.archive)
    assert list(pi.folder.iterdir()) == []


def test_all_is_well_with_a_key_and_strict_is_stricter(pi: Pi) -> None:
    done = pi("--doctor", **KEY)
    assert done.returncode == 0
    head, *rows = done.stdout.splitlines()
    assert head.startswith(f"doctor summary: checks={len(rows)} pass=")
    assert head.endswith("fail=0")
    assert KEY["OPENAI_API_KEY"] not in done.stdout
    assert pi("--doctor", "--doctor-strict", **KEY).returncode == 1


def test_a_bad_model_a_bad_variable_and_a_broken_session_are_told_among_the_rest(pi: Pi) -> None:
    (pi.folder / "s.jsonl").write_text("{}\n", encoding="utf-8")
    done = pi("--doctor", "--model", "nope/x", "--session", "./s.jsonl", PI_MAX_TURNS="many", **KEY)
    assert done.returncode == 1
    assert done.stderr == ""
    assert "key=model status=fail code=invalid:nope/x: unsupported provider 'nope'" in done.stdout
    assert "key=configuration status=fail code=bad-config:PI_MAX_TURNS" in done.stdout
    assert "key=session_content status=fail code=not_a_session" in done.stdout
    assert "key=python status=pass" in done.stdout


def test_a_broken_settings_file_is_told_with_its_place(pi: Pi) -> None:
    own = pi.folder / ".pi" / "agent"
    own.mkdir(parents=True)
    (own / "settings.json").write_text('{"model": }', encoding="utf-8")
    done = pi("--doctor", **KEY)
    assert (done.returncode, done.stderr) == (1, "")
    assert "key=settings_file status=fail code=invalid:" in done.stdout
    assert "key=provider_key.openai status=pass" in done.stdout
