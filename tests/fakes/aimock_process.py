"""A model server by somebody else as a process of ours: the npm package in tests/node.

Each has a free port of its own, is ready when ``running`` enters its block, and ends with
the block or with the process that started it. Standard library only: benchmarks use it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NODE_FOLDER = Path(__file__).resolve().parents[1] / "node"
SERVER = NODE_FOLDER / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
READY_S = 60.0  # it takes 0.2 s; two test processes on a loaded machine take longer
END_S = 5.0


class Aimock:
    """A running server."""

    def __init__(self, url: str, log: list[str]) -> None:
        self.url = url  # http://127.0.0.1:PORT, without /v1
        self.log = log

    def requests(self) -> list[Any]:
        """Every request so far, oldest first, as the server's journal has them."""
        entries: list[Any] = self.call("GET", "/__aimock/journal")
        return entries

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Speak to one of the server's own control paths; JSON both ways."""
        request = urllib.request.Request(self.url + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=READY_S) as answer:
            return json.loads(answer.read() or b"null")


def missing() -> str:
    """Why the server cannot be started here, or "" if it can."""
    if not shutil.which("node"):
        return "node is not installed"
    if not SERVER.is_file():
        return "run: npm ci --prefix tests/node"
    return ""


@contextmanager
def running(fixtures: Sequence[Mapping[str, Any]], *options: str) -> Iterator[Aimock]:
    """Start a server that answers from ``fixtures``; ``options`` as its --help has them."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "fixtures.json")
        with open(file, "w", encoding="utf-8") as out:
            json.dump({"fixtures": list(fixtures)}, out)
        command = ["node", "--require", str(NODE_FOLDER / "end_with_parent.cjs"), str(SERVER)]
        command += ["-p", "0", "-h", "127.0.0.1", "-f", file, *options]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": folder},
            cwd=folder,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        log: list[str] = []
        spoke = threading.Event()
        reader = threading.Thread(target=_read_log, args=(process, log, spoke), daemon=True)
        reader.start()
        try:
            spoke.wait(READY_S)
            yield Aimock(_address(log), log)
        finally:
            _end(process)
            reader.join(END_S)
            if process.stdout:
                process.stdout.close()


def _read_log(process: subprocess.Popen[str], log: list[str], spoke: threading.Event) -> None:
    """Keep the pipe empty, or a talkative server would block on it."""
    assert process.stdout is not None
    for line in process.stdout:
        log.append(line.rstrip("\n"))
        if "listening on" in line:
            spoke.set()
    spoke.set()


def _address(log: list[str]) -> str:
    for line in log:
        if "listening on" in line:
            return line.rpartition("listening on ")[2].strip()
    raise RuntimeError("aimock did not start: " + " | ".join(log[-5:]))


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
