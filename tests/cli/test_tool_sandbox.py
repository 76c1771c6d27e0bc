"""The sandbox as an operator meets it, on the built file: held, warned, or refused."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from tests.cli.conftest import Pi
from tests.cli.playing import play, run
from tests.fakes.chat import answers
from tests.fakes.fault_server import FaultServer

ANY = ("--bash-profile", "permissive")
# A root that holds the launcher itself cannot be confined by it, on any machine.
UNHELD = ("--allow-path", "/")


def confined(pi: Pi, *flags: str) -> bool:
    done = pi("--print-tool-policy", *flags)
    assert done.returncode == 0, done.stderr
    return bool(json.loads(done.stdout)["bash_confined"])


@pytest.mark.parametrize("launcher", ["strongest", "landlock", "bubblewrap"])
def test_a_strict_run_writes_in_its_folders_only_and_has_no_network(pi: Pi, launcher: str) -> None:
    flags = ("--tool-policy-preset", "strict", "--os-sandbox-launcher", launcher)
    if not confined(pi, *flags):
        pytest.skip(f"{launcher} does not work here")
    other = pi.folder.parent / f"{pi.folder.name}-other"
    outside = pi.folder.parent / f"{pi.folder.name}-outside"
    other.mkdir()
    with FaultServer(answers()) as server:
        port = server.url.rsplit(":", 1)[1].split("/")[0]
        command = (
            f"echo a > in; echo b > {other}/in; echo c > {outside}; "
            f"(exec 3<>/dev/tcp/127.0.0.1/{port}) && echo reached"
        )
        content, _ = run(pi, command, *flags, *ANY, "--allow-path", str(other))
        shared, _ = run(pi, command, *flags, *ANY, "--sandbox-net", "true")
    assert content["sandboxed"] is True
    assert (pi.folder / "in").read_text() == "a\n"
    assert (other / "in").read_text() == "b\n"
    assert not outside.exists()
    assert "reached" not in content["stdout"]
    assert "reached" in shared["stdout"]


def test_a_copy_of_pi_in_the_folder_is_not_changed_by_those_it_holds(pi: Pi) -> None:
    copy = pi.folder / "pi.pyz"
    shutil.copy(pi.archive, copy)
    calls = [
        ("bash", {"command": "echo x > pi.pyz; mv pi.pyz away; rm -f pi.pyz; ls"}),
        ("write", {"path": "pi.pyz", "content": "x"}),
    ]
    flags = ("--no-session", "--os-sandbox-mode", "force", *ANY)
    told, refused = play(Pi(copy, pi.folder), calls, flags=flags).contents
    if not told.get("sandboxed"):
        pytest.skip("nothing holds commands here")
    assert told["stdout"] == "pi.pyz\n"
    assert refused["policy_rule"] == "os_sandbox_mode"
    assert copy.read_bytes() == pi.archive.read_bytes()


def test_auto_runs_unheld_where_nothing_holds_and_warns_once(pi: Pi) -> None:
    assert not confined(pi, "--os-sandbox-mode", "auto", *UNHELD)
    calls = [("bash", {"command": "echo a"}), ("bash", {"command": "echo b"})]
    flags = ("--no-session", "--quiet", "--os-sandbox-mode", "auto", *UNHELD)
    played = play(pi, calls, flags=flags)
    assert [content["sandboxed"] for content in played.contents] == [False, False]
    assert played.read == ["a\n", "b\n"]
    assert played.done.stderr.count("commands run without a sandbox") == 1


def test_force_refuses_where_nothing_holds(pi: Pi) -> None:
    flags = ("--os-sandbox-mode", "force", *UNHELD)
    content, read = run(pi, "touch made", *flags)
    assert content["policy_rule"] == "os_sandbox_mode"
    assert "OS sandbox mode 'force' is enabled but no sandbox launcher" in read
    assert os.listdir(pi.folder) == []
