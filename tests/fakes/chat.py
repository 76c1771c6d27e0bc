"""Wire pieces of an OpenAI-compatible server, for scripts of ``fault_server``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.fakes.fault_server import Peer

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def event(payload: Any) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def delta(text: str) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


def call(name: str, arguments: Any, id_: str = "call_1", index: int = 0) -> bytes:
    """A tool call; ``arguments`` that are a str are sent as they are."""
    raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
    function = {"name": name, "arguments": raw}
    row = {"index": index, "id": id_, "type": "function", "function": function}
    return event({"choices": [{"index": 0, "delta": {"tool_calls": [row]}}]})


def finish(reason: str = "stop") -> bytes:
    return event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}) + DONE


def stream(peer: Peer, *pieces: bytes) -> None:
    """A whole streamed answer."""
    peer.send(STREAM)
    for piece in pieces:
        peer.chunk(piece)
    peer.chunk(b"")


def answers(*turns: tuple[bytes, ...]) -> Callable[[Peer], None]:
    """A script that gives the turns in order, over as many connections as the client makes."""
    left = list(turns)

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            stream(peer, *left.pop(0))

    return script
