"""Where namespaces or Landlock cannot be had: what is used instead, and what is said of it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

import pytest
from sandbox_lab import Lab, lab_for, python_for
from test_sandbox_escapes import NAMES, outside_of

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("unshare"), reason="needs Linux and unshare"
)
REFUSED = "OS sandbox mode 'force' is enabled but no sandbox launcher is configured or available"
# A user namespace in which no more namespaces can be made, as containers and hardened
# kernels have it.
NO_NAMESPACES = ["unshare", "-Ur", "sh", "-c"]
NO_NAMESPACES += ['echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
# What docs/sandbox.md says is open then.
LEFT_OPEN = {
    *("connect_by_a_path", "move_the_repository", "move_the_settings"),
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with lab_for(os.geteuid(), python_for(os.geteuid())) as lab:
        yield lab


def test_without_namespaces_landlock_and_a_socket_filter_hold_the_rest(lab: Lab) -> None:
    with outside_of(lab) as outside:
        mode = lab.secret.stat().st_mode
        found = outside.attempt(NAMES, before=NO_NAMESPACES, prefer="landlock")
        facts = found["facts"]
        if facts["launcher"] != "landlock":
            pytest.skip(f"no Landlock here: {facts['reason']}")
        assert not facts["namespaces"]
        assert facts["network"] == "closed"
        assert not facts["unix_sockets"]
        assert facts["read_only"] == []
        assert {name for name, got_out in found["out"].items() if got_out} == LEFT_OPEN
        assert not outside.heard()
        assert lab.secret.read_text() == "secret words"
        assert lab.secret.stat().st_mode != mode, "not_held says so"
        assert set(os.listdir(lab.outside)) == {"secret", "socket"}


def test_without_namespaces_work_goes_on(lab: Lab) -> None:
    found = lab.run(
        "echo 1 > x && cat x && ls /usr > /dev/null && echo $(ls | wc -l)",
        f"{lab.python} -c 'import socket, tempfile; tempfile.mkstemp(); socket.socketpair()'",
        "python3 -c 'import socket; socket.socket()' 2>&1 | tail -1",
        before=NO_NAMESPACES,
        prefer="landlock",
    )
    if found["facts"]["launcher"] != "landlock":
        pytest.skip(f"no Landlock here: {found['facts']['reason']}")
    assert found["results"][0] == [0, "1\n1\n", ""]
    assert found["results"][1] == [0, "", ""]
    assert "Operation not permitted" in found["results"][2][1]


def test_force_refuses_and_auto_goes_on_unheld_where_nothing_works(lab: Lab) -> None:
    forced = lab.run("touch ran", without_landlock=True, path="/nowhere")
    [result] = forced["results"]
    assert result["rule"] == "os_sandbox_mode"
    assert result["refused"].startswith(f"{REFUSED}: landlock: ")
    assert "bubblewrap: bwrap is not on PATH" in result["refused"]
    assert not (lab.root / "ran").exists()
    policy = {"os_sandbox_mode": "auto"}
    found = lab.run("echo -$PI_SANDBOXED-", without_landlock=True, path="/nowhere", policy=policy)
    assert found["results"] == [[0, "--\n", ""]]
    assert found["facts"]["confined"] is False
    assert "landlock" in found["facts"]["reason"]


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bwrap is not installed")
def test_bubblewrap_steps_in_for_landlock(lab: Lab) -> None:
    found = lab.run(f"cat {lab.secret}", without_landlock=True)
    if found["facts"]["launcher"] != "bubblewrap":
        pytest.skip(f"bwrap does not work here: {found['facts']['reason']}")
    assert "No such file" in found["results"][0][2]


def test_a_root_that_is_everything_is_not_held_and_said_so(lab: Lab) -> None:
    found = lab.run(f"cat {lab.secret}", roots=["/"], prefer="landlock")
    if found["facts"]["launcher"] == "landlock":
        assert not found["facts"]["namespaces"]
        assert found["results"][0][1] == "secret words"
    else:
        assert "lies where commands may write" in found["facts"]["reason"]
