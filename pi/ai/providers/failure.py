"""What went wrong at a provider, in one line, without secrets.

Vendors, gateways and proxies each shape their errors differently; all of them end here,
so the wording, the redaction and the codes are the same for every wire format.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pi.ai.jsontext import dump, parse
from pi.base.errors import KeyRefused, PiError, ProviderFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.ai.providers.codec import Options

MAX_LINE = 500
MAX_QUOTE = 200
# Shorter values are not secrets, and blanking them would tear up the text.
MIN_SECRET = 4

_REQUEST_ID_HEADERS = ("request-id", "x-request-id", "x-generation-id")
_KEY_WORDS = {"invalid_api_key", "authentication_error", "unauthenticated", "permission_denied"}
_QUOTA_WORDS = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "quota_exceeded",
    "billing_error",
    "billing_hard_limit_reached",
    "insufficient_balance",
}
_TRANSIENT_WORDS = {
    "rate_limit_exceeded",
    "rate_limit_error",
    "server_error",
    "server_is_overloaded",
    "overloaded_error",
    "slow_down",
    "api_error",
    "timeout_error",
    "resource_exhausted",
    "unavailable",
    "internal",
    "deadline_exceeded",
}
_TRANSIENT_STATUS = {408, 409, 425, 429}
_HINTS = {
    400: "the provider refused the request as it is: check the model and the flags",
    402: "check the account's balance at the provider",
    404: "check the model's name and the base URL",
    413: "the conversation is too large for this provider",
    429: "wait, or use another model",
}


class Target(NamedTuple):
    """Who was asked, for the wording, and what no message may hold."""

    provider: str
    model: str
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.model}"


def target_of(options: Options, model: str) -> Target:
    values = (options.api_key, *(value for _, value in options.extra_headers))
    secrets = sorted({v for v in values if len(v) >= MIN_SECRET}, key=len, reverse=True)
    return Target(options.provider, model, tuple(secrets))


def http_failure(target: Target, status: int, headers: Mapping[str, str], body: bytes) -> PiError:
    """Name the failure behind an HTTP status. Never raises, whatever the body is."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    payload = _payload(text)
    line = error_line(payload) if payload is not None else _title(text) or text
    location = headers.get("location", "")
    if 300 <= status < 400 and location:
        line = f"it redirects to {location}"
    cause = one_line(line, target)
    request_id = next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), "")
    if request_id:
        cause = f"{cause} (request id {one_line(request_id, target, 100)})".lstrip()
    words = _words(payload)
    if status == 402 or words & _QUOTA_WORDS:
        return _failed(target, f"HTTP {status}", cause, "quota-exhausted", _HINTS[402])
    if status in (401, 403):
        return _refused(target, f"HTTP {status}", cause)
    return _failed(target, f"HTTP {status}", cause, f"http-{status}", _HINTS.get(status, ""))


def reported_failure(target: Target, payload: Any) -> PiError:
    """Name the failure that an answer with a good status reports in its body."""
    cause = one_line(error_line(payload), target)
    words = _words(payload)
    status = _status(payload)
    if words & _QUOTA_WORDS or status == 402:
        return _failed(target, "in the answer", cause, "quota-exhausted", _HINTS[402])
    if words & _KEY_WORDS or status in (401, 403):
        return _refused(target, "in the answer", cause)
    transient = words & _TRANSIENT_WORDS or status in _TRANSIENT_STATUS or status >= 500
    code = "provider-overloaded" if transient else "provider-error"
    return _failed(target, "in the answer", cause, code, "")


def broken_answer(target: Target, code: str, what: str, quote: str = "") -> PiError:
    """The answer is not what the wire format promises. ``quote`` is what was found."""
    shown = one_line(_title(quote) or quote, target, MAX_QUOTE)
    return ProviderFailed(f"{target.name}: {what}", cause=shown, code=code)


def is_error(payload: Any) -> bool:
    """Whether a body or chunk with a good status reports an error."""
    if not isinstance(payload, dict):
        return False
    return bool(payload.get("error")) or payload.get("object") == "error"


def error_line(payload: Any) -> str:
    """The sentence for people inside an error body of any known shape."""
    if isinstance(payload, list) and payload:
        payload = payload[0]
    if not isinstance(payload, dict):
        return _words_of(payload)
    error = payload.get("error") or payload
    if not isinstance(error, dict):
        return _words_of(error)
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    found = [error.get("message") or error.get("detail") or payload.get("message"), raw]
    return ": ".join(_words_of(item) for item in found if item) or _words_of(payload)


def one_line(text: str, target: Target, limit: int = MAX_LINE) -> str:
    """Foreign text made fit for a message: redacted, on one line, no control characters."""
    words = _redact(text, target)[: 16 * limit].split()
    line = "".join(char for char in " ".join(words) if char.isprintable())
    line = _redact(line, target)  # again: what was removed may have parted a secret
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _failed(target: Target, where: str, cause: str, code: str, hint: str) -> PiError:
    return ProviderFailed(f"{target.name} failed ({where})", cause=cause, code=code, hint=hint)


def _refused(target: Target, where: str, cause: str) -> PiError:
    return KeyRefused(
        f"{target.name} refused the API key ({where})" if target.secrets
        else f"{target.name} wants an API key ({where})",
        cause=cause,
        hint=f"check the key for provider '{target.provider}' and what it may use",
    )  # fmt: skip


def _payload(text: str) -> Any:
    """The JSON of an error body, also one sent as a server event."""
    if text.startswith(("data:", "event:")):
        data = [line[5:] for line in text.split("\n") if line.startswith("data:")]
        text = data[0] if data else ""
    try:
        return parse(text)
    except ValueError:
        return None


def _title(text: str) -> str:
    """The title of an HTML page; "" if this is none."""
    head = text[:65536]
    lowered = head.lower().lstrip()
    if not lowered.startswith(("<!doctype", "<html", "<head", "<?xml")):
        return ""
    lowered = head.lower()
    start = lowered.find("<title")
    end = lowered.find("</title", start)
    if start < 0 or end < 0:
        return "an HTML page without a title"
    return head[start:end].partition(">")[2].strip() or "an HTML page without a title"


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


def _words_of(value: Any) -> str:
    return value if isinstance(value, str) else dump(value)


def _redact(text: str, target: Target) -> str:
    for secret in target.secrets:
        text = text.replace(secret, "[redacted]")
    return text
