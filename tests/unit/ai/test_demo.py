"""The scripted model, as the pure function it is, and as a transport."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.demo import (
    LOOK_ROUND,
    SCRIPTED,
    DemoTransport,
    Say,
    Use,
    candidates,
    listing,
    next_step,
    wire,
)
from pi.base.cancel import Cancel
from pi.base.errors import Bug
from pi.base.http import Request

TOOLS = ("read", "write", "edit", "bash")
LS = """\
-rw-r--r-- 1 me me 1234 Nov 22 10:00 README.md
drwxr-xr-x 2 me me 4096 Nov 22 10:00 docs/
"""


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def exchange(name: str, arguments: dict[str, Any], output: str, id_: str) -> list[dict[str, Any]]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return [
        {"role": "assistant", "tool_calls": [{"id": id_, "function": function}]},
        {"role": "tool", "tool_call_id": id_, "content": output},
    ]


def test_words_that_may_be_files_are_looked_up_with_one_listing() -> None:
    step = next_step([user("Read README.md and docs please")], TOOLS)
    assert step == Use(
        (("bash", {"command": "ls -ldp -- README.md Read and docs please 2>/dev/null"}),)
    )


def test_what_exists_is_read_next() -> None:
    prompt = "Read README.md and docs"
    command = "ls -ldp -- README.md Read and docs"
    history = [user(prompt), *exchange("bash", {"command": command}, LS, "1")]
    assert next_step(history, TOOLS) == Use(
        (("read", {"path": "README.md"}), ("read", {"path": "docs"}))
    )


def test_the_answer_tells_sizes_first_lines_and_headings_and_that_it_is_scripted() -> None:
    history = [
        user("Read README.md and docs"),
        *exchange("bash", {"command": "ls -ldp -- README.md docs"}, LS, "1"),
        *exchange("read", {"path": "README.md"}, "# Title\n\ntext\n## Use\n", "2"),
        *exchange("read", {"path": "docs"}, "a.md\nb.md\n", "3"),
    ]
    step = next_step(history, TOOLS)
    assert isinstance(step, Say)
    assert "README.md (1,234 bytes, 4 lines" in step.text
    assert "First line: # Title" in step.text
    assert "## Use" in step.text
    assert "docs is a folder. It holds:\na.md\nb.md" in step.text
    assert SCRIPTED in step.text


def test_with_no_file_named_it_looks_round() -> None:
    assert next_step([user("?")], TOOLS) == Use((("bash", {"command": LOOK_ROUND}),))
    nothing = exchange("bash", {"command": "ls -ldp -- hello"}, "ls: hello: not there", "1")
    assert next_step([user("hello"), *nothing], TOOLS) == Use((("bash", {"command": LOOK_ROUND}),))
    looked = exchange("bash", {"command": LOOK_ROUND}, "/here\ntotal 8\n" + LS, "2")
    step = next_step([user("?"), *looked], TOOLS)
    assert step == Use((("read", {"path": "README.md"}),))


def test_a_file_that_is_missing_is_reported_in_the_tools_words() -> None:
    history = [
        user("read gone.txt"),
        *exchange("bash", {"command": "ls -ldp -- gone.txt read"}, "ls: cannot access", "1"),
    ]
    assert next_step(history, TOOLS) == Use((("read", {"path": "gone.txt"}),))
    history += exchange("read", {"path": "gone.txt"}, "error: path 'gone.txt' does not exist", "2")
    step = next_step(history, TOOLS)
    assert isinstance(step, Say)
    assert "I could not read gone.txt: path 'gone.txt' does not exist" in step.text


def test_a_command_in_backticks_is_run_and_its_output_told() -> None:
    prompt = user("Please run `echo hi`")
    assert next_step([prompt], TOOLS) == Use((("bash", {"command": "echo hi"}),))
    step = next_step([prompt, *exchange("bash", {"command": "echo hi"}, "hi\n", "1")], TOOLS)
    assert isinstance(step, Say)
    assert "I ran `echo hi`. It said:\nhi" in step.text


def test_only_the_last_question_counts() -> None:
    history = [user("run `a`"), *exchange("bash", {"command": "a"}, "x", "1"), user("run `b`")]
    assert next_step(history, TOOLS) == Use((("bash", {"command": "b"}),))


def test_without_tools_it_says_so() -> None:
    step = next_step([user("Read README.md")], ())
    assert isinstance(step, Say)
    assert "no tool" in step.text
    assert next_step([user("Read README.md")], ("read",)) == Use((("read", {"path": "README.md"}),))


def test_hostile_words_are_quoted_for_the_shell() -> None:
    step = next_step([user("`$(rm -rf x)` `it's; ls`")], TOOLS)
    assert step == Use(
        (("bash", {"command": "ls -ldp -- '$(rm -rf x)' 'it'\"'\"'s; ls' 2>/dev/null"}),)
    )


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("Read README.md.", ["README.md", "Read"]),
        ("(see src/main.py, please)", ["src/main.py", "see", "please"]),
        ('open "my file.txt"', ["my file.txt", "open"]),
        ("read " + "x" * 300, ["read"]),
    ],
)
def test_candidates_are_words_with_paths_first(prompt: str, found: list[str]) -> None:
    assert candidates(prompt) == found


def test_a_listing_is_read_and_other_lines_are_passed_over() -> None:
    rows = listing(LS + "total 12\nls: cannot access 'x'\nlrwxrwxrwx 1 a b 3 Nov 1 10:00 l -> t\n")
    assert [(row.name, row.is_folder, row.size) for row in rows] == [
        ("README.md", False, 1234),
        ("docs", True, 4096),
        ("l", False, 3),
    ]


def test_the_transport_answers_a_chat_request_with_an_event_stream() -> None:
    body = json.dumps({"messages": [user("x")], "tools": []}).encode()
    response = DemoTransport().send(Request("POST", "http://demo.invalid", body=body), Cancel())
    assert response.status == 200
    data = response.read(10) + response.read()
    assert data.endswith(b"data: [DONE]\n\n")
    assert response.read() == b""


def test_call_ids_differ_from_turn_to_turn() -> None:
    use = Use((("bash", {}), ("bash", {})))
    assert b"demo_3_1" in wire(use, 3)
    assert b"demo_3_2" in wire(use, 3)


def test_a_request_it_cannot_read_is_a_bug_not_a_traceback() -> None:
    with pytest.raises(Bug):
        DemoTransport().send(Request("POST", "x", body=b"{"), Cancel())
