"""What can be done about a failure: ask again, ask another model, or nothing. Pure.

The codes are those of ``pi.base.http``, ``pi.ai.providers.failure`` and the codecs; how
long to wait is ``pi.base.retry``'s business.
"""

from __future__ import annotations

from pi.ai.providers.failure import Reported
from pi.base.retry import is_retryable_status
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.errors import PiError

OVERFLOW = "context-overflow"
QUOTA = "quota-exhausted"
HOPELESS = {OVERFLOW, QUOTA}  # the same request fails the same way, whatever a header promises
# Failures that may pass when the same request is sent again, beside those with a status.
# A connection that cannot be made is not among them: the run fails fast instead.
TRANSIENT_CODES = {
    "connection-lost",
    "first-byte-timeout",
    "idle-timeout",
    "connect-timeout",
    "stream-ended-early",
    "provider-overloaded",
}
# How the event of a fallback names what has no status.
_KINDS = {
    "first-byte-timeout": "http_timeout",
    "idle-timeout": "http_timeout",
    "connect-timeout": "http_timeout",
    "unknown-host": "http_connect",
    "connection-refused": "http_connect",
    "tls-failed": "http_connect",
    "proxy-failed": "http_connect",
    "unreachable": "http_connect",
    "connection-lost": "http_request",
    "stream-ended-early": "http_body",
}
_STATUS_CODES = {"provider-overloaded", *HOPELESS}


class Reason(NamedTuple):
    """Why another model is asked, as the event of a fallback says it."""

    error_kind: str
    status: int | None


def may_pass(error: PiError) -> bool:
    """Whether the same request may succeed a little later."""
    if error.code in TRANSIENT_CODES:
        return True
    status = _http_status(error)
    return status is not None and is_retryable_status(status)


def asked_wait_ms(error: PiError) -> int | None:
    """The wait the provider asked for, if it did."""
    return error.retry_after_ms if isinstance(error, Reported) else None


def fallback_reason(error: PiError, *, in_answer: bool) -> Reason | None:
    """Why another model may do better, or None. ``in_answer``: part of it had arrived.

    A context overflow is a reason too; only a larger window helps then.
    """
    status = error.status if isinstance(error, Reported) else None
    if error.code in _STATUS_CODES:
        return Reason("http_status", status)
    http = _http_status(error)
    if http is not None:
        return Reason("http_status", http) if http >= 500 or is_retryable_status(http) else None
    kind = _KINDS.get(error.code)
    if kind == "http_request" and in_answer:
        kind = "http_body"
    return None if kind is None else Reason(kind, None)


def _http_status(error: PiError) -> int | None:
    """The status, if it is all that is known of the failure."""
    digits = error.code[5:] if error.code.startswith("http-") else ""
    return int(digits) if len(digits) == 3 and digits.isdigit() else None
