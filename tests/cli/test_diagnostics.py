"""Doctor, policy, catalog, logs and cost as slash commands of the built file."""

from __future__ import annotations

import json

from tests.cli.conftest import KEY, Pi


def test_the_doctor_has_seven_checks_and_no_others_where_all_is_well(pi: Pi) -> None:
    """C57, C58"""
    (pi.folder / "skills").mkdir()
    (pi.folder / "skills" / "skills.lock.json").write_text("{}\n", encoding="utf-8")
    (pi.folder / "trust.json").write_text("[]\n", encoding="utf-8")
    (pi.folder / "trust.json").chmod(0o644)
    entry = {"role": "user", "content": [{"type": "text", "text": "hi"}], "is_error": False}
    record = {"record_type": "entry", "id": 1, "parent_id": None, "message": entry}
    meta = {"record_type": "meta", "schema_version": 1}
    lines = "".join(json.dumps(each) + "\n" for each in (meta, record))
    (pi.folder / "s.jsonl").write_text(lines, encoding="utf-8")
    done = pi(
        "--session", "./s.jsonl", "--skills-dir", "skills", "--skill-trust-root-file", "trust.json",
        "--command-file", "-", "--command-file-error-mode", "continue-on-error",
        stdin="/doctor\n/doctor --json\n/doctor --bad\n", **KEY,
    )  # fmt: skip
    head, *rows = done.stdout.splitlines()
    assert head == "doctor summary: checks=7 pass=7 warn=0 fail=0"
    words = [row.split(" ") for row in rows[:7]]
    assert [(row[2], row[4]) for row in words] == [
        ("key=model", "code=openai/gpt-4o-mini"),
        ("key=provider_auth_mode.openai", "code=api_key"),
        ("key=provider_key.openai", "code=present"),
        ("key=session_path", "code=readable"),
        ("key=skills_dir", "code=readable_dir"),
        ("key=skills_lock", "code=readable"),
        ("key=trust_root", "code=readable"),
    ]
    found = json.loads(rows[7])
    assert found["summary"] == {"checks": 7, "fail": 0, "pass": 7, "warn": 0}
    assert len(found["checks"]) == 7
    assert "usage: /doctor [--json]" in rows


def test_models_come_from_the_cache_that_was_named(pi: Pi) -> None:
    """C29, C30"""
    entries = [
        {"provider": "openai", "model": "gpt-4o-mini", "supports_tools": True},
        {"provider": "openai", "model": "legacy-no-tools", "supports_tools": False},
    ]
    text = json.dumps({"schema_version": 1, "entries": entries})
    (pi.folder / "c.json").write_text(text, encoding="utf-8")
    script = (
        "/models-list gpt --provider openai --tools true --limit 5\n"
        "/models-list legacy --tools true\n"
        "/model-show openai/missing-model\n/help model-show\n"
    )
    done = pi(
        "--command-file", "-", "--command-file-error-mode", "continue-on-error",
        "--model-catalog-cache", "c.json", "--model-catalog-offline", stdin=script,
    )  # fmt: skip
    assert "models list: source=cache:c.json total_matches=" in done.stdout
    assert "model: openai/gpt-4o-mini tools=true" in done.stdout
    assert "legacy-no-tools" not in done.stdout
    assert "model show: not found: openai/missing-model" in done.stdout
    assert "usage: /model-show <provider/model>" in done.stdout


def test_the_logs_of_the_run_are_summed_up_and_the_policy_is_told(pi: Pi) -> None:
    """C59, C60"""
    logs = ("--tool-audit-log", "a.jsonl", "--telemetry-log", "t.jsonl")
    (pi.folder / "x.txt").write_text("x\n", encoding="utf-8")
    assert pi("--model", "demo/tour", *logs, "-p", "Read x.txt").returncode == 0
    script = "/audit-summary\n/cost\n/policy check bash ls --color=never\n/audit-summary nothing\n"
    done = pi(
        "--command-file", "-", "--command-file-error-mode", "continue-on-error",
        "--model", "demo/tour", *logs, stdin=script,
    )  # fmt: skip
    assert "audit summary: path=a.jsonl,t.jsonl records=" in done.stdout
    assert "  read count=" in done.stdout
    assert "  demo count=1" in done.stdout
    assert "cost: requests=0 " in done.stdout
    assert "session model: demo/tour " in done.stdout
    assert "policy check: tool=bash decision=allow" in done.stdout
    assert "audit summary error: failed to open audit file nothing" in done.stdout
