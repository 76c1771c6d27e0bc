"""What the user answered about folders: small files in the user's folder, outside of every
project, each with answers by the real path of a folder."""

from __future__ import annotations

import json
import os

from pi.base.errors import ConfigError
from pi.base.filelock import FileLock
from pi.base.files import replace_file
from pi.base.homes import user_folder
from pi.base.smallfile import Unreadable, read_small_text
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Answers = dict[str, dict[str, Any]]

MAX_BYTES = 4 << 20
LOCK_WAIT_MS = 5000


class AnswerFile(NamedTuple):
    """``name`` of the file and ``what`` it holds, for messages; ``fits`` says of an answer
    whether it is one (and may raise KeyError or TypeError if not). ``repair`` and
    ``instead`` say what to do about a damaged file, and where it cannot be written."""

    name: str
    what: str
    fits: Callable[[Any], bool]
    repair: str
    instead: str

    def path(self, environ: Mapping[str, str]) -> str:
        return os.path.join(user_folder(environ), self.name)

    def read(self, environ: Mapping[str, str]) -> Answers:
        """The answers by folder. Raises ConfigError for a damaged file."""
        path = self.path(environ)
        try:
            folders = json.loads(read_small_text(path, MAX_BYTES))["folders"]
            if not all(self.fits(answer) for answer in folders.values()):
                raise TypeError
        except Unreadable as exc:
            if exc.absent:
                return {}
            raise ConfigError(f"{self.what} {path} {exc.why}", hint=self.repair) from exc
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise ConfigError(f"{self.what} {path} is damaged", hint=self.repair) from exc
        return dict(folders)

    def change(
        self,
        environ: Mapping[str, str],
        edit: Callable[[Answers], bool],
        random_bytes: Callable[[int], bytes],
    ) -> bool:
        """Let ``edit`` change the answers; what it returns says whether it did. Raises
        ConfigError for a damaged file or one that cannot be written."""
        folder = user_folder(environ)
        lock = os.path.join(folder, f"{os.path.splitext(self.name)[0]}.lock")
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            try:
                with FileLock(handle, lock, wait_ms=LOCK_WAIT_MS):
                    answers = self.read(environ)
                    if not edit(answers):
                        return False
                    text = json.dumps({"version": 1, "folders": answers}, indent=1, sort_keys=True)
                    path = self.path(environ)
                    replace_file(path, text.encode() + b"\n", random_bytes=random_bytes, sync=True)
            finally:
                os.close(handle)
        except OSError as exc:
            raise ConfigError(
                f"{self.what} in {folder} cannot be written",
                cause=exc.strerror or str(exc),
                hint=self.instead,
            ) from exc
        return True
