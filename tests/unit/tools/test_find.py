"""The find tool."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from search_bench import SearchBench, put

from pi.base.errors import Interrupted
from pi.tools.search.report import MAX_BYTES

NOTHING = "No files found matching pattern"


@pytest.fixture
def tool(root: Path) -> SearchBench:
    return SearchBench(root)


def found(tool: SearchBench, pattern: str, **more: object) -> list[str]:
    text = tool("find", pattern=pattern, **more).text
    return [] if text == NOTHING else text.split("\n")


def test_a_name_is_found_at_any_depth_in_the_order_of_paths(tool: SearchBench, root: Path) -> None:
    put(root, dict.fromkeys(("b.py", "a/c.py", "a/d.txt", "a.py", "a-b/x/e.py"), ""))
    result = tool("find", pattern="*.py")
    assert result.text == "a-b/x/e.py\na.py\na/c.py\nb.py"
    assert result.content == {
        "path": f"{root}/.",
        "content": result.text,
        "results": 4,
        "truncated": False,
    }


def test_globs_are_those_of_every_editor(tool: SearchBench, root: Path) -> None:
    put(root, dict.fromkeys(("a.ts", "b.tsx", "src/c.ts", "src/x/y/d.ts", "src/x/é.ts"), ""))
    assert found(tool, "**/*.ts") == ["a.ts", "src/c.ts", "src/x/y/d.ts", "src/x/é.ts"]
    assert found(tool, "src/*.ts") == ["src/c.ts"]
    assert found(tool, "src/**/*.ts") == ["src/c.ts", "src/x/y/d.ts", "src/x/é.ts"]
    assert found(tool, "./*.{ts,tsx}") == found(tool, "/*.ts*") == ["a.ts", "b.tsx"]
    assert found(tool, "src/x/**") == ["src/x/y/", "src/x/y/d.ts", "src/x/é.ts"]
    assert found(tool, "?.ts") == ["a.ts", "src/c.ts", "src/x/y/d.ts", "src/x/é.ts"]
    assert found(tool, "[a-b].ts*") == ["a.ts", "b.tsx"]
    assert found(tool, "[!a-d]*") == ["src/", "src/x/", "src/x/y/", "src/x/é.ts"]
    assert found(tool, "**/x/**/*.ts") == ["src/x/y/d.ts", "src/x/é.ts"]
    assert found(tool, "a.{t") == []
    assert found(tool, "[") == []


def test_directories_have_a_slash_behind(tool: SearchBench, root: Path) -> None:
    put(root, {"src/lib/f": "", "lib": ""})
    assert found(tool, "lib") == ["lib", "src/lib/"]
    assert found(tool, "lib/") == ["src/lib/"]
    assert found(tool, "*") == ["lib", "src/", "src/lib/", "src/lib/f"]


def test_ignored_files_are_left_out_and_hidden_ones_are_not(tool: SearchBench, root: Path) -> None:
    put(
        root,
        {
            ".gitignore": "*.log\n/out\n!keep.log\n",
            **dict.fromkeys((".h/.x", "a.log", "keep.log", "out/f", "sub/out/f"), ""),
            ".git/HEAD": "",
            "sub/.gitignore": "/out/f\n",
        },
    )
    assert found(tool, "*") == [
        *(".gitignore", ".h/", ".h/.x", "keep.log", "sub/", "sub/.gitignore", "sub/out/"),
    ]


def test_paths_are_relative_to_the_directory_searched(tool: SearchBench, root: Path) -> None:
    put(root, {"a/b/c.py": "", "a/d.py": ""})
    assert found(tool, "*.py", path="a") == ["b/c.py", "d.py"]
    assert found(tool, "b/*.py", path=str(root / "a")) == ["b/c.py"]


def test_links_are_names_and_nothing_more(tool: SearchBench, root: Path, tmp_path: Path) -> None:
    put(tmp_path, {"outside/f": ""})
    os.symlink(tmp_path / "outside", root / "dir")
    os.symlink("nowhere", root / "dangling")
    assert found(tool, "*") == ["dangling", "dir"]
    assert found(tool, "f") == []


def test_the_limit_is_kept_and_the_next_one_named(tool: SearchBench, root: Path) -> None:
    put(root, {f"{at:02}": "" for at in range(11)})
    cut = tool("find", pattern="*", limit=10)
    assert cut.text.endswith(
        "\n09\n\n[10 results limit reached. Use limit=20 for more, or refine pattern]"
    )
    assert cut.content["results"] == 10
    assert cut.content["truncated"]
    assert len(found(tool, "*", limit=11)) == 11


def test_much_is_cut_at_whole_names(tool: SearchBench, root: Path) -> None:
    put(root, {f"{'n' * 200}{at:03}": "" for at in range(300)})
    result = tool("find", pattern="n*")
    assert len(result.content["content"]) <= MAX_BYTES
    assert all(len(name) == 203 for name in result.content["content"].split("\n"))
    assert "50.0KB limit reached" in result.text


def test_odd_names_are_shown_on_one_line(tool: SearchBench, root: Path) -> None:
    put(root, {"a\nb": "", "t\tt": "", "e\x1b[31m": ""})
    with open(os.path.join(os.fsencode(root), b"\xff.txt"), "wb"):
        pass
    assert found(tool, "*") == ["a\\nb", "e\\x1b[31m", "t\\tt", "\ufffd.txt"]
    assert found(tool, "*.txt") == ["\ufffd.txt"]


def test_a_secret_in_a_name_is_blanked(root: Path) -> None:
    put(root, {"x-s3cr3t-value": ""})
    assert SearchBench(root, secrets=("s3cr3t-value",))("find", pattern="*").text == "x-[REDACTED]"


def test_what_cannot_be_searched_is_an_error(tool: SearchBench, root: Path) -> None:
    put(root, {"f": ""})
    assert tool("find", pattern="*", path="f").text == "error: Not a directory: f"
    assert tool("find", pattern="*", path="g/h").text == "error: Path not found: g/h"
    outside = tool("find", pattern="*", path="..")
    assert outside.is_error
    assert "outside allowed roots" in outside.text
    assert tool("find").text == "error: missing required string argument 'pattern'"


def test_a_cancelled_run_finds_nothing(tool: SearchBench, root: Path) -> None:
    tool.cancel.set(Interrupted("stop"))
    assert tool("find", pattern="*").text == "error: cancelled: stop"


def test_a_glob_cannot_run_away(tool: SearchBench, root: Path) -> None:
    put(root, {"a" * 250: "", "/".join(["a"] * 40): ""})
    assert found(tool, "*a" * 120 + "b") == []
    assert found(tool, "/".join(["**/a"] * 30) + "/b") == []
    assert found(tool, "{a,b}" * 30) == []


def test_every_file_is_found_that_find_finds(tool: SearchBench, root: Path) -> None:
    put(root, {f"{a}/{b}.{c}/{d}": "" for a in "xy" for b in "ab" for c in "12" for d in "pq"})
    done = subprocess.run(
        ["find", ".", "-mindepth", "1", "-printf", "%P%y\n"], cwd=root, capture_output=True
    )
    lines = done.stdout.decode().split("\n")[:-1]
    assert found(tool, "*") == sorted(
        line[:-1] + ("/" if line[-1] == "d" else "") for line in lines
    )
