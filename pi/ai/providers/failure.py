"""What went wrong at a provider, in one line, without secrets.

Vendors, gateways and proxies each shape their errors differently; all of them end here,
so the wording, the redaction and the codes are the same for every wire format. The
codes: "context-overflow", "quota-exhausted" (money or a daily limit: waiting does not
help), "provider-overloaded" (reported inside an answer, may pass), "provider-error",
"http-<status>", and ``KeyRefused``'s. What follows from a code is in ``pi.ai.recovery``.
"""

from __future__ import annotations

import re

from pi.ai.jsontext import dump, parse
from pi.base.errors import KeyRefused, PiError, ProviderFailed
from pi.base.text import longest_first, spellings
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.ai.providers.codec import Options
    from pi.ai.providers.signals import Signals

MAX_LINE = 500
MAX_QUOTE = 200
# Shorter values are not secrets, and blanking them would tear up the text.
MIN_SECRET = 4

_REQUEST_ID_HEADERS = ("request-id", "x-request-id", "x-generation-id")
_HINTS = {
    400: "the provider refused the request as it is: check the model and the flags",
    402: "check the account's balance at the provider",
    404: "check the model's name and the base URL",
    413: "the conversation is too large for this provider",
    429: "wait, or use another model",
}
_OVERFLOW_HINT = "start a new session, or use a model with a larger window"
# Hosts that answer a conversation that is too long with 400 and not a word.
_SILENT_HOSTS = ("cerebras.ai",)
# A key that a URL or a form holds: nobody but the one who typed it knows it as a key.
_KEY_PARAMETER = r"([?&](?:api[_-]?)?key=)[^&\s\"']+"


class Target(NamedTuple):
    """Who was asked, for the wording, and what no message may hold."""

    provider: str
    model: str
    secrets: tuple[str, ...] = ()
    base_url: str = ""

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.model}"


def target_of(options: Options, model: str) -> Target:
    values = (options.api_key, *(value for _, value in options.extra_headers))
    secrets = longest_first(value for value in values if len(value) >= MIN_SECRET)
    return Target(options.provider, model, secrets, options.base_url)


class Reported:
    """What a failure says in numbers, where it says it.

    ``status`` is the HTTP status, or what a failure inside an answer would have been;
    ``retry_after_ms`` the wait asked for; ``context_window`` the size an overflow names.
    """

    status: int | None = None
    retry_after_ms: int | None = None
    context_window: int | None = None


class ReportedFailure(Reported, ProviderFailed):
    pass


class ReportedRefusal(Reported, KeyRefused):
    pass


def http_failure(target: Target, status: int, headers: Mapping[str, str], body: bytes) -> PiError:
    """Name the failure behind an HTTP status. Never raises, whatever the body is."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    payload = _payload(text)
    line = error_line(payload) if payload is not None else _title(text) or text
    location = headers.get("location", "")
    if 300 <= status < 400 and location:
        line = f"it redirects to {location}"
    request_id = next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), "")
    signals = _read(status, line, payload)
    if not text and _empty_means_overflow(target, status):
        signals = signals._replace(kind="overflow")
    cause = _cause(target, line, request_id)
    return _error(target, f"HTTP {status}", cause, signals, f"http-{status}")


def reported_failure(target: Target, payload: Any) -> PiError:
    """Name the failure that an answer with a good status reports in its body."""
    line = error_line(payload)
    request_id = payload.get("request_id") if isinstance(payload, dict) else None
    signals = _read(None, line, payload)
    code = "provider-overloaded" if signals.kind == "passing" else "provider-error"
    cause = _cause(target, line, request_id if isinstance(request_id, str) else "")
    return _error(target, "in the answer", cause, signals, code)


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


def _read(status: int | None, line: str, payload: Any) -> Signals:
    from pi.ai.providers.signals import read_signals  # 1 ms, and only failures need it

    return read_signals(status, line, payload)


def _error(target: Target, where: str, cause: str, signals: Signals, code: str) -> PiError:
    """The error of a failure; ``code`` is what it is called if it is of no known kind."""
    message = f"{target.name} failed ({where})"
    hint = "" if code == "provider-error" else _HINTS.get(signals.status or 0, "")
    if signals.kind == "overflow":
        message = f"the conversation is too long for {target.name} ({where})"
        code, hint = "context-overflow", _OVERFLOW_HINT
    elif signals.kind == "quota":
        code, hint = "quota-exhausted", _HINTS[402]
    error: ReportedFailure | ReportedRefusal
    if signals.kind == "key":
        what = "refused the API key" if target.secrets else "wants an API key"
        error = ReportedRefusal(
            f"{target.name} {what} ({where})",
            cause=cause,
            hint=f"check the key for provider '{target.provider}' and what it may use",
        )
    else:
        error = ReportedFailure(message, cause=cause, code=code, hint=hint)
    error.status = signals.status
    error.retry_after_ms = signals.retry_after_ms
    error.context_window = signals.context_window
    return error


def _cause(target: Target, line: str, request_id: str) -> str:
    cause = one_line(line, target)
    if not request_id:
        return cause
    return f"{cause} (request id {one_line(request_id, target, 100)})".lstrip()


def _empty_means_overflow(target: Target, status: int) -> bool:
    silent = any(host in target.base_url for host in _SILENT_HOSTS)
    return status == 413 or (status == 400 and silent)


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


def _words_of(value: Any) -> str:
    return value if isinstance(value, str) else dump(value)


def _redact(text: str, target: Target) -> str:
    """Also what an answer wrote in another way: percent-encoded, or as JSON inside JSON."""
    written = (spelling for secret in target.secrets for spelling in spellings(secret))
    for secret in longest_first(written):
        text = text.replace(secret, "[redacted]")
    return re.sub(_KEY_PARAMETER, r"\1[redacted]", text, flags=re.I) if "key=" in text else text
