"""Editing files."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from tool_bench import Bench, Benches

from pi.tools.policy import Policy


def test_the_one_match_is_replaced_and_the_change_told(bench: Bench, root: Path) -> None:
    (root / "f").write_text("one\ntwo\nthree\n", encoding="utf-8")
    result = bench("edit", path="f", find="two", replace="2")
    assert (root / "f").read_text(encoding="utf-8") == "one\n2\nthree\n"
    assert result.content == {
        "path": f"{root}/f",
        "replacements": 1,
        "first_changed_line": 2,
        "diff": " 1 one\n-2 two\n+2 2\n 3 three",
    }
    assert result.text == ("edited f in 1 place, first at line 2\n 1 one\n-2 two\n+2 2\n 3 three")


def test_several_matches_are_refused_unless_all_are_wanted(bench: Bench, root: Path) -> None:
    (root / "f").write_text("a\nb\na a\n", encoding="utf-8")
    result = bench("edit", path="f", find="a", replace="x")
    assert result.is_error
    assert "found 3 times, at lines 1, 3, 3;" in result.text
    assert (root / "f").read_text(encoding="utf-8") == "a\nb\na a\n"
    assert bench("edit", path="f", find="a", replace="x", all=True).content["replacements"] == 3
    assert (root / "f").read_text(encoding="utf-8") == "x\nb\nx x\n"


def test_several_edits_are_applied_together_or_not_at_all(bench: Bench, root: Path) -> None:
    (root / "f").write_text("one\ntwo\nthree\n", encoding="utf-8")
    edits = [{"find": "three", "replace": "3"}, {"find": "one", "replace": "1"}]
    failed = bench("edit", path="f", edits=[*edits, {"find": "four", "replace": "4"}])
    assert failed.text == "error: edit 3 of 3: target string not found"
    assert (root / "f").read_text(encoding="utf-8") == "one\ntwo\nthree\n"
    # Empty texts beside the list come from models that always send every property.
    result = bench("edit", path="f", edits=edits, find="", replace="")
    assert result.content["replacements"] == 2
    assert (root / "f").read_text(encoding="utf-8") == "1\ntwo\n3\n"


def test_a_text_that_is_not_there_is_answered_with_what_is(bench: Bench, root: Path) -> None:
    (root / "f").write_text("def go(a):\n    return a\n", encoding="utf-8")
    result = bench("edit", path="f", find="def go(b):\n    return b", replace="x")
    assert result.text == (
        "error: target string not found; most alike, at line 1-2:\ndef go(a):\n    return a"
    )


def test_line_ends_and_mark_of_the_file_are_kept(bench: Bench, root: Path) -> None:
    (root / "f").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\nthree\r\n")
    assert not bench("edit", path="f", find="one\ntwo", replace="1\n1.5\n2").is_error
    assert (root / "f").read_bytes() == b"\xef\xbb\xbf1\r\n1.5\r\n2\r\nthree\r\n"


def test_utf16_stays_utf16(bench: Bench, root: Path) -> None:
    (root / "f").write_bytes("é\r\n".encode("utf-16"))
    assert not bench("edit", path="f", find="é", replace="😀").is_error
    assert (root / "f").read_bytes() == "😀\r\n".encode("utf-16")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"caf\xe9", "path 'f' is not valid UTF-8, so it cannot be edited as text"),
        (b"caf\0", "path 'f' is a binary file, which cannot be edited as text"),
    ],
)
def test_what_cannot_be_written_back_is_not_edited(
    bench: Bench, root: Path, data: bytes, error: str
) -> None:
    (root / "f").write_bytes(data)
    assert bench("edit", path="f", find="caf", replace="x").content["error"] == error
    assert (root / "f").read_bytes() == data


def test_a_result_over_the_limit_leaves_the_file(benches: Benches, root: Path) -> None:
    bench = benches.make(policy=Policy(max_file_write_bytes=3))
    (root / "f").write_bytes(b"a")
    result = bench("edit", path="f", find="a", replace="longer")
    assert result.text == "error: edited content is too large (6 bytes), limit is 3 bytes"
    assert (root / "f").read_bytes() == b"a"


def test_a_file_over_the_read_limit_is_refused(benches: Benches, root: Path) -> None:
    bench = benches.make(policy=Policy(max_file_read_bytes=3))
    (root / "f").write_bytes(b"abcd")
    result = bench("edit", path="f", find="a", replace="b")
    assert result.content == {
        "path": "f",
        "error": "file is too large (4 bytes), limit is 3 bytes",
    }


def test_the_mode_is_kept(bench: Bench, root: Path) -> None:
    (root / "run.sh").write_text("old", encoding="utf-8")
    (root / "run.sh").chmod(0o755)
    bench("edit", path="run.sh", find="old", replace="new")
    assert stat.S_IMODE((root / "run.sh").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"path": "f"}, "missing required string argument 'find'"),
        ({"path": "f", "find": "a"}, "missing required string argument 'replace'"),
        ({"path": "f", "find": "", "replace": "x"}, "'find' must not be empty"),
        ({"path": "/nowhere", "find": "", "replace": "x"}, "'find' must not be empty"),
        ({"path": "f", "find": "a", "replace": "a"}, "'find' and 'replace' are identical"),
        ({"path": "f", "edits": "x"}, "'edits' must be a list of objects"),
        ({"path": "f", "edits": [1]}, "'edits' must be a list of objects"),
        ({"path": "f", "find": "\ud800", "replace": "x"}, "target string not found"),
        ({"path": "g", "find": "a", "replace": "x"}, "path 'g' does not exist"),
        ({"path": ".", "find": "a", "replace": "x"}, "path '.' must be a regular file"),
        ({"path": "../f", "find": "a", "replace": "x"}, "is outside allowed roots"),
    ],
)
def test_bad_arguments_are_an_error_result(
    bench: Bench, root: Path, arguments: dict[str, object], error: str
) -> None:
    (root / "f").write_bytes(b"a")
    result = bench("edit", **arguments)
    assert result.is_error
    assert error in result.content["error"]
    assert (root / "f").read_bytes() == b"a"


def test_the_change_is_told_without_secrets(benches: Benches, root: Path) -> None:
    bench = benches.make(environ={"FOO_TOKEN": "supersecret"})
    (root / "f").write_text("TOKEN=supersecret\nx\n", encoding="utf-8")
    result = bench("edit", path="f", find="x\n", replace="y\n")
    assert "[REDACTED]" in result.text
    failed = bench("edit", path="f", find="TOKEN=supersecre ", replace="y\n")
    for told in (result, failed):
        assert "supersecret" not in told.text + str(told.content)


def test_edits_at_the_same_time_all_happen(bench: Bench, root: Path) -> None:
    count = 20
    (root / "f").write_text("".join(f"<{n}>\n" for n in range(count)), encoding="utf-8")
    threads = [
        threading.Thread(
            target=bench, args=("edit",), kwargs={"path": "f", "find": f"<{n}>", "replace": "done"}
        )
        for n in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (root / "f").read_text(encoding="utf-8") == "done\n" * count
    assert os.listdir(root) == ["f"]


def test_what_was_typed_plainly_is_found_and_only_that_is_changed(bench: Bench, root: Path) -> None:
    """Quotes, dashes, odd spaces, full-width letters; what is around them stays, byte by byte."""
    around = "\u201ckeep\u201d \ufb01ne\u3000\uff01  \r\n"
    odd = "say(\u201chi\u201d) \u2013 \u00a0don\u2019t\uff08a\uff0cb\uff09"
    (root / "f").write_bytes(f"{around}{odd}  \r\n{around}".encode())
    result = bench("edit", path="f", find='say("hi") -  don\'t(a,b)', replace="new\nlines")
    changed = f"{around}new\r\nlines  \r\n{around}".encode()
    assert (root / "f").read_bytes() == changed
    assert result.content["fuzzy"] == ["looks"]
    assert result.content["replacements"] == 1
    assert "what looks like it was replaced]" in result.text


@pytest.mark.parametrize("all_", [False, True])
def test_two_places_that_only_look_like_the_text_are_refused(
    bench: Bench, root: Path, all_: bool
) -> None:
    before = "\u2018a\u2019\n\u201ba\u2019\n".encode()
    (root / "f").write_bytes(before)
    result = bench("edit", path="f", find="'a'", replace="b", all=all_)
    assert "2 places look like it, at lines 1, 2" in result.content["error"]
    assert (root / "f").read_bytes() == before


def test_lines_with_another_indentation_are_found_and_stay_indented(
    bench: Bench, root: Path
) -> None:
    (root / "f").write_bytes(b"class A:\r\n\tdef f():\r\n\t\tpass\r\n")
    result = bench("edit", path="f", find="def f():\n\tpass\n", replace="def f():\n\treturn 1\n")
    assert (root / "f").read_bytes() == b"class A:\r\n\tdef f():\r\n\t\treturn 1\r\n"
    assert result.content["fuzzy"] == ["indentation"]
    assert "another indentation" in result.text


def test_an_equal_text_comes_before_one_that_looks_like_it(bench: Bench, root: Path) -> None:
    (root / "f").write_text("\u2018a\u2019\n'a'\n", encoding="utf-8")
    result = bench("edit", path="f", find="'a'", replace="b")
    assert (root / "f").read_text(encoding="utf-8") == "\u2018a\u2019\nb\n"
    assert "fuzzy" not in result.content


@pytest.mark.parametrize("name", ["edit", "write"])
def test_a_change_by_somebody_else_since_the_last_read_is_told(
    bench: Bench, root: Path, name: str
) -> None:
    arguments = {
        "edit": {"path": "f", "find": "one", "replace": "two"},
        "write": {"path": "f", "content": "two"},
    }[name]
    note = "[the file had changed on disk since you last read it]"
    (root / "f").write_bytes(b"one")
    assert note not in bench(name, **arguments).text  # never read: nothing to compare
    bench("write", path="f", content="one")
    assert note not in bench(name, **arguments).text  # our own change
    bench("bash", command="echo one more > f")
    result = bench(name, **arguments)
    assert result.text.endswith(note)
    assert result.content["changed_since_read"]
    (root / "f").write_bytes(b"one again")
    bench("read", path="f")
    assert note not in bench(name, **arguments).text
