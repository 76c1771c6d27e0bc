"""Ways out of the roots and into half-written files, tried on the tools themselves."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tool_bench import Bench, Benches

from pi.tools.policy import PRESETS, Policy

LAX = Policy(enforce_regular_files=False)
CALLS = {
    "read": {},
    "write": {"content": "new"},
    "edit": {"find": "old", "replace": "new"},
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    return tmp_path / "outside"


@pytest.mark.parametrize("name", CALLS)
def test_a_link_inside_is_refused_unless_links_are_allowed(
    benches: Benches, root: Path, name: str
) -> None:
    (root / "f").write_bytes(b"old")
    (root / "link").symlink_to("f")
    refused = benches.make()(name, path="link", **CALLS[name])
    told = "path 'link' is a symbolic link, which is denied by policy"
    assert refused.content["error"] == told
    assert (root / "f").read_bytes() == b"old"
    assert not benches.make(policy=LAX)(name, path="link", **CALLS[name]).is_error
    assert (root / "link").is_symlink()
    assert (root / "f").read_bytes() == (b"old" if name == "read" else b"new")


@pytest.mark.parametrize("policy", [Policy(), LAX])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "path", ["link", "dangling", "../outside/f", "nope/../../outside/new", "d/../../outside/new"]
)
def test_nothing_outside_is_read_changed_or_made(
    benches: Benches, root: Path, outside: Path, policy: Policy, name: str, path: str
) -> None:
    (outside / "f").write_bytes(b"old")
    (root / "link").symlink_to(outside / "f")
    (root / "dangling").symlink_to(outside / "new")
    (root / "d").mkdir()
    result = benches.make(policy=policy)(name, path=path, **CALLS[name])
    assert result.content["error"].endswith("is outside allowed roots")
    assert os.listdir(outside) == ["f"]
    assert (outside / "f").read_bytes() == b"old"
    assert sorted(os.listdir(root)) == ["d", "dangling", "link"]


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_regular_file_is_refused_at_once(
    benches: Benches, root: Path, name: str
) -> None:
    os.mkfifo(root / "fifo")
    for policy in (Policy(), LAX):
        result = benches.make(policy=policy)(name, path="fifo", **CALLS[name])
        assert "must be a regular file" in result.content["error"]


@pytest.mark.parametrize("preset", PRESETS)
def test_kept_credentials_are_shown_under_the_permissive_policy_only(
    benches: Benches, root: Path, preset: str
) -> None:
    (root / ".pi").mkdir()
    (root / ".pi" / "credentials.json").write_bytes(b"old")
    (root / "store").write_bytes(b"old")
    bench = benches.make(policy=PRESETS[preset], private_files=[str(root / "store")])
    for path in (".pi/credentials.json", "store"):
        for name, arguments in CALLS.items():
            assert bench(name, path=path, **arguments).is_error is (preset != "permissive")
            (root / path).write_bytes(b"old")


def test_secrets_show_nowhere(benches: Benches, root: Path) -> None:
    bench = benches.make(environ={"FOO_TOKEN": "supersecret"})
    (root / "f").write_bytes(b"my supersecret\n" * 3000)
    told = [
        bench("bash", command="echo $FOO_TOKEN-"),
        bench("bash", command="cat f; cat f >&2"),
        bench("read", path="f"),
        bench("edit", path="f", find="my supersecret\n", replace="x"),
        bench("edit", path="f", find="my supersecret\nxx", replace="x"),
    ]
    assert told[0].text == "-\n"
    assert "supersecret" not in str([(result.text, result.content) for result in told])
    full = Path(told[1].content["full_output"]).read_text(encoding="utf-8")
    assert full == "my [REDACTED]\n" * 6000


WRITER = """
import os, sys, time
from pi.agent.tool import ToolContext
from pi.base.cancel import Cancel
from pi.tools import load_tools
root = sys.argv[1]
(tool,) = load_tools(["write"], roots=[root], environ={}, random_bytes=os.urandom,
                     monotonic=time.monotonic)
context = ToolContext(root, Cancel(), lambda text: None)
print("ready", flush=True)
while True:
    for letter in "ab":
        result = tool.run({"path": "f", "content": letter * 900_000}, context)
        assert not result.is_error, result.text
"""


def test_a_writer_killed_at_any_moment_leaves_one_whole_file(bench: Bench, root: Path) -> None:
    bench("write", path="f", content="a" * 900_000)
    chance = random.Random(7)
    for _ in range(12):
        argv = [sys.executable, "-c", WRITER, str(root)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            killer = threading.Timer(chance.uniform(0, 0.02), writer.kill)
            killer.start()
            writer.wait(20)
            killer.join()
        data = (root / "f").read_bytes()
        assert len(data) == 900_000
        assert data in (b"a" * len(data), b"b" * len(data))
