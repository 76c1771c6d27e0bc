from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.ai.catalog_json import encode_catalog, parse_catalog
from pi.ai.catalog_store import (
    HOUR_MS,
    MAX_CATALOG_BYTES,
    CatalogSettings,
    Loaded,
    World,
    built_in,
    load_catalog,
)
from pi.base.cancel import Cancel
from pi.base.errors import ConfigError, Interrupted, Unreachable
from pi.base.http import Transport
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.fault_server import FaultServer, Peer, always, answer
from tests.fakes.scripted import ScriptedResponse, ScriptedTransport

URL = "https://catalogs.example/models.json"
NOW_MS = 1_800_000_000_000
OWN = len(built_in())


def entry(model: str, **fields: Any) -> dict[str, Any]:
    return {"provider": "openai", "model": model, **fields}


def body(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"schema_version": 1, "entries": list(entries)}).encode()


class Place:
    """A cache path, a clock, and a transport that answers from a list."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "deep" / "catalog.json"
        self.transport = ScriptedTransport()
        self.now_ms = NOW_MS

    def load(self, *answers: ScriptedResponse | Exception, **settings: Any) -> Loaded:
        self.transport = ScriptedTransport(*answers)
        world = World(lambda: self.transport, lambda: self.now_ms, os.urandom)
        given = CatalogSettings(**{"url": URL, "cache_path": str(self.path), **settings})
        return load_catalog(given, world, Cancel())

    def keep(self, data: bytes, age_hours: float = 0) -> None:
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_bytes(data)
        when = (self.now_ms - int(age_hours * HOUR_MS)) * 1_000_000
        os.utime(self.path, ns=(when, when))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def ok(data: bytes, **headers: str) -> ScriptedResponse:
    return ScriptedResponse(200, headers, data)


def window(loaded: Loaded, model: str) -> int | None:
    found = loaded.catalog.find("openai", model)
    return found.context_window_tokens if found else None


def test_without_anything_there_is_the_built_in_catalog_and_no_request(place: Place) -> None:
    loaded = place.load(url="", cache_path="")
    assert loaded.line() == f"model catalog: source=built-in entries={OWN}"
    assert loaded.notes == ()
    assert len(loaded.catalog) == OWN
    assert place.transport.requests == []
    assert not place.path.parent.exists()


def test_a_download_is_merged_over_the_built_in_entries_and_kept(place: Place) -> None:
    data = body(entry("gpt-4o-mini", context_window_tokens=7), entry("mine"))
    loaded = place.load(ok(data, etag='"v1"', **{"last-modified": "Sun, 01 Nov 2026 00:00:00 GMT"}))
    expected = f"model catalog: source=remote url={URL} cache_path={place.path} entries=2"
    assert loaded.line() == expected + " cache_age_hours=0.00 stale=false"
    assert loaded.name == f"remote:{URL}"
    assert window(loaded, "gpt-4o-mini") == 7
    assert window(loaded, "gpt-4o") == 128_000
    assert len(loaded.catalog) == OWN + 1
    kept = parse_catalog(place.path.read_bytes())
    assert [item.model for item in kept.entries] == ["gpt-4o-mini", "mine"]
    assert kept.head["etag"] == '"v1"'
    assert os.listdir(place.path.parent) == ["catalog.json"]
    (request,) = place.transport.requests
    assert request.method == "GET"
    assert request.timeout_ms == 5000


def test_the_cache_is_read_without_an_address_or_offline(place: Place) -> None:
    place.keep(body(entry("mine", context_window_tokens=7)), age_hours=30)
    for settings in ({"url": ""}, {"offline": True}):
        loaded = place.load(**settings)
        assert loaded.line() == (
            f"model catalog: source=cache path={place.path} entries=1 "
            "cache_age_hours=30.00 stale=true"
        )
        assert loaded.name == f"cache:{place.path}"
        assert window(loaded, "mine") == 7
        assert window(loaded, "gpt-4o") == 128_000
        assert place.transport.requests == []


def test_nothing_is_downloaded_while_the_cache_from_that_address_is_fresh(place: Place) -> None:
    place.load(ok(body(entry("mine"))))
    place.keep(place.path.read_bytes(), age_hours=23.9)
    assert place.load().source == f"cache path={place.path}"
    assert place.load(ok(body()), url=URL + "?other").source.startswith("remote")
    place.load(ok(body(entry("mine"))))
    place.keep(place.path.read_bytes(), age_hours=24)
    assert place.load(ok(body())).source.startswith("remote")


def test_a_threshold_of_nothing_always_downloads(place: Place) -> None:
    place.load(ok(body(entry("mine"))))
    place.keep(place.path.read_bytes())
    loaded = place.load(ok(body()), stale_after_hours=0)
    assert loaded.source.startswith("remote")
    assert loaded.line().endswith("stale=true")


def test_a_cache_from_the_future_is_not_fresh_and_has_no_age(place: Place) -> None:
    place.load(ok(body(entry("mine"))))
    place.keep(place.path.read_bytes(), age_hours=-5)
    assert "cache_age_hours" not in place.load(offline=True).line()
    assert place.load(ok(body())).source.startswith("remote")


def test_a_stale_cache_is_asked_about_and_renewed_if_unchanged(place: Place) -> None:
    date = "Sun, 01 Nov 2026 00:00:00 GMT"
    place.load(ok(body(entry("mine")), etag='"v1"', **{"last-modified": date}))
    place.keep(place.path.read_bytes(), age_hours=100)
    loaded = place.load(ScriptedResponse(304, {}))
    headers = dict(place.transport.requests[0].headers)
    assert headers["If-None-Match"] == '"v1"'
    assert headers["If-Modified-Since"] == date
    assert loaded.source.startswith("remote")
    assert loaded.catalog.find("openai", "mine") is not None
    assert place.load().source.startswith("cache path=")  # fresh again


def test_what_the_address_no_longer_lists_is_gone(place: Place) -> None:
    place.load(ok(body(entry("old"), entry("kept"))))
    loaded = place.load(ok(body(entry("kept"))), stale_after_hours=0)
    assert loaded.catalog.find("openai", "old") is None
    assert loaded.catalog.find("openai", "kept") is not None


def test_a_cache_of_another_origin_lies_between_remote_and_built_in(place: Place) -> None:
    place.keep(body(entry("a", context_window_tokens=1), entry("b", context_window_tokens=1)))
    loaded = place.load(ok(body(entry("b", context_window_tokens=2))))
    assert (window(loaded, "a"), window(loaded, "b")) == (1, 2)
    assert "If-None-Match" not in dict(place.transport.requests[0].headers)


def test_a_damaged_etag_never_reaches_a_request(place: Place) -> None:
    head = {"url": URL, "etag": "x\r\nAuthorization: y", "last_modified": 3}
    place.keep(encode_catalog([], head), age_hours=100)
    place.load(ok(body()))
    names = [name for name, _ in place.transport.requests[0].headers]
    assert names == ["Accept"]


BAD: list[tuple[Callable[[], ScriptedResponse | Exception], str]] = [
    (lambda: ScriptedResponse(500, {}, b"oops"), "it answered HTTP 500"),
    (lambda: ScriptedResponse(302, {"location": "https://b/"}), "302, which points to 'https://b"),
    (lambda: ScriptedResponse(304, {}), "it answered HTTP 304"),
    (lambda: ok(b"<html>"), "not JSON"),
    (lambda: ok(b'[{"provider":"a"}]'), "entry 0: model is missing"),
    (lambda: ok(body(entry("m"), entry("M"))), "openai/M is there twice"),
    (lambda: Unreachable("no route", cause="errno\n 113"), "no route (errno 113)"),
]


@pytest.mark.parametrize(("bad", "why"), BAD, ids=[why for _, why in BAD])
def test_a_bad_download_never_replaces_a_good_cache(
    place: Place, bad: Callable[[], ScriptedResponse | Exception], why: str
) -> None:
    good = body(entry("mine", context_window_tokens=7))
    place.keep(good, age_hours=100)
    loaded = place.load(bad())
    assert place.path.read_bytes() == good
    assert os.listdir(place.path.parent) == ["catalog.json"]
    assert loaded.source.startswith(f"cache-fallback path={place.path} reason=")
    assert why in loaded.source
    assert "\n" not in loaded.line()
    assert loaded.line().endswith("entries=1 cache_age_hours=100.00 stale=true")
    assert loaded.name == f"cache-fallback:{place.path}"
    assert window(loaded, "mine") == 7


def test_falling_back_to_the_built_in_catalog_says_why(place: Place) -> None:
    loaded = place.load(Unreachable("no route"))
    assert loaded.line() == f"model catalog: source=built-in entries={OWN}"
    assert loaded.notes == (f"the model catalog at {URL} was not used: no route",)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "not JSON"),
        (b'{"schema_version":9,"entries":[]}', "schema_version is 9, not 1"),
        (b" " * (MAX_CATALOG_BYTES + 1), "larger than"),
    ],
)
def test_a_bad_cache_is_ignored_with_the_reason_and_left_alone(
    place: Place, data: bytes, why: str
) -> None:
    place.keep(data)
    loaded = place.load(offline=True)
    assert loaded.source == "built-in"
    (note,) = loaded.notes
    assert note.startswith(f"the model catalog cache {place.path} was ignored: ")
    assert why in note
    assert place.path.read_bytes() == data


def test_a_cache_that_is_no_file_neither_stops_nor_holds_up_the_start(place: Place) -> None:
    place.path.mkdir(parents=True)
    (note,) = place.load(offline=True).notes
    assert "was ignored" in note
    place.path.rmdir()
    os.mkfifo(place.path)
    (note,) = place.load(offline=True).notes
    assert note.endswith("was ignored: not a file")


def test_a_missing_cache_is_worth_a_word_only_if_nothing_else_was_asked_for(place: Place) -> None:
    assert place.load(url="").notes == (f"there is no model catalog cache at {place.path}",)
    assert place.load(offline=True).notes == ()
    assert place.load(ok(body())).notes == ()


def test_a_cache_that_cannot_be_written_is_a_warning(place: Place) -> None:
    place.path.parent.write_text("in the way", encoding="utf-8")
    loaded = place.load(ok(body(entry("mine"))))
    assert loaded.source.startswith("remote")
    assert any("was not written" in note for note in loaded.notes)
    assert loaded.catalog.find("openai", "mine") is not None


def test_without_a_cache_path_nothing_is_kept(place: Place) -> None:
    loaded = place.load(ok(body(entry("mine"))), cache_path="")
    assert loaded.line() == f"model catalog: source=remote url={URL} cache_path=none entries=1"
    assert not place.path.parent.exists()


def test_an_address_that_cannot_be_one_is_an_error(place: Place) -> None:
    with pytest.raises(ConfigError):
        place.load(ConfigError("the address has no scheme"))


def real(transport: Transport) -> World:
    return World(lambda: transport, lambda: NOW_MS, os.urandom)


@pytest.fixture
def transport() -> Iterator[UrllibTransport]:
    made = UrllibTransport(HttpSettings("", "", {}))
    yield made
    made.close()


def test_a_catalog_larger_than_the_limit_is_refused(transport: UrllibTransport) -> None:
    with FaultServer(always(answer(b"[" + b" " * MAX_CATALOG_BYTES + b"]"))) as server:
        settings = CatalogSettings(server.url)
        loaded = load_catalog(settings, real(transport), Cancel())
    assert loaded.source == "built-in"
    assert "larger than" in loaded.notes[0]


def test_an_answer_that_trickles_is_given_up_in_time(transport: UrllibTransport) -> None:
    def trickle(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            peer.send(b" ")
            if server.gone.wait(0.02):
                return

    with FaultServer(trickle) as server:
        settings = CatalogSettings(server.url)
        loaded = load_catalog(settings, real(transport), Cancel(), limit_ms=200)
        server.gone.set()
    assert "no whole answer within 0.2 s" in loaded.notes[0]


def test_cancelling_the_run_ends_the_download_with_its_reason(transport: UrllibTransport) -> None:
    cancel = Cancel()

    def script(peer: Peer) -> None:
        peer.request()
        cancel.set(Interrupted("stop"))
        peer.wait()

    with FaultServer(script) as server, pytest.raises(Interrupted, match="stop"):
        load_catalog(CatalogSettings(server.url), real(transport), cancel)


def test_a_cache_that_vanishes_meanwhile_is_used_all_the_same(
    transport: UrllibTransport, tmp_path: Path
) -> None:
    path = tmp_path / "c.json"

    def script(peer: Peer) -> None:
        peer.request()
        path.unlink()
        peer.send(b"HTTP/1.1 304 Not Modified\r\n\r\n")

    with FaultServer(script) as server:
        path.write_bytes(
            encode_catalog(parse_catalog(body(entry("mine"))).entries, {"url": server.url})
        )
        settings = CatalogSettings(server.url, str(path), stale_after_hours=0)
        loaded = load_catalog(settings, real(transport), Cancel())
    assert loaded.catalog.find("openai", "mine") is not None
    assert loaded.notes == ()


def test_a_real_server_is_asked_once_while_the_cache_is_fresh(
    transport: UrllibTransport, tmp_path: Path
) -> None:
    with FaultServer(always(answer(body(entry("mine")), 'ETag: "a"'))) as server:
        settings = CatalogSettings(server.url + "/m.json", str(tmp_path / "c.json"))
        world = World(
            lambda: UrllibTransport(HttpSettings("", "", {})),
            lambda: os.stat(tmp_path).st_mtime_ns // 1_000_000 + 60_000,
            os.urandom,
        )
        first = load_catalog(settings, world, Cancel())
        second = load_catalog(settings, world, Cancel())
    assert first.source.startswith("remote")
    assert second.source.startswith("cache path=")
    assert len(server.requests) == 1


def test_a_key_in_the_address_is_neither_told_nor_kept_and_the_cache_still_counts(
    place: Place,
) -> None:
    url = URL + "?key=hunter2hunter2hunter2"
    assert "hunter2" not in place.load(ok(body(entry("m"))), url=url).line()
    assert b"hunter2" not in place.path.read_bytes()
    place.keep(place.path.read_bytes())
    assert place.load(url=url).source.startswith("cache path=")
    place.now_ms += 25 * HOUR_MS
    failed = place.load(Unreachable("nothing answers"), url=url)
    assert failed.notes
    assert "hunter2" not in failed.line() + "".join(failed.notes)
