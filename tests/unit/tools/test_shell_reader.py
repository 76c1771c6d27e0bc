"""What the shell reader finds in a text, written one line a command.

A line holds, as far as they apply: ``|`` for piped and ``$`` for nested, assignments as
``name:=value``, words, redirections. ``?`` stands for what only the shell knows, behind the
text known before it; ``~`` ends what may expand to something else.
"""

from __future__ import annotations

import pytest

from pi.tools.shell.reader import parse
from pi.tools.shell.syntax import Simple, Word


def told_word(word: Word) -> str:
    text = f"?{word.prefix}" if word.value is None else word.value
    text = text if text and not set(text) & set(" \t\n'\"\\") else repr(text)
    return f"{text}~" if word.glob else text


def told(command: Simple) -> str:
    marks = ("|" if command.piped else "") + ("$" if command.nested else "")
    parts = [marks] if marks else []
    parts += [f"{name}:={told_word(value)}" for name, value in command.assignments]
    parts += [told_word(word) for word in command.words]
    parts += [
        f"{redirect.descriptor}{redirect.operator}"
        + (told_word(redirect.target) if redirect.target else "")
        for redirect in command.redirects
    ]
    return " ".join(parts)


EXAMPLES = [
    ("ls", ["ls"]),
    ("ls -la src", ["ls -la src"]),
    (" ls \t-l  ", ["ls -l"]),
    ("a;b", ["a", "b"]),
    ("a ; b;", ["a", "b"]),
    ("a & b &", ["a", "b"]),
    ("a && b || c", ["a", "b", "c"]),
    ("a | b | c", ["a", "| b", "| c"]),
    ("a |& b", ["a", "| b"]),
    ("a &&\n b", ["a", "b"]),
    ("a |\n b", ["a", "| b"]),
    ("a # c; d", ["a"]),
    ("# only words", []),
    ("a#b", ["a#b"]),
    ("a && b # c", ["a", "b"]),
    ("(a)", ["a"]),
    ("( a; b ) | c", ["a", "b", "| c"]),
    ("{ a; b; }", ["a", "b"]),
    ("{ a; } > f", ["a"]),
    ("{ (a) }", ["a"]),
    ("! a", ["a"]),
    ("! ! a | b", ["a", "| b"]),
    ("time a", ["a"]),
    ("time -p a | b", ["a", "| b"]),
    ("time -p -- a", ["a"]),
    ("a | time b", ["a", "| time b"]),
    ("if a; then b; fi", ["a", "b"]),
    ("if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]),
    ("if (a) then b; fi | c", ["a", "b", "| c"]),
    ("while a; do b; done < f", ["a", "b"]),
    ("until a; do b; done &", ["a", "b"]),
    ('for x in a "b c" *.py; do d $x; done', ["d ?"]),
    ("for x; do a; done", ["a"]),
    ("for x do a; done", ["a"]),
    ("for x in a; { b; }", ["b"]),
    ("for ((i=0; i<$(n); i++)); do a; done", ["$ n", "a"]),
    ("for ((i=$(x);;)) { y; }", ["$ x", "y"]),
    ("select x in a b; do c; done", ["c"]),
    ("case x in a) b;; esac", ["b"]),
    ("case $x in (a|b*) c ;& d) ;; *) e; esac", ["c", "e"]),
    ('case "$(a)" in "$(b)") c;; esac', ["$ a", "$ b", "c"]),
    ("case x in esac", []),
    ("f() { a; }", ["| a"]),
    ("f() ( g )", ["| g"]),
    ("function f { g; }", ["| g"]),
    ("function f() { g; } > out", ["| g"]),
    ("f () \n{ a; }; f", ["| a", "f"]),
    ("coproc X { y; }", ["| y"]),
    ("coproc a b", ["| a b"]),
    ("coproc { a; b; }", ["| a", "| b"]),
    ("a > f", ["a >f"]),
    (">f", [">f"]),
    ("a>f", ["a >f"]),
    ("a >> f 2>&1", ["a >>f 2>&1"]),
    ("a 2> /dev/null < in", ["a 2>/dev/null <in"]),
    ("a &> f", ["a &>f"]),
    ("a &>> f", ["a &>>f"]),
    ("a >| f", ["a >|f"]),
    ("a <> f", ["a <>f"]),
    ("a {fd}> f", ["a {fd}>f"]),
    ("a 12>f", ["a 12>f"]),
    ("a12>f", ["a12 >f"]),
    ("a >&2", ["a >&2"]),
    ("a 2>&-", ["a 2>&-"]),
    ("a 2>&1>f", ["a 2>&1 >f"]),
    ("> f a < g b", ["a b >f <g"]),
    ("a <<< word", ["a <<<word"]),
    ("<<<$(x) cat", ["cat <<<?", "$ x"]),
    ("a=b>c d", ["a:=b d >c"]),
    ("x=1 y='2 3' a", ["x:=1 y:='2 3' a"]),
    ("x+=1 a", ["x:=1 a"]),
    ("x[1]=2 a", ["x:=2 a"]),
    ("x[$(y)]=2 a", ["x:=2 a", "$ y"]),
    ("x=", ["x:=''"]),
    ("x=(1 $(y)) z", ["x:=? z", "$ y"]),
    ('x=(a [2]=b\n c # d\n "e f")', ["x:=?"]),
    ("declare -a x=(a $(b)) y=c", ["declare -a ?x= y=c", "$ b"]),
    ("export PATH=/x:$PATH", ["export ?PATH=/x:"]),
    ("a x=1", ["a x=1"]),
    ("x=$(y)", ["x:=?", "$ y"]),
    ("x=`y`", ["x:=?", "$ y"]),
    ("x=~/a:~/b", ["x:=~/a:~/b~"]),
    ('"r"m', ["rm"]),
    ("r\\m", ["rm"]),
    ("'r''m'", ["rm"]),
    ("r\\\nm", ["rm"]),
    ("a \\\n b", ["a b"]),
    ("$'\\x72m'", ["rm"]),
    ("$'\\162\\155'", ["rm"]),
    ("$'a\\'b\\n'", ['"a\'b\\n"']),
    ("$'\\u0041'", ["A"]),
    ("$'\\xff'", ["?"]),
    ('$"r"m', ["?"]),
    ('"a\\$b\\"c\\d"', ["'a$b\"c\\\\d'"]),
    ('"a\\\nb"', ["ab"]),
    ("a \"\" ''", ["a '' ''"]),
    ("a 'b\nc'", ["a 'b\\nc'"]),
    ('"$x"', ["?"]),
    ("$x y", ["? y"]),
    ("pre$x", ["?pre"]),
    ('pre"$x"post', ["?pre"]),
    ("${x}y", ["?"]),
    ("${x:-a}", ["?"]),
    ('"${x:-$(a)}"', ["?", "$ a"]),
    ("echo ${x:-`y`}", ["echo ?", "$ y"]),
    ('${x:-"$(a)"}', ["?", "$ a"]),
    ("${x:-'$(a)'}", ["?"]),
    ("${x:+<(a)}", ["?", "$ a"]),
    ("${x/$(a)/`b`}", ["?", "$ a", "$ b"]),
    ("${x##*/} ${x%.*} ${#x} ${x^^} ${x:1:2} ${x@Q}", ["? ? ? ? ? ?"]),
    ("${x:$(a):$(b)}", ["?", "$ a", "$ b"]),
    ("${x[$(y)]}", ["?", "$ y"]),
    ("${x[@]} ${#x[@]} ${!x[@]} ${!pre*}", ["? ? ? ?"]),
    ('"${x[${i}]}"', ["?"]),
    ("$# $@ $* $? $- $$ $! $0 $1", ["? ? ? ? ? ? ? ? ?"]),
    ("a $ b$", ["a $ b$"]),
    ("a $(b)", ["a ?", "$ b"]),
    ("a $(b $(c))", ["a ?", "$ b ?", "$ c"]),
    ('a "$(b "$(c "d e")")"', ["a ?", "$ b ?", "$ c 'd e'"]),
    ("a $(b; c | d)", ["a ?", "$ b", "$ c", "|$ d"]),
    ("a $( (b) )", ["a ?", "$ b"]),
    ("a $(case x in x) b;; esac)", ["a ?", "$ b"]),
    ("a $(b # )\n)", ["a ?", "$ b"]),
    ("a `b`", ["a ?", "$ b"]),
    ("a `b \\`c\\``", ["a ?", "$ b ?", "$ c"]),
    ('"`a \\"b\\"`"', ["?", "$ a b"]),
    ("`a '$x'`", ["?", "$ a $x"]),
    ("a $((1 + 2))", ["a ?"]),
    ("$((x[$(y)]))", ["?", "$ y"]),
    ("a $((1 + $(b)))", ["a ?", "$ b"]),
    ('a "$(( (1+2) * `b` ))"', ["a ?", "$ b"]),
    ("a $((b); (c))", ["a ?", "$ b", "$ c"]),
    ("a $[1 + $(b)]", ["a ?", "$ b"]),
    ("((x = $(a)))", ["$ a"]),
    ("((1)) && a", ["a"]),
    ("[[ $(x) == y && -n z ]]", ["$ x"]),
    ("[[ -f a || ! ( b < c ) ]] && d", ["d"]),
    ("[[ $x == @(a|b)* ]]", []),
    ("[[ $x =~ ^(a|b)+$ ]] || a", ["a"]),
    ("[[ $x -eq 1 ]]", []),
    ("a <(b) >(c)", ["a ? ?", "$ b", "|$ c"]),
    ("a --x=<(b)", ["a ?--x=", "$ b"]),
    ("a > >(b)", ["a >?", "|$ b"]),
    ("a < <(b | c)", ["a <?", "$ b", "|$ c"]),
    ("*.py", ["*.py~"]),
    ("a b?c [x-z] {a,b} {1..3} ~/x --x=~/y", ["a b?c~ [x-z]~ {a,b}~ {1..3}~ ~/x~ --x=~/y~"]),
    ("a {} [ ] {a} a{b}c \\*.py \"*\" '~'", ["a {} [ ] {a} a{b}c *.py * ~"]),
    ("[ -f x ]", ["[ -f x ]"]),
    ("find . -name '*.py' -exec grep -n x {} \\;", ["find . -name *.py -exec grep -n x {} ;"]),
    ('git commit -m "a (b) & c; d"', ["git commit -m 'a (b) & c; d'"]),
    ("awk '{print $1}' f | sort | uniq -c", ["awk '{print $1}' f", "| sort", "| uniq -c"]),
    ("echo done if then", ["echo done if then"]),
    ("a <<E\nx $(b)\nE", ["a <<", "$ b"]),
    ("cat <<'E'\n$(no)\nE", ["cat <<"]),
    ("a <<\\E\n$(no)\nE", ["a <<"]),
    ("a <<-E\n\tx `b`\n\tE", ["a <<-", "$ b"]),
    ("a <<A; b <<B\n$(c)\nA\n$(d)\nB", ["a <<", "b <<", "$ c", "$ d"]),
    ("a <<A <<B\n1\nA\n2\nB", ["a << <<"]),
    ("a <<E | b\nx\nE", ["a <<", "| b"]),
    ('echo "$(cat <<EOF\n$(rm x)\nEOF\n)"', ["echo ?", "$ cat <<", "$ rm x"]),
    ("while a; do b; done <<E\n$(x)\nE", ["a", "b", "$ x"]),
    ("a <<E\n\\$(b) \\`c\\` \\\\$(d)\nE", ["a <<", "$ d"]),
    ("a <<E\nx $(b \\\nc)\nE", ["a <<", "$ b c"]),
    ('a <<E\n"it\'s" ${x:-$(b)} $((1+$(c)))\nE', ["a <<", "$ b", "$ c"]),
    ('ünï "wörd" 漢字', ["ünï wörd 漢字"]),
    ("a ", ["a"]),
]


@pytest.mark.parametrize(("text", "expected"), EXAMPLES)
def test_every_command_is_found_in_the_order_of_the_text(text: str, expected: list[str]) -> None:
    assert [told(command) for command in parse(text).commands] == expected


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        ("a; b | c", [0, 3, 7]),
        ("a $(b `c`)", [0, 4, 7]),
        ("a `b \\`c\\``", [0, 3, 7]),
        ("a <<E\nx $(b)\nE\nc", [0, 10, 15]),
        ("a <<-E\n\t\tx $(b)\n\tE\nc", [0, 13, 19]),
        ("  x=$(a) b", [2, 6]),
    ],
)
def test_a_command_tells_where_it_stands(text: str, offsets: list[int]) -> None:
    assert [command.offset for command in parse(text).commands] == offsets


def test_functions_and_what_is_expanded_outside_of_commands_are_told() -> None:
    script = parse('f() { a; } >log; function g { b; }; for x in "$1" *.c; do c; done <in')
    assert script.functions == ("f", "g")
    assert [r.operator + (r.target.raw if r.target else "") for r in script.redirects] == [
        ">log",
        "<in",
    ]
    assert [told_word(word) for word in script.words] == ["?", "*.c~"]
    case = parse("case $x in (a|'b c') d;; esac")
    assert [told_word(word) for word in case.words] == ["?", "a", "'b c'"]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("a", False), ("'a'", True), ('"a"', True), ("\\a", True), ("$'a'", True), ("a\\\nb", False)],
)
def test_a_word_tells_whether_any_of_it_is_quoted(text: str, quoted: bool) -> None:
    assert parse(text).commands[0].words[0].quoted is quoted


def test_a_word_keeps_its_source() -> None:
    words = parse("a 'b c' \"$d\"e $(f g)").commands[0].words
    assert [word.raw for word in words] == ["a", "'b c'", '"$d"e', "$(f g)"]


def test_everything_behind_a_pipe_is_piped_however_deep() -> None:
    commands = parse("a | { b; while c; do d $(e); done; }; f").commands
    assert [(c.words[0].raw, c.piped) for c in commands] == [
        ("a", False),
        ("b", True),
        ("c", True),
        ("d", True),
        ("e", True),
        ("f", False),
    ]
