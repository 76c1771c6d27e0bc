"""The built file against a gateway by somebody else: three wire formats, answers and errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import Pi
from tests.fakes import aimock_process, litellm_process
from tests.fakes.wires import WIRES

WHY_NOT = litellm_process.missing() or aimock_process.missing()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)

# No character beyond U+FFFF: the server behind would cut it in two, and the gateway fails at that.
TEXT = "It says greetings. Größe, 漢字"
FIXTURES = [
    {"match": {"hasToolResult": True}, "response": {"content": TEXT}},
    {
        "match": {"userMessage": "hello"},
        "response": {"toolCalls": [{"name": "read", "arguments": {"path": "hello.txt"}}]},
    },
]


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    """A model behind the gateway that speaks chat only, and two the gateway makes up."""
    with aimock_process.running(FIXTURES, "-c", "5") as server:
        behind = {"model": "hosted_vllm/model-1", "api_base": server.url + "/v1", "api_key": "x"}
        made_up = {"model": "openai/model-1", "api_key": "x"}
        models = [
            {"model_name": "translated", "litellm_params": behind},
            {"model_name": "made-up", "litellm_params": {**made_up, "mock_response": TEXT}},
            {
                "model_name": "limited",
                "litellm_params": {**made_up, "mock_response": "litellm.RateLimitError"},
            },
        ]
        with litellm_process.running(models) as url:
            yield url


def ask(pi: Pi, gateway: str, api: str, model: str) -> tuple[int, str, str]:
    wire = WIRES[api]
    done = pi(
        *("--model", f"{wire.provider}/{model}", wire.base_flag, gateway + wire.base),
        *("--api-format", api, "--provider-max-retries", "0"),
        *("-p", "What does hello.txt say?"),
        **{wire.key_variable: litellm_process.KEY},
    )
    return done.returncode, done.stdout, done.stderr


def test_a_tool_conversation_over_each_format_that_the_gateway_translates(
    pi: Pi, gateway: str
) -> None:
    (pi.folder / "hello.txt").write_text("greetings\n", encoding="utf-8")
    for rounds, api in enumerate(("openai-chat", "openai-responses", "anthropic"), start=1):
        code, out, err = ask(pi, gateway, api, "translated")
        assert (code, out) == (0, TEXT + "\n"), (api, err)
        assert pi.roles() == ["user", "assistant", "tool", "assistant"] * rounds


def test_an_answer_that_comes_whole_though_a_stream_was_asked_for(pi: Pi, gateway: str) -> None:
    """Over Messages the gateway gives what it makes up as one JSON body."""
    assert ask(pi, gateway, "anthropic", "made-up")[:2] == (0, TEXT + "\n")
    assert ask(pi, gateway, "openai-chat", "made-up")[:2] == (0, TEXT + "\n")


def test_the_gateways_rate_limit_is_told_as_one(pi: Pi, gateway: str) -> None:
    """Not over Responses: there the gateway makes a 500 of its own rate limit."""
    for api in ("openai-chat", "anthropic"):
        code, out, err = ask(pi, gateway, api, "limited")
        assert (code, out) == (5, ""), (api, err)
        assert "HTTP 429" in err
        assert "mock rate limit error" in err
        assert litellm_process.KEY not in err
