"""Moments as people type them: a day, a time, seconds or milliseconds, "so long ago". Pure."""

from __future__ import annotations

_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
# A Unix time with this many digits is in milliseconds, a shorter one in seconds.
_MS_DIGITS = 12
EXAMPLES = "2026-01-31, 2026-01-31T12:00, 90m, 24h, 7d, or a Unix time"


def parse_moment(text: str, now_ms: int) -> int:
    """Unix milliseconds. Raises ValueError, whose text is for the user.

    A time without a zone is UTC; ``24h`` is that long before ``now_ms``.
    """
    given = text.strip()
    number, unit = given[:-1], given[-1:].lower()
    if unit in _UNITS_MS and _is_count(number):
        return now_ms - int(number) * _UNITS_MS[unit]
    if _is_count(given):
        return int(given) * (1 if len(given) >= _MS_DIGITS else 1000)
    from datetime import datetime, timezone  # 2 ms, and only for a date

    try:
        # Python 3.9 and 3.10 know no "Z".
        moment = datetime.fromisoformat(given[:-1] + "+00:00" if unit == "z" else given)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError(f"{given[:40]!r} is no moment; write {EXAMPLES}") from None


def show_moment(ms: int) -> str:
    """Unix milliseconds as ``2026-01-31T12:00:00Z``, or as the number if no calendar has it."""
    from datetime import datetime, timezone

    try:
        return datetime.fromtimestamp(ms // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(ms)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15
