"""What a sealed record looks like, and what is refused as one."""

from __future__ import annotations

import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from pi.audit.chain import (
    GENESIS,
    MAX_LINE_BYTES,
    MAX_RECORD_BYTES,
    Flaw,
    Head,
    Sealed,
    parse_head,
    read_record,
    seal,
)
from pi.base.errors import UsageError

LINE = seal({"event": "x", "text": "é\u2028"}, 1, GENESIS)


def test_a_record_is_one_line_of_compact_sorted_json() -> None:
    record = json.loads(LINE)
    assert list(record) == ["event", "hash", "prev", "seq", "text"]
    assert json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() == LINE
    assert (record["seq"], record["prev"]) == (1, sha256(b"pi tool audit log 1").hexdigest())


@pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq here")
def test_other_tools_compute_the_same_hash(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(LINE + b"\n")
    command = "jq -jcS 'del(.hash)' \"$0\" | sha256sum | cut -c 1-64"
    done = subprocess.run(
        ["sh", "-c", command, str(file)], capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == json.loads(LINE)["hash"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"", "not-json"),
        (b"hello", "not-json"),
        (b'{"a":"\xff"}', "not-json"),
        (b"[" * 50_000, "not-json"),
        (b"[1]", "foreign"),
        (b"null", "foreign"),
        (b'{"event":"tool_execution_end"}', "foreign"),
        (b"x" * (MAX_LINE_BYTES + 1), "foreign"),
        (LINE.replace(b",", b", ", 1), "edited"),
        (LINE + b" ", "edited"),
        (LINE + b"\r", "edited"),
        (LINE.replace(b'"seq":1', b'"seq":1.0'), "edited"),
        (LINE.replace(b'"seq":1', b'"seq":true'), "edited"),
        (LINE.replace(b'"seq":1', b'"seq":0'), "edited"),
        (LINE.replace(b'"seq":1', b'"seq":' + b"9" * 5000), "not-json or edited"),
        (LINE.replace(b'"event":"x"', b'"event":NaN'), "edited"),
        (LINE.replace(b'"event":"x"', b'"event":"\\ud800"'), "edited"),
        (LINE.replace(b'"event":"x"', b'"event":"y"'), "edited"),
        (LINE.replace(b'"event":"x"', b'"event":"y","event":"x"'), "duplicate-keys"),
        (LINE.replace(b'"event":"x"', b'"event":{"a":1,"a":2}'), "duplicate-keys"),
        (b'{"event":' + b"[" * 20_000 + LINE[9:], "not-json"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_record_has_its_flaw(line: bytes, kind: str) -> None:
    found = read_record(line)
    assert isinstance(found, Flaw)
    assert found.kind in kind


def test_a_record_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        seal({"x": "y" * MAX_RECORD_BYTES}, 1, GENESIS)


def test_a_head_is_written_and_read_as_number_and_digest() -> None:
    found = read_record(LINE)
    assert isinstance(found, Sealed)
    head = Head(found.seq, found.digest)
    assert str(head) == f"1:{sha256(LINE).hexdigest()}"
    assert parse_head(f" {head}\n") == head


@pytest.mark.parametrize("text", ["", "1", ":", "1:abc", "-1:" + "a" * 64, "²:" + "a" * 64,
                                  "1:" + "A" * 64, "9" * 5000 + ":" + "a" * 64])  # fmt: skip
def test_anything_else_is_no_head(text: str) -> None:
    with pytest.raises(UsageError, match="is not a head"):
        parse_head(text)
