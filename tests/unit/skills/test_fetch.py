"""Downloads of skills and registries: what is asked, what is believed, what a cache is for."""

from __future__ import annotations

import datetime
import hashlib
import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from pi.base.cancel import Cancel
from pi.base.errors import (
    Interrupted,
    PiError,
    ProviderFailed,
    Unreachable,
    UsageError,
    VerificationFailed,
)
from pi.base.http import Request, Response, Transport
from pi.base.urllib_http import HttpSettings, UrllibTransport
from pi.skills.cache import REGISTRY, SKILL, Cache
from pi.skills.fetch import MAX_REDIRECTS, Fetcher, Wanted
from tests.fakes.fault_server import FaultServer, Peer
from tests.fakes.skill_runs import told
from tests.fakes.skill_site import Page, Site

BODY = b"# Review\n"
DIGEST = hashlib.sha256(BODY).hexdigest()
NOUNS = {SKILL: "skill URL", REGISTRY: "registry"}


class Nowhere:
    """A network that nobody answers in."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def send(self, request: Request, cancel: Cancel) -> Response:
        self.urls.append(request.url)
        raise Unreachable("no route to host")

    def close(self) -> None:
        pass


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(str(tmp_path / "cache"), random_bytes=os.urandom, now_unix=lambda: 1)


class Getting:
    """Fetches one address after the other, each with a fetcher of its own."""

    def __init__(self, cache: Cache | None) -> None:
        self.cache = cache
        self.warned: list[str] = []
        self.transport: Callable[[], Transport] = lambda: UrllibTransport(HttpSettings("", "", {}))
        self.cancel = Cancel()

    def __call__(
        self,
        url: str,
        *,
        kind: str = SKILL,
        sha256: str = "",
        check: Callable[[bytes], str] = lambda data: "",
        pinned: bool = False,
        offline: bool = False,
        allow_http: bool = False,
        max_bytes: int = 1000,
        total_s: float = 60,
    ) -> bytes:
        fetcher = Fetcher(
            self.cache,
            offline=offline,
            allow_http=allow_http,
            transport=self.transport,
            cancel=self.cancel,
            warn=self.warned.append,
            total_s=total_s,
        )
        try:
            wanted = Wanted(kind, url, sha256, check, pinned or bool(sha256), max_bytes)
            body = fetcher.get(wanted)
            fetcher.keep()
            return body
        finally:
            fetcher.close()


@pytest.fixture
def get(cache: Cache) -> Getting:
    return Getting(cache)


def test_what_nobody_pinned_is_downloaded_each_time_and_kept(get: Getting, cache: Cache) -> None:
    with Site(a=BODY) as site:
        url = site.url + "/a"
        assert get(url) == BODY
        site.pages["/a"] = b"newer"
        assert get(url) == b"newer"
        assert site.asked("/a") == 2
        headers = site.requests[0].headers
    assert headers["accept-encoding"] == "identity"
    assert not {"authorization", "cookie", "if-none-match"} & set(headers)
    kept = cache.get(SKILL, url)
    assert kept is not None
    assert (kept.body, kept.problem) == (b"newer", "")


def test_an_unchanged_page_is_taken_from_the_cache_when_the_server_says_so(get: Getting) -> None:
    with Site(a=Page(BODY, etag='"1"')) as site:
        assert get(site.url + "/a") == get(site.url + "/a") == BODY
        assert [one.headers.get("if-none-match") for one in site.requests] == [None, '"1"']
        site.pages["/a"] = Page(b"newer", etag='"2"')
        assert get(site.url + "/a") == b"newer"


def test_damaged_copies_are_not_asked_about(get: Getting, cache: Cache) -> None:
    with Site(a=Page(BODY, etag='"1"')) as site:
        get(site.url + "/a")
        Path(cache.file(SKILL, site.url + "/a")).write_bytes(b"# Reviews")
        assert get(site.url + "/a") == BODY
        assert "if-none-match" not in site.requests[1].headers


@pytest.mark.parametrize("kind", [SKILL, REGISTRY])
def test_what_a_digest_pins_is_asked_for_once(get: Getting, cache: Cache, kind: str) -> None:
    with Site(a=BODY) as site:
        url = site.url + "/a"
        assert get(url, kind=kind, sha256=f" {DIGEST.upper()}\n") == BODY
        assert get(url, kind=kind, sha256=DIGEST) == BODY
        assert site.asked() == 1
        Path(cache.file(kind, url)).write_bytes(b"damaged")
        assert get(url, kind=kind, sha256=DIGEST) == BODY
        assert site.asked() == 2
    assert get(url, kind=kind, sha256=DIGEST, offline=True) == BODY


def test_what_a_signature_pins_is_asked_for_once(get: Getting) -> None:
    def check(data: bytes) -> str:
        return "" if data == BODY else "signature verification failed"

    with Site(a=BODY) as site:
        for _ in range(2):
            assert get(site.url + "/a", check=check, pinned=True) == BODY
        assert site.asked() == 1


@pytest.mark.parametrize(
    ("page", "says", "kind_of_error"),
    [
        (Page(status=404), "failed to fetch {noun} '{url}' with status 404", ProviderFailed),
        (Page(status=500), "failed to fetch {noun} '{url}' with status 500", ProviderFailed),
        (Page(status=304), "failed to fetch {noun} '{url}' with status 304", ProviderFailed),
        (Page(status=302), "failed to fetch {noun} '{url}' with status 302", ProviderFailed),
        (Page(BODY, claim=99), "failed to read {kind} response '{url}'", ProviderFailed),
        (Page(b"x" * 1001), "is larger than 1000 bytes", ProviderFailed),
        (b"other", "sha256 mismatch for '{url}': expected {want}, actual {other}",
         VerificationFailed),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [SKILL, REGISTRY])
def test_a_failed_download_says_why_and_leaves_the_copy_that_is_there(
    get: Getting,
    cache: Cache,
    kind: str,
    page: bytes | Page,
    says: str,
    kind_of_error: type[PiError],
) -> None:
    with Site(a=page) as site:
        url = site.url + "/a"
        cache.put(kind, url, b"a copy", {})
        sha256 = DIGEST if page == b"other" else ""
        with pytest.raises(kind_of_error) as caught:
            get(url, kind=kind, sha256=sha256)
        other = hashlib.sha256(b"other").hexdigest()
        assert says.format(noun=NOUNS[kind], kind=kind, url=url, want=DIGEST, other=other) in told(
            caught.value
        )
        kept = cache.get(kind, url)
    assert kept is not None
    assert kept.body == b"a copy"
    if sha256:
        prefix = "registry sha256" if kind == REGISTRY else "sha256"
        assert caught.value.message.startswith(prefix)
    else:
        assert "a cached copy is there; --skills-offline would use it" in caught.value.hint


@pytest.mark.parametrize("kind", [SKILL, REGISTRY])
def test_a_server_that_is_not_there_is_told_with_its_cause(get: Getting, kind: str) -> None:
    with Site() as site:
        url = site.url + "/a"
    with pytest.raises(Unreachable) as caught:
        get(url, kind=kind)
    assert caught.value.message == f"failed to fetch {NOUNS[kind]} '{url}'"
    assert caught.value.cause
    assert "cached copy" not in caught.value.hint


def test_refused_bytes_are_not_kept_and_their_text_is_not_shown(get: Getting, cache: Cache) -> None:
    with Site(a=b"secret text") as site:
        url = site.url + "/a"
        with pytest.raises(VerificationFailed) as caught:
            get(
                url,
                check=lambda data: f"signature verification failed for '{url}': no",
                pinned=True,
            )
    assert caught.value.message == f"signature verification failed for '{url}': no"
    assert caught.value.code == "bad-signature"
    assert "secret text" not in told(caught.value)
    assert cache.get(SKILL, url) is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_relative_ones_too(get: Getting, status: int) -> None:
    with Site(b=BODY) as site:
        site.pages["/a"] = Page(status=status, location="c")
        site.pages["/c"] = Page(status=status, location=site.url + "/b")
        assert get(site.url + "/a") == BODY
        kept = get.cache.get(SKILL, site.url + "/a") if get.cache else None
    assert kept is not None
    assert kept.body == BODY


def test_five_redirects_are_followed_and_six_are_not(get: Getting) -> None:
    with Site() as site:
        for number in range(MAX_REDIRECTS + 1):
            site.pages[f"/{number}"] = Page(status=302, location=f"/{number + 1}")
        site.pages[f"/{MAX_REDIRECTS + 1}"] = BODY
        assert get(site.url + "/1") == BODY
        before = site.asked()
        with pytest.raises(ProviderFailed) as caught:
            get(site.url + "/0")
        assert site.asked() - before == 6
    assert caught.value.message == f"failed to fetch skill URL '{site.url}/0'"
    assert caught.value.cause == "it is sent on more than 5 times"


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://h/x", "http://[bad", "http://example.org/x.md"],
)
def test_a_redirect_leads_only_where_one_may_go_directly(get: Getting, location: str) -> None:
    with Site(a=Page(status=302, location=location)) as site:
        with pytest.raises(ProviderFailed) as caught:
            get(site.url + "/a")
        assert site.asked() == 1
    assert caught.value.message == f"failed to fetch skill URL '{site.url}/a'"
    assert "it is sent on" in caught.value.cause


def test_a_redirect_from_https_to_http_is_refused(
    get: Getting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    leaf = authority.issue_cert(
        "127.0.0.1", not_before=now - day, not_after=now + day, key_type=trustme.KeyType.ECDSA
    )
    leaf.configure_cert(context)
    get.transport = lambda: UrllibTransport(HttpSettings(str(bundle), "", {}))
    with Site(b=BODY) as plain, Site(context, c=BODY) as site:
        site.pages["/a"] = Page(status=302, location=plain.url + "/b")
        site.pages["/d"] = Page(status=302, location="/c")
        with pytest.raises(ProviderFailed) as caught:
            get(site.url + "/a", sha256=DIGEST)
        assert plain.asked() == 0
        assert get(site.url + "/d", sha256=DIGEST) == BODY
    assert caught.value.cause == f"sent on from https to {plain.url}/b"


def test_a_slow_server_is_given_up_after_the_time_there_is(get: Getting) -> None:
    with Site(a=Page(stalls=True)) as site, pytest.raises(Unreachable) as caught:
        get(site.url + "/a", total_s=0.2)
    assert caught.value.message == f"failed to fetch skill URL '{site.url}/a'"
    assert caught.value.cause == "there was no whole answer in 0.2 s"
    assert caught.value.code == "download-timeout"


def test_a_download_ends_with_the_run(get: Getting) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12")
        get.cancel.set(Interrupted("interrupted"))
        peer.wait()

    with FaultServer(script) as server, pytest.raises(Interrupted):
        get(server.url + "/a")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "invalid {kind} URL 'nonsense'"),
        ("https://", "invalid {kind} URL"),
        ("https://h/a b", "invalid {kind} URL"),
        ("ftp://h/a.md", "unsupported {kind} URL scheme 'ftp'"),
        ("file:///etc/passwd", "unsupported {kind} URL scheme 'file'"),
    ],
)
@pytest.mark.parametrize("kind", [SKILL, REGISTRY])
def test_addresses_that_cannot_be_asked_are_refused_first(
    get: Getting, url: str, says: str, kind: str
) -> None:
    with pytest.raises(UsageError) as caught:
        get(url, kind=kind)
    assert says.format(kind=kind) in caught.value.message


def test_plain_http_needs_something_that_says_what_the_bytes_must_be(get: Getting) -> None:
    nowhere = Nowhere()
    get.transport = lambda: nowhere
    url = "http://user:pa55word@skills.example/a.md?token=0123456789abcdefghij"
    with pytest.raises(UsageError) as caught:
        get(url)
    assert "'http://skills.example/a.md?token=[REDACTED]' is plain http" in caught.value.message
    assert "--skills-allow-http" in caught.value.hint
    assert nowhere.urls == []
    for more in ({"sha256": DIGEST}, {"pinned": True}, {"allow_http": True}):
        with pytest.raises(Unreachable) as failed:
            get(url, **more)  # type: ignore[arg-type]
        assert "pa55word" not in told(failed.value)
        assert "0123456789" not in told(failed.value)
    assert nowhere.urls == [url] * 3


@pytest.mark.parametrize("kind", [SKILL, REGISTRY])
def test_offline_what_is_not_there_is_a_miss(get: Getting, kind: str) -> None:
    nowhere = Nowhere()
    get.transport = lambda: nowhere
    with pytest.raises(PiError) as caught:
        get("https://h/a", kind=kind, offline=True)
    assert caught.value.message == f"offline cache miss for {NOUNS[kind]} 'https://h/a'"
    assert (caught.value.code, caught.value.exit_code) == ("offline-cache-miss", 1)
    get.cache = None
    with pytest.raises(UsageError, match="offline mode requires a configured skills cache dir"):
        get("https://h/a", kind=kind, offline=True)
    assert nowhere.urls == []


def test_offline_a_copy_must_be_what_was_kept(get: Getting, cache: Cache) -> None:
    url = "https://h/a"
    cache.put(SKILL, url, BODY, {})
    assert get(url, offline=True) == BODY
    assert get.warned == []
    path = Path(cache.file(SKILL, url))
    path.write_bytes(b"# Reviev\n")
    with pytest.raises(VerificationFailed) as caught:
        get(url, offline=True)
    assert caught.value.message == f"cached skill payload validation failed for '{url}'"
    assert "sha256 mismatch: expected" in caught.value.cause
    assert str(path) in caught.value.hint


def test_offline_a_copy_must_be_what_is_wanted(get: Getting, cache: Cache) -> None:
    url = "https://h/a"
    for kind in (SKILL, REGISTRY):
        cache.put(kind, url, BODY, {})
    with pytest.raises(VerificationFailed) as caught:
        get(url, sha256="0" * 64, offline=True)
    assert caught.value.message == f"cached skill payload validation failed for '{url}'"
    assert caught.value.cause == (
        f"sha256 mismatch for '{url}': expected {'0' * 64}, actual {DIGEST}"
    )
    with pytest.raises(VerificationFailed) as caught:
        get(url, kind=REGISTRY, sha256="0" * 64, offline=True)
    assert caught.value.message.startswith(f"registry sha256 mismatch for '{url}': expected 000")
    with pytest.raises(VerificationFailed) as caught:
        get(url, check=lambda data: "signature no", pinned=True, offline=True)
    assert caught.value.cause == "signature no"


def test_offline_a_copy_of_the_older_program_is_used_with_a_warning(
    get: Getting, cache: Cache
) -> None:
    path = Path(cache.file(SKILL, "https://h/a"))
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY)
    assert get("https://h/a", offline=True) == BODY
    assert get.warned == [
        "the cached copy of https://h/a has no side file: its bytes are not checked"
    ]
    assert get("https://h/a", sha256=DIGEST, offline=True) == BODY
    assert len(get.warned) == 1


@pytest.mark.parametrize(
    ("kind", "says"), [(SKILL, "failed to cache skill URL"), (REGISTRY, "failed to cache registry")]
)
def test_a_cache_that_cannot_be_written_is_told(
    get: Getting, cache: Cache, kind: str, says: str
) -> None:
    os.symlink("nowhere/at/all", cache.path)
    with Site(a=BODY) as site, pytest.raises(PiError) as caught:
        get(site.url + "/a", kind=kind)
    assert caught.value.message == f"{says} '{site.url}/a'"
    assert "File exists" in caught.value.cause
