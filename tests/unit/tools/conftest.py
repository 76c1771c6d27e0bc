"""Tools set up on a fresh directory, with the world that a run would hand in."""

from __future__ import annotations

from pathlib import Path

import pytest
from tool_bench import Bench, Benches


@pytest.fixture
def benches(tmp_path: Path) -> Benches:
    for name in ("root", "temp"):
        (tmp_path / name).mkdir()
    return Benches(tmp_path / "root", tmp_path / "temp")


@pytest.fixture
def bench(benches: Benches) -> Bench:
    return benches.make()


@pytest.fixture
def root(benches: Benches) -> Path:
    return benches.root
