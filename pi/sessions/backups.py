"""Copies of a session file from before it was rewritten: ``<session>.bak-<UTC>``."""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 3
_STAMP = re.compile(r"\.bak-(\d{8}T\d{6}\.\d{3}Z)\Z")


def stamp(now_ms: int) -> str:
    """A time as ``20261122T131500.123Z``: names in order of time."""
    days, ms = divmod(now_ms, 86_400_000)
    seconds, rest = divmod(ms, 1000)
    year, month, day = _civil(days)
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{rest:03}Z"


def _civil(days: int) -> tuple[int, int, int]:
    """Days since 1970-01-01 as a date (H. Hinnant, "chrono-compatible low-level date
    algorithms"): loading ``datetime`` for this would cost more than the whole backup."""
    shifted = days + 719_468
    era, day_of_era = divmod(shifted, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year_of_era + era * 400 + (month <= 2), month, day


def backups(path: str) -> tuple[str, ...]:
    """The backups of the session at ``path``, the newest first."""
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return ()
    found = [
        (match.group(1), other)
        for other in names
        if other.startswith(name) and (match := _STAMP.fullmatch(other[len(name) :]))
    ]
    return tuple(os.path.join(folder, other) for _, other in sorted(found, reverse=True))


def make_backup(path: str, now_ms: Callable[[], int]) -> str:
    """Keep the file at ``path`` under a new name and return it. Raises OSError.

    A second name where the file system has those (the file is about to be replaced, not
    changed), else a copy. The oldest beyond ``KEPT`` are removed.
    """
    at = now_ms()
    while True:
        name = f"{path}.bak-{stamp(at)}"
        try:
            os.link(path, name)
            break
        except FileExistsError:
            at += 1  # two operations within a millisecond
        except OSError:
            _copy(path, name)
            break
    for old in backups(path)[KEPT:]:
        try:
            os.unlink(old)
        except OSError:
            pass  # one too many is no reason to fail
    return name


def _copy(path: str, name: str) -> None:
    with open(path, "rb") as old:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        new = os.open(name, flags, 0o600)
        try:
            while piece := old.read(1 << 20):
                view = memoryview(piece)
                while view:
                    view = view[os.write(new, view) :]
            os.fsync(new)
        finally:
            os.close(new)
