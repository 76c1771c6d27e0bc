"""The registry names what the tables hold, and functions that there are."""

from __future__ import annotations

import pytest

from pi.tools.commands import registry
from pi.tools.commands.runners import DANGERS
from pi.tools.commands.wrappers import WRAPPERS


def test_every_wrapper_has_a_table_of_its_options() -> None:
    assert set(WRAPPERS) == registry.SHELL_WRAPPERS | registry.WRAPPERS
    assert not registry.SHELL_WRAPPERS & registry.WRAPPERS


def test_every_table_of_dangers_is_looked_at() -> None:
    judged = {n for n, place in registry.ARGUMENTS.items() if place == "runners:judge_danger"}
    assert judged == set(DANGERS)


@pytest.mark.parametrize(
    "place", sorted({*registry.BUILTINS.values(), *registry.ARGUMENTS.values()})
)
def test_every_judge_can_be_loaded(place: str) -> None:
    judge = registry.load(place)
    assert f"{judge.__module__}:{judge.__name__}" == f"pi.tools.commands.{place}"
    assert registry.load(place) is judge
