"""What no tool may change while commands are held, since it is run outside of the sandbox."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tool_bench import Benches

import pi
from pi.tools.guarded import guarded_in, links_within, own_code
from pi.tools.policy import Policy
from pi.tools.sandbox.plan import make_plan

HELD = Policy(os_sandbox_mode="auto")
PLACES = (".git/hooks/post-checkout", ".GIT/Hooks/x", ".pi/settings.json", ".pi", "bin/pi.pyz")


@pytest.fixture
def archive(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of pi in the folder that it works on."""
    path = root / "bin" / "pi.pyz"
    path.parent.mkdir()
    path.write_text("old")
    monkeypatch.setattr(pi, "__path__", [f"{path}/cp311/pi"])
    return path


@pytest.mark.parametrize("path", PLACES)
def test_nothing_is_written_where_it_would_be_run_outside(
    benches: Benches, root: Path, archive: Path, path: str
) -> None:
    for name in PLACES[:3]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("old")
    held = benches.make(policy=HELD)
    for result in (
        held("write", path=path, content="new"),
        held("edit", path=path, find="old", replace="new"),
    ):
        assert "is read-only while commands are held" in result.content["error"]
        assert result.content["policy_rule"] == "os_sandbox_mode"
    assert archive.read_text() == "old"
    if path != ".pi":
        assert not held("read", path=path).is_error
        assert not benches.make()("write", path=path, content="new").is_error


def test_what_lies_beside_guarded_places_is_written(benches: Benches, archive: Path) -> None:
    held = benches.make(policy=HELD)
    for path in (".git/config", ".github/x", ".pip", "bin/pi.pyz.txt"):
        assert not held("write", path=path, content="new").is_error


def test_commands_find_pi_itself_read_only_and_held_in_its_place(root: Path, archive: Path) -> None:
    assert own_code() == str(archive)
    plan = make_plan([str(root)], strict=True, own_code=own_code())
    assert plan.read_only == (str(archive),)
    assert plan.held_in_place == (str(archive.parent),)


def test_a_link_to_pi_is_told_to_be_unguarded(root: Path, tmp_path: Path) -> None:
    (tmp_path / "real.pyz").write_text("")
    (root / "to").symlink_to(tmp_path)
    link = root / "pi.pyz"
    link.symlink_to(tmp_path / "real.pyz")
    assert links_within(str(link), [str(root)]) == (str(link),)
    assert links_within(str(root / "to" / "real.pyz"), [str(root)]) == (str(root / "to"),)
    assert links_within(str(tmp_path / "real.pyz"), [str(root)]) == ()
    plan = make_plan([str(root)], strict=True, own_code=str(link))
    assert plan.unguarded[0] == str(link)


def test_in_a_checkout_the_package_is_guarded() -> None:
    package = os.path.dirname(os.path.abspath(str(pi.__file__)))
    assert own_code() == package
    assert os.path.realpath(package) in guarded_in(Policy(os_sandbox_mode="auto"), ["/nowhere"])
