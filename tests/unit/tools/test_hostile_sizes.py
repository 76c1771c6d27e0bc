"""Calls and files made to take for ever, or all of the memory, in what nothing can end."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

import pytest
from tool_bench import Bench, Benches

from pi.base.errors import Interrupted
from pi.tools.bash_result import ended_result, run_facts
from pi.tools.fuzzy import fuzzy_matches
from pi.tools.members import Member
from pi.tools.nearest import nearest_lines
from pi.tools.outcome import ToolFailure
from pi.tools.output import Output
from pi.tools.process import Ended
from pi.tools.search.git_files import read_file
from pi.tools.search.ignore import MAX_LINE, MAX_RULES, parse_rules
from pi.tools.search.names import NameFilter
from pi.tools.search.wildcards import MAX_EXPANDED, expand_braces

MARKS = "\u0301\u0316"  # of different classes: they have to be put in order


def test_a_path_longer_than_any_makes_no_directory(bench: Bench, root: Path) -> None:
    for name, arguments in (("read", {}), ("write", {"content": "x"})):
        result = bench(name, path="d/" * 3000 + "x", **arguments)
        assert result.content["error"] == "path is too long (6001 bytes), limit is 4096 bytes"
    result = bench("write", path="new/" + "x" * 256, content="x")
    assert result.content["error"] == "File name too long"
    assert os.listdir(root) == []


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of what is compared letter by letter: it can take their third power."""
    lengths: list[int] = []
    ratio = difflib.SequenceMatcher.ratio

    def counted(matcher: Any) -> float:
        lengths.append(max(len(matcher.a), len(matcher.b)))
        return ratio(matcher)

    monkeypatch.setattr(difflib.SequenceMatcher, "ratio", counted)
    return lengths


def test_only_the_beginning_of_a_long_text_is_compared(compared: list[int]) -> None:
    nearest_lines("one two " * 500, "two one " * 500)
    assert 0 < max(compared) <= 300


def test_only_a_few_short_names_are_compared(bench: Bench, root: Path, compared: list[int]) -> None:
    for number in range(120):
        (root / f"{number:03}{'ab' * 20}").touch()
    (root / f"000{'ab' * 99}").touch()
    (root / "ab\n[forged]").touch()
    bench("read", path=f"999{'ba' * 20}")
    assert len(compared) <= 80  # each is asked for twice
    assert max(compared) <= 80
    told = bench("read", path="ab [forged]").content["error"]
    assert told == "path 'ab [forged]' does not exist; there are: ab\\n[forged]"


def test_a_letter_with_endless_marks_is_not_put_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    import unicodedata

    asked: list[int] = []

    def counted(form: Any, text: str) -> str:
        asked.append(len(text))
        return unicodedata.normalize(form, text)

    monkeypatch.setattr("pi.tools.fuzzy.normalize", counted)
    line = "a" + MARKS * 2000
    text = f"{line}\nit\u2019s\n"
    assert fuzzy_matches(text, "it's") == [(len(line) + 1, len(line) + 5)]
    assert fuzzy_matches(f"x{line}  \n\u2019", f"{line}\n'") == [(1, len(line) + 5)]
    assert max(asked) <= 200


def test_an_ignore_file_of_nothing_but_rules_is_read_to_a_limit() -> None:
    assert len(parse_rules(b"a\n" * (MAX_RULES + 10), 0)) == MAX_RULES
    (rule,) = parse_rules(b"*a" * MAX_LINE + b"\nb\n", 0)
    assert rule.matches("b", "b", is_directory=False)


def test_a_glob_does_not_grow_beyond_all_measure() -> None:
    with pytest.raises(ToolFailure, match="the glob is too long: 5000 characters, limit 4096"):
        NameFilter("{a,b}" * 1000)
    pattern = "{a,b}" * 9 + "*x" * 1000
    assert sum(map(len, expand_braces(pattern))) <= MAX_EXPANDED
    assert len(expand_braces("{a,b}" * 9)) == 512


def test_an_excludes_file_that_is_no_file_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "device")  # opening some of those does something
    opened: list[object] = []
    really = os.open
    monkeypatch.setattr(os, "open", lambda *args, **more: opened.append(args) or really(*args))
    assert read_file(str(tmp_path / "device")) == b""
    assert opened == []


def test_many_edits_end_with_the_run_or_their_time(
    bench: Bench, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "f").write_text("one\n")
    with monkeypatch.context() as patched:
        patched.setattr("pi.tools.edit.SECONDS", -1.0)
        told = bench("edit", path="f", find="one", replace="two").content["error"]
        assert told.startswith("looking for the texts took more than")
    bench.cancel.set(Interrupted("stop"))
    told = bench("edit", path="f", find="one", replace="two").content["error"]
    assert told == "cancelled: stop; nothing was changed"
    assert (root / "f").read_text() == "one\n"


def test_a_line_far_down_in_a_hole_is_not_looked_for_for_ever(
    bench: Bench, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(root / "f", "wb") as file:
        file.write(b"line\n" * 3000)
        file.truncate(1 << 40)
    monkeypatch.setattr("pi.tools.read.SECONDS", -1.0)
    result = bench("read", path="f", offset=9999)
    assert result.content["error"].startswith("the line was not reached in")


def test_no_part_of_a_secret_shows_where_a_changed_line_is_cut(
    benches: Benches, root: Path
) -> None:
    secret = "s3cr3t-" + "Q" * 40
    bench = benches.make(environ={"X_TOKEN": secret})
    (root / "f").write_text("x" * 470 + secret + "\nfoo\n")
    assert "QQQ" not in str(bench("edit", path="f", find="foo", replace="bar"))
    (root / "g").write_text("a needle " + "x" * 1970 + secret + "\n")
    told = bench("edit", path="g", find="a needle " + "x" * 1960 + "y", replace="bar")
    assert "most alike" in told.text
    assert "QQQ" not in str(told)


def test_a_process_cannot_forge_a_line_by_its_name(tmp_path: Path) -> None:
    output = Output(1000, (), temp_dir=str(tmp_path), random_bytes=os.urandom)
    ended = Ended(0, "", 7, (Member(8, "a\x1b[2J\n[x]"),))
    facts = run_facts({}, sandboxed=False, sandbox_mode="off", dry_run=False)
    text = ended_result(output, ended, "", facts).text
    assert "8 a\\u001b[2J\\n[x];" in text
