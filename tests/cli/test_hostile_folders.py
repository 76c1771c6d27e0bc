"""What a cloned repository may not do to who works in it before the folder was approved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Pi


@pytest.fixture
def clone(archive: Path, tmp_path: Path) -> Pi:
    """pi in a repository below the user's home folder."""
    repository = tmp_path / "clone"
    (repository / ".git").mkdir(parents=True)
    pi = Pi(archive, repository)
    pi.environ["HOME"] = str(tmp_path)
    return pi


@pytest.mark.parametrize("link", ["default.jsonl", "."])
def test_a_session_that_is_a_link_out_of_the_clone_is_not_written(clone: Pi, link: str) -> None:
    sessions, outside = clone.folder / ".pi" / "sessions", clone.folder.parent / ".bash_login"
    if link == ".":
        outside.mkdir()
        (clone.folder / ".pi").symlink_to(outside)
    else:
        sessions.mkdir(parents=True)
        (sessions / link).symlink_to(outside)
    done = clone("--model", "demo/tour", "hello")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is a link that leads out of the project" in done.stderr
    assert not outside.exists() or not any(outside.iterdir())
    assert clone("--model", "demo/tour", "hello", "--trust-project").returncode == 0


def test_what_is_piped_in_cannot_approve_the_folder_it_lies_in(clone: Pi) -> None:
    settings = clone.folder / ".pi" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"tool-policy-preset": "permissive"}', encoding="utf-8")
    done = clone("--model", "demo/tour", "--no-session", stdin="/trust\n/trust --yes\n")
    why = "only a person on a terminal or a command file with /trust --yes can do that"
    assert done.stdout.count(f"trust error: error=the folder was not approved ({why})") == 2
    assert done.stderr.count("Nobody is there to be asked") == 2
    assert "add --yes" not in done.stderr, "it would be of no use"
    assert "[default]" in clone("--print-config", "tool-policy-preset").stdout
