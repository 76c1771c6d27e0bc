"""Asking the built file over a wire format, and reading what it sent and said."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from tests.cli.conftest import Pi
from tests.fakes.chat import answers
from tests.fakes.fault_server import FaultServer, Peer
from tests.fakes.wires import Wire, named

SECRET = "key-0123456789"


def ask(
    pi: Pi, wire: Wire, url: str, *more: str, model: str = "model-1"
) -> subprocess.CompletedProcess[str]:
    """One prompt over a wire format."""
    return pi(*arguments(wire, url, *more, model=model), **{wire.key_variable: SECRET})


def arguments(wire: Wire, url: str, *more: str, model: str = "model-1") -> list[str]:
    return [
        *("--model", f"{wire.provider}/{model}", wire.base_flag, url + wire.base),
        *("--api-format", wire.api, "-p", "hi", *more),
    ]


def streams(*turns: Sequence[bytes]) -> Callable[[Peer], None]:
    """A script that gives these streams in order, each with its proper end."""
    return answers(*map(tuple, turns))


def bodies(server: FaultServer) -> list[Any]:
    return [json.loads(request.body) for request in server.requests]


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    return re.findall(r"^error: (.*)$", done.stderr, re.MULTILINE)


def anthropic(*blocks: tuple[dict[str, Any], Sequence[dict[str, Any]]], reason: str) -> bytes:
    """A stream of these blocks, each with its deltas."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    usage = {"input_tokens": 10, "output_tokens": 1}
    out = named({"type": "message_start", "message": {**message, "usage": usage}})
    for index, (block, deltas) in enumerate(blocks):
        out += named({"type": "content_block_start", "index": index, "content_block": block})
        for each in deltas:
            out += named({"type": "content_block_delta", "index": index, "delta": each})
        out += named({"type": "content_block_stop", "index": index})
    end = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}}
    return out + named(end) + named({"type": "message_stop"})
