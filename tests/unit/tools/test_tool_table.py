"""The table of tools."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tool_bench import Benches

from pi.base.errors import UsageError
from pi.tools import DEFAULT_TOOLS, TOOLS, load_tools


def test_tools_come_in_the_order_of_the_table(benches: Benches) -> None:
    assert list(TOOLS) == ["read", "write", "edit", "bash", "grep", "find", "ls"]
    assert list(benches.make().tools) == list(DEFAULT_TOOLS) == list(TOOLS)[:4]
    assert list(benches.make(names=["bash", "read"]).tools) == ["read", "bash"]
    assert list(benches.make(names=[]).tools) == []


def test_an_unknown_name_is_refused(root: Path) -> None:
    with pytest.raises(UsageError, match="there is no tool 'fly'"):
        load_tools(
            ["read", "fly"],
            roots=[str(root)],
            environ={},
            random_bytes=os.urandom,
            monotonic=time.monotonic,
        )


def test_every_definition_is_a_closed_schema(benches: Benches) -> None:
    for name, tool in benches.make().tools.items():
        definition = tool.definition
        assert definition.name == name
        assert definition.description
        schema = json.loads(json.dumps(definition.parameters))
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) <= schema["properties"].keys()


def test_loading_the_tools_does_not_load_what_only_a_command_needs() -> None:
    script = (
        "import sys, time, os\n"
        "from pi.tools import load_tools\n"
        "load_tools(roots=['/'], environ={}, random_bytes=os.urandom, monotonic=time.monotonic)\n"
        "heavy = {'subprocess', 'selectors', 'difflib', 'shutil', 'shlex', 'tempfile',"
        " 'dataclasses', 'pathlib', 'asyncio', 'logging', 'uuid', 'secrets'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    # -S: what site loads for the test environment is not ours.
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
