"""The loop with the tools that users get: files are really changed, processes really end."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pi.agent.calls import open_calls
from pi.agent.events import AgentEvent, ToolStart, ToolUpdate
from pi.agent.loop import Agent
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from pi.tools import load_tools
from tests.fakes.agents import PATIENCE, call, end, make_agent, run, tool_texts
from tests.fakes.scripted import ScriptedModel, call_reply, text_reply

ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(os.path.realpath(tmp_path))


def agent_in(root: Path, *wanted: Any, **more: Any) -> Agent:
    tools = load_tools(
        roots=[str(root)],
        environ={**ENVIRONMENT, "TMPDIR": str(root)},
        random_bytes=os.urandom,
        monotonic=time.monotonic,
    )
    model = ScriptedModel(call_reply(*wanted), text_reply("done"))
    return make_agent(model, *tools, cwd=str(root), **more)


def test_two_edits_of_one_file_in_one_answer_both_happen(root: Path) -> None:
    (root / "f").write_text("one two three")
    edits = [
        call("edit", f"c{at}", path="f", find=find, replace=find.upper())
        for at, find in enumerate(("one", "two", "three"))
    ]
    agent = agent_in(root, *edits)
    assert end(run(agent)).status == "completed"
    assert (root / "f").read_text() == "ONE TWO THREE"


def test_a_write_and_the_read_after_it_keep_their_order(root: Path) -> None:
    agent = agent_in(
        root,
        call("write", "c1", path="sub/f", content="new"),
        call("read", "c2", path="sub/f"),
        call("read", "c3", file_path="nope"),
    )
    run(agent)
    assert "new" in tool_texts(agent)[1]
    assert "'nope' does not exist" in tool_texts(agent)[2]


def test_reads_run_beside_a_command(root: Path) -> None:
    """The command ends only when the read's event was seen, so they run together."""
    (root / "f").write_text("x")
    agent = agent_in(
        root,
        call("read", "c1", path="f"),
        call("bash", "c2", command="while [ ! -e go ]; do sleep 0.01; done; echo went"),
    )
    for event in agent.run("hi", Cancel()):
        if type(event).__name__ == "ToolEnd" and event.call.id == "c1":  # type: ignore[union-attr]
            (root / "go").touch()
    assert "went" in tool_texts(agent)[1]


def test_output_of_a_command_is_seen_while_it_runs(root: Path) -> None:
    agent = agent_in(
        root,
        call("bash", command="echo first; while [ ! -e go ]; do sleep 0.01; done; echo last"),
    )
    seen = []
    for event in agent.run("hi", Cancel()):
        if isinstance(event, ToolUpdate):
            seen.append(event.text)
            (root / "go").touch()
    assert "first" in seen[0]
    assert tool_texts(agent)[0].startswith("first\nlast")


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:  # somebody else's child may wait to be collected
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_cancelled_sleep_is_gone_and_the_history_is_whole(root: Path) -> None:
    """Both a command and its descendants; the calls behind it never run."""
    command = "sleep 300 & echo $! > pid; sleep 300"
    agent = agent_in(
        root,
        call("bash", "c1", command=command),
        call("bash", "c2", command="touch never"),
    )
    cancel = Cancel()

    def stop() -> None:
        deadline = time.monotonic() + PATIENCE
        while not (root / "pid").exists() or not (root / "pid").read_text().strip():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        cancel.set(Interrupted("stop"))

    stopper = threading.Thread(target=stop)
    stopper.start()
    events = run(agent, cancel)
    stopper.join()
    assert end(events).status == "cancelled"
    assert gone(int((root / "pid").read_text()))
    assert "cancelled" in tool_texts(agent)[0]
    assert tool_texts(agent)[1] == "cancelled by user: this call was not run"
    assert not (root / "never").exists()
    assert open_calls(agent.messages) == []


def test_closing_the_run_ends_the_command_too(root: Path) -> None:
    agent = agent_in(root, call("bash", command="echo $$ > pid; echo x; sleep 60"))
    running = agent.run("hi", Cancel())
    event: AgentEvent
    for event in running:
        if isinstance(event, ToolUpdate):
            break
    running.close()
    pid = int((root / "pid").read_text())
    deadline = time.monotonic() + PATIENCE
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone(pid)


def test_the_json_form_of_real_results_is_sorted_and_whole(root: Path) -> None:
    (root / "f").write_text("ü\n")
    agent = agent_in(root, call("read", path="f"), tool_result_format="json")
    events = run(agent)
    assert any(isinstance(event, ToolStart) for event in events)
    (text,) = tool_texts(agent)
    found = json.loads(text)
    assert found["path"] == str(root / "f")
    assert text == json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False)
    assert "ü" in text
