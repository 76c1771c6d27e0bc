"""Files that sessions keep for themselves: no export may take the place of one. Reads names
only, and whether something is there."""

from __future__ import annotations

import os
import re

from pi.sessions.labels import KINDS, sidecars
from pi.sessions.shelf import ENDING, FOLDER

# What stands behind the name of a session's file in those that belong to it.
_BELONGS = (
    (re.compile(r"\.lock"), "the lock of the session"),
    (re.compile(r"\.bak-.*", re.DOTALL), "a backup of the session, which /session-undo reads"),
    (re.compile(r"\.quarantine\.jsonl"), "what a repair kept of the session"),
    (re.compile(r"\.rescue-.*", re.DOTALL), "what could not be saved in the session"),
)


def owned(path: str, session: str, cwd: str) -> str:
    """What the file at the real ``path`` is to the session at the real path ``session``, or
    to another one in the sessions' folder of ``cwd``, in words; "" for nothing.

    What belongs to the session is known by its name, also if it is not there yet: a file
    that is called like a backup would be taken for one.
    """
    if path == session or _is_same(path, session):
        return "the session itself"
    if path.startswith(session):
        behind = path[len(session) :]
        for pattern, words in _BELONGS:
            if pattern.fullmatch(behind):
                return words
    if any(path in sidecars(session, kind) for kind in KINDS) and os.path.lexists(path):
        return "a file of names of the session"
    folder, name = os.path.split(path)
    is_shelved = folder == os.path.realpath(os.path.join(cwd, FOLDER)) and ENDING in name
    return "a file of another session" if is_shelved and os.path.lexists(path) else ""


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False
