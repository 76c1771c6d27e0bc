"""How skills and registries are had: from the network, or from the cache.

Bytes are checked before they are kept. Offline nothing is asked, and what is kept must
still be what was kept. A failed download never falls back to the cache by itself.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urljoin, urlsplit

from pi.base.cancel import Cancel
from pi.base.errors import (
    Interrupted,
    PiError,
    ProviderFailed,
    Unreachable,
    UsageError,
    VerificationFailed,
)
from pi.base.http import Request
from pi.base.typing import NamedTuple
from pi.skills.cache import MAX_BODY, REGISTRY, SKILL
from pi.skills.urls import SCHEMES, check_url, shown_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.base.http import Response, Transport
    from pi.skills.cache import Cache, Kept

CONNECT_MS = 15_000
TOTAL_S = 60.0
MAX_REDIRECTS = 5
MAX_TEXT = 5 * 1024 * 1024
REDIRECTS = (301, 302, 303, 307, 308)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
WORDS = {SKILL: "skill URL", REGISTRY: "registry"}


class Wanted(NamedTuple):
    """One body. ``sha256`` is what it must have ("" if nobody said), ``check`` says why its
    bytes are refused beyond that ("" if they are not), ``is_pinned`` whether these two
    prove that they are the right ones. ``is_proven``: who asks proves it later, so that it
    does not matter on which way they came."""

    kind: str
    url: str
    sha256: str
    check: Callable[[bytes], str]
    is_pinned: bool
    max_bytes: int = MAX_TEXT
    is_proven: bool = False


class Fetcher:
    """``transport`` makes the way to the network, when it is first needed."""

    def __init__(
        self,
        cache: Cache | None,
        *,
        offline: bool,
        allow_http: bool,
        transport: Callable[[], Transport],
        cancel: Cancel,
        warn: Callable[[str], None],
        user_agent: str = "pi",
        total_s: float = TOTAL_S,
    ) -> None:
        self._cache = cache
        self._offline = offline
        self._allow_http = allow_http
        self._make = transport
        self._transport: Transport | None = None
        self._cancel = cancel
        self._warn = warn
        self._user_agent = user_agent
        self._total_s = total_s
        self._fresh: list[tuple[str, str, bytes, dict[str, str]]] = []

    def get(self, wanted: Wanted) -> bytes:
        """The bytes of ``wanted``, checked. New ones are kept when ``keep`` is called.

        Raises UsageError for an address that cannot be asked, VerificationFailed for
        bytes that are not the right ones, Unreachable, ProviderFailed, PiError.
        """
        check_url(wanted.url, wanted.kind)
        kept = self._cache.get(wanted.kind, wanted.url) if self._cache is not None else None
        if self._offline:
            return self._from_cache(wanted, kept)
        if kept is not None and wanted.is_pinned and not refusal(wanted, kept.body):
            return kept.body
        self._refuse_plain_http(wanted, wanted.url)
        return self._download(wanted, kept)

    def keep(self) -> None:
        """Put what was downloaded into the cache. Raises PiError."""
        for kind, url, body, headers in self._fresh:
            assert self._cache is not None
            self._cache.put(kind, url, body, headers)
        self._fresh.clear()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _from_cache(self, wanted: Wanted, kept: Kept | None) -> bytes:
        what, shown = WORDS[wanted.kind], shown_url(wanted.url)
        if self._cache is None:
            raise UsageError("offline mode requires a configured skills cache directory")
        if kept is None:
            raise PiError(
                f"offline cache miss for {what} '{shown}'",
                hint=f"run once with the network, or import a cache into {self._cache.path}",
                code="offline-cache-miss",
            )
        why = kept.problem or refusal(wanted, kept.body)
        if why:
            if wanted.kind == REGISTRY and not kept.problem:
                raise mismatched(wanted, kept.body)
            noun = "skill" if wanted.kind == SKILL else "registry"
            raise VerificationFailed(
                f"cached {noun} payload validation failed for '{shown}'",
                cause=why,
                hint=f"the entry is {self._cache.file(wanted.kind, wanted.url)}",
                code="bad-cache",
            )
        if kept.meta is None and not wanted.is_pinned:
            self._warn(f"the cached copy of {shown} has no side file: its bytes are not checked")
        return kept.body

    def _refuse_plain_http(self, wanted: Wanted, url: str) -> None:
        parts = urlsplit(url)
        is_proven = wanted.is_pinned or wanted.is_proven
        if parts.scheme == "https" or is_proven or self._allow_http:
            return
        if parts.hostname not in LOCAL_HOSTS:
            raise UsageError(
                f"'{shown_url(url)}' is plain http, and nothing says what its bytes must be",
                hint="use https, give a sha256, or allow it with --skills-allow-http",
            )

    def _download(self, wanted: Wanted, kept: Kept | None) -> bytes:
        what, shown = WORDS[wanted.kind], shown_url(wanted.url)
        usable = kept if kept is not None and not kept.problem else None
        conditions = _conditions(usable) if not wanted.is_pinned else ()
        limited, finish = self._limited(f"failed to fetch {what} '{shown}'")
        try:
            response = self._ask(wanted, conditions, limited)
            try:
                if response.status == 304 and usable is not None and conditions:
                    response.close(finished=True)
                    return usable.body
                if not 200 <= response.status < 300:
                    raise ProviderFailed(
                        f"failed to fetch {what} '{shown}' with status {response.status}"
                    )
                body = self._body(response, wanted)
                headers = {
                    name: response.headers.get(name, "") for name in ("etag", "last-modified")
                }
            finally:
                response.close()
        except PiError as exc:
            self._mention_copy(exc, usable)
            raise
        finally:
            finish()
        if refusal(wanted, body):
            raise mismatched(wanted, body)
        if self._cache is not None:
            self._fresh.append((wanted.kind, wanted.url, body, headers))
        return body

    def _ask(
        self, wanted: Wanted, conditions: tuple[tuple[str, str], ...], cancel: Cancel
    ) -> Response:
        """Send the request, following redirects that lose nothing on the way."""
        told, url = f"failed to fetch {WORDS[wanted.kind]} '{shown_url(wanted.url)}'", wanted.url
        headers = (
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("User-Agent", self._user_agent),
            *conditions,
        )
        if self._transport is None:
            self._transport = self._make()
        for _ in range(MAX_REDIRECTS + 1):
            request = Request("GET", url, headers, timeout_ms=CONNECT_MS)
            try:
                response = self._transport.send(request, cancel)
            except (Unreachable, ProviderFailed) as exc:
                raise _failed(exc, told) from exc
            location = response.headers.get("location", "")
            if response.status not in REDIRECTS or not location:
                return response
            response.close()
            following = _joined(url, location)
            try:
                check_url(following, wanted.kind, ProviderFailed)
                self._refuse_plain_http(wanted, following)
            except PiError as exc:
                sent_on = f"it is sent on from there: {exc.message}"
                raise ProviderFailed(told, cause=sent_on, hint=exc.hint) from exc
            if urlsplit(url).scheme == "https" and urlsplit(following).scheme != SCHEMES[1]:
                raise ProviderFailed(told, cause=f"sent on from https to {shown_url(following)}")
            url = following
        raise ProviderFailed(told, cause=f"it is sent on more than {MAX_REDIRECTS} times")

    def _body(self, response: Response, wanted: Wanted) -> bytes:
        noun, shown = wanted.kind, shown_url(wanted.url)
        limit = min(wanted.max_bytes, MAX_BODY[wanted.kind])
        pieces: list[bytes] = []
        size = 0
        while True:
            try:
                piece = response.read()
            except ProviderFailed as exc:
                raise _failed(exc, f"failed to read {noun} response '{shown}'") from exc
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise ProviderFailed(
                    f"failed to read {noun} response '{shown}'",
                    cause=f"it is larger than {limit} bytes",
                )

    def _limited(self, told: str) -> tuple[Cancel, Callable[[], None]]:
        """A switch that ends the download in time, and with the run; and its end."""
        from threading import Timer  # only where something is downloaded

        limited = Cancel()
        why = Unreachable(
            told, cause=f"there was no whole answer in {self._total_s:g} s", code="download-timeout"
        )
        timer = Timer(self._total_s, lambda: limited.set(why))
        timer.daemon = True
        timer.start()
        forget = self._cancel.on_set(
            lambda: limited.set(self._cancel.why or Interrupted("interrupted"))
        )

        def finish() -> None:
            timer.cancel()
            timer.join()
            forget()

        return limited, finish

    def _mention_copy(self, exc: PiError, kept: Kept | None) -> None:
        if kept is not None and isinstance(exc, (Unreachable, ProviderFailed)):
            also = "a cached copy is there; --skills-offline would use it"
            exc.hint = f"{exc.hint}; {also}" if exc.hint else also


def refusal(wanted: Wanted, body: bytes) -> str:
    """Why ``body`` is not what was wanted; "" if it is."""
    expected = wanted.sha256.strip().lower()
    digest = hashlib.sha256(body).hexdigest()
    if expected and digest != expected:
        return (
            f"sha256 mismatch for '{shown_url(wanted.url)}': expected {expected}, actual {digest}"
        )
    return wanted.check(body)


def mismatched(wanted: Wanted, body: bytes) -> VerificationFailed:
    """The error for bytes that were refused."""
    why = refusal(wanted, body)
    is_digest = why.startswith("sha256 mismatch")
    prefix = "registry " if wanted.kind == REGISTRY and is_digest else ""
    code = "sha256-mismatch" if is_digest else "bad-signature"
    return VerificationFailed(prefix + why, hint="nothing was installed", code=code)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # it is no address; ``check_url`` says so
        return location


def _conditions(kept: Kept | None) -> tuple[tuple[str, str], ...]:
    if kept is None or kept.meta is None:
        return ()
    found = (("If-None-Match", kept.meta.etag), ("If-Modified-Since", kept.meta.last_modified))
    return tuple((name, value) for name, value in found if value)


def _failed(exc: PiError, message: str) -> PiError:
    """The same failure told as one of a download."""
    if exc.message == message:
        return exc
    cause = f"{exc.message} ({exc.cause})" if exc.cause else exc.message
    return type(exc)(message, cause=cause, hint=exc.hint, code=exc.code)
