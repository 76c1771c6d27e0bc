"""What can go wrong from outside: each has its exit code, one clear message, no traceback."""

from __future__ import annotations

import json
import os
import ssl

import pytest
import trustme

from tests.cli.conftest import Pi
from tests.fakes.chat import DONE, STREAM, answers, call, delta, event, finish, stream
from tests.fakes.fault_server import FaultServer, Peer, always, answer, refusing
from tests.fakes.patience import in_time


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--modle", "x"], "did you mean --model?"),
        (["--model"], "--model needs a value"),
        (["--model", "foo/bar", "-p", "x"], "unsupported provider 'foo'"),
        (["--prompt-file", "no-such-file"], "no-such-file"),
        (["--system-prompt-file", ".", "-p", "x", "--model", "demo/tour"], "system prompt file"),
        (["--prompt", "x", "y"], "given twice"),
        (
            ["--ca-bundle", "no-such-file", "-p", "x", "--api-base", "https://127.0.0.1:1"],
            "no-such",
        ),
        ([], "no prompt given"),
    ],
)
def test_a_mistake_on_the_command_line_is_2_and_names_it(
    pi: Pi, arguments: list[str], said: str
) -> None:
    done = pi(*arguments, OPENAI_API_KEY="k")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert os.listdir(pi.folder) == []


def test_a_missing_key_names_the_variable(pi: Pi) -> None:
    done = pi("-p", "hi")
    assert done.returncode == 3
    assert "OPENAI_API_KEY" in done.stderr
    assert os.listdir(pi.folder) == []


def test_a_refused_port_and_an_unknown_host_end_at_once(pi: Pi) -> None:
    with refusing() as refused:
        for url in (refused, "http://no-such-host.invalid"):
            done = pi.ask(url)
            assert done.returncode == 4
            assert done.stderr.count("error:") == 1
            assert "retry" not in done.stderr


def test_a_tls_failure_is_4_and_says_how_to_trust_a_private_ca(pi: Pi) -> None:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    bundle = pi.folder / "ca.pem"
    ca.cert_pem.write_to_path(bundle)
    with FaultServer(answers((delta("hello"), finish())), tls=context) as server:
        done = pi.ask(server.url)
        assert done.returncode == 4
        assert "--ca-bundle" in done.stderr
        done = pi.ask(server.url, "--ca-bundle", str(bundle))
        assert (done.returncode, done.stdout) == (0, "hello\n")


def test_a_refused_key_is_3_and_the_key_is_shown_nowhere(pi: Pi) -> None:
    body = json.dumps({"error": {"message": "Incorrect API key provided: test-key-0123456789"}})
    with FaultServer(always(answer(body.encode(), status="401 Unauthorized"))) as server:
        done = pi.ask(server.url, "--debug")
    assert done.returncode == 3
    assert "Incorrect API key" in done.stderr
    session = (pi.folder / ".pi/sessions/default.jsonl").read_text()
    assert "test-key-0123456789" not in done.stderr + done.stdout + session
    assert len(server.requests) == 1


def test_a_busy_provider_is_asked_again(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if len(server.requests) == 1:
                peer.send(answer(b"{}", "Retry-After: 0", status="429 Too Many Requests"))
            else:
                stream(peer, delta("after all"), finish())

    with FaultServer(script) as server:
        done = pi.ask(server.url, "--provider-retry-jitter=false")
    assert (done.returncode, done.stdout) == (0, "after all\n")
    assert "retry 1" in done.stderr


def test_a_provider_that_fails_for_ever_is_5(pi: Pi) -> None:
    with FaultServer(always(answer(b"oops", status="500 Internal Server Error"))) as server:
        done = pi.ask(server.url, "--provider-max-retries", "1")
    assert done.returncode == 5
    assert "500" in done.stderr
    assert len(server.requests) == 2
    assert pi.roles() == ["user", "assistant"]


def test_headers_that_never_come_end_at_the_time_limit_by_name(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.wait()

    def attempt(limit_ms: int) -> None:
        flags = ("--request-timeout-ms", str(limit_ms), "--provider-max-retries", "0")
        with FaultServer(script) as server:
            done = pi.ask(server.url, *flags)
        assert done.returncode == 5
        assert "no answer from" in done.stderr
        assert f"{limit_ms / 1000:g} s" in done.stderr

    in_time(attempt, 300)


def test_silence_in_mid_stream_ends_at_the_time_limit_by_name(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        peer.chunk(delta("par"))
        peer.wait()

    def attempt(limit_ms: int) -> None:
        with FaultServer(script) as server:
            done = pi.ask(server.url, "--request-timeout-ms", str(limit_ms))
        assert (done.returncode, done.stdout) == (5, "par\n")
        assert f"stalled: nothing for {limit_ms / 1000:g} s" in done.stderr

    in_time(attempt, 300)


@pytest.mark.parametrize("cut", ["in a chunk", "between chunks", "before the end mark"])
def test_a_stream_cut_in_the_middle_is_5_and_the_part_is_kept(pi: Pi, cut: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        peer.chunk(delta("partial answer"))
        if cut == "in a chunk":
            peer.send(b"40\r\ndata: {")
        elif cut == "before the end mark":
            peer.chunk(b"")

    with FaultServer(script) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (5, "partial answer\n")
    last = pi.session()[-1]
    assert last["stop_reason"] == "error"
    assert last["message"]["content"] == [{"type": "text", "text": "partial answer"}]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/event-stream", b"\x00\xff garbage \xfe\n\n\n:::\n{{{"),
        ("text/event-stream", b"data: not json\n\n"),
        ("text/event-stream", b"data: [1, 2]\n\n"),
        ("text/html", b"<html><title>Log in to the network</title></html>"),
        ("application/json", b'{"choices": []}'),
        ("application/json", b"[]"),
        ("application/json", b""),
        ("image/png", b"\x89PNG"),
    ],
)
def test_an_answer_that_is_not_one_is_5(pi: Pi, kind: str, body: bytes) -> None:
    response = answer(body, f"Content-Type: {kind}")
    with FaultServer(always(response)) as server:
        done = pi.ask(server.url, "--provider-max-retries", "0")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.count("error:") == 1


def test_an_answer_that_is_not_http_is_5(pi: Pi) -> None:
    with FaultServer(always(b"SSH-2.0-OpenSSH_9.2\r\n")) as server:
        done = pi.ask(server.url, "--provider-max-retries", "0")
    assert done.returncode == 5


def test_a_line_of_100_mb_is_refused_in_bounded_memory(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        peer.chunk(b"data: ")
        megabyte = b"x" * (1 << 20)
        for _ in range(100):
            peer.chunk(megabyte)
        peer.chunk(b"")

    with FaultServer(script) as server:
        done = pi.ask(server.url, "--provider-max-retries", "0")
    assert done.returncode == 5
    assert "larger than" in done.stderr


def test_characters_cut_between_chunks_arrive_whole(pi: Pi) -> None:
    text = "naïve 漢字 🙂"
    raw = (
        b"data: "
        + json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False).encode()
        + b"\n\n"
    )

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        for at in range(len(raw)):
            peer.chunk(raw[at : at + 1])
        peer.chunk(finish())
        peer.chunk(b"")

    with FaultServer(script) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (0, text + "\n")


def test_a_tool_call_with_broken_json_is_answered_and_the_run_goes_on(pi: Pi) -> None:
    turns = answers(
        (call("bash", '{"command": "tou'), finish("tool_calls")), (delta("ok"), finish())
    )
    with FaultServer(turns) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (0, "ok\n")
    told = json.loads(server.requests[1].body)["messages"][-1]
    assert told["role"] == "tool"
    assert "not a JSON object" in told["content"]


def test_an_error_event_in_the_stream_is_5(pi: Pi) -> None:
    turns = (delta("par"), event({"error": {"message": "the server is on fire"}}), DONE)
    with FaultServer(answers(turns)) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (5, "par\n")
    assert "the server is on fire" in done.stderr


def test_an_answer_cut_by_the_output_limit_is_9(pi: Pi) -> None:
    with FaultServer(answers((delta("long"), finish("length")))) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (9, "long\n")


def test_a_session_that_is_a_folder_is_refused_before_any_request(pi: Pi) -> None:
    (pi.folder / "s").mkdir()
    with FaultServer(answers((delta("x"), finish()))) as server:
        done = pi.ask(server.url, "--session", "s")
    assert done.returncode == 2
    assert "s" in done.stderr
    assert server.connections == 0


@pytest.mark.parametrize(("named", "code"), [((), 0), (("--session", "s/s.jsonl"), 1)])
def test_an_answer_is_shown_even_if_it_cannot_be_saved(
    pi: Pi, named: tuple[str, ...], code: int
) -> None:
    """A session asked for by name is a promise; the default one is a service."""
    for lock in (".pi/sessions/default.jsonl.lock", "s/s.jsonl.lock"):
        (pi.folder / lock).mkdir(parents=True)
    with FaultServer(answers((delta("the answer"), finish()))) as server:
        done = pi.ask(server.url, *named)
    assert (done.returncode, done.stdout) == (code, "the answer\n")
    assert done.stderr.count("not saved") == 1


def test_a_damaged_line_is_told_once_kept_and_passed_over(pi: Pi) -> None:
    with FaultServer(answers((delta("one"), finish()), (delta("two"), finish()))) as server:
        assert pi.ask(server.url).returncode == 0
        path = pi.folder / ".pi/sessions/default.jsonl"
        with open(path, "ab") as file:
            file.write(b'{"record_type":"entry","id":\n')
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (0, "two\n")
    assert done.stderr.count("is damaged") == 1
    assert b'"id":\n' in path.read_bytes()
    sent = json.loads(server.requests[1].body)["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
