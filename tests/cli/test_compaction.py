"""Compaction in the built file, over real HTTP, with a model whose window is small."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Pi
from tests.fakes.chat import answers, call, delta, event, finish, stream
from tests.fakes.fault_server import FaultServer, Peer

WINDOW = 8000
CATALOG = {
    "schema_version": 1,
    "entries": [{"provider": "openai", "model": "small", "context_window_tokens": WINDOW}],
}
FLAGS = (
    *("--model", "openai/small", "--model-catalog-cache", "c.json", "--model-catalog-offline"),
    *("--compact-reserve-tokens", "1000", "--compact-keep-tokens", "300"),
)
DEFAULT = ".pi/sessions/default.jsonl"


@pytest.fixture(autouse=True)
def _files(pi: Pi) -> None:
    (pi.folder / "c.json").write_text(json.dumps(CATALOG))
    for number in range(4):
        (pi.folder / f"{number}.txt").write_text("word " * 400)


def usage(tokens: int) -> bytes:
    counts = {"prompt_tokens": tokens - 5, "completion_tokens": 5, "total_tokens": tokens}
    return event({"choices": [], "usage": counts})


def said(text: str, tokens: int) -> tuple[bytes, ...]:
    return (delta(text), finish().replace(b"data: [DONE]\n\n", b""), usage(tokens), DONE)


def wants(number: int, tokens: int) -> tuple[bytes, ...]:
    asked = call("read", {"path": f"{number}.txt"}, f"call_{number}")
    return (asked, finish("tool_calls").replace(DONE, b""), usage(tokens), DONE)


DONE = b"data: [DONE]\n\n"


def sent(server: FaultServer) -> list[list[dict[str, Any]]]:
    return [json.loads(request.body)["messages"] for request in server.requests]


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [str(message.get("content")) for message in messages]


def compactions(pi: Pi) -> list[dict[str, Any]]:
    return [record for record in pi.session(DEFAULT) if record.get("kind") == "compaction"]


def test_a_full_window_is_summarised_on_the_way_and_the_next_run_goes_on_from_there(
    pi: Pi,
) -> None:
    turns = (wants(0, 2000), wants(1, 7100), said("SUMMARY", 50))
    with FaultServer(answers(*turns, said("done", 900), said("again", 950))) as server:
        done = pi.ask(server.url, *FLAGS)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "done\n"
        assert "making room" in done.stderr
        (entry,) = compactions(pi)
        bodies = sent(server)
        last = bodies[-1]
        summary = next(text for text in texts(last) if "<summary>" in text)
        assert entry["summary"] in summary
        assert "tools" not in json.loads(server.requests[2].body)
        known = {one["id"] for message in last for one in message.get("tool_calls") or ()}
        assert {m["tool_call_id"] for m in last if m["role"] == "tool"} <= known
        # The next run sends the same beginning, byte for byte.
        again = pi.ask(server.url, *FLAGS)
        assert again.returncode == 0, again.stderr
        assert sent(server)[-1][: len(last)] == last
    assert pi("--session-validate").returncode == 0


def too_long_once(*turns: tuple[bytes, ...]) -> Callable[[Peer], None]:
    """Refuses the first request, answers the others."""
    words = f"This model's maximum context length is {WINDOW} tokens."
    refusal = json.dumps({"error": {"message": words, "code": "context_length_exceeded"}}).encode()
    refused: list[bool] = []
    left = list(turns)

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if refused:
                stream(peer, *left.pop(0))
                continue
            refused.append(True)
            head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
            peer.send(head + b"Content-Length: %d\r\n\r\n%s" % (len(refusal), refusal))

    return script


def test_a_refusal_as_too_long_is_answered_with_one_compaction_and_one_retry(pi: Pi) -> None:
    with FaultServer(answers(said("word " * 300, 400), said("word " * 300, 800))) as server:
        for _ in range(2):
            assert pi.ask(server.url, *FLAGS).returncode == 0
    turns = [said("SUMMARY", 50), said("BEGINNING", 50), said("done", 60)]
    with FaultServer(too_long_once(*turns)) as server:
        done = pi.ask(server.url, *FLAGS, "--json-events")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 0, done.stderr
    (end,) = [line for line in lines if line["type"] == "auto_compaction_end"]
    assert end["will_retry"] is True
    assert end["result"]["tokens_after"] < end["result"]["tokens_before"]
    assert len(compactions(pi)) == 1
    assert lines[-1]["status"] == "completed"


def test_switched_off_a_refusal_is_an_error(pi: Pi) -> None:
    with FaultServer(too_long_once()) as server:
        done = pi.ask(server.url, *FLAGS, "--compaction", "false")
        assert done.returncode == 5
        assert len(server.requests) == 1


def test_a_script_can_ask_for_it_and_the_next_run_goes_on_from_the_summary(pi: Pi) -> None:
    long = said("word " * 300, 400)
    with FaultServer(answers(long, long)) as server:
        for _ in range(2):
            assert pi.ask(server.url, *FLAGS).returncode == 0
    turns = (said("SUMMARY", 50), said("BEGINNING", 50), said("done", 60))
    with FaultServer(answers(*turns)) as server:
        flags = ("--command-file", "-", "--api-base", server.url, *FLAGS)
        done = pi(*flags, stdin="/compact the tests\n/compact\n", OPENAI_API_KEY="key-123456")
        assert done.returncode == 0, done.stderr
        assert "context compacted: tokens_before=" in done.stdout
        assert "nothing to compact" in done.stdout
        assert "Look especially at: the tests" in texts(sent(server)[0])[-1]
        (entry,) = compactions(pi)
        assert pi.ask(server.url, *FLAGS).returncode == 0
        assert any(entry["summary"] in text for text in texts(sent(server)[-1]))
    assert pi("--session-validate").returncode == 0


def test_in_the_line_mode_the_next_prompt_goes_on_from_the_summary(pi: Pi) -> None:
    long = said("word " * 300, 400)
    turns = (long, long, said("SUMMARY", 50), said("BEGINNING", 50), said("done", 60))
    with FaultServer(answers(*turns)) as server:
        lines = "one\ntwo\n/compact\nthree\n"
        done = pi("--api-base", server.url, *FLAGS, stdin=lines, OPENAI_API_KEY="key-123456")
        assert done.returncode == 0, done.stderr
        assert "context compacted: tokens_before=" in done.stdout
        (entry,) = compactions(pi)
        last = texts(sent(server)[-1])
        assert any(entry["summary"] in text for text in last)
        assert last[-1] == "three"
        assert "one" not in last
    assert pi("--session-validate").returncode == 0


def test_without_a_key_it_says_so_and_changes_nothing(pi: Pi) -> None:
    with FaultServer(answers(said("word " * 300, 400))) as server:
        assert pi.ask(server.url, *FLAGS).returncode == 0
    before = (pi.folder / DEFAULT).read_bytes()
    done = pi("--command-file", "-", *FLAGS, stdin="/compact\n")
    assert done.returncode == 3
    assert "OPENAI_API_KEY" in done.stdout + done.stderr
    assert (pi.folder / DEFAULT).read_bytes() == before
