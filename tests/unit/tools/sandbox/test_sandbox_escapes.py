"""Nothing gets out: every way is really tried, as root and as nobody, by each launcher."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import escape_attempts
import pytest
from sandbox_lab import NOBODY, Lab, lab_for, python_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these launchers are Linux's")
NAMES = sorted(escape_attempts.attempts())
# What an unconfined process of the same user can do: proof that the attempts are real ones.
EVERYBODY_CAN = {
    *("read_a_file", "read_by_an_own_link", "read_by_a_memory_file", "read_variables"),
    *("read_by_the_root_of_a_process", "signal_it", "link_it_in", "read_memory"),
    *("connect_by_tcp", "connect_by_an_abstract_name", "connect_by_a_path", "limit_it"),
}
SAID_TO_BE_OPEN: dict[str, set[str]] = {
    "landlock": set(),
    "bubblewrap": {"reach_the_host_of_the_machine"},
}
CHANGES = {"write_a_file", "cut_it_off", "change_its_mode", "write_a_hook", "write_settings"}

users = [
    pytest.param(
        os.geteuid(),
        id="root" if os.geteuid() == 0 else "user",
    ),
    pytest.param(
        NOBODY,
        id="nobody",
        marks=pytest.mark.skipif(
            os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can become nobody"
        ),
    ),
]
launchers = [
    "landlock",
    pytest.param(
        "bubblewrap",
        marks=pytest.mark.skipif(not shutil.which("bwrap"), reason="bwrap is not installed"),
    ),
]


@pytest.fixture(params=users)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    python = python_for(request.param)
    if not python:
        pytest.skip("this user can run no interpreter with pi's sources")
    with lab_for(request.param, python) as lab:
        yield lab


class Outside:
    """Sockets that only somebody outside can reach, and what came in by UDP."""

    def __init__(self, lab: Lab, stack: ExitStack) -> None:
        self.lab = lab
        self.abstract = f"pi-lab-{os.getpid()}-{lab.folder.name}"
        path = str(lab.outside / "socket")
        for address in ("\0" + self.abstract, path):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        os.chmod(path, 0o666)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        self.facts = {
            "secret": str(lab.secret),
            "outside": str(lab.outside),
            "socket": path,
            "abstract": self.abstract,
            "tcp": tcp.getsockname()[1],
            "udp": self.udp.getsockname()[1],
        }

    def heard(self) -> bool:
        try:
            return bool(self.udp.recv(10))
        except BlockingIOError:
            return False

    def attempt(self, names: list[str], **more: Any) -> dict[str, Any]:
        """What came of the attempts, and the facts that the sandbox tells of itself."""
        lab = self.lab
        shutil.copy(escape_attempts.__file__, lab.root / "attempts.py")
        (lab.root / "facts.json").write_text(json.dumps({**self.facts, "pid": "PID"}))
        fill = 'sed \'s/"PID"/"{pid}"/\' facts.json > facts-now.json; '
        line = f"{fill}{lab.python} -B attempts.py facts-now.json {','.join(names)}"
        done = lab.run(line, **more)
        code, said, complaint = done["results"][0]
        assert code == 0, complaint
        return {"out": json.loads(said), "facts": done["facts"], "complaint": complaint}


@contextmanager
def outside_of(lab: Lab) -> Iterator[Outside]:
    with ExitStack() as stack:
        yield Outside(lab, stack)


def launcher_or_skip(found: dict[str, Any], wanted: str) -> None:
    if found["facts"]["launcher"] != wanted:
        pytest.skip(f"{wanted} does not work here: {found['facts']['reason']}")


@pytest.mark.parametrize("launcher", launchers)
def test_no_way_leads_out(lab: Lab, launcher: str) -> None:
    with outside_of(lab) as outside:
        before = lab.state()
        found = outside.attempt(NAMES, prefer=launcher)
        launcher_or_skip(found, launcher)
        got_out = {name for name, is_out in found["out"].items() if is_out}
        assert got_out - SAID_TO_BE_OPEN[launcher] == set()
        assert lab.state() == before
        assert not outside.heard()
        assert not Path(f"{lab.outside}/new").exists()


def test_the_attempts_get_out_where_nothing_holds_them(lab: Lab) -> None:
    names = [*sorted(EVERYBODY_CAN), "send_by_udp", *sorted(CHANGES)]
    with outside_of(lab) as outside:
        before = lab.state()
        found = outside.attempt(names, policy={"os_sandbox_mode": "off"})
        assert {name for name, got_out in found["out"].items() if got_out} == EVERYBODY_CAN
        after = lab.state()
        changed = {path for path in after if before.get(path) != after[path]}
        assert {Path(path).name for path in changed} >= {
            *("new", "secret", "post-checkout", "settings.json")
        }
        assert outside.heard()
