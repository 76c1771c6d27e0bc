"""Records and rows of session files for tests."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pi.commands.context import CommandContext
from pi.sessions.load_rows import lines_of, loaded
from pi.sessions.rows import Row
from pi.sessions.store import SessionStore


def entry(
    entry_id: int, parent: int | None, text: str = "hi", role: str = "user", **more: Any
) -> dict[str, Any]:
    message = {"role": role, "content": [{"type": "text", "text": text}], "is_error": False}
    record = {"record_type": "entry", "id": entry_id, "parent_id": parent, "message": message}
    return {**record, **more}


def answer(entry_id: int, parent: int | None, *calls: str) -> dict[str, Any]:
    record = entry(entry_id, parent, "ok", "assistant")
    record["message"]["content"] += [
        {"type": "tool_call", "id": call, "name": "read", "arguments": {"path": call}}
        for call in calls
    ]
    return record


def result(entry_id: int, parent: int | None, call: str, *, failed: bool = False) -> dict[str, Any]:
    record = entry(entry_id, parent, "done", "tool")
    record["message"].update(tool_call_id=call, tool_name="read", is_error=failed)
    return record


def meta(session_id: str = "s", next_id: int = 1) -> dict[str, Any]:
    return {
        "record_type": "meta",
        "schema_version": 2,
        "session_id": session_id,
        "next_id": next_id,
    }


def label(name: str, entry_id: int | None, kind: str = "bookmark") -> dict[str, Any]:
    return {"record_type": "label", "kind": kind, "name": name, "id": entry_id}


def dump(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def rows(*records: dict[str, Any]) -> tuple[Row, ...]:
    return loaded(lines_of(dump(*records))).rows


def clock() -> Callable[[], int]:
    now = [1_700_000_000_000]

    def tick() -> int:
        now[0] += 1
        return now[0]

    return tick


def context(
    folder: Path, *records: dict[str, Any], name: str = "s.jsonl", **services: Any
) -> CommandContext:
    """A context of a script in ``folder``, whose session holds ``records``."""
    path = folder / name
    if records:
        path.write_bytes(dump(*records))
    now = clock()
    store = SessionStore.open(str(path), now_ms=now, random_bytes=os.urandom)
    return CommandContext(
        store,
        str(folder),
        {},
        now,
        os.urandom,
        confirm=lambda question: True,
        reload=lambda: None,
        settings={"session": name, "session-lock-wait-ms": 1000},
        services=services,
    )
