"""Stands in for pi: chooses a sandbox and runs commands in it, as whichever user it is.

stdin: JSON with "policy", "roots", "temp", "prefer", "cwd", "commands", maybe more.
stdout: JSON with "facts" and, for each command, [code, output, errors], or {"refused": ...}.
In a command, ``{pid}`` is this process's number.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

from pi.tools.outcome import ToolFailure
from pi.tools.policy import Policy
from pi.tools.sandbox.choose import choose_sandbox


def without_landlock() -> None:
    """Make the kernel say, to this process and its children, that it has no Landlock."""
    from pi.tools.sandbox import kernel

    kernel.no_new_privileges()
    load, equal, answer = 0x20, 0x15, 0x06
    missing = 0x00050000 | 38  # ENOSYS
    rows = (
        (load, 0, 0, 0),
        (equal, 0, 1, 444),
        (answer, 0, 0, missing),
        (answer, 0, 0, 0x7FFF0000),
    )
    kernel.filter_calls(rows)


def main() -> None:
    asked: dict[str, Any] = json.loads(sys.stdin.read())
    signal.signal(signal.SIGUSR1, lambda *_: None)
    if asked.get("without_landlock"):
        without_landlock()
    environ = {"PATH": asked.get("path", os.defpath), "LANG": "C.UTF-8"}
    sandbox = choose_sandbox(
        Policy(**asked["policy"]),
        roots=asked["roots"],
        environ=environ,
        temp_dir=asked["temp"],
        prefer=asked.get("prefer", ""),
        readable=asked.get("readable", ()),
        private_files=asked.get("private_files", ()),
    )
    results: list[Any] = []
    for command in asked["commands"]:
        command = command.replace("{pid}", str(os.getpid()))
        try:
            launch = sandbox.launch(("/bin/bash", "-c"), command, asked["cwd"])
        except ToolFailure as failure:
            results.append({"refused": failure.error, "rule": failure.rule})
            continue
        done = subprocess.run(
            launch.argv,
            cwd=asked["cwd"],
            env={**environ, **launch.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=60,
        )
        results.append([done.returncode, done.stdout, done.stderr])
    print(json.dumps({"facts": dict(sandbox.describe()), "results": results}))


if __name__ == "__main__":
    main()
