"""The providers' contract: who is asked, with which key, over which way."""

from __future__ import annotations

import json
import ssl
from base64 import b64encode
from collections.abc import Callable

import pytest
import trustme

from tests.cli.asking import SECRET, ask, streams
from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import answers, call, delta, finish, stream
from tests.fakes.fault_server import FaultServer, Peer, always, answer
from tests.fakes.wires import Wire

EC = trustme.KeyType.ECDSA


def test_a_request_names_its_key_its_attempt_and_itself(pi: Pi) -> None:
    """P1."""
    turns = answers((call("bash", {"command": "true"}), finish("tool_calls")), (finish(),))
    with FaultServer(turns) as server:
        assert pi.ask(server.url).returncode == 0
    for request in server.requests:
        assert (request.method, request.target) == ("POST", "/v1/chat/completions")
        assert request.headers["authorization"] == "Bearer " + KEY["OPENAI_API_KEY"]
        assert request.headers["x-pi-retry-attempt"] == "0"
        assert request.headers["content-type"] == "application/json"
        assert "temperature" not in json.loads(request.body)
    first, second = (request.headers["x-pi-request-id"] for request in server.requests)
    assert first != second


def test_azure_has_its_own_header_and_a_version(pi: Pi) -> None:
    """P2."""
    with FaultServer(answers((delta("ok"), finish()))) as server:
        done = pi(
            *("--model", "azure/gpt-4o", "--api-base", server.url + "/openai/deployments/d"),
            *("-p", "hi"),
            AZURE_OPENAI_API_KEY=SECRET,
            **KEY,
        )
    assert (done.returncode, done.stdout) == (0, "ok\n")
    (request,) = server.requests
    assert request.target == "/openai/deployments/d/chat/completions?api-version=2024-10-21"
    assert request.headers["api-key"] == SECRET
    assert "authorization" not in request.headers
    assert KEY["OPENAI_API_KEY"] not in repr(request)


class Tunnel:
    """A proxy that opens every tunnel and answers inside it with a certificate of its own."""

    def __init__(self, pi: Pi, host: str, script: Callable[[Peer], None]) -> None:
        authority = trustme.CA(key_type=EC)
        self.bundle = pi.folder / "tunnel-ca.pem"
        authority.cert_pem.write_to_path(self.bundle)
        self.script = script
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host, key_type=EC).configure_cert(self.tls)

    def __call__(self, peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        with self.tls.wrap_socket(peer.sock, server_side=True) as peer.sock:
            self.script(peer)


def test_an_alias_goes_to_its_own_host_with_its_own_key(pi: Pi) -> None:
    """P3."""
    tunnel = Tunnel(pi, "api.groq.com", answers((delta("ok"), finish())))
    with FaultServer(tunnel) as proxy:
        done = pi(
            *("--model", "groq/llama-3.3-70b-versatile", "-p", "hi"),
            *("--ca-bundle", str(tunnel.bundle)),
            HTTPS_PROXY=proxy.url,
            GROQ_API_KEY=SECRET,
            **KEY,
        )
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    opened, asked = proxy.requests
    assert (opened.method, opened.target) == ("CONNECT", "api.groq.com:443")
    assert asked.target == "/openai/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer " + SECRET
    assert KEY["OPENAI_API_KEY"] not in repr(proxy.requests)


FIXED = ("system", "systemInstruction", "instructions", "tools")


def test_what_does_not_change_in_a_conversation_is_the_same_bytes(pi: Pi, wire: Wire) -> None:
    """P30."""
    call_ = wire.call("bash", {"command": "date +%N"})
    turns = [[call_] * 9 + [wire.text(["ok"])], [call_] * 9 + [wire.text(["ok"])]]
    sent: list[bytes] = []
    for run in turns:
        with FaultServer(streams(*run)) as server:
            assert ask(pi, wire, server.url, "--cache-retention", "none").returncode == 0
        sent += [request.body for request in server.requests]
    assert len(sent) == 20
    fixed = {
        json.dumps([json.loads(body).get(name) for name in FIXED], ensure_ascii=False)
        for body in sent
    }
    assert len(fixed) == 1
    tools = json.dumps(json.loads(sent[0])["tools"], ensure_ascii=False, separators=(",", ":"))
    assert all(body.count(tools.encode()) == 1 for body in sent), "also their order"


def test_https_goes_through_the_proxy_with_its_credentials(pi: Pi) -> None:
    """P35."""
    tunnel = Tunnel(pi, "pi.test", answers((delta("ok"), finish())))
    with FaultServer(tunnel) as proxy:
        done = pi.ask(
            "https://pi.test",
            *("--ca-bundle", str(tunnel.bundle)),
            HTTPS_PROXY=f"http://us%40er:p%3Ass@127.0.0.1:{proxy.port}",
        )
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    opened, asked = proxy.requests
    assert (opened.method, opened.target) == ("CONNECT", "pi.test:443")
    assert opened.headers["proxy-authorization"] == "Basic " + b64encode(b"us@er:p:ss").decode()
    assert "proxy-authorization" not in asked.headers
    assert "authorization" not in opened.headers


@pytest.mark.parametrize(
    ("ranges", "connections", "limit_ms"),
    [("198.51.100.0/24", 1, "50000"), ("192.0.2.0/24", 0, "300")],
)
def test_a_range_of_addresses_goes_around_the_proxy(
    pi: Pi, ranges: str, connections: int, limit_ms: str
) -> None:
    """P35."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"", status="403 Forbidden"))

    with FaultServer(script) as proxy:
        done = pi.ask(
            "https://192.0.2.7",
            *("--request-timeout-ms", limit_ms, "--provider-max-retries", "0"),
            HTTPS_PROXY=proxy.url,
            NO_PROXY="example.com," + ranges,
        )
        assert proxy.connections == connections
    assert done.returncode in (4, 5)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect"])
def test_a_redirect_is_named_and_nobody_else_is_asked(pi: Pi, wire: Wire, status: str) -> None:
    """P37."""
    with FaultServer(lambda peer: None) as other:
        moved = answer(b"", f"Location: {other.url}/v1/elsewhere", status=status)
        with FaultServer(always(moved)) as server:
            done = ask(pi, wire, server.url)
        assert other.connections == 0
    assert done.returncode == 5
    assert len(server.requests) == 1
    assert f"{other.url}/v1/elsewhere" in done.stderr


@pytest.mark.parametrize("where", ["refusal", "stream", "header"])
def test_a_key_that_the_provider_echoes_is_shown_nowhere(pi: Pi, wire: Wire, where: str) -> None:
    """P40."""
    said = json.dumps({"error": {"message": f"bad key {SECRET}", "type": f"x {SECRET}"}}).encode()

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if where == "stream":
                stream(peer, *wire.text(["par", "t"])[:-1], b"data: " + said + b"\n\n")
            elif where == "refusal":
                peer.send(answer(said, status="400 Bad Request"))
            else:
                head = (f"X-Request-Id: {SECRET}", f"Location: http://h/?key={SECRET}")
                peer.send(answer(b"", *head, status="302 Found"))

    with FaultServer(script) as server:
        done = ask(pi, wire, server.url, "--debug", "--record", "tape")
    assert done.returncode in (3, 5)
    assert SECRET not in done.stdout + done.stderr
    for path in pi.folder.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


def test_a_file_with_half_a_character_is_sent_as_valid_json(pi: Pi, wire: Wire) -> None:
    """P42."""
    (pi.folder / "odd.txt").write_bytes(b"a \xed\xa0\xbd b \xff c\n")
    half = wire.call("bash", {"command": "cat odd.txt; echo '\ud83d'"})
    turns = (wire.call("read", {"path": "odd.txt"}), half, wire.text(["ok \ud83d"]))
    with FaultServer(streams(*turns, wire.text(["bye"]))) as server:
        done = ask(pi, wire, server.url)
        assert done.returncode == 0, done.stderr
        done = ask(pi, wire, server.url)
        assert (done.returncode, done.stdout) == (0, "bye\n"), done.stderr
    assert len(server.requests) == 4
    for request in server.requests:
        value = json.loads(request.body.decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode("utf-8")
