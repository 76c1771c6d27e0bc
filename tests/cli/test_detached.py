"""Processes that a command detaches from itself, on the built file: none outlives pi."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.cli.conftest import KEY, Pi
from tests.cli.test_interrupts import gone, wait_for
from tests.fakes.chat import answers, call, delta, finish
from tests.fakes.fault_server import FaultServer
from tests.fakes.patience import LONG_S

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux gives orphans to an ancestor"
)

ANY = ("--tool-policy-preset", "permissive")
DETACH = (
    "setsid sh -c 'echo $$ > pid.new; mv pid.new pid; exec sleep 300' > /dev/null 2>&1 & "
    "while ! [ -e pid ]; do sleep 0.02; done; "
)


@pytest.mark.parametrize("mode", ["off", "auto"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_a_signal_nobody_outlives_pi(pi: Pi, number: int, mode: str) -> None:
    turns = answers(
        (call("bash", {"command": DETACH + "touch ready; sleep 300"}), finish("tool_calls"))
    )
    flags = (*ANY, "--os-sandbox-mode", mode, "--no-session")
    with FaultServer(turns) as server:
        process = pi.start("--api-base", server.url + "/v1", *flags, "-p", "hi", environ=KEY)
        wait_for(pi.folder / "ready")
        process.send_signal(number)
        process.communicate(timeout=LONG_S)
    assert process.returncode == 130
    assert gone(int((pi.folder / "pid").read_text()))


@pytest.mark.parametrize("mode", ["off", "auto"])
def test_a_detached_server_serves_the_next_command_and_ends_with_pi(pi: Pi, mode: str) -> None:
    turns = answers(
        (call("bash", {"command": DETACH}, "a"), finish("tool_calls")),
        (call("bash", {"command": "ls /proc/$(cat pid) > seen"}, "b"), finish("tool_calls")),
        (delta("done"), finish()),
    )
    flags = (*ANY, "--os-sandbox-mode", mode, "--no-session")
    with FaultServer(turns) as server:
        done = pi("--api-base", server.url + "/v1", *flags, "-p", "hi", **KEY)
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "status" in (pi.folder / "seen").read_text().split()
    assert gone(int((pi.folder / "pid").read_text()))
