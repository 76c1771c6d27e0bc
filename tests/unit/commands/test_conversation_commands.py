"""/prompt, /new and /model against services that are handed in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pi.agent.events import AgentEnd
from pi.ai.types import Usage
from pi.base.errors import PiError, ProviderFailed
from pi.commands.context import CommandContext
from pi.commands.dispatch import Outcome, run_line


def run(line: str, tmp_path: Path, *, interactive: bool = False, **services: Any) -> Outcome:
    context = CommandContext(
        None, str(tmp_path), {}, lambda: 0, bytes, lambda question: True, lambda: None,
        {}, services, interactive,
    )  # fmt: skip
    return run_line(line, context)


def test_a_prompt_gets_the_text_as_it_was_typed_and_prints_the_answer(tmp_path: Path) -> None:
    asked: list[str] = []

    def prompt(text: str) -> AgentEnd:
        asked.append(text)
        return AgentEnd("completed", 2, Usage(3, 4))

    line = "/prompt  don't  drop --json 'this' -- or that"
    outcome = run(line, tmp_path, prompt=prompt, answer=lambda: "an answer\n")
    assert asked == ["don't  drop --json 'this' -- or that"]
    assert outcome.lines == ("an answer",)
    assert outcome.result.data == {
        "answer": "an answer\n",
        "status": "completed",
        "usage": {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7},
    }
    shown = run("/prompt x", tmp_path, interactive=True, prompt=prompt, answer=lambda: "a")
    assert shown.lines == ()


def test_a_prompt_that_failed_is_a_failure_with_what_there_is_of_the_answer(tmp_path: Path) -> None:
    error = ProviderFailed("broke off")
    end = AgentEnd("failed", 1, Usage(), error)
    outcome = run("/prompt x", tmp_path, prompt=lambda text: end, answer=lambda: "a part")
    assert outcome.result.error is error
    assert outcome.lines == ("a part",)


def test_a_prompt_without_text_or_without_a_conversation_is_one_error(tmp_path: Path) -> None:
    assert run("/prompt", tmp_path).lines == ("usage: /prompt <text>",)
    outcome = run("/prompt x", tmp_path)
    assert outcome.result.error is not None
    assert outcome.result.error.code == "no-conversation"


def test_a_new_session_says_where_it_is(tmp_path: Path) -> None:
    outcome = run("/new plan b", tmp_path, new_session=lambda name: f".pi/sessions/{name}.jsonl")
    assert outcome.lines == ("new session: path=.pi/sessions/plan b.jsonl",)
    assert run("/new", tmp_path, new_session=lambda name: "").lines == ("new session: path=none",)


def test_the_model_is_shown_or_switched(tmp_path: Path) -> None:
    def info() -> dict[str, Any]:
        return {"model": "openai/a", "fallbacks": ["openai/b", "openai/c"]}

    def switch(ref: str) -> dict[str, Any]:
        if ref == "bad":
            raise PiError("no such model")
        return {"model": ref, "fallbacks": []}

    services: dict[str, Any] = {"model_info": info, "switch_model": switch}
    assert run("/model", tmp_path, **services).lines == (
        "model: openai/a fallbacks=openai/b,openai/c",
    )
    assert run("/model x/y", tmp_path, **services).lines == ("model switched: x/y fallbacks=none",)
    assert run("/model bad", tmp_path, **services).lines == ("model error: error=no such model",)
