"""What a macro comes to: calls of other macros, circles, limits."""

from __future__ import annotations

import pytest

from pi.commands.macro_plan import MAX_DEPTH, MAX_STEPS, BadMacro, Macro, Step, check, expand
from pi.commands.macro_text import BadLine, Values


class Shelf:
    def __init__(self, **macros: tuple[str, ...]) -> None:
        self.macros = macros

    def find(self, name: str) -> Macro:
        if name not in self.macros:
            raise BadLine(f"unknown macro '{name}'")
        return Macro(name, self.macros[name], "/p/.pi/macros.json", "project")

    def expand(self, name: str, *values: str, **named: str) -> tuple[Step, ...]:
        check(self.find(name), self.find)
        return expand(self.find(name), Values(values, named), self.find)

    def refused(self, name: str) -> str:
        with pytest.raises(BadMacro) as caught:
            check(self.find(name), self.find)
        return caught.value.message


def test_calls_are_laid_out_with_their_values() -> None:
    shelf = Shelf(
        outer=("/session", '/macro run inner -- $1 "two words" id=${who:-me}'),
        inner=("/session-search $1", "/session-search $2", "/branch ${id}"),
    )
    assert shelf.expand("outer", "x y") == (
        Step("outer", 0, "/session"),
        Step("inner", 0, "/session-search -- 'x y'"),
        Step("inner", 1, "/session-search -- 'two words'"),
        Step("inner", 2, "/branch -- me"),
    )
    assert shelf.expand("outer", "x", who="you")[-1].line == "/branch -- you"


@pytest.mark.parametrize("value", ["--", "id=9", "--dry-run", "a b"])
def test_a_value_handed_on_is_never_a_name_or_a_sign(value: str) -> None:
    shelf = Shelf(outer=("/macro run inner -- $1",), inner=("/session-diff $1 ${id:-1}",))
    made = shelf.expand("outer", value)[0].line
    assert made.endswith(" 1")
    assert value in made.replace("'", "")


def test_circles_are_refused_before_anything_runs() -> None:
    shelf = Shelf(a=("/session", "/macro run b"), b=("/macro run a",), c=("/macro run c",))
    assert shelf.refused("a").endswith("a -> b -> a is a circle")
    assert shelf.refused("c") == "macro command #0 failed validation: c -> c is a circle"


def test_sixteen_macros_within_each_other_are_enough() -> None:
    deep = {f"m{n}": (f"/macro run m{n + 1}",) for n in range(1, 3000)}
    last = f"m{MAX_DEPTH}"
    shelf = Shelf(**{**deep, last: ("/session",)})
    assert shelf.expand("m1") == (Step(last, 0, "/session"),)
    more = Shelf(**{**deep, f"m{MAX_DEPTH + 1}": ("/session",)})
    assert "more than 16 macros within each other" in more.refused("m1")
    assert "more than 16" in Shelf(**deep).refused("m1")


def test_the_depth_counts_also_where_a_macro_was_seen_before() -> None:
    chain = {f"m{n}": (f"/macro run m{n + 1}",) for n in range(1, 10)}
    shelf = Shelf(**chain, m10=("/session",), a=("/macro run m1", "/macro run b1"))
    shelf.macros.update({f"b{n}": (f"/macro run b{n + 1}",) for n in range(1, 9)})
    shelf.macros["b9"] = ("/macro run m1",)
    assert "more than 16" in shelf.refused("a")


def test_macros_that_multiply_are_stopped() -> None:
    twenty = 20
    shelf = Shelf(**{f"m{n}": (f"/macro run m{n + 1}",) * twenty for n in range(1, 12)}, m12=())
    with pytest.raises(BadLine, match=f"more than {MAX_STEPS} commands"):
        shelf.expand("m1")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/macro list", "of /macro only 'run' can be part of a macro"),
        ("/macro save x f", "of /macro only 'run' can be part of a macro"),
        ("/macro run", "usage: /macro run <name>"),
        ("/macro run $1", "the macro to run cannot be a parameter: $1"),
        ("/macro run b --trust-project", "takes no flags inside a macro"),
        ("/macro run missing", "unknown macro 'missing'"),
        ("/quit", "/quit cannot be part of a macro"),
    ],
)
def test_a_line_that_cannot_be_is_told_with_its_index(line: str, why: str) -> None:
    message = Shelf(a=("/session", line), b=("/session",)).refused("a")
    assert message.startswith("macro command #1 failed validation: ")
    assert why in message


def test_a_line_of_a_called_macro_is_told_with_that_ones_name() -> None:
    shelf = Shelf(a=("/macro run b",), b=("/nope",))
    assert shelf.refused("a") == (
        "macro command #0 of 'b' failed validation: unknown command: /nope"
    )
