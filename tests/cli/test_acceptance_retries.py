"""The providers' contract: what is asked again, when, and of which model."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable

import pytest

from tests.cli.asking import ask, bodies, errors
from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import STREAM, delta, finish, stream
from tests.fakes.fault_server import FaultServer, Peer, always, answer
from tests.fakes.patience import LONG_S
from tests.fakes.wires import Wire

BUSY = answer(b'{"error": {"message": "busy"}}', status="503 Service Unavailable")


def test_a_retry_budget_too_small_for_a_wait_means_one_request(pi: Pi) -> None:
    """P6."""
    with FaultServer(always(answer(b"{}", status="429 Too Many Requests"))) as server:
        done = pi.ask(server.url, "--provider-retry-budget-ms", "10")
    assert done.returncode == 5
    assert len(server.requests) == 1


def test_the_wait_the_server_asks_for_is_kept(pi: Pi) -> None:
    """P7, and P5: the attempts are numbered."""
    times: list[float] = []

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            times.append(time.monotonic())
            if len(times) == 1:
                peer.send(answer(b"{}", "Retry-After: 1", status="429 Too Many Requests"))
            else:
                stream(peer, delta("ok"), finish())

    with FaultServer(script) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert times[1] - times[0] >= 1
    sent = [request.headers["x-pi-retry-attempt"] for request in server.requests]
    assert sent == ["0", "1"]


@pytest.mark.parametrize(
    "wait",
    [
        "3600",
        "Wed, 21 Oct 2065 07:28:00 GMT",
        "9" * 23,
    ],
)
def test_an_absurd_wait_is_named_and_not_waited(pi: Pi, wait: str) -> None:
    """P7."""
    busy = answer(b"{}", f"Retry-After: {wait}", status="429 Too Many Requests")
    with FaultServer(always(busy)) as server:
        done = pi.ask(server.url)
    assert done.returncode == 5
    assert len(server.requests) == 1
    assert "the provider asks to wait" in done.stderr
    assert wait != "3600" or "3600 s" in done.stderr


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "404 Not Found"])
def test_a_refusal_that_does_not_pass_is_one_request_and_no_other_model(
    pi: Pi, wire: Wire, status: str
) -> None:
    """P8, P12."""
    said = "The model `model-1` does not exist or you do not have access to it."
    error = {"message": said, "type": "invalid_request_error", "code": "model_not_found"}
    body = json.dumps({"error": error}).encode()
    with FaultServer(always(answer(body, status=status))) as server:
        done = ask(pi, wire, server.url, "--fallback-model", f"{wire.provider}/model-2")
    assert done.returncode in (3, 5)
    assert [request.headers["x-pi-retry-attempt"] for request in server.requests] == ["0"]
    assert "model-2" not in repr(server.requests)
    assert len(errors(done)) == 1


def by_model(**scripts: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """A script that answers each request as the script of the model it names."""

    def script(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            scripts[json.loads(request.body)["model"]](peer)

    return script


def says(*pieces: bytes) -> Callable[[Peer], None]:
    return lambda peer: stream(peer, *pieces)


FALLBACK = ("--model", "openai/first", "--fallback-model", "openai/second")


def test_spent_money_is_not_asked_for_again_but_another_model_is(pi: Pi) -> None:
    """P9."""
    error = {"message": "You exceeded your current quota", "code": "insufficient_quota"}
    spent = answer(json.dumps({"error": error}).encode(), status="429 Too Many Requests")
    script = by_model(first=lambda peer: peer.send(spent), second=says(delta("ok"), finish()))
    with FaultServer(script) as server:
        done = pi.ask(server.url, *FALLBACK)
    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert [body["model"] for body in bodies(server)] == ["first", "second"]


def test_a_change_of_model_is_one_line_on_stderr(pi: Pi) -> None:
    """P11, for people."""
    script = by_model(first=lambda peer: peer.send(BUSY), second=says(delta("ok"), finish()))
    with FaultServer(script) as server:
        done = pi.ask(server.url, *FALLBACK, "--provider-max-retries", "0")
    assert (done.returncode, done.stdout) == (0, "ok\n")
    (line,) = (line for line in done.stderr.splitlines() if "openai/second" in line)
    assert line == "[openai/first failed (http_status 503): openai/second answers instead]"


def test_a_part_of_a_lost_answer_is_marked_and_only_the_whole_one_counts(pi: Pi) -> None:
    """P13."""

    def first(peer: Peer) -> None:
        peer.send(STREAM)
        peer.chunk(delta("Hel"))
        peer.reset()

    script = by_model(first=first, second=says(delta("Whole"), finish()))
    with FaultServer(script) as server:
        done = pi.ask(server.url, *FALLBACK)
        assert (done.returncode, done.stdout) == (0, "Hel\nWhole\n")
        assert "openai/first failed (http_body): openai/second answers instead" in done.stderr
        assert b"Hel" not in server.requests[1].body
        assert pi.ask(server.url, "--model", "openai/second").returncode == 0
        assert b"Hel" not in server.requests[2].body
        assert b"Whole" in server.requests[2].body
    marks = [
        (record["message"]["content"][0]["text"], record["stop_reason"])
        for record in pi.session()
        if record["record_type"] == "entry" and record["message"]["role"] == "assistant"
    ]
    assert marks == [("Hel", "error"), ("Whole", "stop"), ("Whole", "stop")]


def test_control_c_ends_the_wait_before_the_next_attempt(pi: Pi) -> None:
    busy = answer(b"{}", "Retry-After: 30", status="429 Too Many Requests")
    with FaultServer(always(busy)) as server:
        process = pi.start("--api-base", server.url + "/v1", "-p", "hi", environ=KEY)
        assert process.stderr is not None
        assert b"retry 1 in 3" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LONG_S)
    assert process.returncode == 130
    assert len(server.requests) == 1
