"""Real shells on a pseudo-terminal: what is typed, with Tab, and what pi would be given."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

LIMIT_S = 60
READY = "ready-for-keys"
# In place of pi: prints the words it was started with, so that a test sees what was completed.
SHOW = "printf '<%s>' \"$@\"; printf '.end%s\\n' ''"


def missing(shell: str) -> str:
    """Why a test of ``shell`` cannot run, "" if it can."""
    return "" if shutil.which(shell) else f"{shell} is not installed"


class Shell:
    """An interactive shell in ``folder`` that read ``script``; ``typed`` is what it does."""

    def __init__(self, argv: Sequence[str], folder: Path, setup: str) -> None:
        self._said = b""
        environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
            "PS1": "",
            "HISTFILE": "",
        }
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            self._become(argv, folder, environ)
        self._send(f"{setup}; printf '{READY}%s\\n' ''\n")
        self._until(f"{READY}\r\n")

    @staticmethod
    def _become(argv: Sequence[str], folder: Path, environ: Mapping[str, str]) -> None:
        try:
            os.chdir(folder)
            os.execvpe(argv[0], list(argv), dict(environ))
        finally:
            os._exit(127)

    def typed(self, keys: str) -> list[str]:
        """The words that the command got after these keys and Enter."""
        self._said = b""
        self._send(keys + "\n")
        shown = self._until(".end\r\n")
        words = shown[shown.rindex("\n<") + 2 if "\n<" in shown else shown.index("<") + 1 :]
        return words[: words.rindex(">.end")].split("><")

    def close(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.close(self._fd)
        os.waitpid(self._pid, 0)

    def _send(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def _until(self, mark: str) -> str:
        deadline = time.monotonic() + LIMIT_S
        while mark.encode() not in self._said:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._fd], [], [], max(left, 0))
            if not ready:
                raise AssertionError(f"the shell did not say {mark!r}: {self._said!r}")
            try:
                self._said += os.read(self._fd, 65536)
            except OSError:
                raise AssertionError(f"the shell is gone; it said {self._said!r}") from None
        return self._said.decode("utf-8", "replace")


def bash(folder: Path, script: Path) -> Shell:
    """An interactive bash with readline; ``pi`` and ``pi.pyz`` show their words."""
    setup = f"bind 'set bell-style none' 'set enable-bracketed-paste off' 2>/dev/null; . {script}"
    functions = f"pi() {{ {SHOW}; }}; pi.pyz() {{ {SHOW}; }}; python3() {{ {SHOW}; }}"
    argv = ["bash", "--norc", "--noprofile", "-i"]
    return Shell(argv, folder, f"{setup}; {functions}")


def zsh(folder: Path, script: Path) -> Shell:
    """An interactive zsh that reads no file of its own."""
    functions = f"pi() {{ {SHOW}; }}; pi.pyz() {{ {SHOW}; }}; python3() {{ {SHOW}; }}"
    setup = "unsetopt zle_bracketed_paste 2>/dev/null; zstyle ':completion:*' list-prompt ''"
    return Shell(["zsh", "-f", "-i"], folder, f"{setup}; . {script}; {functions}; LISTMAX=9999")
