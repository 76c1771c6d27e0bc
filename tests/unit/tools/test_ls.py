"""The ls tool."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from search_bench import SearchBench, put


@pytest.fixture
def tool(root: Path) -> SearchBench:
    return SearchBench(root)


def test_names_come_in_alphabetical_order_whatever_their_case(
    tool: SearchBench, root: Path
) -> None:
    put(root, {"b": "", "A": "", "a": "", ".h": "", "C/x": "", "node_modules/x": ""})
    result = tool("ls")
    assert result.text == ".h\nA\na\nb\nC/\nnode_modules/"
    assert result.content == {
        "path": f"{root}/.",
        "content": result.text,
        "entries": 6,
        "truncated": False,
    }


def test_an_empty_directory_is_said_to_be_empty(tool: SearchBench, root: Path) -> None:
    (root / "d").mkdir()
    assert tool("ls", path="d").text == "(empty directory)"


def test_what_is_no_directory_is_an_error(tool: SearchBench, root: Path) -> None:
    put(root, {"f": ""})
    assert tool("ls", path="f").text == "error: Not a directory: f"
    missing = tool("ls", path="g")
    assert missing.text.startswith("error: Path not found: g")
    assert missing.is_error
    assert missing.content["path"] == "g"
    assert "outside allowed roots" in tool("ls", path="/").text


def test_a_link_is_a_name_and_is_not_followed(
    tool: SearchBench, root: Path, tmp_path: Path
) -> None:
    os.symlink(tmp_path, root / "out")
    (root / "in").mkdir()
    os.symlink("in", root / "link")
    assert tool("ls").text == "in/\nlink\nout"
    assert "outside allowed roots" in tool("ls", path="out").text
    assert "symbolic link" in tool("ls", path="link").text


def test_the_limit_is_kept_and_the_next_one_named(tool: SearchBench, root: Path) -> None:
    put(root, {f"{at:03}": "" for at in range(501)})
    cut = tool("ls")
    assert cut.text.endswith("\n499\n\n[500 entries limit reached. Use limit=1000 for more]")
    assert cut.content["entries"] == 501
    assert cut.content["truncated"]
    assert tool("ls", limit=501).text.count("\n") == 500


def test_odd_names_and_secrets_do_not_get_through(root: Path) -> None:
    put(root, {"a\nb": "", "key-s3cr3t-value": ""})
    tool = SearchBench(root, secrets=("s3cr3t-value",))
    assert tool("ls").text == "a\\nb\nkey-[REDACTED]"
