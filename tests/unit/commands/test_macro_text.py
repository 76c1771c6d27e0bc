"""Lines of macros: which may be stored, and how values get into them."""

from __future__ import annotations

import pytest

from pi.commands.arguments import read_arguments, split_line
from pi.commands.macro_text import (
    BadLine,
    Values,
    check_values,
    parameters,
    read_values,
    substitute,
    template,
)
from pi.commands.table import BY_NAME


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("hello", "command must start with '/'"),
        ("-/session", "command must start with '/'"),
        ("/nope", "unknown command: /nope"),
        ("/$1", "unknown command: /$"),
        ("/quit", "/quit cannot be part of a macro"),
        ("/EXIT now", "/quit cannot be part of a macro"),
        ("/branch", "usage: /branch <id>"),
        ("/session-search x --role king", "invalid --role 'king'; expected one of "),
        ("/session-search x --nope", "unknown flag '--nope'"),
        ("/session-search x --$1", "a parameter cannot be a flag"),
        ("/session\n/branch 1", "it holds a line break or another control character"),
        ("/branch \x01", "it holds a line break or another control character"),
        ("/branch ${", "'${' is no parameter; $$ is a dollar sign"),
        ("/branch ${1:?}", "'${1:?}' is no parameter; $$ is a dollar sign"),
        ("/policy $1 ls", "a parameter can stand from word 3 on only"),
    ],
)
def test_a_line_that_could_not_run_is_refused_with_the_reason(line: str, why: str) -> None:
    with pytest.raises(BadLine) as caught:
        template(line)
    assert caught.value.message.startswith(why)


@pytest.mark.parametrize(
    ("line", "values", "made"),
    [
        ("/branch 1", (), "/branch 1"),
        ("/session-export $HOME/a b", (), "/session-export $HOME/a b"),
        ("/branch $1", ("7",), "/branch -- 7"),
        ("/branch ${1:-latest}", (), "/branch -- latest"),
        ("/branch ${1:-latest}", ("",), "/branch -- latest"),
        ("/session-search $@ --limit 5", ("a b", "c"), "/session-search --limit=5 -- 'a b' c"),
        ("/session-search x-$@ --role $1", ("user",), "/session-search --role=user -- x-user"),
        ("/session-stats --json", (), "/session-stats --json"),
        ("/branch $$1", ("7",), "/branch -- '$1'"),
        ("/prompt Don't say $1, ${2:-x y}", ("a  b",), "/prompt Don't say a  b, x y"),
        ("/prompt $1 --json", ("--role",), "/prompt --role --json"),
        ("/policy check bash $@", ("rm", "-rf"), "/policy check bash rm -rf"),
    ],
)
def test_values_are_put_in(line: str, values: tuple[str, ...], made: str) -> None:
    assert substitute(line, Values(values)) == made


@pytest.mark.parametrize(
    "value", ["--json", "--", "a b", "'", '"', "a\nb", "", "$1", "/quit", "--role=user", "é\\"]
)
def test_a_value_is_one_word_and_no_flag_whatever_is_in_it(value: str) -> None:
    name, raw = split_line(substitute("/session-diff $1 --json ${2}", Values((value, value))))
    found = read_arguments(BY_NAME[name], raw)
    assert found.words == (value, value)
    assert found.as_json


def test_a_missing_value_and_one_too_many_are_told() -> None:
    with pytest.raises(BadLine, match="no value for \\$2; give it behind --"):
        substitute("/branch $2", Values(("a",)))
    with pytest.raises(BadLine, match="no value for \\$\\{name\\}; give it -- name=<value>"):
        substitute("/branch ${name}", Values())
    with pytest.raises(BadLine, match="unexpected argument 'b': the macro takes 1"):
        check_values(parameters("/branch $1"), Values(("a", "b")))
    check_values(parameters("/branch $@"), Values(("a", "b")))


def test_named_values_are_those_whose_name_the_macro_uses() -> None:
    found = parameters("/branch ${id} $1")
    assert read_values(["id=4", "x=5"], found) == Values(("x=5",), {"id": "4"})
    assert read_values(["--", "id=4"], found) == Values(("id=4",), {})
