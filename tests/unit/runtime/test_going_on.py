"""A conversation in which a prompt failed: the next one goes on, and so does the next run."""

from __future__ import annotations

import os
from pathlib import Path

from pi.base.cancel import Cancel
from pi.base.errors import ProviderFailed
from pi.runtime.recorder import Recorder
from pi.runtime.turns import run_prompt
from pi.sessions.store import SessionStore
from tests.fakes.agents import calls, make_agent
from tests.fakes.scripted import ScriptedModel, call_reply, text_reply


def open_store(path: Path) -> SessionStore:
    return SessionStore.open(str(path), now_ms=lambda: 7, random_bytes=os.urandom)


def test_after_a_provider_error_the_conversation_goes_on_with_what_was_done(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path / "s.jsonl")
    failed = text_reply("half", "error", error=ProviderFailed("the provider broke off"))
    model = ScriptedModel(call_reply(*calls("one")), failed, text_reply("better now"))
    agent = make_agent(model)
    recorder = Recorder(store, lambda error: None)

    def ask(prompt: str) -> str:
        end = run_prompt(agent, prompt, Cancel(), [recorder], lambda exc: None)
        return end.status

    assert ask("first") == "failed"
    assert ask("second") == "completed"
    sent = [message.text() for message in model.requests[-1].messages]
    assert sent == ["first", "", "one", "second"]
    assert "half" not in sent
    resumed = open_store(tmp_path / "s.jsonl").messages()
    assert [message.text() for message in resumed] == [*sent, "better now"]
