"""Ordinary work goes on as if nothing held it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_lab import Lab, lab_for, python_for
from test_sandbox_escapes import launcher_or_skip, launchers, pytestmark, users

__all__ = ["pytestmark"]

SERVER = """
import http.server, threading, urllib.request
server = http.server.HTTPServer(("localhost", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = "http://localhost:%d/" % server.server_port
print(urllib.request.urlopen(url).status)
server.shutdown(); server.server_close()
"""
PIECES = """
import multiprocessing, os, pty, socket, sqlite3, subprocess, tempfile
with tempfile.TemporaryDirectory() as folder: open(folder + "/x", "w").close()
multiprocessing.Lock(); pty.openpty(); socket.socketpair()
assert subprocess.run(["ls", "/usr"], capture_output=True).returncode == 0
server = socket.socket(socket.AF_UNIX); server.bind("here.sock"); server.listen()
socket.socket(socket.AF_UNIX).connect("here.sock")
sqlite3.connect("data.db").execute("create table t (x)")
os.mkfifo("pipe"); os.link("data.db", "twice.db")
os.makedirs("a/b"); os.rename("a/b", "b")
print("all of it")
"""
GIT = (
    "git init -q again && cd again && git config user.email a@b.c && git config user.name n && "
    "echo 1 > f && git add f && git commit -qm first && git status --short && git log --oneline"
)
C_PROGRAM = "printf '#include <stdio.h>\\nint main(){puts(\"made\");}' > p.c && gcc p.c -o p && ./p"


@pytest.fixture(params=users)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    python = python_for(request.param)
    if not python:
        pytest.skip("this user can run no interpreter with pi's sources")
    with lab_for(request.param, python) as lab:
        yield lab


def outputs(found: dict[str, Any]) -> list[str]:
    for code, _, complaint in found["results"]:
        assert (code, complaint) == (0, "")
    return [said.strip() for _, said, _ in found["results"]]


@pytest.mark.parametrize("launcher", launchers)
def test_shells_pipes_and_files_work(lab: Lab, launcher: str) -> None:
    found = lab.run(
        "echo $PI_SANDBOXED; pwd",
        f"echo 1 > new; mkdir -p d/e; mv new d/e/; cat d/e/new; echo 2 > {lab.other}/in-other",
        "seq 1 100000 | grep 9 | wc -l; yes | head -1 >/dev/null; echo ${PIPESTATUS[0]}",
        "ls / /usr >/dev/null && cat /etc/passwd | head -1 | cut -d: -f1",
        "echo warn > /dev/stdout; echo x | tee /dev/null; : > $TMPDIR/t; : > /tmp/u; : > ~/v",
        "ulimit -c; echo $LC_CTYPE; sleep 0 & wait $! && echo waited",
        "cat; exit 0",
        "exec 3<>/dev/ptmx; stty -F /dev/ptmx >/dev/null; echo $?",
        prefer=launcher,
    )
    launcher_or_skip(found, launcher)
    said = outputs(found)
    assert said[0] == f"1\n{lab.root}"
    assert said[1] == "1"
    assert (lab.other / "in-other").read_text() == "2\n"
    assert said[2] == "40951\n141"
    assert said[3] == "root"
    assert said[4] == "warn\nx"
    assert said[5].endswith("\n\nwaited")
    assert said[6:] == ["", "0"]


@pytest.mark.parametrize("launcher", launchers)
def test_interpreters_compilers_and_git_work(lab: Lab, launcher: str) -> None:
    (lab.root / "server.py").write_text(SERVER)
    (lab.root / "pieces.py").write_text(PIECES)
    commands = [f"{lab.python} -B server.py 2>/dev/null", f"{lab.python} -B pieces.py"]
    expected = ["200", "all of it"]
    if shutil.which("git"):
        commands.append(GIT)
        expected.append("first")
    if shutil.which("gcc"):
        commands.append(C_PROGRAM)
        expected.append("made")
    found = lab.run(*commands, prefer=launcher)
    launcher_or_skip(found, launcher)
    for said, part in zip(outputs(found), expected):
        assert said.endswith(part)


@pytest.mark.parametrize("launcher", launchers)
def test_a_more_open_policy_shares_the_network(lab: Lab, launcher: str) -> None:
    policy = {"os_sandbox_mode": "force", "sandbox_net": True}
    found = lab.run("readlink /proc/self/ns/net", policy=policy, prefer=launcher)
    launcher_or_skip(found, launcher)
    assert outputs(found) == [os.readlink("/proc/self/ns/net")]
    assert found["facts"]["network"] == "open"


@pytest.mark.parametrize("launcher", launchers)
def test_private_files_inside_a_root_cannot_be_read(lab: Lab, launcher: str) -> None:
    for name in ("keys.json", "store/keys"):
        path = lab.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("a key")
    private = [str(lab.root / "keys.json"), str(lab.root / "store")]
    found = lab.run("cat keys.json store/keys; echo done", prefer=launcher, private_files=private)
    launcher_or_skip(found, launcher)
    assert found["results"][0][1] == "done\n"
    assert (lab.root / "keys.json").read_text() == "a key"


def test_more_places_can_be_shown_and_none_of_pi_is_left(lab: Lab) -> None:
    found = lab.run(
        f"cat {lab.secret}; echo x > {lab.secret}", prefer="landlock", readable=[str(lab.outside)]
    )
    launcher_or_skip(found, "landlock")
    assert found["results"][0][1] == "secret words"
    assert lab.secret.read_text() == "secret words"
    assert list(Path(lab.temp).iterdir()) == []


def test_an_interpreter_inside_a_root_cannot_be_changed(lab: Lab) -> None:
    base = str(Path(lab.python).parents[1])
    home = str(Path(base).parent)
    if lab.user != 0 or home == "/":
        pytest.skip("the interpreter lies where this user cannot write anyway")
    found = lab.run(f"touch {base}/new-file", roots=[str(lab.root), home], prefer="landlock")
    launcher_or_skip(found, "landlock")
    assert "Read-only file system" in found["results"][0][2]
