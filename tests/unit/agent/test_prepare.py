"""What a model is shown of a call that cannot be run as it is."""

from __future__ import annotations

from pi.agent.prepare import prepare
from pi.ai.types import ToolCall


def test_a_name_of_any_length_does_not_come_back_whole() -> None:
    ready = prepare(ToolCall("1", "x" * 100_000, {}), {}, "/", is_cut=False)
    assert ready.refusal is not None
    assert ready.refusal.text.startswith("error: Tool 'xxx")
    assert "...' is not registered" in ready.refusal.text
    assert len(ready.refusal.text) < 300
