"""Files that hold a private key: one line, the base64 of the 32-byte seed, mode 0600.

Nothing of a key but its public half ever reaches a message. A file is made once and never
overwritten: a lost root key cannot be made again.
"""

from __future__ import annotations

import os
import stat

from pi.base.errors import ConfigError, UsageError
from pi.base.typing import NamedTuple
from pi.skills import base64_strict
from pi.skills.plain_files import read_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SEED_BYTES = 32
MAX_BYTES = 4096


class PrivateKey(NamedTuple):
    """What a key file held. ``warning`` is a sentence for the user, or ""."""

    seed: bytes
    warning: str = ""

    def __repr__(self) -> str:
        return "PrivateKey(...)"


def write_key_file(path: str, random_bytes: Callable[[int], bytes]) -> bytes:
    """Make a new key at ``path`` and return its seed. Raises UsageError if the path is taken,
    ConfigError if it cannot be written."""
    seed = random_bytes(SEED_BYTES)
    line = (base64_strict.encode(seed) + "\n").encode("ascii")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise UsageError(
            f"the key file '{path}' exists already",
            hint="a key is never overwritten; give another name, or move the old one away",
        ) from None
    except (OSError, ValueError) as exc:
        raise _failed("write", path, exc) from exc
    try:
        try:
            os.write(descriptor, line)  # one short line: never in parts
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as exc:
        os.unlink(path)
        raise _failed("write", path, exc) from exc
    return seed


def read_key_file(path: str) -> PrivateKey:
    """The key at ``path``. Raises ConfigError."""
    try:
        data, state = read_plain(path, MAX_BYTES)
    except OSError as exc:
        raise _failed("read", path, exc) from exc
    try:
        seed = base64_strict.decode(data.decode("ascii"), SEED_BYTES)
    except (base64_strict.NotBase64, UnicodeDecodeError):
        raise ConfigError(
            f"'{path}' is not a key file",
            hint="it must hold the base64 of a 32-byte seed; pi --skill-keygen makes one",
        ) from None
    is_open = os.name != "nt" and stat.S_IMODE(state.st_mode) & 0o077
    return PrivateKey(seed, f"others may read the key file '{path}': chmod 600 it" * bool(is_open))


def _failed(verb: str, path: str, exc: Exception) -> ConfigError:
    cause = (isinstance(exc, OSError) and exc.strerror) or str(exc)
    return ConfigError(f"failed to {verb} key file '{path}'", cause=cause)
