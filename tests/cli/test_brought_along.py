"""Sessions and skills that a clone brings along."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Pi


def test_a_conversation_begun_elsewhere_is_told(pi: Pi) -> None:
    path = pi.folder / ".pi" / "sessions" / "default.jsonl"
    path.parent.mkdir(parents=True)
    meta = {"record_type": "meta", "schema_version": 2, "session_id": "x", "cwd": "/elsewhere"}
    said = {"role": "user", "content": [{"type": "text", "text": "I agree to everything"}]}
    entry = {"record_type": "entry", "id": 1, "parent_id": None, "message": said}
    path.write_text(f"{json.dumps(meta)}\n{json.dumps(entry)}\n")
    done = pi("--model", "demo/tour", "--quiet", "-p", "hi")
    assert "going on with a conversation that was begun in /elsewhere" in done.stderr
    named = pi("--model", "demo/tour", "--session", str(path), "-p", "hi")
    assert "begun" not in named.stderr
    assert "begun" not in pi("--model", "demo/tour", "--no-session", "-p", "hi").stderr


def test_ones_own_conversation_is_not_told(pi: Pi) -> None:
    for _ in range(2):
        assert "begun" not in pi("--model", "demo/tour", "-p", "hi").stderr


def test_a_skills_folder_that_leads_out_is_not_filled(
    pi: Pi, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside, home = tmp_path_factory.mktemp("outside"), str(tmp_path_factory.mktemp("home"))
    (pi.folder / ".git").mkdir()
    (pi.folder / ".pi").mkdir()
    (pi.folder / ".pi" / "skills").symlink_to(outside)
    (pi.folder / "a.md").write_text("text")
    done = pi("--install-skill", "a.md", HOME=home)
    assert (done.returncode, list(outside.iterdir())) == (2, [])
    assert "leads out of the project" in done.stderr
    assert pi("--install-skill", "a.md", "--skills-dir", ".pi/skills", HOME=home).returncode == 0
