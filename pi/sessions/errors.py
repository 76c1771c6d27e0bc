"""What can go wrong with a session file, beyond damaged lines (those are data, not errors)."""

from __future__ import annotations

from pi.base.errors import PiError


class SessionError(PiError):
    """``code`` is "session-failed", "session-unreadable", "not-a-session", "session-locked",
    "session-newer-schema", "session-full", "session-missing", "session-unstorable",
    "nothing-to-undo" or "unknown-session-id"."""

    code = "session-failed"


class NamedWrong(SessionError):
    """What was named (a file, an entry, a place, a pattern) is not there, or is not what it
    was taken for: exit 2, as for every other name on a command line."""

    code = "bad-usage"
    exit_code = 2
