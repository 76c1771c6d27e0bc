"""A picture that the model reads: what of it is in the next request, in each format."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.cli.asking import ask, bodies, streams
from tests.cli.conftest import Pi
from tests.fakes.fault_server import FaultServer
from tests.fakes.wires import WIRES


def _png() -> bytes:
    """The smallest picture: one transparent point."""
    return base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
        "RU5ErkJggg=="
    )


PNG = _png()
DATA = base64.b64encode(PNG).decode()
MODELS = {
    "openai-chat": "gpt-4o-mini",
    "openai-responses": "gpt-4o-mini",
    "anthropic": "claude-sonnet-4-5",
    "google": "gemini-2.5-flash",
}


def pictures(value: Any) -> list[Any]:
    """Every part of a body that holds the picture, whatever its form."""
    if isinstance(value, dict):
        if any(isinstance(part, str) and DATA in part for part in value.values()):
            return [value]
        return [found for part in value.values() for found in pictures(part)]
    if isinstance(value, list):
        return [found for part in value for found in pictures(part)]
    return []


FORMS: dict[str, Any] = {
    "openai-chat": {"url": f"data:image/png;base64,{DATA}"},
    "openai-responses": {
        "type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{DATA}"
    },
    "anthropic": {"type": "base64", "media_type": "image/png", "data": DATA},
    "google": {"mimeType": "image/png", "data": DATA},
}  # fmt: skip


@pytest.mark.parametrize("api", sorted(WIRES))
def test_a_picture_that_was_read_is_in_the_next_request_in_the_vendors_form(
    pi: Pi, api: str
) -> None:
    wire = WIRES[api]
    (pi.folder / "picture.txt").write_bytes(PNG)
    script = streams(wire.call("read", {"path": "picture.txt"}), wire.text(["seen"]))
    with FaultServer(script) as server:
        done = ask(pi, wire, server.url, "--json-events", model=MODELS[api])
        assert done.returncode == 0, done.stderr
        sent = bodies(server)
    assert pictures(sent[0]) == []
    (found,) = pictures(sent[1])
    assert found == FORMS[api]
    ends = [json.loads(line) for line in done.stdout.splitlines() if "execution_end" in line]
    assert ends[0]["is_error"] is False
    with FaultServer(streams(wire.text(["again"]))) as server:
        assert ask(pi, wire, server.url, model=MODELS[api]).returncode == 0
        (found,) = pictures(bodies(server)[0])  # and again from the session
    assert found == FORMS[api]


def test_a_model_without_eyes_gets_words_in_its_place(pi: Pi) -> None:
    wire = WIRES["openai-chat"]
    catalog = {
        "schema_version": 1,
        "entries": [
            {
                "provider": "openai",
                "model": "blind",
                "context_window_tokens": 128000,
                "supports_tools": True,
                "supports_multimodal": False,
                "supports_reasoning": False,
            }
        ],
    }
    (pi.folder / "catalog.json").write_text(json.dumps(catalog))
    (pi.folder / "picture.png").write_bytes(PNG)
    script = streams(wire.call("read", {"path": "picture.png"}), wire.text(["seen"]))
    with FaultServer(script) as server:
        more = ("--model-catalog-cache", "catalog.json", "--model-catalog-offline")
        done = ask(pi, wire, server.url, *more, model="blind")
        assert done.returncode == 0, done.stderr
        sent = bodies(server)
    assert pictures(sent) == []
    result = sent[1]["messages"][-1]
    assert result["role"] == "tool"
    assert "[image omitted: model does not accept images]" in result["content"]


def test_text_that_is_called_a_picture_is_read_as_text(pi: Pi) -> None:
    wire = WIRES["openai-chat"]
    (pi.folder / "text.png").write_text("words\n")
    script = streams(wire.call("read", {"path": "text.png"}), wire.text(["seen"]))
    with FaultServer(script) as server:
        assert ask(pi, wire, server.url).returncode == 0
        assert bodies(server)[1]["messages"][-1]["content"] == "words\n"
