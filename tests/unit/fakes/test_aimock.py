"""The published model server starts, answers, tells what it was asked, and is gone after."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import aimock_process as fake
from tests.fakes.aimock import aimock  # noqa: F401
from tests.fakes.aimock_process import Aimock

HELLO = [{"match": {"userMessage": "hello"}, "response": {"content": "hello to you"}}]


def ask(server: Aimock, text: str) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    answer = server.call("POST", "/v1/chat/completions", body)
    content: str = answer["choices"][0]["message"]["content"]
    return content


def keep_connecting(port: int, connection: socket.socket) -> None:
    """Hold a connection until the server closes it, then the next, until one is refused."""
    while True:
        with connection:
            assert connection.recv(1) == b""
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)


def test_two_servers_answer_from_their_own_fixtures(
    aimock: Callable[..., Aimock],  # noqa: F811
) -> None:
    other = [{"match": {}, "response": {"content": "something else"}}]
    first, second = aimock(HELLO), aimock(other)
    assert ask(first, "hello") == "hello to you"
    assert ask(second, "hello") == "something else"
    assert [entry["path"] for entry in first.requests()] == ["/v1/chat/completions"]


def test_a_server_is_gone_when_its_block_ends(
    aimock: Callable[..., Aimock],  # noqa: F811
) -> None:
    with fake.running(HELLO) as server:
        ask(server, "hello")
    with pytest.raises(urllib.error.URLError):
        ask(server, "hello")


def test_a_server_ends_when_the_process_that_started_it_is_killed(
    aimock: Callable[..., Aimock],  # noqa: F811
) -> None:
    script = (
        "import sys\n"
        "from tests.fakes import aimock_process\n"
        "with aimock_process.running([{'match': {}, 'response': {'content': 'x'}}]) as server:\n"
        "    print(server.url, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    root = str(Path(fake.__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": root}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        port = int(starter.stdout.readline().rpartition(b":")[2])
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        starter.kill()
        starter.communicate()
    with pytest.raises((ConnectionRefusedError, ConnectionResetError)):
        keep_connecting(port, connection)


def test_a_server_that_cannot_start_says_why(
    aimock: Callable[..., Aimock],  # noqa: F811
) -> None:
    with pytest.raises(RuntimeError, match="aimock did not start"), fake.running([], "--nonsense"):
        pass


def test_the_lock_file_names_no_registry_and_one_version() -> None:
    lock = (fake.NODE_FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in lock
    packages = json.loads(lock)["packages"]
    assert packages["node_modules/@copilotkit/aimock"]["version"] == "1.43.0"
