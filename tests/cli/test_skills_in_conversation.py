"""Skills in the built file while a run goes on: installed, used, updated, removed by commands,
and kept when the conversation is compacted."""

from __future__ import annotations

import json

from tests.cli.asking import bodies
from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import answers, delta, finish
from tests.fakes.fault_server import FaultServer
from tests.fakes.skill_site import Site

D = ".pi/skills"
ARGV = ("--no-session", "--trust-project", "--command-file", "commands")


def test_a_script_installs_uses_updates_and_removes_a_skill(pi: Pi) -> None:
    with Site() as site, FaultServer(answers(*[(delta("ok"), finish())] * 3)) as model:
        site.pages["/review.md"] = b"First text."
        lines = [
            f"/skills-install {site.url}/review.md --lock-write",
            "/skills-use review",
            "/prompt hi",
            "/skills-update --json",
            "/skills-use --none",
            "/prompt again",
            "/skills-remove review --apply --lock-write",
            "/skills-list",
        ]
        (pi.folder / "commands").write_text("\n".join(lines) + "\n")
        done = pi("--api-base", model.url + "/v1", *ARGV, **KEY)
        assert done.returncode == 0, done.stderr
        assert "install: name=review file=review.md action=installed sha256=" in done.stdout
        assert '"unchanged":1' in done.stdout
        assert f"skills list: path={D} count=0" in done.stdout
        first, second = (str(one["messages"][0]["content"]) for one in bodies(model))
        assert "# Skill: review\nFirst text." in first
        assert "First text." not in second
        assert json.loads((pi.folder / D / "skills.lock.json").read_bytes())["entries"] == []
        (pi.folder / "commands").write_text("/skills-install ftp://h/y.md\n")
        refused = pi(*ARGV)
        assert refused.returncode == 2
        assert "unsupported skill URL scheme 'ftp'" in refused.stdout + refused.stderr


def test_a_called_skill_is_sent_word_for_word_after_a_compaction(pi: Pi) -> None:
    (pi.folder / D).mkdir(parents=True)
    (pi.folder / D / "steps.md").write_text("First the tests.\nThen the code.\n")
    lines = ["/skill:steps now", "/prompt more", "/compact", "/prompt and then"]
    (pi.folder / "commands").write_text("\n".join(lines) + "\n")
    long = (delta("word " * 600), finish())
    turns = (long, long, (delta("SUMMARY"), finish()), (delta("ok"), finish()))
    with FaultServer(answers(*turns)) as model:
        done = pi("--api-base", model.url + "/v1", "--command-file", "commands", **KEY)
        assert done.returncode == 0, done.stderr
        assert "context compacted" in done.stdout
        asked, last = (json.dumps(one["messages"]) for one in bodies(model)[2:4])
    assert "Then the code." not in asked
    assert "SUMMARY" in last
    assert "First the tests.\\nThen the code.\\n</skill>" in last
