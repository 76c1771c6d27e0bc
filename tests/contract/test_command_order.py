"""The older program's commands: all there, in its order, and suggested as it did."""

from __future__ import annotations

import pytest

from pi.commands.suggest import did_you_mean
from pi.commands.table import BY_NAME, COMMANDS

OLDER = (
    *("/help", "/session", "/session-search", "/session-stats", "/session-diff", "/doctor"),
    *("/session-graph-export", "/session-export", "/session-import", "/policy", "/audit-summary"),
    *("/models-list", "/model-show", "/skills-search", "/skills-show", "/skills-list"),
    *("/skills-lock-diff", "/skills-prune", "/skills-trust-list", "/skills-trust-add"),
    *("/skills-trust-revoke", "/skills-trust-rotate", "/skills-lock-write", "/skills-sync"),
    *("/skills-verify", "/branches", "/macro", "/auth", "/integration-auth", "/profile"),
    *("/branch-alias", "/session-bookmark", "/branch", "/resume", "/session-repair"),
    *("/session-compact", "/quit"),
)


def test_they_come_first_and_in_that_order() -> None:
    names = [spec.name for spec in COMMANDS]
    assert tuple(names[: len(OLDER)]) == OLDER
    assert len(set(names)) == len(names)
    assert list(BY_NAME)[: len(OLDER) + 1] == [*OLDER, "/exit"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/polciy", "/policy"),
        ("/e", "/exit"),
        ("/", "/help"),
        ("/skills", "/skills-search"),
        ("/p", "/policy"),
        ("/m", "/models-list"),
        ("/s", "/session"),
        ("/zzzzzzzz", ""),
        ("/HELP", ""),
    ],
)
def test_a_slip_gets_the_suggestion_it_always_got(typed: str, meant: str) -> None:
    lines = did_you_mean(typed, tuple(BY_NAME))
    assert lines[:1] == ([f"did you mean {meant}?"] if meant else [])


def test_rows_of_the_table_are_consistent() -> None:
    for spec in COMMANDS:
        assert spec.name.startswith("/")
        assert spec.name == spec.name.lower()
        assert spec.usage.startswith(spec.name)
        assert spec.summary
        assert not spec.summary.endswith(".")
        assert not spec.example or spec.example.startswith(spec.name)
        assert spec.words[0] <= spec.words[1]
        assert "json" not in [option.name for option in spec.options]
