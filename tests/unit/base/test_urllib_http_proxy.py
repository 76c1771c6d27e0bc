"""Requests through a published proxy (proxy.py), and through ones that fail as told.

Loopback never goes through a proxy, so the servers are asked for as ``pi.test``, a name
that only the proxy can resolve.
"""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from pi.base.cancel import Cancel
from pi.base.errors import ConfigError, PiError, Unreachable
from pi.base.http import Request
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.fault_server import FaultServer, Peer, always, answer, refusing
from tests.fakes.patience import LONG_S, in_time

EC = trustme.KeyType.ECDSA
PLUGIN = """
from proxy.http.proxy import HttpProxyBasePlugin

class Resolve(HttpProxyBasePlugin):
    def resolve_dns(self, host, port):
        return ("127.0.0.1" if host == "pi.test" else None), None
"""


@pytest.fixture(scope="module")
def proxy_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """proxy.py with basic authentication, as a process of its own."""
    folder = tmp_path_factory.mktemp("proxy")
    (folder / "pi_resolve.py").write_text(PLUGIN, encoding="utf-8")
    port_file = folder / "port"
    command = [sys.executable, "-W", "ignore", "-m", "proxy", "--hostname", "127.0.0.1"]
    command += ["--port", "0", "--port-file", str(port_file), "--basic-auth", "us@er:p:ss"]
    command += ["--num-workers", "1", "--num-acceptors", "1", "--log-level", "ERROR"]
    command += ["--data-dir", str(folder), "--plugins", "pi_resolve.Resolve"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        pause = threading.Event()
        for _ in range(2400):
            if port_file.exists() and port_file.read_text(encoding="utf-8").strip():
                break
            pause.wait(0.05)
        yield int(port_file.read_text(encoding="utf-8"))
        process.terminate()
        process.wait(LONG_S)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(key_type=EC)


@pytest.fixture
def bundle(tmp_path: Path, authority: trustme.CA) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pi.test", key_type=EC).configure_cert(context)
    return context


def ask(settings: HttpSettings, url: str, times: int = 1) -> bytes:
    transport = UrllibTransport(settings)
    try:
        for _ in range(times):
            headers = (("Authorization", "Bearer key"),)
            request = Request("POST", url, headers, b"{}", timeout_ms=60_000)
            response = transport.send(request, Cancel())
            body = b"".join(iter(response.read, b""))
        return body
    finally:
        transport.close()


def refused(settings: HttpSettings, url: str) -> PiError:
    with pytest.raises(PiError) as caught:
        ask(settings, url)
    return caught.value


def test_https_goes_through_a_tunnel_with_credentials(
    proxy_port: int, tls: ssl.SSLContext, bundle: str
) -> None:
    environ = {"https_proxy": f"http://us%40er:p%3Ass@127.0.0.1:{proxy_port}"}
    with FaultServer(always(answer(b"inside")), tls) as server:
        url = server.url_for("pi.test")
        assert ask(HttpSettings(bundle, "", environ), url, times=3) == b"inside"
        assert server.connections == 1, "the tunnel is kept"
        assert "proxy-authorization" not in server.requests[0].headers
        assert server.requests[0].headers["authorization"] == "Bearer key"


def test_http_is_asked_of_the_proxy_with_the_whole_address(proxy_port: int) -> None:
    override = f"http://us%40er:p%3Ass@127.0.0.1:{proxy_port}"
    with FaultServer(always(answer(b"inside"))) as server:
        url = server.url_for("pi.test") + "/v1?a=b"
        assert ask(HttpSettings("", override, {}), url) == b"inside"
        assert server.requests[0].target == "/v1?a=b"
        assert server.requests[0].headers["host"] == f"pi.test:{server.port}"


@pytest.mark.parametrize("userinfo", ["", "us%40er:wrong-hunter2@"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_other_credentials_says_so(
    proxy_port: int, userinfo: str, scheme: str
) -> None:
    environ = {"ALL_PROXY": f"http://{userinfo}127.0.0.1:{proxy_port}"}
    error = refused(HttpSettings("", "", environ), f"{scheme}://pi.test/x?key=secret")
    assert (type(error), error.code, error.exit_code) == (Unreachable, "proxy-failed", 4)
    assert "407" in error.cause
    assert "ALL_PROXY" in error.hint
    assert ("refused" if userinfo else "none were given") in error.hint
    shown = "\n".join(error.lines())
    assert "hunter2" not in shown
    assert "us@er" not in shown
    assert "secret" not in shown


def test_no_proxy_goes_around_it() -> None:
    with FaultServer(lambda peer: None) as proxy, FaultServer(always(answer(b"ok"))) as server:
        environ = {"http_proxy": proxy.url}
        assert ask(HttpSettings("", "", environ), server.url) == b"ok"
        assert proxy.connections == 0, "loopback"
        environ["no_proxy"] = "192.0.2.0/24,.invalid"
        error = refused(HttpSettings("", "", environ), "http://a.invalid/")
        assert error.code == "unknown-host"
        assert proxy.connections == 0


def test_socks_is_refused_with_words() -> None:
    error = refused(HttpSettings("", "", {"all_proxy": "socks5://u:hunter2@h:1"}), "http://h/")
    assert isinstance(error, ConfigError)
    assert "SOCKS" in error.message
    assert "hunter2" not in "\n".join(error.lines())


def test_a_proxy_that_refuses_the_host_is_named_with_its_status() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"<html>", status="403 Not \x1b[31mAllowed"))

    with FaultServer(script) as proxy:
        error = refused(HttpSettings("", proxy.url, {}), "https://pi.test/")
        assert proxy.requests[0].method == "CONNECT"
        assert proxy.requests[0].target == "pi.test:443"
        assert proxy.requests[0].headers == {"host": "pi.test:443"}
    assert error.code == "proxy-failed"
    assert error.cause == "HTTP 403 Not ?[31mAllowed"


@pytest.mark.parametrize("said", [b"", b"SSH-2.0\r\n", b"HTTP/1.1 200"])
def test_a_proxy_that_breaks_off_is_named(said: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(said)

    with FaultServer(script) as proxy:
        error = refused(HttpSettings("", proxy.url, {}), "https://pi.test/")
    assert error.code == "proxy-failed"
    assert str(proxy.port) in error.message


def test_a_silent_proxy_is_named() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.wait()

    def attempt(limit_ms: int) -> None:
        with FaultServer(script) as proxy:
            transport = UrllibTransport(HttpSettings("", proxy.url, {}))
            with pytest.raises(PiError) as caught:
                transport.send(Request("GET", "https://pi.test/", timeout_ms=limit_ms), Cancel())
            transport.close()
        assert caught.value.code == "connect-timeout"
        assert "proxy" in caught.value.message

    in_time(attempt, 200)


def test_an_unreachable_proxy_is_named() -> None:
    with refusing() as gone:
        for address in (gone, "http://no-such-proxy.invalid:1"):
            error = refused(HttpSettings("", address, {}), "https://pi.test/")
            assert error.code == "proxy-failed"
            assert address.partition("://")[2] in error.message
