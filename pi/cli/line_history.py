"""What was typed, kept for the next time: a file of the user's, outside of any repository.

One entry is one line: a backslash stands as two, a line break as ``\\n``. The file is only
for its owner. What may hold a secret is never written: lines of the commands that take
one, misspelt ones too, and what holds a value that is known to be one.
"""

from __future__ import annotations

import os
import stat

from pi.base.files import replace_file
from pi.base.text import redact
from pi.commands.arguments import split_line
from pi.commands.dispatch import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_ENTRIES = 2000
MAX_ENTRY = 16 * 1024
MAX_BYTES = 4 << 20
SECRET_COMMANDS = ("/auth", "/integration-auth")


def history_path(environ: Mapping[str, str]) -> str | None:
    """Where the history is: ``~/.pi/agent`` where that is in use, else the state folder of
    the XDG rules. None for a user without a home."""
    home = environ.get("HOME", "")
    if os.path.isabs(home) and os.path.isdir(older := os.path.join(home, ".pi", "agent")):
        return os.path.join(older, "history")
    state = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):
        if not os.path.isabs(home):
            return None
        state = os.path.join(home, ".local", "state")
    return os.path.join(state, "pi", "history")


def is_secret(text: str) -> bool:
    """Whether a line is of a command that takes a secret, however much of its name is there."""
    name = split_line(text)[0].lower()
    if len(name) < 2:
        return False
    return any(other.startswith(name) or name.startswith(other) for other in SECRET_COMMANDS)


def is_kept(text: str, secrets: Sequence[str]) -> bool:
    """Whether a line goes into the file. One that begins with a blank does not."""
    if not text.strip() or text[0].isspace() or len(text) > MAX_ENTRY or "\0" in text:
        return False
    name = split_line(text)[0]
    is_unknown = name.startswith("/") and "/" not in name[1:] and find(name, prefixes=True) is None
    return not is_unknown and not is_secret(text) and redact(text, secrets) == text


def encode(text: str) -> bytes:
    """An entry as a line of the file."""
    line = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return line.encode("utf-8", "replace") + b"\n"


def decode(data: bytes) -> list[str]:
    """The entries of a file, the oldest first; a line cut off at either end is left out."""
    lines = data.decode("utf-8", "replace").split("\n")[:-1]
    return [_unescaped(line) for line in lines if line]


def _unescaped(line: str) -> str:
    parts = line.split("\\\\")
    return "\\".join(part.replace("\\n", "\n").replace("\\r", "\r") for part in parts)


class History:
    """The file. Nothing in here fails: without a file there is no history."""

    def __init__(self, path: str, secrets: Sequence[str]) -> None:
        self._path = path
        self._secrets = secrets

    def load(self, random_bytes: Callable[[int], bytes]) -> list[str]:
        """The entries, the oldest first. A file that has grown too long is cut."""
        try:
            with open(_opened(self._path, os.O_RDONLY), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - MAX_BYTES))
                data = file.read(MAX_BYTES)
            if size > MAX_BYTES:
                data = data.partition(b"\n")[2]
            entries = decode(data)
            if size > MAX_BYTES or len(entries) > 2 * MAX_ENTRIES:
                kept = b"".join(map(encode, entries[-MAX_ENTRIES:]))
                replace_file(os.path.realpath(self._path), kept, random_bytes=random_bytes)
        except OSError:
            return []
        return entries[-MAX_ENTRIES:]

    def add(self, text: str) -> None:
        """Write an entry down, if it is one to be kept."""
        if not is_kept(text, self._secrets):
            return
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            descriptor = _opened(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        except OSError:
            return
        try:
            os.fchmod(descriptor, 0o600)
            os.write(descriptor, encode(text))
        except OSError:
            pass  # a full disk: the next entry may fit
        finally:
            os.close(descriptor)


def _opened(path: str, how: int) -> int:
    """A descriptor of a regular file. Raises OSError for anything else."""
    flags = how | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a regular file")
    return descriptor
