"""Lines without a chain, and paths: what holds for every log."""

from __future__ import annotations

from pathlib import Path

import pytest

from pi.audit.log import PlainLog
from pi.base.errors import ConfigError


@pytest.mark.parametrize("path", ["file/log", "\0", "x" * 300], ids=range(3))
def test_a_path_that_cannot_be_made_is_refused_at_the_start(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="cannot be opened"):
        PlainLog(str(tmp_path / path), "telemetry log")


def test_plain_lines_are_sorted_and_a_torn_one_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"torn":')
    log = PlainLog(str(path), "telemetry log")
    log.append({"b": 1, "a": "\ud800"})
    log.append({})
    log.close()
    assert path.read_text(encoding="utf-8") == '{"torn":\n{"a":"\ufffd","b":1}\n{}\n'


def test_a_relative_path_stays_where_it_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = PlainLog("log", "telemetry log")
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    log.append({})
    log.close()
    assert (tmp_path / "log").read_bytes() == b"{}\n"
