"""Acceptance of the line mode: each scenario is piped in, and the loop must go on after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import KEY, Pi
from tests.fakes.session_files import entry

META = {"record_type": "meta", "schema_version": 1}
TREE = (
    entry(1, None, "root", "system"),
    entry(2, 1, "main target"),
    entry(3, 1, "branch target"),
)
S = ("--session", "./s.jsonl")
NS = ("--no-session",)


def write(pi: Pi, *records: dict[str, Any], name: str = "s.jsonl") -> Path:
    path = pi.folder / name
    text = "".join(json.dumps(record) + "\n" for record in (META, *records))
    path.write_text(text, encoding="utf-8")
    return path


class Talk:
    """A run whose lines were piped in. ``before`` is what came before the last line's answer,
    which is always that of ``/help quit``: the loop was still there."""

    def __init__(self, pi: Pi, *lines: str, flags: tuple[str, ...] = S) -> None:
        done = pi(*flags, stdin="\n".join([*lines, "/help quit", "/quit", "/nosuch", ""]), **KEY)
        self.before, mark, after = done.stdout.partition("command: /quit\n")
        assert done.returncode == 0, done.stdout + done.stderr
        assert mark, done.stdout + done.stderr
        assert "/nosuch" not in after
        self.stderr = done.stderr

    def said(self, *parts: str) -> None:
        """These, in this order."""
        rest = self.before
        for part in parts:
            assert part in rest, (part, self.before, self.stderr)
            rest = rest.partition(part)[2]


def test_help_of_all_and_of_one_and_of_none(pi: Pi) -> None:
    """C35"""
    Talk(pi, "/help", "/help branch", "/help polciy", "/polciy", flags=NS).said(
        "commands:",
        "usage: /branch <id>",
        "unknown help topic: /polciy",
        "did you mean /policy?",
        "unknown command: /polciy",
        "did you mean /policy?",
        "run /help for command list",
    )


def test_looking_for_entries_and_counting_them(pi: Pi) -> None:
    """C39, C40, C41, C42"""
    write(pi, *TREE)
    Talk(
        pi,
        *("/session-search target", "/session-search", "/session-stats"),
        *("/session-stats --json", "/session-stats extra"),
    ).said(
        'session search: query="target"',
        "result: id=2",
        "result: id=3",
        "usage: /session-search",
        "session stats: entries=3 branch_tips=2 roots=1 max_depth=2",
        "heads: active=3 latest=3 active_is_latest=true",
        "depth: active=2 latest=2",
        "role: system=1",
        "role: user=2",
        '"branch_tips":2',
        '"entries":3',
        '"role_counts":{"system":1,"user":2}',
        "usage: /session-stats [--json]",
    )


def test_two_branches_beside_each_other(pi: Pi) -> None:
    """C43, C44, C45"""
    write(pi, *TREE)
    Talk(
        pi,
        *("/branch 2", "/session-diff", "/session-diff 2 3"),
        *("/session-diff 1", "/session-diff 999 1"),
    ).said(
        "switched to branch id 2",
        "session diff: source=default left=2 right=3",
        "summary: shared_depth=1 left_depth=2 right_depth=2 left_only=1 right_only=1",
        "shared: id=1 parent=none role=system preview=root",
        "left-only: id=2 ",
        "right-only: id=3 ",
        "source=explicit left=2 right=3",
        "usage: /session-diff [<left-id> <right-id>]",
        "session diff error: unknown left session id 999",
    )


def test_a_drawing_of_the_tree(pi: Pi) -> None:
    """C46, C47: in each format that an ending names."""
    write(pi, *TREE[:2])
    (pi.folder / "folder").mkdir()
    Talk(
        pi,
        *("/session-graph-export X.mmd", "/session-graph-export X.dot"),
        *("/session-graph-export X.json", "/session-graph-export folder"),
    ).said(
        *("format=mermaid", "nodes=2", "edges=1"),
        *("format=dot", "nodes=2", "edges=1"),
        *("format=json", "nodes=2", "edges=1"),
        *("session graph export error: path=folder error=", "is a directory"),
    )
    drawn = (pi.folder / "X.mmd").read_text(encoding="utf-8")
    assert drawn.startswith("graph TD")
    assert "n1 --> n2" in drawn
    assert "n1 -> n2" in (pi.folder / "X.dot").read_text(encoding="utf-8")
    assert json.loads((pi.folder / "X.json").read_text(encoding="utf-8"))


NAMES = [
    ("/branch-alias", "alias", "branch alias", "s.aliases.json", "aliases"),
    ("/session-bookmark", "bookmark", "session bookmark", "s.bookmarks.json", "bookmarks"),
]


@pytest.mark.parametrize(("command", "kind", "words"), [row[:3] for row in NAMES])
def test_the_life_of_a_name(pi: Pi, command: str, kind: str, words: str) -> None:
    """C48, C51: a name is a record of the session, not a file beside it."""
    write(pi, *TREE)
    Talk(
        pi,
        *(f"{command} set checkpoint 2", "/branch 3", f"{command} use checkpoint", "/session"),
        *(f"{command} list", f"{command} delete checkpoint", f"{command} list"),
    ).said(
        f"{words} set: path=",
        "name=checkpoint id=2",
        "switched to branch id 3",
        f"{words} use: path=",
        "name=checkpoint id=2",
        "active_head=2",
        f"{words} list: path=",
        "count=1",
        f"{kind}: name=checkpoint id=2 status=ok",
        "name=checkpoint status=deleted remaining=0",
        "count=0",
    )
    labels = [row for row in pi.session("s.jsonl") if row["record_type"] == "label"]
    assert [(row["kind"], row["name"], row["id"]) for row in labels] == [
        (kind, "checkpoint", 2), (kind, "checkpoint", None),
    ]  # fmt: skip


@pytest.mark.parametrize(("command", "kind", "words", "file", "key"), NAMES)
def test_names_in_files_of_the_older_program(
    pi: Pi, command: str, kind: str, words: str, file: str, key: str
) -> None:
    """C49, C50, C52, C53: they are read; stale and broken ones are told."""
    write(pi, *TREE)
    (pi.folder / file).write_text(
        json.dumps({"schema_version": 1, key: {"old": 999, "good": 2}}), encoding="utf-8"
    )
    Talk(pi, f"{command} list", f"{command} use old", f"{command} use good").said(
        f"{kind}: name=good id=2 status=ok",
        f"{kind}: name=old id=999 status=stale",
        f"{kind} points to unknown session id 999",
        "name=good id=2",
    )
    (pi.folder / file).write_text("{", encoding="utf-8")
    kind_of_file = "alias file" if kind == "alias" else "session bookmark file"
    Talk(pi, f"{command} list").said(f"{words} error: path=", f"failed to parse {kind_of_file}")


def ids(pi: Pi) -> list[tuple[int, int | None]]:
    rows = pi.session("s.jsonl")
    return [(row["id"], row["parent_id"]) for row in rows if row["record_type"] == "entry"]


def test_another_session_is_brought_in(pi: Pi) -> None:
    """C54, C55: a script says --yes to what cannot be asked."""
    write(pi, entry(1, None, "mine"))
    write(pi, entry(1, None, "a"), entry(2, 1, "b"), name="other.jsonl")
    write(pi, entry(10, None, "a"), entry(11, 10, "b"), name="third.jsonl")
    Talk(pi, "/session-import other.jsonl").said(
        "mode=merge", "remapped_entries=2 remapped_ids=1->2,2->3"
    )
    assert ids(pi) == [(1, None), (2, None), (3, 2)]
    write(pi, entry(1, None, "a"), entry(2, 1, "b"))
    replace = (*S, "--session-import-mode", "replace")
    Talk(pi, "/session-import third.jsonl --yes", flags=replace).said(
        "mode=replace", "remapped_ids=none replaced_entries=2"
    )
    assert ids(pi) == [(10, None), (11, 10)]


def test_a_broken_tree_is_mended(pi: Pi) -> None:
    """C56: what hung on nothing is kept as a root; --remove drops it as the older program
    did."""
    broken = (
        *(entry(1, None), entry(2, 99), entry(3, 4), entry(4, 3)),
        entry(5, 1),
    )
    write(pi, *broken)
    Talk(pi, "/session-repair --yes").said(
        "repair complete", "invalid_parent_ids=2", "cycle_ids=3,4"
    )
    assert {1, 5} <= {number for number, _ in ids(pi)}
    write(pi, *broken)
    Talk(pi, "/session-repair --remove --yes").said(
        "repair complete", "invalid_parent_ids=2", "cycle_ids=3,4"
    )
    assert ids(pi) == [(1, None), (5, 1)]


def test_what_cannot_be_shown_is_told(pi: Pi) -> None:
    """C30, C58, C60, C62, C63, C66, C67"""
    (pi.folder / "F").write_text("/session\n", encoding="utf-8")
    Talk(
        pi,
        *("/model-show openai/missing-model", "/help model-show", "/doctor --bad"),
        *("/audit-summary missing.jsonl", "/macro save 1bad F", "/macro save good missing"),
        *("/macro show", "/macro delete", "/macro show missing", "/profile save 1bad"),
        *("/profile load", "/profile show missing"),
        flags=NS,
    ).said(
        "model show: not found: openai/missing-model",
        "usage: /model-show <provider/model>",
        "usage: /doctor [--json]",
        "audit summary error: failed to open audit file missing.jsonl",
        "macro name '1bad' must start with an ASCII letter",
        "failed to read commands file missing",
        "usage: /macro show <name>",
        "usage: /macro delete <name>",
        "unknown macro 'missing'",
        "profile name '1bad' must start with an ASCII letter",
        "usage: /profile load <name>",
        "unknown profile 'missing'",
    )


def test_stores_that_cannot_be_read_are_told(pi: Pi) -> None:
    """C64, C68"""
    (pi.folder / ".pi").mkdir()
    (pi.folder / ".pi" / "macros.json").write_text("{", encoding="utf-8")
    (pi.folder / ".pi" / "profiles.json").write_text('{"schema_version": 99}', encoding="utf-8")
    Talk(pi, "/macro list", "/profile list", flags=NS).said(
        "macro error: path=",
        "failed to parse macro file",
        "profile error: path=",
        "unsupported profile schema_version 99",
    )


def test_the_figures_of_a_log_are_summed_up(pi: Pi) -> None:
    """C59: both kinds of records in one file."""
    end = {"event": "tool_execution_end", "tool_call_id": "1", "tool_name": "bash"}
    told = {"record_type": "prompt_telemetry_v1", "schema_version": 1, "provider": "openai"}
    usage = {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}
    rows = [
        {**end, "duration_ms": 12, "is_error": False},
        {**told, "status": "completed", "success": True, "duration_ms": 30, "token_usage": usage},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (pi.folder / "log").write_text(text, encoding="utf-8")
    Talk(pi, "/audit-summary log", flags=NS).said(
        "audit summary: path=log records=2 tool_events=1 prompt_records=1",
        "tool_breakdown:",
        "  bash count=1 error_rate=0.00% p50_ms=12 p95_ms=12",
        "provider_breakdown:",
        "  openai count=1 error_rate=0.00% p50_ms=30 p95_ms=30",
        "input_tokens=4 output_tokens=2 total_tokens=6",
    )
