"""Where the catalog comes from: the package's own data, a cache file, a remote address.

Later sources win entry by entry. A source that cannot be used is left out with a
sentence that says why, and never replaces a good one: what was downloaded is checked
before anything is written. Nothing is downloaded while the cache is fresh. A catalog is
only a description, so the whole download gets five seconds.
"""

from __future__ import annotations

import os
import stat

from pi.ai.bodies import read_all
from pi.ai.catalog import Catalog
from pi.ai.catalog_json import BadCatalog, encode_catalog, parse_catalog
from pi.base.cancel import Cancel
from pi.base.errors import Bug, ConfigError, PiError, ProviderFailed, TimeLimit
from pi.base.files import replace_file, resource
from pi.base.http import Request
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.ai.catalog import Entry
    from pi.base.http import Response, Transport

MAX_CATALOG_BYTES = 8 * 1024 * 1024
LIMIT_MS = 5000
HOUR_MS = 3_600_000
MAX_HEADER = 300  # of what a cache file may put into a request
BUILT_IN = "data/models.json"


class CatalogSettings(NamedTuple):
    """``url`` "" downloads nothing, ``cache_path`` "" reads and keeps no cache."""

    url: str = ""
    cache_path: str = ""
    offline: bool = False
    stale_after_hours: int = 24


class World(NamedTuple):
    """What a refresh needs of the outside. ``transport`` is called only to download."""

    transport: Callable[[], Transport]
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]


class Cache(NamedTuple):
    """A cache file that could be used."""

    entries: tuple[Entry, ...]
    head: Mapping[str, object]
    modified_ms: int


class Loaded(NamedTuple):
    """A catalog and how it came about. ``notes`` are sentences for the user."""

    catalog: Catalog
    source: str  # as in the diagnostic line: "remote url=U cache_path=P"
    name: str  # as in listings: "remote:U"
    entries: int  # that source's own, of those in the catalog
    notes: tuple[str, ...] = ()
    cache_age_ms: int | None = None
    stale: bool | None = None

    def line(self) -> str:
        """The diagnostic line."""
        text = f"model catalog: source={self.source} entries={self.entries}"
        if self.cache_age_ms is not None:
            text += f" cache_age_hours={self.cache_age_ms / HOUR_MS:.2f}"
        if self.stale is not None:
            text += f" stale={'true' if self.stale else 'false'}"
        return text


def built_in() -> tuple[Entry, ...]:
    """The entries pi brings with it."""
    data = resource(BUILT_IN)
    if data is None:
        raise Bug("this build of pi has no model catalog")
    return parse_catalog(data).entries


def load_catalog(
    settings: CatalogSettings, world: World, cancel: Cancel, limit_ms: int = LIMIT_MS
) -> Loaded:
    """Everything known about models.

    Raises ConfigError for an address that cannot be one, or the reason ``cancel`` was set.
    """
    base = built_in()
    notes: list[str] = []
    cache = _read_cache(settings.cache_path, notes)
    path = settings.cache_path
    if path and cache is None and not notes and not settings.url and not settings.offline:
        # It was named for its own sake: most likely a slip of the pen.
        notes.append(f"there is no model catalog cache at {path}")
    if not settings.url or settings.offline or _is_fresh(cache, settings, world):
        if cache is None:
            return Loaded(Catalog(base), "built-in", "built-in", len(base), tuple(notes))
        return _from_cache(base, cache, settings, world, notes, f"cache path={path}", "cache")
    try:
        entries = _download(settings, cache, world, cancel, limit_ms, notes)
    except (BadCatalog, PiError) as exc:
        cancel.raise_if_set()
        if isinstance(exc, ConfigError):
            raise
        why = _reason(exc)
        notes.append(f"the model catalog at {_shown(settings.url)} was not used: {why}")
        if cache is None:
            return Loaded(Catalog(base), "built-in", "built-in", len(base), tuple(notes))
        source = f"cache-fallback path={path} reason={why}"
        return _from_cache(base, cache, settings, world, notes, source, "cache-fallback")
    shown = _shown(settings.url)
    source = f"remote url={shown} cache_path={path or 'none'}"
    # What the same address said before is over; what another one said is still better
    # than what pi brings along.
    other = cache.entries if cache is not None and not _is_from(cache, settings.url) else ()
    catalog = Catalog(base, other, entries)
    age, stale = (0, settings.stale_after_hours == 0) if path else (None, None)
    return Loaded(catalog, source, f"remote:{shown}", len(entries), tuple(notes), age, stale)


def _from_cache(
    base: tuple[Entry, ...],
    cache: Cache,
    settings: CatalogSettings,
    world: World,
    notes: list[str],
    source: str,
    kind: str,
) -> Loaded:
    age = world.now_ms() - cache.modified_ms
    stale = age >= settings.stale_after_hours * HOUR_MS
    return Loaded(
        Catalog(base, cache.entries),
        source,
        f"{kind}:{settings.cache_path}",
        len(cache.entries),
        tuple(notes),
        age if age >= 0 else None,
        stale,
    )


def _is_fresh(cache: Cache | None, settings: CatalogSettings, world: World) -> bool:
    """Whether the cache came from the address given, and lately. A date ahead is not lately."""
    if cache is None or not _is_from(cache, settings.url):
        return False
    return 0 <= world.now_ms() - cache.modified_ms < settings.stale_after_hours * HOUR_MS


def _is_from(cache: Cache, url: str) -> bool:
    return cache.head.get("url") in (url, _shown(url))


def _shown(url: str) -> str:
    """The address as it may be shown, and kept in a project: a query may hold a key."""
    from pi.base.shown_url import shown_url  # only where there is one

    return shown_url(url) if url else ""


def _read_cache(path: str, notes: list[str]) -> Cache | None:
    """The cache file, if it is there and good. Says why a file that is there was ignored."""
    if not path:
        return None
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise BadCatalog("not a file")
            data = file.read(MAX_CATALOG_BYTES + 1)
        if len(data) > MAX_CATALOG_BYTES:
            raise BadCatalog(f"larger than {MAX_CATALOG_BYTES} bytes")
        parsed = parse_catalog(data)
    except FileNotFoundError:
        return None
    except (OSError, BadCatalog) as exc:
        why = exc.strerror or str(exc) if isinstance(exc, OSError) else str(exc)
        notes.append(f"the model catalog cache {path} was ignored: {why}")
        return None
    return Cache(parsed.entries, parsed.head, about.st_mtime_ns // 1_000_000)


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting: a named pipe would hold up the start until someone writes."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _download(
    settings: CatalogSettings,
    cache: Cache | None,
    world: World,
    cancel: Cancel,
    limit_ms: int,
    notes: list[str],
) -> tuple[Entry, ...]:
    """Ask for the remote catalog and keep it. Raises BadCatalog, PiError."""
    known = cache if cache is not None and _is_from(cache, settings.url) else None
    headers = (("Accept", "application/json"), *_conditions(known))
    request = Request("GET", settings.url, headers, timeout_ms=limit_ms)
    transport = world.transport()
    limited = Cancel()
    stop_timer = _timer(limit_ms, limited)
    forget = cancel.on_set(lambda: limited.set(cancel.why or TimeLimit("cancelled")))
    try:
        response = transport.send(request, limited)
        try:
            if response.status == 304 and known is not None:
                _touch(settings.cache_path, world.now_ms())
                return known.entries
            body = _body(response)
        finally:
            response.close()
    finally:
        stop_timer()
        forget()
        transport.close()
    entries = parse_catalog(body).entries
    if settings.cache_path:
        head = {
            "url": _shown(settings.url),
            "etag": response.headers.get("etag"),
            "last_modified": response.headers.get("last-modified"),
        }
        _write_cache(settings.cache_path, encode_catalog(entries, head), world, notes)
    return entries


def _timer(limit_ms: int, limited: Cancel) -> Callable[[], None]:
    """End the whole exchange in time, however slowly it trickles. Returns how to stop it."""
    from threading import Timer  # the transport has loaded it by now

    why = TimeLimit(f"no whole answer within {limit_ms / 1000:g} s")
    timer = Timer(limit_ms / 1000, lambda: limited.set(why))
    timer.daemon = True
    timer.start()

    def stop() -> None:
        timer.cancel()
        timer.join()

    return stop


def _body(response: Response) -> bytes:
    """The body of a good answer. Raises ProviderFailed for any other."""
    if response.status != 200:
        where = response.headers.get("location", "")
        to = f", which points to {where[:200]!r}" if where else ""
        raise ProviderFailed(f"it answered HTTP {response.status}{to}")
    return read_all(response, MAX_CATALOG_BYTES)


def _conditions(cache: Cache | None) -> list[tuple[str, str]]:
    """Headers that ask for the catalog only if it changed."""
    if cache is None:
        return []
    wanted = (("If-None-Match", "etag"), ("If-Modified-Since", "last_modified"))
    return [
        (header, value)
        for header, name in wanted
        for value in (cache.head.get(name),)
        if isinstance(value, str)
        and 0 < len(value) <= MAX_HEADER
        and value.isascii()
        and value.isprintable()
    ]


def _touch(path: str, now_ms: int) -> None:
    """The cache is as good as new. If the date cannot be set it is only asked for again."""
    try:
        os.utime(path, ns=(now_ms * 1_000_000, now_ms * 1_000_000))
    except OSError:
        pass


def _write_cache(path: str, data: bytes, world: World, notes: list[str]) -> None:
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        replace_file(path, data, random_bytes=world.random_bytes)
    except OSError as exc:
        notes.append(f"the model catalog cache {path} was not written: {exc.strerror or exc}")


def _reason(exc: Exception) -> str:
    """Why a download was no use, on one line."""
    text = str(exc)
    if isinstance(exc, PiError) and exc.cause:
        text += f" ({exc.cause})"
    return " ".join(text.split())[:300]
