"""Laws of the shell reader, with bash itself as the judge where one is installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pi.tools.shell.compounds import Compounds
from pi.tools.shell.grammar import parse_all
from pi.tools.shell.quick import quick
from pi.tools.shell.reader import parse
from pi.tools.shell.syntax import Script, ShellSyntaxError, Simple, Word
from tests.fakes.examples import few

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(BASH is None, reason="no bash on this system")

EXAMPLES = [
    "a; b | c",
    "a && b || c",
    "a & b",
    "{ a; b; }",
    "( a; b ) | c",
    "! a",
    "time a | b",
    "coproc X { a; }",
    "if t; then a; else b; fi",
    "while t; do a; break; done",
    "until f; do a; break; done",
    "for x in a $(b); do c $x; done",
    "for ((i=0; i<1; i++)); do a $(b); done",
    "case x in (a|b) c;; $(a)*) b;; *) d 'e';; esac",
    "[[ $(a) == b && -f c ]] || d",
    "(( 1 + 2 ))",
    "a <<E\nx $(b)\nE\n",
    "a <<'E'\nx $(b)\nE\nc",
    "a <<-E\n\tx `b`\n\tE\nc",
    "a <<E; b <<F\n$(c)\nE\n`d`\nF\n",
    'a <<E\n"it\'s" \\$(b) ${x:-$(c)} $((1+1))\nE\n',
    'echo "$(cat <<E\n$(a x)\nE\n)"',
    "g() { a; }; g",
    "function g { a; }; g",
    "x=1 y=$(b) a",
    "x=(a $(b)) c",
    "x[$(a)]=1 b",
    "declare -a x=(a $(b)); c",
    'echo $(a `b`) "$(c "d e")"',
    "a `b \\`c\\` 'd'`",
    'a "`b \\"c d\\"`"',
    "a $(case x in x) b;; esac)",
    "a \"b $(c) ${x:-$(d)}\" '$(d)' \\$ \\(",
    "a ${x:-`b`} ${#x} ${x[1]} ${x/a/b} ${x:0:1}",
    "a <(b) >(c)",
    "a --x=<(b)",
    'a $((1+1)) "$(( (1) ))" $[1+1]',
    "a $((t); (b c))",
    "a 2>&1 >f <<<x",
    "a $'b\\'$(c)' \"d\" 'e'\"f\"\\ g",
    "${x:-a} b",
    "x=a; $x c",
    "a \\\n b && \\\nc",
    "a # $(b)\nc",
    "a *.z {b,c} ~/d",
    "select x in a; do b; done",
]
# fmt: off
PIECES = [
    'a', 't', '$(b)', '`c`', ';d;', '\nb\n', '<(c)', '>(d)', "'", '"', '\\', '\\\n', '$', '{',
    '}', '(', ')', '[', ']', '((', '))', '$((', '$(', '`', '${x:-', '${x[', '${x:', '${x/',
    '<<E\n', "<<'E'\n", '\nE\n', ' #', '&&', '&', ';', ' ', '\n', 'x=', 'x+=(', 'x[', ']=', "$'",
    "\\'", '$"', '\\"', '\\`', '\\$', '$x', '~', '*', '[[ ', ' ]]', '=~', '==', 'case x in ',
    ' esac', '*)', ';;', 'if ', 'then ', 'fi', 'for i in ', 'do ', 'done', '! ', 'time ', '{ ',
    '}', 'f()', 'function f ', 'coproc ', 'declare ', "'$(d)'", '"$(b)"', '\\$(c)', '"\'$(d)\'"',
    '2>', '&>', '>&', '<<<', '{a,b}', '\r', 'é',
]
# fmt: on


def read(text: str) -> Script | None:
    try:
        return parse(text)
    except ShellSyntaxError as error:
        if not 0 <= error.offset <= len(text):
            raise
        return None


@st.composite
def near_scripts(draw: st.DrawFn) -> str:
    """Valid commands, joined, one inside of another, then damaged at a few places."""
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(0, 2))):
        other = draw(st.sampled_from(EXAMPLES))
        frame = draw(
            st.sampled_from(
                ["%s; @", "%s\n@", "%s && @", "%s | @", 'echo "$(%s)"', "{ %s\n}", "(%s) && @"]
            )
        )
        text = frame.replace("%s", text).replace("@", other)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        gone = draw(st.sampled_from((0, 0, 0, 1, 2)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + gone :]
    return text


@settings(max_examples=few(400), deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES)).map("".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    """parse returns or raises ShellSyntaxError; a word's source stands in the text."""
    script = read(text)
    if script is None:
        return
    offsets = [command.offset for command in script.commands]
    assert offsets == sorted(offsets)
    if "`" not in text and "<<" not in text:
        for command in script.commands:
            assert all(word.raw in text for word in command.words)


# What ``quick`` may take, and what stands near it.
PLAIN_TEXT = r"""
a bc 2 = x= x+= a[ ] [ ' " '' "" \ $x ${y} $1 $? $ $$ $- ` ( ) { } {a,b} ~ ~/x :~ * ? # ; & &&
|| | |& > < >> 2> 2>&1 >&2 >& <& &> &>> >| <> << <<< if then time ! [[ export é - .. declare
10> {x}> 'b' "b" "$x" "\$" "\a" $'a' =~ done 'a|b' "a;b" \; \" ${y:-a} ${y%.*} "b${y:=}" ${y:1}
${y/a/b} ${y+ "a ${y#*-} c"
"""
PLAIN_PIECES = [*PLAIN_TEXT.split(), "\r", "\\$"]


@settings(max_examples=few(1500), deadline=None)
@given(st.lists(st.one_of(st.just(" "), st.sampled_from(PLAIN_PIECES)), max_size=14).map("".join))
def test_the_quick_reader_reads_as_the_whole_grammar_does(text: str) -> None:
    """Whatever quick accepts, the whole grammar reads to the very same commands."""
    script = quick(text)
    if script is not None:
        assert repr(by_all_rules(text)) == repr(script)


WORDS = (
    r"""
a|x=1|'q w'|"d $x"|*.c|$y|k=$(a)|> f|2>&1|< g|in|[|!|$(a b)|"$(c 'd')"|`e f`|"`z`"|>> 'h'|'$(a)'
\$|$(<f)|-n|do
""".strip()
    .replace("\n", "|")
    .split("|")
)
FRAMES = (
    """
if @; then @; fi|if @; then @; elif @; then @; else @; fi|while @; do @; done > f|! @
until @; do @; done < g 2>&1|for v in a *.c; do @; done|for v in $(@); do @; done|$(@)|@ "$(@)"
for v in; do @; done|if @; fi|for v in a; @; done|while @; done|do @; done|x=$(@)|x=`@` @
""".strip()
    .replace("\n", "|")
    .split("|")
)
JOINTS = [" | ", " && ", "; ", " & ", ";", " || ", " |& ", "| ! ", " "]


@st.composite
def compound_lines(draw: st.DrawFn, depth: int = 2) -> str:
    """Lists of plain and compound commands, most of them right, now and then damaged."""

    def command(level: int) -> str:
        if level == 0 or draw(st.booleans()):
            return " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)))
        parts = draw(st.sampled_from(FRAMES)).split("@")
        return parts[0] + "".join(listed(level - 1) + part for part in parts[1:])

    def listed(level: int) -> str:
        text = command(level)
        for _ in range(draw(st.integers(0, 2))):
            text += draw(st.sampled_from(JOINTS)) + command(level)
        return text

    text = listed(depth)
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(text)))
        gone = draw(st.integers(0, 2))
        text = text[:at] + draw(st.sampled_from(PLAIN_PIECES)) + text[at + gone :]
    return text


@settings(max_examples=few(1000), deadline=None)
@given(compound_lines())
def test_the_quick_reader_reads_compound_commands_as_the_whole_grammar_does(text: str) -> None:
    script = quick(text)
    if script is not None:
        assert outcome(by_all_rules, text) == repr(script)


@settings(max_examples=few(500), deadline=None)
@given(compound_lines(), st.sets(st.sampled_from(["a", "b", "x", "z"])))
def test_only_arguments_of_known_names_are_left_unread(text: str, names: set[str]) -> None:
    check_short(names, quick(text), quick(text, words_of(names)))


@settings(max_examples=few(500), deadline=None)
@given(near_scripts(), st.sets(st.sampled_from(["a", "b", "c", "d"])))
def test_in_any_command_only_arguments_of_known_names_are_left_unread(
    text: str, names: set[str]
) -> None:
    if outcome(parse_all, text) == "refused":
        assert outcome(lambda text: parse_all(text, words_of(names)), text) == "refused"
    else:
        check_short(names, parse_all(text), parse_all(text, words_of(names)))


def words_of(names: set[str]) -> dict[str, tuple[Word, ...]]:
    return {name: (Word(name, name, name),) for name in names}


def check_short(names: set[str], whole: Script | None, short: Script | None) -> None:
    """Of a command with a known name and no redirection all but its arguments is the same."""
    if whole is None or short is None:
        assert whole is short
        return
    assert short[1:] == whole[1:]
    assert len(short.commands) == len(whole.commands)
    for mine, full in zip(short.commands, whole.commands):
        if mine != full:
            assert full.words[0].raw in names
            assert (full.redirects, full.assignments) == ((), ())
            assert mine == full._replace(words=full.words[:1])


class AllRules(Compounds):
    """The grammar without its short cuts for plain commands."""

    __slots__ = ()

    def plain_commands(self) -> None:
        return None

    def plain_simple(self) -> bool:
        return False


def by_all_rules(text: str) -> Script:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pi.tools.shell.grammar.Compounds", AllRules)
        return parse_all(text)


def outcome(read: Callable[[str], Script], text: str) -> str:
    try:
        return repr(read(text))
    except ShellSyntaxError:
        return "refused"


MORE_PIECES = r"""
if then else fi while do done for x in a case esac { } ( ) $( a=$( "$( ` ; ; && || | |& & ;; ;& ;;&
time ! \ <<E E # 2>&1 > coproc function f()
"""
NESTED_PIECES = [*MORE_PIECES.split(), "\n", "\\\n", "\t", *EXAMPLES]


@settings(max_examples=few(500), deadline=None)
@given(
    st.lists(
        st.one_of(st.just(" "), st.just(" b "), st.sampled_from(PLAIN_PIECES + NESTED_PIECES)),
        max_size=12,
    ).map("".join)
)
def test_plain_commands_within_anything_are_read_as_by_all_rules(text: str) -> None:
    """With the short cuts and without, a text gives the same commands, or none."""
    assert outcome(parse_all, text) == outcome(by_all_rules, text)


@pytest.mark.parametrize(
    "text",
    [
        "ls -la && git status",
        "cd src; cargo test --lib -- a::b --exact 2>&1 | grep -E '^(error|test )' | head -n 40",
        'git commit -m "Say where it was" && git log --oneline -n 3 > out.txt',
        "A=1 B='x y' find . -name *.py -newer \\( \"$HOME/a b\" ${x} & echo $?;",
        'for f in *.py; do grep -n "import $NAME" "$f" | wc -l; done > counts.txt 2>&1',
        'if ! [ -f a ]; then x=$(git rev-parse HEAD); else echo "at `date -u`"; fi | cat',
        'while read -r line; do until a; do b; done; echo "$(basename "$line" .py)"; done < f',
        "cat f | while read -r x; do a; b && c; done; d",
        "a | if b; then c $(d; e); fi | f; g",
    ],
)
def test_common_lines_need_no_more_than_the_quick_reader(text: str) -> None:
    assert quick(text) == by_all_rules(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b; ", ""),
        ("$(a ", ""),
        ("$(a 'b' ", ")"),
        ('"$(a "b"', ""),
        ('a "$(b c) ', ""),
        ("`a `", ""),
        ("if a; then ", ""),
        ("for x in $(a); do ", ""),
        ("while a; do b; done; ", ""),
        ('"$abc', ""),
        ("a'b' ", ">f>"),
        ("a\\b", "<<"),
        ('"$a b" ', ""),
        ("$((", ""),
        ("$((a); ", ""),
        ("((", ""),
        ("`", ""),
        ("a <<E\n$(", "\nE\n"),
        ("a <<E\nx\\\n", ""),
        ("a <<E\nE\n", ""),
        ("{a,", ""),
        ("'", "'"),
        ('"$x" ', ""),
        ("${x:-", "}"),
        ("x[", "]"),
        ("\\\n", ""),
        ("\\", ""),
        ("[[ a =~ (", ""),
        ("((1)); ", ""),
        ("a `b \\`c\\` $((1)); ((2))` ", ""),
        ("a[b]=(c d) ", ""),
        ("a $(( (1) + [2] )) ", ""),
        ("if a; then b; fi; ", ""),
        ("\n", ""),
        ("# ", "\n"),
        (">f ", ""),
        ("! ", ""),
        ("[ ", ""),
        ("{", "}"),
        ("$$", ""),
        ("${x", ""),
        ("$'\\x41", "'"),
    ],
)
def test_time_is_linear_in_the_text(before: str, after: str) -> None:
    """Sixteen times the text takes far less than 16 x 16 times as long."""

    def measured(count: int) -> float:
        text = before * count + after * count
        best = 1e9
        for _ in range(3):
            start = time.process_time()
            read(text)
            best = min(best, time.process_time() - start)
        return best

    assert measured(4_800) < 120 * max(measured(300), 0.0005)


@needs_bash
@settings(max_examples=few(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(near_scripts())
def test_what_is_read_bash_reads_too(text: str) -> None:
    """Whatever parse accepts, ``bash -n`` accepts without a word."""
    if read(text) is None:
        return
    checked = subprocess.run(
        [str(BASH), "-n", "-c", "--", text], stdin=subprocess.DEVNULL, capture_output=True
    )
    assert (checked.returncode, checked.stderr) == (0, b"")


# Every command bash does not find is written down; with no PATH that is every command but
# the builtins. ``t`` succeeds, ``f`` fails, the others take turns.
RECORDING = """ulimit -t 2; command_not_found_handle() {
    local IFS=; printf '%s\\0' "$#" "$@" >>"$LOG"
    case $1 in t) return 0;; f) return 1;; esac; return $((RANDOM & 1)); }
RANDOM=7
"""


def ran(text: str, folder: Path) -> list[list[str]]:
    """The commands that run when bash runs ``text``, each with its arguments."""
    log = folder / "log"
    log.write_bytes(b"")
    process = subprocess.Popen(
        [str(BASH), "-c", "--", RECORDING + text],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/nonexistent", "LOG": str(log), "LC_ALL": "C.UTF-8"},
        cwd=folder,
        start_new_session=True,
    )
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        pass
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    fields = log.read_bytes().decode().split("\0")
    calls = []
    at = 0
    while at < len(fields) - 1 and fields[at].isdigit():
        end = at + 1 + int(fields[at])
        if end >= len(fields):
            break
        calls.append(fields[at + 1 : end])
        at = end
    return calls


def may_be(command: Simple, call: list[str]) -> bool:
    """Whether ``call`` is what ``command`` becomes, as far as its words are known."""
    for index, word in enumerate(command.words):
        if word.value is None or word.glob:
            return True
        if index >= len(call) or call[index] != word.value:
            return False
    return len(command.words) == len(call)


@needs_bash
@settings(
    max_examples=few(250),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(near_scripts())
def test_whatever_runs_was_found(tmp_path: Path, text: str) -> None:
    """Each command that bash runs is among those found, with the words that were known."""
    script = read(text)
    if script is None:
        return
    for call in ran(text, tmp_path):
        assert any(may_be(command, call) for command in script.commands), call


@needs_bash
@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_are_read_and_run_as_found(tmp_path: Path, text: str) -> None:
    script = parse(text)
    for call in ran(text, tmp_path):
        assert any(may_be(command, call) for command in script.commands), call


def quoted(word: str, how: str) -> str:
    if how == "single":
        return "'" + word + "'"
    if how == "double":
        return '"' + word + '"'
    if how == "backslash":
        return "".join("\\" + char for char in word)
    if how == "ansi":
        return "$'" + "".join(f"\\x{ord(char):02x}" for char in word) + "'"
    if how == "joined":
        return word[:1] + "\\\n" + word[1:]
    return word


@settings(max_examples=few(300), deadline=None)
@given(st.data())
def test_how_words_are_written_changes_nothing(data: st.DataObject) -> None:
    """Blanks, line continuations and quotes around literal words leave the values alone."""
    words = data.draw(
        st.lists(st.text("abcxyz09._/-+:@%", min_size=1, max_size=8), min_size=1, max_size=6)
    )
    ways = st.sampled_from(["bare", "single", "double", "backslash", "ansi", "joined"])
    gaps = st.sampled_from([" ", "\t", "  ", " \\\n", " \\\n\t "])
    parts = []
    for index, word in enumerate(words):
        if index:
            parts.append(data.draw(gaps))
        parts.append(quoted(word, data.draw(ways)))
    (command,) = parse("".join(parts)).commands
    assert [word.value for word in command.words] == words
    assert [word.prefix for word in command.words] == words
    assert not any(word.glob for word in command.words)
