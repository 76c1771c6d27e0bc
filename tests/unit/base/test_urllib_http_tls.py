"""Real TLS: which servers are believed, and what is said about the others."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from pi.base.cancel import Cancel
from pi.base.errors import ConfigError, PiError, Unreachable
from pi.base.http import Request
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.fault_server import FaultServer, always, answer

EC = trustme.KeyType.ECDSA


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(key_type=EC)


@pytest.fixture
def bundle(tmp_path: Path, authority: trustme.CA) -> str:
    path = tmp_path / "corporate.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def context_for(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[FaultServer]:
    leaf = authority.issue_cert("127.0.0.1", "localhost", key_type=EC)
    with FaultServer(always(answer(b"secure")), context_for(leaf)) as running:
        yield running


def ask(settings: HttpSettings, url: str, times: int = 1) -> bytes:
    transport = UrllibTransport(settings)
    try:
        for _ in range(times):
            response = transport.send(Request("GET", url, timeout_ms=10_000), Cancel())
            body = b"".join(iter(response.read, b""))
        return body
    finally:
        transport.close()


def refused(settings: HttpSettings, url: str) -> PiError:
    with pytest.raises(PiError) as caught:
        ask(settings, url)
    return caught.value


def test_a_private_authority_is_believed_when_its_bundle_is_given(
    server: FaultServer, bundle: str
) -> None:
    assert ask(HttpSettings(bundle, "", {}), server.url) == b"secure"
    assert ask(HttpSettings("", "", {"SSL_CERT_FILE": bundle}), server.url) == b"secure"
    assert ask(HttpSettings("", "", {"CURL_CA_BUNDLE": bundle}), server.url) == b"secure"
    assert ask(HttpSettings(bundle, "", {}), server.url_for("localhost")) == b"secure"


def test_a_handshake_is_made_once_for_many_requests(server: FaultServer, bundle: str) -> None:
    assert ask(HttpSettings(bundle, "", {}), server.url, times=5) == b"secure"
    assert server.connections == 1


def test_an_unknown_authority_is_refused_with_the_way_to_add_it(server: FaultServer) -> None:
    error = refused(HttpSettings("", "", {}), server.url)
    assert (type(error), error.code, error.exit_code) == (Unreachable, "tls-failed", 4)
    assert "checked against" in error.cause
    assert "--ca-bundle" in error.hint
    assert "PI_CA_BUNDLE" in error.hint
    assert server.requests == []


def test_the_failure_names_the_bundle_that_was_used(server: FaultServer, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA(key_type=EC).cert_pem.write_to_path(other)
    error = refused(HttpSettings(str(other), "", {}), server.url)
    assert str(other) in error.cause
    error = refused(HttpSettings("", "", {"REQUESTS_CA_BUNDLE": str(other)}), server.url)
    assert f"REQUESTS_CA_BUNDLE ({other})" in error.cause


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA, bundle: str) -> None:
    leaf = authority.issue_cert("example.org", key_type=EC)
    with FaultServer(always(answer(b"")), context_for(leaf)) as server:
        for host in ("127.0.0.1", "localhost"):
            error = refused(HttpSettings(bundle, "", {}), server.url_for(host))
            assert error.code == "tls-failed"
            assert "another name" in error.hint
        assert server.requests == []


def test_an_expired_certificate_is_refused(authority: trustme.CA, bundle: str) -> None:
    past = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
    leaf = authority.issue_cert("127.0.0.1", key_type=EC, not_before=past, not_after=past)
    with FaultServer(always(answer(b"")), context_for(leaf)) as server:
        error = refused(HttpSettings(bundle, "", {}), server.url)
    assert error.code == "tls-failed"
    assert "expired" in error.cause
    assert "clock" in error.hint


def test_a_server_without_tls_is_told_apart(bundle: str) -> None:
    with FaultServer(lambda peer: peer.send(answer(b""))) as server:
        url = f"https://127.0.0.1:{server.port}/"
        error = refused(HttpSettings(bundle, "", {}), url)
    assert error.code == "tls-failed"
    assert "http://" in error.hint


def test_a_server_that_hangs_up_in_the_handshake_is_a_tls_failure(bundle: str) -> None:
    def script(peer: object) -> None:
        peer.sock.recv(10)  # type: ignore[attr-defined]
        peer.reset()  # type: ignore[attr-defined]

    with FaultServer(script) as server:
        error = refused(HttpSettings(bundle, "", {}), f"https://127.0.0.1:{server.port}/")
    assert error.code == "tls-failed"


def test_a_bad_bundle_is_told_before_anything_is_opened(
    server: FaultServer, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("garbage", encoding="utf-8")
    for path in (bad, tmp_path / "gone.pem"):
        error = refused(HttpSettings(str(path), "", {}), server.url)
        assert isinstance(error, ConfigError)
        assert str(path) in error.message
    assert server.connections == 0


def test_plain_http_makes_no_tls_context(tmp_path: Path) -> None:
    """Making one would fail: the bundle it would be made from is not there."""
    settings = HttpSettings(str(tmp_path / "gone.pem"), "", {})
    with FaultServer(always(answer(b"plain"))) as server:
        assert ask(settings, server.url) == b"plain"


def test_a_client_certificate_is_shown_to_a_server_that_wants_one(
    authority: trustme.CA, bundle: str, tmp_path: Path
) -> None:
    context = context_for(authority.issue_cert("127.0.0.1", key_type=EC))
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    mine = authority.issue_cert("me@example.org", key_type=EC)
    cert, key = tmp_path / "me.crt", tmp_path / "me.key"
    mine.cert_chain_pems[0].write_to_path(cert)
    mine.private_key_pem.write_to_path(key)
    with FaultServer(always(answer(b"hello you")), context) as server:
        settings = HttpSettings(bundle, "", {}, client_cert=str(cert), client_key=str(key))
        assert ask(settings, server.url) == b"hello you"
        assert refused(HttpSettings(bundle, "", {}), server.url).exit_code in (4, 5)
