"""Retry or not, and how long to wait first. Pure: clock readings and draws are arguments."""

from __future__ import annotations

import re

from pi.base.typing import NamedTuple, Union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BACKOFF_DOUBLINGS = 6
MAX_HINT_MS = 60_000  # a server that asks for more is answered by giving up, not by sleeping
HINT_JITTER_MS = 1000  # so that clients told the same second do not come back together
NEVER_RETRIED = {501, 505}  # "not implemented" and "version not supported" do not pass
MAX_WAIT_TEXT = 4096
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_AMOUNT = (
    r"(\d{1,9}(?:\.\d{1,12})?) ?"
    r"(ms|milliseconds?|s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:ours?)?|d(?:ays?)?)"
)
_WAIT = rf"(?:retry|try again|available again) (?:in|after) ((?:{_AMOUNT}[ ,]{{0,2}})+)"


class RetryPolicy(NamedTuple):
    max_retries: int = 2
    budget_ms: int = 0  # 0: no limit on the sum of the waits
    base_ms: int = 200
    jitter: bool = True


class TurnRetry(NamedTuple):
    """How often, and how long after each other, a broken answer is asked for again."""

    max_attempts: int = 3
    base_ms: int = 2000


class Wait(NamedTuple):
    ms: int


class GiveUp(NamedTuple):
    why: str


NextStep = Union[Wait, GiveUp]


def is_retryable_status(status: int) -> bool:
    """Whether an HTTP status may pass by itself: 408, 409, 425, 429 and 5xx but for two."""
    return status in (408, 409, 425, 429) or (status >= 500 and status not in NEVER_RETRIED)


def next_step(
    policy: RetryPolicy,
    attempt: int,
    waited_ms: int,
    draw: float,
    hint_ms: int | None = None,
) -> NextStep:
    """Decide what follows failed attempt number ``attempt`` (0 is the first).

    ``waited_ms`` is the sum of the waits so far: the time that requests took does not count,
    or a slow server would never be asked again. ``draw`` in [0, 1) is the caller's random
    number, ``hint_ms`` what the server asked to wait.
    """
    if attempt >= policy.max_retries:
        return GiveUp(f"still failing after {attempt} retries" if attempt else "")
    full = policy.base_ms << min(attempt, MAX_BACKOFF_DOUBLINGS)
    wait = full // 2 + int(draw * (full - full // 2 + 1)) if policy.jitter else full
    if hint_ms is not None:
        if hint_ms > MAX_HINT_MS:
            return GiveUp(f"the provider asks to wait {hint_ms // 1000} s")
        spread = int(draw * HINT_JITTER_MS) if policy.jitter else 0
        wait = max(wait, hint_ms + spread)
    if policy.budget_ms and waited_ms + wait > policy.budget_ms:
        return GiveUp(f"the retry budget of {policy.budget_ms} ms is spent")
    return Wait(wait)


def turn_wait_ms(policy: TurnRetry, attempt: int, hint_ms: int | None = None) -> int | None:
    """The wait before attempt ``attempt + 1`` at a broken answer; None: give up.

    ``attempt`` counts the repetitions made so far, ``hint_ms`` is what the server asked for.
    """
    hint = hint_ms or 0
    if attempt >= policy.max_attempts or hint > MAX_HINT_MS:
        return None
    return max(policy.base_ms << min(attempt, MAX_BACKOFF_DOUBLINGS), hint)


def wait_in_text_ms(text: str) -> int | None:
    """The wait a sentence asks for ("try again in 7m12.3s", "retry after 20 seconds")."""
    found = re.search(_WAIT, text[:MAX_WAIT_TEXT], re.IGNORECASE)
    if found is None:
        return None
    amounts = re.findall(_AMOUNT, found.group(1).lower())
    return sum(
        int(float(number) * _UNITS_MS["ms" if unit.startswith(("ms", "mil")) else unit[0]])
        for number, unit in amounts
    )


def retry_after_ms(headers: Mapping[str, str], now_ms: int) -> int | None:
    """The wait a response asks for: ``retry-after-ms``, else ``retry-after`` (RFC 9110 10.2.3).

    Values that are neither a number nor a date count as absent; a date in the past is 0.
    """
    exact = _number(headers.get("retry-after-ms", ""))
    if exact is not None:
        return int(exact)
    value = headers.get("retry-after", "").strip()
    seconds = _number(value)
    if seconds is not None:
        return int(seconds * 1000)
    if not value:
        return None
    from email.utils import parsedate_to_datetime  # the date form is rare

    try:
        then = parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0, int(then * 1000) - now_ms)


def _number(text: str) -> float | None:
    """A plain decimal number; a longer one than any wait can be is cut to that."""
    whole, _, fraction = text.strip().partition(".")
    if not (whole.isascii() and whole.isdigit() and (not fraction or fraction.isdigit())):
        return None
    return float(f"{whole}.{fraction or 0}") if len(whole) < 13 else 1e12
