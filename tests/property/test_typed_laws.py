"""Laws of typed lines and of the history file."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.errors import UsageError
from pi.cli.line_completion import offers
from pi.cli.line_history import decode, encode, is_kept, is_secret
from pi.cli.typed import BLOCK, Entry, Gathering, goes_on, meaning
from tests.fakes.examples import few

SIGNS = st.characters(exclude_characters="\n", exclude_categories=["Cs"])
LINE = st.one_of(
    st.text(SIGNS, max_size=20),
    st.sampled_from([BLOCK, "\\", "a\\", "a\\\\", "/quit", "!ls", "//x", "/auth x", "--role "]),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def gathered(lines: list[str]) -> list[Entry]:
    gathering = Gathering()
    found = [entry for line in lines if (entry := gathering.feed(line)) is not None]
    try:
        last = gathering.finish()
    except UsageError:
        return found
    return found if last is None else [*found, last]


@given(st.lists(LINE.filter(lambda line: line.strip() != BLOCK), max_size=12))
@settings(max_examples=few(200), deadline=None)
def test_nothing_is_lost_but_the_backslashes_that_go_on(lines: list[str]) -> None:
    """Every line is in exactly one text, in order."""
    texts = [entry.text for entry in gathered(lines)]
    assert "\n".join(texts) == "\n".join(line[:-1] if goes_on(line) else line for line in lines)


@given(st.lists(LINE, max_size=12))
@settings(max_examples=few(100), deadline=None)
def test_any_lines_are_some_texts(lines: list[str]) -> None:
    """Whatever is fed, nothing fails, and afterwards nothing is left open."""
    assert all(isinstance(entry, Entry) for entry in gathered(lines))


@given(st.lists(st.text(SIGNS, max_size=20).filter(lambda line: line.strip() != BLOCK), max_size=8))
@settings(max_examples=few(100), deadline=None)
def test_a_block_keeps_its_lines_as_they_are(lines: list[str]) -> None:
    """What stands between two marks is one text, unchanged, and a prompt."""
    (entry,) = gathered([BLOCK, *lines, BLOCK])
    assert entry == Entry("\n".join(lines), verbatim=True)
    typed = meaning(entry)
    assert typed is None or typed.kind == "prompt"


@given(TEXT)
@settings(max_examples=few(200), deadline=None)
def test_pasted_lines_never_run_anything(text: str) -> None:
    """A line with a line break inside is a prompt, or nothing."""
    entry = Gathering().feed(f"{text}x\ny{text}")
    assert entry is not None
    typed = meaning(entry)
    assert typed is not None
    assert typed.kind == "prompt"


@given(st.lists(TEXT.filter(bool), max_size=6))
@settings(max_examples=few(200), deadline=None)
def test_the_history_gives_back_what_it_got(texts: list[str]) -> None:
    """Reading what was written gives the same entries, one line each."""
    data = b"".join(map(encode, texts))
    assert data.count(b"\n") == len(texts)
    assert decode(data) == texts


@given(st.binary(max_size=60))
@settings(max_examples=few(100), deadline=None)
def test_any_bytes_are_some_history(data: bytes) -> None:
    """A history file that holds anything at all can be read."""
    assert all(isinstance(entry, str) for entry in decode(data))


@given(st.sampled_from(["/auth", "/integration-auth", "/AUTH", "/Integ"]), TEXT)
@settings(max_examples=few(100), deadline=None)
def test_a_secret_is_never_kept(name: str, text: str) -> None:
    """Whatever follows the name of a command that takes a secret."""
    line = f"{name} {text}"
    assert is_secret(line)
    assert not is_kept(line, ())


@given(LINE)
@settings(max_examples=few(200), deadline=None)
def test_tab_never_fails_and_offers_only_what_goes_on(line: str) -> None:
    """What is offered begins with what was typed of the word, whatever the case."""
    sources = {"places": lambda start: ["12 ", "Hotfix "], "paths": lambda start: [start + "x"]}
    start = line.lstrip().rpartition(" ")[2].lower()
    assert all(one.lower().startswith(start) for one in offers(line, sources))
