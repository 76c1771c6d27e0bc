from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pi.base.cancel import Cancel
from pi.base.cassette import Cassette
from pi.base.cassette_player import read_cassette
from pi.base.cassette_recorder import Recording
from pi.base.errors import ConfigError, Interrupted, Unreachable
from pi.base.http import ConnectionBroken, Request
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.fault_server import CHUNKED, FaultServer, Peer, always, answer
from tests.fakes.scripted import ScriptedResponse, ScriptedTransport

KEY = "sk-0123456789abcdef"
REQUEST = Request("POST", "http://a/v1", (("Authorization", f"Bearer {KEY}"),), b"ask")


class Ticks:
    """A clock that goes on 10 ms whenever it is asked."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 0.010
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.cassette"


class Taped:
    """One transport with its recording."""

    def __init__(self, path: Path, inner: Any, **more: Any) -> None:
        fields: dict[str, Any] = {"secrets": [KEY], "now_ms": lambda: 1234, "monotonic": Ticks()}
        self.recording = Recording(str(path), pi="0.1", **{**fields, **more})
        self.finish = self.recording.finish
        transport = self.recording.over(lambda: inner)
        self.send, self.close = transport.send, transport.close


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def kinds(path: Path) -> list[str]:
    known = ("cassette", "request", "response", "data", "end", "exchanges")
    return [next(kind for kind in known if kind in line) for line in lines(path)]


def record(path: Path, *answers: Any) -> Cassette:
    """Send one request per answer, read all, end the recording; the cassette."""
    tape = Taped(path, ScriptedTransport(*answers))
    for _ in answers:
        response = tape.send(REQUEST, Cancel())
        while response.read():
            pass
        response.close()
    tape.close()
    assert tape.finish() is None
    return read_cassette(str(path))


def test_every_event_is_a_line_that_is_there_before_the_caller_goes_on(path: Path) -> None:
    tape = Taped(path, ScriptedTransport(ScriptedResponse(200, {"a": "b"}, b"one", b"two")))
    assert not path.exists()
    response = tape.send(REQUEST, Cancel())
    assert kinds(path) == ["cassette", "request", "response"]
    assert response.read() == b"one"
    assert kinds(path)[3:] == ["data"]
    assert response.read() == b"two"
    assert response.read() == b""
    assert response.read() == b""
    assert kinds(path)[4:] == ["data", "end"]
    response.close()
    assert tape.finish() is None
    assert kinds(path)[6:] == ["exchanges"]
    header, request, head, one, _, end, _ = lines(path)
    assert header == {"cassette": 1, "pi": "0.1", "created_ms": 1234}
    assert request["t"] == 10
    assert request["request"]["headers"] == [["Authorization", "[REDACTED]"]]
    assert head["response"] == {"status": 200, "headers": [["a", "b"]]}
    assert (one["t"], one["data"]) == (10, "one")
    assert end["end"] == "complete"


def test_a_cassette_is_readable_for_its_owner_only(path: Path) -> None:
    record(path, ScriptedResponse(200, {}, b"x"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    other = path.with_name("empty")
    other.touch(mode=0o644)
    record(other, ScriptedResponse(200, {}, b"x"))
    assert stat.S_IMODE(other.stat().st_mode) == 0o600


def test_an_answer_that_is_left_early_ends_closed(path: Path) -> None:
    tape = Taped(path, ScriptedTransport(ScriptedResponse(200, {}, b"one", b"two")))
    response = tape.send(REQUEST, Cancel())
    response.read()
    response.close()
    response.close()
    tape.finish()
    (exchange,) = read_cassette(str(path)).exchanges
    assert [chunk.data for chunk in exchange.chunks] == [b"one"]
    assert exchange.end == "closed"


def test_the_first_end_of_an_exchange_counts(path: Path) -> None:
    broken = ConnectionBroken("stalled", code="idle-timeout")
    tape = Taped(path, ScriptedTransport(ScriptedResponse(200, {}, broken, b"late")))
    response = tape.send(REQUEST, Cancel())
    with pytest.raises(ConnectionBroken):
        response.read()
    assert response.read() == b"late"
    response.close()
    assert tape.finish() is None
    (exchange,) = read_cassette(str(path)).exchanges
    assert (exchange.end, exchange.chunks) == ("error", [])


def test_nothing_is_written_after_the_end(path: Path) -> None:
    tape = Taped(path, ScriptedTransport(*[ScriptedResponse(200, {}, b"x")] * 2))
    tape.send(REQUEST, Cancel()).close()
    assert tape.finish() is None
    before = path.read_bytes()
    tape.send(REQUEST, Cancel()).close()
    assert tape.finish() is None
    assert path.read_bytes() == before


def test_failures_of_sending_and_reading_are_recorded(path: Path) -> None:
    refused = Unreachable("no way to a", cause=f"told {KEY}", code="connection-refused")
    broken = ConnectionBroken("stalled", hint="wait", code="idle-timeout")
    tape = Taped(path, ScriptedTransport(refused, ScriptedResponse(200, {}, b"x", broken)))
    with pytest.raises(Unreachable):
        tape.send(REQUEST, Cancel())
    response = tape.send(REQUEST, Cancel())
    response.read()
    with pytest.raises(ConnectionBroken):
        response.read()
    response.close()
    assert tape.finish() is None
    one, two = read_cassette(str(path)).exchanges
    assert one.status is None
    assert one.failure().lines() == ["error: no way to a", "  cause: told [REDACTED]"]
    assert one.failure().code == "connection-refused"
    assert (two.status, two.end) == (200, "error")
    assert isinstance(two.failure(), ConnectionBroken)


def test_no_secret_reaches_the_file_and_the_caller_gets_the_real_bytes(path: Path) -> None:
    headers = {"set-cookie": "id=7", "x-note": KEY, "content-type": "text/event-stream"}
    parts = [f"data: {KEY[:7]}".encode(), f"{KEY[7:]}\n".encode(), b'data: {"content":"sk-01']
    parts += [b'23456"}\n', b'data: {"content":"789abcdef"}\n\n']
    tape = Taped(path, ScriptedTransport(ScriptedResponse(200, headers, *parts)))
    request = Request("POST", f"http://a/{KEY}", REQUEST.headers, json.dumps([KEY]).encode())
    response = tape.send(request, Cancel())
    assert [response.read() for _ in parts] == parts
    assert response.headers["x-note"] == KEY
    response.close()
    tape.finish()
    text = path.read_text(encoding="utf-8")
    for piece in (KEY, "id=7", "sk-01", "789abcdef"):
        assert piece not in text
    (exchange,) = read_cassette(str(path)).exchanges
    assert exchange.headers["set-cookie"] == "[REDACTED]"
    assert exchange.request.body == b'["[REDACTED]"]'


def test_an_existing_recording_is_never_overwritten(path: Path) -> None:
    record(path, ScriptedResponse(200, {}, b"x"))
    before = path.read_bytes()
    with pytest.raises(ConfigError) as caught:
        Taped(path, ScriptedTransport())
    assert caught.value.exit_code == 2
    assert caught.value.code == "cassette-exists"
    assert path.read_bytes() == before


def test_a_file_that_was_filled_meanwhile_is_not_written_on(path: Path) -> None:
    tape = Taped(path, ScriptedTransport())
    path.write_bytes(b"something")
    with pytest.raises(ConfigError, match="holds something"):
        tape.send(REQUEST, Cancel())
    assert path.read_bytes() == b"something"


@pytest.mark.parametrize("name", ["no/folder/x", ".", "", "a\0b"])
def test_a_place_where_no_file_can_be_is_refused_before_any_request(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Taped(tmp_path / name if name else tmp_path, ScriptedTransport())
    assert caught.value.exit_code == 2


def test_a_pipe_is_refused(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="cannot be written"):
        Taped(path, ScriptedTransport())


def test_a_run_without_requests_leaves_no_file(path: Path) -> None:
    tape = Taped(path, ScriptedTransport())
    assert tape.finish() is None
    assert not path.exists()


def test_transports_of_several_providers_share_one_cassette(path: Path) -> None:
    tape = Taped(path, ScriptedTransport(ScriptedResponse(200, {}, b"one")))
    other = tape.recording.over(lambda: ScriptedTransport(ScriptedResponse(200, {}, b"two")))
    for send in (tape.send, other.send):
        response = send(REQUEST, Cancel())
        while response.read():
            pass
    assert tape.finish() is None
    exchanges = read_cassette(str(path)).exchanges
    assert [exchange.chunks[0].data for exchange in exchanges] == [b"one", b"two"]


def test_a_full_disk_ends_the_recording_and_not_the_run(path: Path) -> None:
    """A file-size limit stands for the disk; it needs a process of its own."""
    program = """
import resource, signal, sys
from pi.base.cancel import Cancel
from tests.unit.base.test_cassette_recorder import REQUEST, ScriptedResponse, ScriptedTransport
from tests.unit.base.test_cassette_recorder import Path, Taped
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
parts = [b"x" * 500] * 6
tape = Taped(Path(sys.argv[1]), ScriptedTransport(ScriptedResponse(200, {}, *parts)))
response = tape.send(REQUEST, Cancel())
assert [response.read() for _ in parts] == parts
response.close()
print(tape.finish().code)
"""
    root = Path(__file__).resolve().parents[3]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], env=environ, capture_output=True, check=False
    )
    assert (done.stdout, done.stderr) == (b"cassette-not-written\n", b"")
    tape = read_cassette(str(path))
    assert not tape.is_complete
    assert path.read_bytes().endswith(b"}\n")


def test_real_answers_are_recorded_whole(path: Path) -> None:
    with FaultServer(always(answer(b"hello", "X-A: 1"))) as server:
        tape = Taped(path, UrllibTransport(HttpSettings("", "", {})), secrets=())
        for _ in range(2):
            response = tape.send(Request("GET", server.url + "/x"), Cancel())
            while response.read():
                pass
            response.close()
        tape.close()
        assert tape.finish() is None
        assert server.connections == 1
    one, two = read_cassette(str(path)).exchanges
    assert one.headers["x-a"] == "1"
    assert [chunk.data for chunk in two.chunks] == [b"hello"]
    assert (one.end, two.number) == ("complete", 2)


def test_a_cancelled_answer_is_recorded_with_its_reason(path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED)
        peer.chunk(b"one")
        peer.wait()

    with FaultServer(script) as server:
        tape = Taped(path, UrllibTransport(HttpSettings("", "", {})))
        cancel = Cancel()
        response = tape.send(Request("GET", server.url), cancel)
        assert response.read() == b"one"
        setter = threading.Timer(0.05, cancel.set, [Interrupted("interrupted")])
        setter.start()
        with pytest.raises(Interrupted):
            response.read()
        setter.join()
        response.close()
        tape.close()
        assert tape.finish() is None
    (exchange,) = read_cassette(str(path)).exchanges
    assert isinstance(exchange.failure(), Interrupted)


def test_exchanges_of_several_threads_do_not_mix(path: Path) -> None:
    class Many:
        def send(self, request: Request, cancel: Cancel) -> ScriptedResponse:
            return ScriptedResponse(200, {}, *[request.body] * 50)

        def close(self) -> None:
            pass

    tape = Taped(path, Many())

    def work(number: int) -> None:
        response = tape.send(REQUEST._replace(body=b"%d" % number), Cancel())
        while response.read():
            pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tape.finish() is None
    exchanges = read_cassette(str(path)).exchanges
    assert len(exchanges) == 8
    for exchange in exchanges:
        assert b"".join(chunk.data for chunk in exchange.chunks) == exchange.request.body * 50
