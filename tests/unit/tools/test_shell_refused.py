"""Texts the shell reader refuses: no commands to bash, or read in more than one way."""

from __future__ import annotations

import pytest

from pi.tools.shell.reader import parse
from pi.tools.shell.syntax import ShellSyntaxError
from pi.tools.shell.tape import MAX_NESTING, MAX_SECOND_READINGS

REFUSED = [
    "$(",
    "`",
    "'",
    '"',
    "echo 'x",
    'a "$(b)',
    "a $(b",
    "a `b",
    "${",
    "${x",
    "${}",
    "${x y}",
    "$((",
    "$((1",
    "$[1",
    "((1",
    "((1)",
    "[[ a",
    "[[ ]]",
    "[[ -f ]]",
    "[[ a b ]]",
    "[[ a == ]]",
    "[[ a == b c ]]",
    "[[ a && ]]",
    "[[ ( a ]]",
    "[[ a ]] b",
    "a)",
    "(a",
    "()",
    "( )",
    "{ a",
    "{ a }",
    "{ }",
    "{ a; } b",
    "(a) b",
    "} a",
    "a; ; b",
    ";",
    "&",
    "|",
    "a ||",
    "a &&",
    "a |",
    "| a",
    "a & ; b",
    "a &; b",
    "a;; b",
    "a | | b",
    "a | ! b",
    "! ",
    "!",
    "time",
    "if a; then b",
    "if a; fi",
    "if a; then fi",
    "then",
    "fi",
    "else a",
    "in",
    "]]",
    "do a; done",
    "while a; do done",
    "for",
    "for 1x in a; do b; done",
    "for x in a; b; done",
    "for x in a do b; done",
    "case x",
    "case x in a",
    "case x in a) b",
    "case x in a) b esac",
    "case x in esac)",
    "case a",
    "select x",
    "f()",
    "f() a",
    "if() { a; }",
    "x=1 f() { a; }",
    "a b() { c; }",
    "function",
    "function f a",
    "function if { a; }",
    "coproc",
    "coproc g() { a; }",
    "coproc if a",
    "a >",
    "a > > b",
    "a >&",
    "a > #b",
    "a <<",
    "a <<E",
    "a <<E\nx",
    "a <<$x\n$x",
    "a <<''\n\n",
    "$(a <<E)\nE",
    "a <<E $(b\nE\n)",
    "$(a <<E\nx\nE)",
    "a <<E\n$(\nE",
    "a <<E\n`\nE",
    "a <<E\n${x\nE",
    "x=(a",
    "x=(a;b)",
    "x=(a)b",
    "a x=(b)",
    "a=(b)=",
    "x[1",
    "x[1] a",
    "x[1]=(a)",
    "a @(b|c)",
    "a !(b)",
    "@(a)",
    "a(b)",
    "a(",
    "(a)(b)",
    "\\",
    "a \\",
    "a\x00b",
    "a\x01",
    "\x1b[31m",
    "a\x7f",
    "\ud800",
    "${!x}",
    "${x@P}",
    "${x!}",
    "\"${x:-'$(a)'}\"",
    '"${x:-<(a)}"',
    "$((x['$(a)']))",
    "$(( \\$(a) ))",
    "x['$(a)']=1",
    "[[ 'x[$(a)]' -eq 1 ]]",
    "[[ -v 'x[$(a)]' ]]",
    "$\\\n(a)",
    "a <\\\n<E",
    "a |\\\n| b",
    "$(\\\n(a))",
    "i\\\nf a; then b; fi",
    "x\\\n=1 a",
    "2\\\n>f",
    "((a);b)",
    "99999999999>f",
    "{x[1]}>f",
    "a >&-b",
    "a <(",
    "a >(b",
    "for ((a;b)); do c; done",
    "$$(a)",
    "$((1+$(case x in x) a;; esac)))",
    "`a\\\nb`",
    "({ a; )",
    "x=1 >f y=(b) c",
    ">f x[1]=2 a",
    "[[ a\n]]",
    "a >2>b",
    "$(coproc a)",
    "time -\\\np a",
    '"`a \'" b\'`"',
    "$(a]",
    '"$(a")"',
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ShellSyntaxError) as caught:
        parse(text)
    assert 0 <= caught.value.offset <= len(text)
    assert caught.value.reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 'b", "quote without its end at character 3"),
        ("a; else b", "unexpected 'else' at character 4"),
        ("a; `b \\`c \\`` )", "unexpected ')' at character 15"),
        ("a `b; ;`", "unexpected ';' at character 7"),
        ("a <<E\n$(\nE\n", "substitution without its end at character 8"),
    ],
)
def test_the_error_tells_what_and_where(text: str, message: str) -> None:
    with pytest.raises(ShellSyntaxError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("before", "middle", "after"),
    [
        ("a $(", "b", ")"),
        ("( ", "b", " )"),
        ("{ ", "b", "; }"),
        ("if a; then ", "b", "; fi"),
        ("f() { ", "b", "; }"),
        ('a "$(', "b", ')"'),
        ("a ${x:-", "b", "}"),
        ("a $((1 + ", "2", "))"),
        ("[[ a && ( ", "b", " ) ]]"),
        ("a <(", "b", ")"),
        ("x=($(", "b", "))"),
        ("while a; do ", "b", "; done"),
        ("case x in a) ", "b", ";; esac"),
    ],
)
def test_nesting_has_a_limit_and_never_exhausts_the_stack(
    before: str, middle: str, after: str
) -> None:
    if before.startswith("[["):
        before, after, start, end = "( ", " )", "[[ ", " ]]"
    else:
        start = end = ""
    deep = 10
    parse(start + before * deep + middle + after * deep + end)
    for deep in (MAX_NESTING + 1, 20_000):
        with pytest.raises(ShellSyntaxError, match="nested too deep"):
            parse(start + before * deep + middle + after * deep + end)


def test_a_deep_stack_of_the_caller_is_no_other_error() -> None:
    def under(depth: int) -> None:
        if depth:
            under(depth - 1)
        else:
            parse("$(" * 30 + "a" + ")" * 30)

    ends = []
    for depth in range(0, 1000, 20):
        try:
            under(depth)
        except ShellSyntaxError as error:
            ends.append(error.reason)
        except RecursionError:  # of ``under`` itself
            break
    assert set(ends) == {"nested too deep"}


def test_substitutions_that_look_like_arithmetic_are_few() -> None:
    parse("$((a); (b)) " * MAX_SECOND_READINGS)
    with pytest.raises(ShellSyntaxError, match="no arithmetic"):
        parse("$((a); (b)) " * (MAX_SECOND_READINGS + 1))
