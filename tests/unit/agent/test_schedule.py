"""Which calls run at the same time."""

from __future__ import annotations

import pytest

from pi.agent.schedule import plan
from pi.agent.tool import Effect

READ_A, READ_B = Effect(reads=("/d/a",)), Effect(reads=("/d/b",))
WRITE_A, WRITE_B = Effect(writes=("/d/a",)), Effect(writes=("/d/b",))
LIST_D = Effect(reads=("/d",))
COMMAND = Effect(runs=True)


@pytest.mark.parametrize(
    ("effects", "groups"),
    [
        ([], []),
        ([READ_A, READ_A, READ_B, LIST_D], [[0, 1, 2, 3]]),
        ([WRITE_A, WRITE_B], [[0, 1]]),
        ([WRITE_A, WRITE_A], [[0], [1]]),
        ([READ_A, WRITE_A, READ_A], [[0], [1], [2]]),
        ([LIST_D, WRITE_A], [[0], [1]]),
        ([WRITE_A, LIST_D], [[0], [1]]),
        ([Effect(writes=("/d",)), READ_A], [[0], [1]]),
        ([Effect(writes=("/d/ab",)), LIST_D._replace(reads=("/d/a",))], [[0, 1]]),
        ([Effect(writes=("/",)), READ_A], [[0], [1]]),
        ([COMMAND, COMMAND], [[0], [1]]),
        ([COMMAND, READ_A, READ_B], [[0, 1, 2]]),
        ([COMMAND, WRITE_A], [[0], [1]]),
        ([WRITE_A, COMMAND, READ_B], [[0], [1, 2]]),
        ([Effect(), COMMAND, Effect()], [[0, 1, 2]]),
    ],
)
def test_calls_that_clash_wait_for_each_other(
    effects: list[Effect], groups: list[list[int]]
) -> None:
    assert plan(effects) == groups


def test_sequential_means_one_after_the_other() -> None:
    assert plan([READ_A, READ_B], sequential=True) == [[0], [1]]


def test_thousands_of_calls_are_planned_in_no_time() -> None:
    effects = [Effect(writes=(f"/d/{at}",)) for at in range(20_000)]
    assert len(plan(effects)) == 1
