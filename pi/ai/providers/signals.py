"""What an error body signals, whoever wrote it. Pure; no wording, no secrets.

Vendors say the same thing as a status, a code, a type or only in a sentence. Read here,
in this order: the conversation is too long; the money or the day's share is used up; the
key is refused; it may pass by itself.
"""

from __future__ import annotations

import re

from pi.ai.jsontext import dump
from pi.ai.overflow import find_overflow
from pi.base.retry import is_retryable_status, wait_in_text_ms
from pi.base.typing import Any, NamedTuple

MAX_SEARCHED = 65536
# Patterns are compiled at the first failure: compiling them here would cost every start 4 ms.

_KEY_WORDS = {"invalid_api_key", "authentication_error", "unauthenticated", "permission_denied"}
# Google answers 400 to a wrong key, and so does xAI.
_KEY_TEXT = r"api_key_invalid|api key not valid|(?:incorrect|invalid) api key"
_QUOTA_WORDS = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "quota_exceeded",
    "billing_error",
    "billing_hard_limit_reached",
    "insufficient_balance",
}
# What vendors answer with when the money or the day's share is used up (None: in an answer).
_QUOTA_STATUS = (None, 400, 403, 429)
_QUOTA_TEXT = (
    r"credit balance|insufficient (?:account )?(?:credits?|balance|funds|quota)"
    r"|(?:out of|all available|requires more) credits"
    r"|(?:extra usage is|usage credits are) required|exceeded your current quota"
    r"|(?<!not your )\b(?:usage|spend|spending|billing|monthly)[ _](?:\w+[ _])?limits?"
    r"|budget (?:has been )?exceeded|exceeded (?:your |the )?budget"
)
_DAILY_TEXT = r"per[ _-]?day|daily (?:\w+ )?(?:limit|quota)"
_SOON_TEXT = r"per[ _-]?min"  # over within minutes, whatever else it says
_RETRY_DELAY = r'"retryDelay":"(\d{1,9}(?:\.\d{1,12})?)s"'
# What a failure inside an answer of status 200 would have been as a status.
_STATUS_OF_WORD = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "rate_limited": 429,
    "too_many_requests": 429,
    "resource_exhausted": 429,
    "insufficient_quota": 429,
    "billing_error": 402,
    "insufficient_balance": 402,
    "server_error": 500,
    "internal_server_error": 500,
    "internalservererror": 500,
    "internal_error": 500,
    "internal": 500,
    "api_error": 500,
    "server_is_overloaded": 503,
    "overloaded": 503,
    "slow_down": 503,
    "unavailable": 503,
    "service_unavailable": 503,
    "timeout": 504,
    "timeout_error": 504,
    "deadline_exceeded": 504,
    "overloaded_error": 529,
}
# For errors that are a bare sentence, without a code or a type.
_PASSING_TEXT = (
    r"overloaded|rate.?limit|too many requests|(?:temporarily|service) unavailable"
    r"|timed? ?out|internal (?:server )?error|try again"
)


class Signals(NamedTuple):
    """``kind`` is "overflow", "quota", "key", "passing" or "other"."""

    kind: str
    status: int | None = None
    retry_after_ms: int | None = None
    context_window: int | None = None


def read_signals(status: int | None, line: str, payload: Any) -> Signals:
    """Class a failure. ``status`` is the HTTP status, None for one inside an answer.

    ``line`` is the sentence for people, ``payload`` the parsed body or None.
    """
    words = _words(payload)
    if status is None:
        said = [_STATUS_OF_WORD[word] for word in words if word in _STATUS_OF_WORD]
        status = _status(payload) or (max(said) if said else None)
        is_http = False
    else:
        is_http = True
    error = error_object(payload)
    line = line[:MAX_SEARCHED]
    found = find_overflow(status, line, words, error.get("n_ctx"))
    if found is not None:
        return Signals("overflow", status, None, found.window)
    # The names of Google's limits and reasons stand beside the sentence.
    details = error.get("details")
    beside = dump(details)[:MAX_SEARCHED] if isinstance(details, list) else ""
    delay = re.search(_RETRY_DELAY, beside)
    wait = int(float(delay.group(1)) * 1000) if delay else wait_in_text_ms(line)
    if status == 402 or words & _QUOTA_WORDS or _is_quota(status, line + beside, delay is not None):
        return Signals("quota", status, wait)
    if status in (401, 403) or (not is_http and words & _KEY_WORDS):
        return Signals("key", status, wait)
    if status == 400 and re.search(_KEY_TEXT, line + beside, re.I):
        return Signals("key", status, wait)
    if status is None:
        passing = not words - {"error"} and re.search(_PASSING_TEXT, line, re.I) is not None
    else:
        passing = is_retryable_status(status)
    return Signals("passing" if passing else "other", status, wait)


def error_object(payload: Any) -> dict[str, Any]:
    """The object that tells of the error, {} if there is none."""
    if isinstance(payload, list) and payload:
        payload = payload[0]
    if not isinstance(payload, dict):
        return {}
    error = payload.get("error") or payload
    return error if isinstance(error, dict) else {}


def _is_quota(status: int | None, text: str, delayed: bool) -> bool:
    if status not in _QUOTA_STATUS or re.search(_SOON_TEXT, text, re.I):
        return False
    if re.search(_DAILY_TEXT, text, re.I):
        return True
    # The same sentence means "no money" and, with a delay beside it, "not so fast".
    return not delayed and re.search(_QUOTA_TEXT, text, re.I) is not None


def _parts(payload: Any) -> list[Any]:
    """Where codes and types of an error are found."""
    if isinstance(payload, list) and payload:
        payload = payload[0]
    if not isinstance(payload, dict):
        return []
    objects = [payload, payload.get("error")]
    return [
        part.get(key)
        for part in objects
        if isinstance(part, dict)
        for key in ("code", "type", "status")
    ]


def _words(payload: Any) -> set[str]:
    return {part.lower() for part in _parts(payload) if isinstance(part, str)}


def _status(payload: Any) -> int:
    """An HTTP status given as the error's code, or 0."""
    for part in _parts(payload):
        if isinstance(part, str) and len(part) == 3 and part.isascii() and part.isdigit():
            part = int(part)
        if isinstance(part, int) and 400 <= part < 600:
            return part
    return 0
