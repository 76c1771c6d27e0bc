"""/compact: what it says, with a service handed in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pi.agent.compaction import Summarised
from pi.agent.events import AutoCompactionEnd
from pi.base.errors import Interrupted, PiError
from pi.commands.arguments import Arguments
from pi.commands.compact import compact
from pi.commands.context import CommandContext

DONE = Summarised("S", 3, 9000, 1000, ("a.py",), ())


def context(service: Callable[[str], AutoCompactionEnd] | None) -> CommandContext:
    services = {} if service is None else {"compact": service}
    return CommandContext(
        store=None,
        cwd="/",
        environ={},
        now_ms=lambda: 0,
        random_bytes=bytes,
        confirm=lambda question: True,
        reload=lambda: None,
        settings={},
        services=services,
    )


def arguments(focus: str = "") -> Arguments:
    return Arguments((focus,) if focus else (), {}, False, focus)


def test_it_hands_the_focus_on_and_tells_the_sizes() -> None:
    asked: list[str] = []

    def service(focus: str) -> AutoCompactionEnd:
        asked.append(focus)
        return AutoCompactionEnd(DONE)

    result = compact(arguments("the tests"), context(service))
    assert asked == ["the tests"]
    assert result.ok
    assert result.text == (
        "context compacted: tokens_before=9000 tokens_after=1000 kept_messages=3",
    )
    assert result.data == {
        "compacted": True,
        "tokens_before": 9000,
        "tokens_after": 1000,
        "kept_messages": 3,
        "summary": "S",
        "files": {"read": ["a.py"], "modified": []},
    }


def test_nothing_to_do_is_no_failure() -> None:
    end = AutoCompactionEnd(error=PiError("nothing", code="nothing-to-compact"))
    result = compact(arguments(), context(lambda focus: end))
    assert result.ok
    assert result.text == ("nothing to compact",)
    assert result.data == {"compacted": False}


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (AutoCompactionEnd(error=PiError("no", code="http-500")), "http-500"),
        (AutoCompactionEnd(aborted=True, error=Interrupted("stop")), "interrupted"),
    ],
)
def test_a_failure_is_one(end: AutoCompactionEnd, code: str) -> None:
    with pytest.raises(PiError) as caught:
        compact(arguments(), context(lambda focus: end))
    assert caught.value.code == code


def test_without_a_model_it_says_so() -> None:
    with pytest.raises(PiError) as caught:
        compact(arguments(), context(None))
    assert caught.value.code == "no-compaction"
