"""The grep tool."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
from search_bench import SearchBench, put

from pi.base.errors import Interrupted
from pi.base.text import secret_values
from pi.tools.definitions import GREP
from pi.tools.grep import MAX_CONTEXT, SECONDS
from pi.tools.search import search as search_module
from pi.tools.search.report import MAX_BYTES
from tests.fakes.patience import LONG_S, in_time

NOTHING = "No matches found"


@pytest.fixture
def tool(root: Path) -> SearchBench:
    return SearchBench(root)


def test_matching_lines_come_with_file_and_number_in_path_order(
    tool: SearchBench, root: Path
) -> None:
    put(root, {"b.txt": "no\nhit 1\n", "a/z.txt": "hit 2", "a.txt": "hit 3\r\n", "B": "hit 4"})
    result = tool("grep", pattern="hit")
    assert result.text == "B:1: hit 4\na.txt:1: hit 3\na/z.txt:1: hit 2\nb.txt:2: hit 1"
    assert not result.is_error
    assert result.content == {
        "path": f"{root}/.",
        "content": result.text,
        "matches": 4,
        "files": 4,
        "truncated": False,
    }


def test_the_order_is_that_of_whole_paths(tool: SearchBench, root: Path) -> None:
    put(root, dict.fromkeys(("a/b", "a.c", "a-b", "a0", "a/a.b/c", "a/a-b"), "x"))
    found = [line.partition(":")[0] for line in tool("grep", pattern="x").text.split("\n")]
    assert found == sorted(found) == ["a-b", "a.c", "a/a-b", "a/a.b/c", "a/b", "a0"]


def test_nothing_found_is_said(tool: SearchBench, root: Path) -> None:
    put(root, {"f": "x"})
    assert tool("grep", pattern="y").text == NOTHING
    assert tool("grep", pattern="y", path="f").text == NOTHING


def test_one_file_is_searched_even_if_ignored(tool: SearchBench, root: Path) -> None:
    put(root, {"d/f.log": "one\ntwo\n", ".gitignore": "*.log\nout/\n", "out/f": "two"})
    assert tool("grep", pattern="two", path="d/f.log").text == "f.log:2: two"
    assert tool("grep", pattern="two").text == NOTHING
    assert tool("grep", pattern="two", path="out").text == "f:1: two"


def test_hidden_files_are_searched_and_git_s_own_are_not(tool: SearchBench, root: Path) -> None:
    put(root, {".env/.x": "hit", ".git/config": "hit", "sub/.git": "gitdir: hit"})
    assert tool("grep", pattern="hit").text == ".env/.x:1: hit"


def test_context_lines_are_joined_and_groups_parted(tool: SearchBench, root: Path) -> None:
    put(root, {"f": "1\nhit\n3\n4\nhit\n6\n7\n8\n9\nhit\n", "g": "hit\n"})
    assert tool("grep", pattern="hit", context=1).text.split("\n") == [
        *("f-1- 1", "f:2: hit", "f-3- 3", "f-4- 4", "f:5: hit", "f-6- 6"),
        *("--", "f-9- 9", "f:10: hit", "--", "g:1: hit"),
    ]
    assert "--" not in tool("grep", pattern="hit", context=2, path="f").text
    assert "--" not in tool("grep", pattern="hit", context=0).text
    assert tool("grep", pattern="hit", context=-1).is_error
    assert not tool("grep", pattern="hit", context=10**9).is_error
    assert MAX_CONTEXT >= 10


def test_context_is_what_gnu_grep_shows(tool: SearchBench, root: Path) -> None:
    text = "".join("hit\n" if at % 7 in (0, 3) or at % 29 == 5 else f"{at}\n" for at in range(300))
    put(root, {"f": text})
    for context in (1, 2, 3, 5):
        done = subprocess.run(
            ["grep", "-n", f"-C{context}", "hit", "f"], cwd=root, capture_output=True, check=True
        )
        ours = tool("grep", pattern="hit", context=context, limit=1000).text.split("\n")
        plain = [line if line == "--" else line[2:].replace(" ", "", 1) for line in ours]
        assert plain == done.stdout.decode().split("\n")[:-1]


def test_a_pattern_is_a_regular_expression_or_text(tool: SearchBench, root: Path) -> None:
    put(root, {"f": "a.b\naxb\nA.B\n(x\n"})
    assert tool("grep", pattern="a.b").text == "f:1: a.b\nf:2: axb"
    assert tool("grep", pattern="a.b", literal=True).text == "f:1: a.b"
    assert tool("grep", pattern="a.b", literal=True, ignoreCase=True).text == "f:1: a.b\nf:3: A.B"
    assert tool("grep", pattern=r"^A\.B$", ignoreCase=True).text == "f:1: a.b\nf:3: A.B"
    assert tool("grep", pattern="(x", literal=True).text == "f:4: (x"
    assert tool("grep", pattern="(?i)a.b$").text.count("\n") == 2


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "(?P<x", "a{2,1}", "x" * 20_000, ""])
def test_what_is_no_pattern_is_an_error(tool: SearchBench, pattern: str) -> None:
    result = tool("grep", pattern=pattern)
    assert result.is_error
    assert "pattern" in result.text or "invalid regular expression" in result.text


def test_a_glob_chooses_files(tool: SearchBench, root: Path) -> None:
    put(root, dict.fromkeys(("a.js", "b.ts", "c.py", "src/d.js", "src/lib/e.ts"), "x"))

    def found(glob: str) -> list[str]:
        text = tool("grep", pattern="x", glob=glob).text
        return [] if text == NOTHING else [line.split(":")[0] for line in text.split("\n")]

    assert found("*.js") == ["a.js", "src/d.js"]
    assert found("*.{js,ts}") == ["a.js", "b.ts", "src/d.js", "src/lib/e.ts"]
    assert found("src/**/*.ts") == ["src/lib/e.ts"]
    assert found("src/**") == ["src/d.js", "src/lib/e.ts"]
    assert found("/*.js") == found("./*.js") == ["a.js"]
    assert found("!*.{js,ts}") == ["c.py"]
    assert found("*.none") == []


def test_text_in_other_encodings_is_found(tool: SearchBench, root: Path) -> None:
    put(
        root,
        {
            "bom8": b"\xef\xbb\xbfna\xc3\xafve\n",
            "latin1": "naïve\n".encode("latin-1"),
            "utf16be": b"\xfe\xff" + "x\nnaïve\n".encode("utf-16-be"),
            "utf16le": "\ufeffnaïve\r\n".encode("utf-16-le"),
            "utf8": "naïve\n",
        },
    )
    everywhere = [
        f"{name}:{2 if name == 'utf16be' else 1}: naïve" for name in sorted(os.listdir(root))
    ]
    for pattern in ("naïve", "na.ve", "^na", "ïve$", r"n[a-z]ï\w\w"):
        assert tool("grep", pattern=pattern).text.split("\n") == everywhere, pattern


def test_binary_files_are_skipped(tool: SearchBench, root: Path) -> None:
    put(root, {"a": b"hit\0", "b": b"hit\n" + b"x" * 8192 + b"\0", "c": b"\0" + b"hit\n" * 40_000})
    assert tool("grep", pattern="hit").text == "b:1: hit"


def test_the_limit_is_kept_and_the_next_one_named(tool: SearchBench, root: Path) -> None:
    put(root, {"f": "hit\nx\nhit\nx\nx\nx\nhit\n"})
    cut = tool("grep", pattern="hit", limit=2, context=1)
    assert cut.text == (
        "f:1: hit\nf-2- x\nf:3: hit\nf-4- x\n\n"
        "[2 matches limit reached. Use limit=4 for more, or refine pattern]"
    )
    assert cut.content["truncated"]
    assert cut.content["matches"] == 2
    assert "[" not in tool("grep", pattern="hit", limit=3).text


def test_a_hundred_matches_are_the_default_limit(tool: SearchBench, root: Path) -> None:
    put(root, {"f": "hit\n" * 101})
    result = tool("grep", pattern="hit")
    assert result.text.count("f:") == 100
    assert result.text.endswith(
        "[100 matches limit reached. Use limit=200 for more, or refine pattern]"
    )


def test_long_lines_and_much_text_are_cut(tool: SearchBench, root: Path) -> None:
    put(root, {"long": "é" * 501 + "hit\n", "exact": "hit" + "x" * 497})
    lines = tool("grep", pattern="hit").text.split("\n")
    assert lines[0] == "exact:1: hit" + "x" * 497
    assert lines[1] == "long:1: " + "é" * 500 + "... [truncated]"
    assert lines[-1] == "[Some lines truncated to 500 chars. Use read tool to see full lines]"
    put(root, {"much": ("hit" + "é" * 300 + "\n") * 1000})
    result = tool("grep", pattern="hit", limit=5000, path="much")
    assert len(result.content["content"].encode()) <= MAX_BYTES
    assert len(result.content["content"].encode()) > MAX_BYTES - 700
    assert "50.0KB limit reached" in result.text


def test_a_secret_is_blanked_also_where_a_line_is_cut(root: Path) -> None:
    key = "-----BEGIN KEY-----\nAAAABBBBCCCCDDDDEEEE\n"
    tool = SearchBench(root, secrets=secret_values({"A_TOKEN": "s3cr3t-value", "A_KEY": key}))
    put(
        root,
        {"f": "x" * 495 + "s3cr3t-value\ns3cr3t-value x\n", "k": "a\nx AAAABBBBCCCCDDDDEEEE\n"},
    )
    result = tool("grep", pattern="x")
    for text in (result.text, result.content["content"]):
        assert "s3c" not in text
        assert "AAAA" not in text
    assert "f:2: [REDACTED] x" in result.text


def test_a_large_file_is_searched_in_pieces(tool: SearchBench, root: Path) -> None:
    size = 400_000
    lines = [f"line {number}" for number in range(1, size + 1)]
    for number in (1, 2, 70_000, 200_000, size):
        lines[number - 1] += " hit"
    put(root, {"f": "\n".join(lines)})
    for pattern in ("hit", "h[i]t", r"\d+ hit$"):
        assert tool("grep", pattern=pattern).text.split("\n") == [
            f"f:{number}: line {number} hit" for number in (1, 2, 70_000, 200_000, size)
        ], pattern
    with_context = tool("grep", pattern=r"hi[t]", context=2).text
    expected = [
        f"f{':' if n in (1, 2, 70_000, 200_000, size) else '-'}{n}"
        for group in (range(1, 5), (69_998, 69_999, 70_000, 70_001, 70_002))
        for n in group
    ]
    shown = [line.split(" ")[0][:-1] for line in with_context.split("\n") if line != "--"]
    assert shown[: len(expected)] == expected


def test_context_reaches_over_the_pieces_of_a_large_file(tool: SearchBench, root: Path) -> None:
    # A match on every line whose number is a multiple of 997: some lie at a border.
    text = "".join(
        f"{n} hit\n" if n % 997 == 0 else f"{n} {'x' * (n % 50)}\n" for n in range(1, 90_000)
    )
    put(root, {"f": text})
    done = subprocess.run(["grep", "-nC3", "hit", "f"], cwd=root, capture_output=True, check=True)
    want = done.stdout.decode().split("\n")[:-1]
    ours = tool("grep", pattern="hit", context=3, limit=10_000).content["content"].split("\n")
    plain = [line if line == "--" else line[2:].replace(" ", "", 1) for line in ours]
    assert plain == want[: len(plain)]
    assert len(plain) > 500


def test_a_line_without_end_does_not_fill_the_memory(tool: SearchBench, root: Path) -> None:
    put(root, {"f": b"x" * 6_000_000 + b"\nhit\n"})
    assert tool("grep", pattern="hit").text == "f:2: hit"


def test_a_catastrophic_pattern_is_stopped(
    tool: SearchBench, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SECONDS == 10
    put(root, {"f": "hit aa\n" + "a" * 40 + "b\n", "a": "aaa\n"})

    def attempt(limit_ms: int) -> None:  # all of it is burnt by the child
        monkeypatch.setattr("pi.tools.grep.SECONDS", limit_ms / 1000)
        result = tool("grep", pattern="(a+)+$")
        assert not result.is_error
        stopped = f"[stopped after {limit_ms // 1000} s"
        assert result.text.startswith(f"a:1: aaa\nf:1: hit aa\n\n{stopped}")
        assert result.content["truncated"]

    in_time(attempt, 2000)


def test_a_cancel_ends_a_catastrophic_pattern_at_once(
    tool: SearchBench, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pi.tools.grep.SECONDS", 300.0)
    put(root, {"f": "a" * 40 + "b\n"})
    timer = threading.Timer(0.3, tool.cancel.set, [Interrupted("stop")])
    timer.start()
    began = time.monotonic()
    result = tool("grep", pattern="(a+)+$")
    timer.join()
    assert time.monotonic() - began < LONG_S
    assert result.is_error
    assert result.text == "error: cancelled: stop"


def test_a_cancelled_run_searches_nothing(tool: SearchBench, root: Path) -> None:
    put(root, {"f": "hit"})
    tool.cancel.set(Interrupted("stop"))
    assert tool("grep", pattern="hit").text == "error: cancelled: stop"


def test_a_child_process_finds_the_same(tool: SearchBench, root: Path) -> None:
    put(root, {"é/f.py": "x\nhit 1\nx\n", ".gitignore": "*.log\n", "a.log": "hit 2", "b": "hit 3"})
    simple = tool("grep", pattern="hit [0-9]", context=1)
    risky = tool("grep", pattern=r"(?:h+)+it [0-9]*", context=1)
    assert simple.text == risky.text == "b:1: hit 3\n--\né/f.py-1- x\né/f.py:2: hit 1\né/f.py-3- x"
    assert tool("grep", pattern="(h+)+it", limit=1).text.startswith(
        "b:1: hit 3\n\n[1 matches limit"
    )
    assert tool("grep", pattern="(h+)+it", path="b").text == "b:1: hit 3"


def test_names_are_shown_on_one_line(tool: SearchBench, root: Path) -> None:
    put(root, {"a\nb": "hit"})
    with open(os.path.join(os.fsencode(root), b"c\xff"), "wb") as file:
        file.write(b"hit")
    assert tool("grep", pattern="hit").text == "a\\nb:1: hit\nc\ufffd:1: hit"
    assert tool("grep", pattern="h+it").text == "a\\nb:1: hit\nc\ufffd:1: hit"


def test_links_and_pipes_are_not_opened(tool: SearchBench, root: Path, tmp_path: Path) -> None:
    put(tmp_path, {"outside/f": "hit"})
    os.symlink(tmp_path / "outside", root / "dir")
    os.symlink(tmp_path / "outside" / "f", root / "file")
    os.mkfifo(root / "pipe")
    assert tool("grep", pattern="hit").text == NOTHING
    assert "must be a regular file" in tool("grep", pattern="hit", path="pipe").text
    assert "outside allowed roots" in tool("grep", pattern="hit", path="dir").text


def test_the_store_of_credentials_is_never_shown(tool: SearchBench, root: Path) -> None:
    put(root, {".pi/credentials.json": "hit", "f": "hit", ".pi/x": "hit"})
    for pattern in ("hit", "h+it"):
        result = tool("grep", pattern=pattern, limit=2)
        assert result.text == ".pi/x:1: hit\nf:1: hit"
    assert "holds secrets" in tool("grep", pattern="hit", path=".pi/credentials.json").text


def test_a_missing_path_is_told_with_near_names(tool: SearchBench, root: Path) -> None:
    put(root, {"source/f": ""})
    result = tool("grep", pattern="x", path="sourc")
    assert result.is_error
    assert result.text == "error: Path not found: sourc; there are: source"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_counted(tool: SearchBench, root: Path) -> None:
    put(root, {"f": "hit", "g": "hit"})
    (root / "f").chmod(0)
    assert tool("grep", pattern="hit").text == "g:1: hit\n\n[1 file or directory could not be read]"


def test_a_line_break_in_a_pattern_is_explained(tool: SearchBench, root: Path) -> None:
    put(root, {"f": "a\nb\n"})
    assert "lines are matched one at a time" in tool("grep", pattern=r"a\nb").text


def test_the_schema_is_closed_and_names_everything_the_tool_reads() -> None:
    assert set(GREP.parameters["properties"]) == {
        *("pattern", "path", "glob", "ignoreCase", "literal", "context", "limit"),
    }


@pytest.mark.skipif(shutil.which("rg") is None, reason="ripgrep is not installed")
def test_ripgrep_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "ALONE", 0)
    put(root, {f"d{at % 7}/{at}.txt": f"x\nrow {at} hit-{at % 3}\n" for at in range(300)})
    put(
        root,
        {
            "-e": "hit-1",
            "utf16": "\ufeffhit-1".encode("utf-16-le"),
            "bin": b"\0hit-1",
            "a\nb": "hit-1",
            ".gitignore": "d3/\n*.none\n",
            "x.none": "hit-1",
            ".hidden": "hit-1",
            "late": b"hit-1\n" + b"x" * 9000 + b"\0",
            ".rgignore": "*\n",
            ".ignore": "*\n",
        },
    )
    for pattern in ("hit-1", "hit-[12]", "row [0-9] hit", "nowhere", "hit-1$"):
        for more in ({}, {"context": 1}, {"glob": "*.txt"}, {"limit": 1000}):
            with_rg = SearchBench(root, use_ripgrep=True)("grep", pattern=pattern, **more)
            without = SearchBench(root, use_ripgrep=False)("grep", pattern=pattern, **more)
            assert with_rg == without
