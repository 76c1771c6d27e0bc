"""Slash commands from a file: no model, no key, honest exit codes, what scripts read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Pi


def entry(entry_id: int, parent: int | None, text: str, role: str = "user") -> dict[str, Any]:
    message = {"role": role, "content": [{"type": "text", "text": text}], "is_error": False}
    return {"record_type": "entry", "id": entry_id, "parent_id": parent, "message": message}


META = {"record_type": "meta", "schema_version": 1}
TREE = (
    entry(1, None, "root", "system"),
    entry(2, 1, "main target"),
    entry(3, 1, "branch target"),
)


def write_session(pi: Pi, *records: dict[str, Any], name: str = "s.jsonl") -> Path:
    path = pi.folder / name
    path.write_text("".join(json.dumps(record) + "\n" for record in (META, *records)))
    return path


class Run:
    def __init__(self, pi: Pi, *lines: str, flags: tuple[str, ...] = ()) -> None:
        (pi.folder / "c.commands").write_text("\n".join(lines))
        done = pi("--command-file", "c.commands", *flags)
        self.code, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        assert "Traceback" not in done.stderr

    def said(self, *parts: str) -> None:
        for part in parts:
            assert part in self.stdout, (part, self.stdout, self.stderr)


def run(pi: Pi, *lines: str, mode: str = "fail-fast") -> Run:
    flags = ("--session", "s.jsonl", "--command-file-error-mode", mode)
    return Run(pi, *lines, flags=flags)


def test_help_and_suggestions(pi: Pi) -> None:
    done = Run(
        pi,
        *("/help", "/help branch", "-/help polciy", "-/session-stat", "/quit"),
        flags=("--no-session",),
    )
    done.said("commands:", "usage: /branch <id>", "unknown help topic: /polciy")
    done.said("did you mean /session-stats?")
    assert done.code == 0


def test_a_summary_ends_every_file(pi: Pi) -> None:
    """C36"""
    done = Run(pi, "# a comment", "", "/help session", flags=("--no-session",))
    assert done.code == 0
    done.said("mode=fail-fast total=1 executed=1 succeeded=1 failed=0 halted_early=false")


def test_both_error_modes_fail_and_say_where(pi: Pi) -> None:
    """C37, C38: a failure is a failure in both modes."""
    lines = ("/session", "not-command", "/help session")
    on = ("--no-session", "--command-file-error-mode", "continue-on-error")
    done = Run(pi, *lines, flags=on)
    done.said("session: disabled", "line=2", "error=command must start with '/'")
    done.said("mode=continue-on-error total=3 executed=3 succeeded=2 failed=1 halted_early=false")
    assert done.code == 2
    done = Run(pi, *lines, flags=("--no-session",))
    done.said("executed=2 succeeded=1 failed=1 halted_early=true")
    assert "command file execution failed" in done.stderr
    assert done.code == 2


def test_a_line_may_be_allowed_or_expected_to_fail(pi: Pi) -> None:
    assert Run(pi, "-/nope", "!/nope", flags=("--no-session",)).code == 0
    assert Run(pi, "!/help", flags=("--no-session",)).code == 1


def test_a_file_can_be_checked_without_running_it(pi: Pi) -> None:
    write_session(pi, *TREE)
    flags = ("--session", "s.jsonl", "--command-file-check")
    done = Run(pi, "/branch 2", "/branch", "/nope", flags=flags)
    done.said("line=2", "line=3", "problems=2")
    assert done.code == 2
    assert "head" not in (pi.folder / "s.jsonl").read_text()


def test_json_is_one_object_a_line(pi: Pi) -> None:
    write_session(pi, *TREE)
    flags = ("--session", "s.jsonl", "--command-file-json")
    done = Run(pi, "/session-stats", "-/branch 99", flags=flags)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[0]["data"]["entries"] == 3
    assert rows[-1]["summary"]["executed"] == 2
    assert done.code == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"/help\0", "NUL"), (b"\xff\xfe", "not UTF-8"), (None, "failed to read command file")],
)
def test_a_file_that_is_none_is_2(pi: Pi, content: bytes | None, words: str) -> None:
    if content is not None:
        (pi.folder / "c").write_bytes(content)
    done = pi("--command-file", "c", "--no-session")
    assert done.returncode == 2
    assert words in done.stderr


def test_standard_input_with_a_bom_and_crlf_works(pi: Pi) -> None:
    done = pi("--command-file", "-", "--no-session", stdin=b"\xef\xbb\xbf/help\r\n/session\r\n")
    assert done.returncode == 0
    assert "succeeded=2" in done.stdout


def test_search(pi: Pi) -> None:
    """C39, C40"""
    write_session(pi, *TREE)
    done = run(pi, "/session-search target")
    done.said('session search: query="target"', "result: id=2 parent=1 role=user preview=main")
    assert done.stdout.index("result: id=2") < done.stdout.index("result: id=3")
    done = run(pi, "/session-search")
    done.said("usage: /session-search <query>")
    assert done.code == 2
    run(pi, "/session-search target --role system").said("results: none")
    assert run(pi, "/session-search x --limit 0").code == 2


def test_figures(pi: Pi) -> None:
    """C41, C42: from another place of the tree."""
    write_session(pi, *TREE)
    done = run(pi, "/branch 2", "/session-stats", "/session-stats --json")
    done.said(
        "session stats: entries=3 branch_tips=2 roots=1 max_depth=2",
        "heads: active=2 latest=3 active_is_latest=false",
        "depth: active=2 latest=2",
        "role: system=1\nrole: user=2",
        '"entries":3',
        '"branch_tips":2',
        '"role_counts":{"system":1,"user":2}',
    )
    done = run(pi, "-/session-stats extra")
    done.said("usage: /session-stats [--json]")


def test_a_difference(pi: Pi) -> None:
    """C43, C44, C45"""
    write_session(pi, *TREE)
    done = run(pi, "/branch 2", "/session-diff", "/session-diff 2 3")
    done.said(
        "switched to branch id 2",
        "session diff: source=default left=2 right=3",
        "shared_depth=1 left_depth=2 right_depth=2 left_only=1 right_only=1",
        "shared: id=1 parent=none role=system preview=root",
        "left-only: id=2",
        "right-only: id=3",
        "source=explicit",
    )
    run(pi, "-/session-diff 1").said("usage: /session-diff [<left-id> <right-id>]")
    done = run(pi, "/session-diff 999 1")
    done.said("session diff error: unknown left session id 999")
    assert done.code == 2


def test_a_drawing(pi: Pi) -> None:
    """C46, C47"""
    write_session(pi, *TREE[:2])
    run(pi, "/session-graph-export g.mmd").said("format=mermaid", "nodes=2", "edges=1")
    drawn = (pi.folder / "g.mmd").read_text()
    assert drawn.startswith("graph TD\n")
    assert "  n1 --> n2" in drawn
    done = run(pi, "/session-graph-export .")
    done.said("session graph export error: path=. error=", "is a directory")
    assert done.code == 2


@pytest.mark.parametrize(
    ("command", "kind", "words"),
    [
        ("/branch-alias", "alias", "branch alias"),
        ("/session-bookmark", "bookmark", "session bookmark"),
    ],
)
def test_names(pi: Pi, command: str, kind: str, words: str) -> None:
    write_session(pi, *TREE)
    done = run(
        pi,
        *(f"{command} set hotfix 2", "/branch 3", f"{command} use hotfix", "/session"),
        *(f"{command} list", f"{command} rename hotfix cold", "/branch cold"),
        *(f"{command} delete cold", f"{command} list", f"-{command} use cold"),
    )
    done.said(
        "name=hotfix id=2",
        "active_head=2",
        f"{kind}: name=hotfix id=2 status=ok",
        "status=deleted remaining=0",
        "s: none",
        f"{words} error: path=s.jsonl name=cold error=unknown {kind} 'cold'",
    )
    assert done.code == 0


def test_names_of_the_older_program_are_read(pi: Pi) -> None:
    write_session(pi, *TREE)
    old = {"schema_version": 1, "aliases": {"old": 999, "good": 2}}
    (pi.folder / "s.aliases.json").write_text(json.dumps(old))
    done = run(pi, "/branch-alias list", "-/branch-alias use old", "/branch good")
    done.said("name=old id=999 status=stale", "alias points to unknown session id 999")
    (pi.folder / "s.aliases.json").write_text("{")
    done = run(pi, "-/branch-alias list", "/session")
    done.said("branch alias error: path=s.jsonl error=failed to parse alias file")
    assert done.code == 0


def test_import_merges_and_replaces(pi: Pi) -> None:
    """C54, C55"""
    write_session(pi, entry(1, None, "mine"))
    write_session(pi, entry(1, None, "a"), entry(2, 1, "b"), name="other.jsonl")
    run(pi, "/session-import other.jsonl").said(
        "mode=merge imported_entries=2 remapped_entries=2 remapped_ids=1->2,2->3"
    )
    rows = [json.loads(line) for line in (pi.folder / "s.jsonl").read_text().splitlines()]
    places = [(row["id"], row["parent_id"]) for row in rows if row["record_type"] == "entry"]
    assert places == [(1, None), (2, None), (3, 2)]
    write_session(pi, entry(10, None, "a"), entry(11, 10, "b"), name="third.jsonl")
    done = run(pi, "/session-import third.jsonl --mode replace")
    done.said("mode=replace", "remapped_ids=none replaced_entries=3 total_entries=2", "backup=")
    run(pi, "/session-undo").said("session undo complete:", "entries=3")


def test_replacing_with_a_file_that_is_not_there_destroys_nothing(pi: Pi) -> None:
    path = write_session(pi, *TREE)
    before = path.read_bytes()
    done = run(pi, "/session-import nope.jsonl --mode replace")
    assert done.code == 2
    assert path.read_bytes() == before
    assert "there is no session file" in done.stderr


def test_an_unsound_import_changes_nothing(pi: Pi) -> None:
    path = write_session(pi, *TREE)
    before = path.read_bytes()
    write_session(pi, entry(2, 99, "x"), name="bad.jsonl")
    done = run(pi, "/session-import bad.jsonl")
    assert "import session validation failed" in done.stdout
    assert path.read_bytes() == before


def test_repair_reports_and_loses_nothing(pi: Pi) -> None:
    """C05, C56"""
    broken = (entry(1, None, "a"), entry(2, 99, "b"), entry(3, 4, "c"), entry(4, 3, "d"))
    path = write_session(pi, *broken, entry(5, 1, "e"))
    path.write_text(path.read_text() + "garbage\n")
    done = pi("--session", "s.jsonl", "--session-validate")
    assert done.returncode == 7
    assert "entries=5 duplicates=0 invalid_parent=1 cycles=2" in done.stdout
    done_ = run(pi, "/session-repair", "/session-validate")
    done_.said("repair complete:", "invalid_parent_ids=2", "cycle_ids=3,4", "quarantined=7")
    done_.said("session validation passed")
    assert "garbage" in (pi.folder / "s.jsonl.quarantine.jsonl").read_text()
    assert pi("--session", "s.jsonl", "--session-validate").returncode == 0


def test_validation_of_nothing_is_2_and_speaks_json(pi: Pi) -> None:
    assert pi("--session", "no.jsonl", "--session-validate").returncode == 2
    assert pi("--no-session", "--session-validate").returncode == 2
    write_session(pi, *TREE)
    done = pi("--session", "s.jsonl", "--session-validate", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["data"]["valid"] is True


def test_pruning_and_export(pi: Pi) -> None:
    write_session(pi, *TREE)
    done = run(pi, "/branch 2", "/session-export out.jsonl", "-/session-export out.jsonl")
    done.said("session export complete: path=out.jsonl entries=2 head=2", "already there")
    done = run(pi, "/session-compact --dry-run", "/session-compact")
    done.said("dry run:", "compact complete: removed_entries=1 retained_entries=2 head=2")
    run(pi, "/session-import out.jsonl").said("imported_entries=")
    done = run(pi, "-/session-export s.jsonl", "/session-export - --format md", "/export --redact")
    done.said("onto itself", "# `s.jsonl`", "to s.html (html, redacted)")
    assert (pi.folder / "s.html").read_text().startswith("<!DOCTYPE html>")


def test_branch_and_undo(pi: Pi) -> None:
    write_session(pi, entry(1, None, "one"), entry(2, 1, "two"), entry(3, 2, "three"))
    done = run(pi, "/undo", "/session", "/undo 2", "/session", "-/undo", "/resume", "/branches")
    done.said("undo: head=2 was=3", "active_head=2", "active_head=none", "resumed at head 3")
    done.said("id=3 parent=2 text=three")
    done = run(pi, "/branch 99")
    assert done.code == 2
    assert "unknown session id 99" in done.stdout
    assert run(pi, "/branch x").code == 2
    run(pi, "/branch ~1", "/session").said("active_head=2")


def test_where_it_stood_is_remembered(pi: Pi) -> None:
    write_session(pi, *TREE)
    assert run(pi, "/branch 2").code == 0
    done = run(pi, "/session")
    assert "active_head=2" in done.stdout


def test_commands_without_a_session_say_so(pi: Pi) -> None:
    done = Run(pi, "/session-stats", flags=("--no-session",))
    assert done.code == 1
    assert "session is disabled" in done.stdout
    assert os.listdir(pi.folder) == ["c.commands"]


def test_a_session_of_the_typescript_ancestor_is_taken_over(pi: Pi) -> None:
    lines = [
        {"type": "session", "version": 3, "id": "u-1", "timestamp": "2024-12-03T14:00:00.000Z"},
        {
            "type": "message",
            "id": "aaaa0001",
            "parentId": None,
            "timestamp": "2024-12-03T14:00:01.000Z",
            "message": {"role": "user", "content": "Hello"},
        },
        {
            "type": "message",
            "id": "aaaa0002",
            "parentId": "aaaa0001",
            "message": {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Hi"},
                    {"type": "toolCall", "id": "c", "name": "bash", "arguments": {"command": "ls"}},
                ],
                "provider": "anthropic",
                "model": "m",
                "api": "a",
                "stopReason": "toolUse",
            },
        },
        {
            "type": "message",
            "id": "aaaa0003",
            "parentId": "aaaa0002",
            "message": {
                "role": "toolResult",
                "toolCallId": "c",
                "toolName": "bash",
                "content": [{"type": "text", "text": "files"}],
                "isError": False,
            },
        },
        {"type": "label", "id": "aaaa0004", "parentId": "aaaa0003", "targetId": "aaaa0001"},
    ]
    path = pi.folder / "s.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run(pi, "/session-search Hi", "/session-validate", "/session-stats")
    done.said("result: id=2 parent=1 role=assistant", "validation passed", "tool: bash results=1")
    assert "converted" in done.stderr
    (backup,) = pi.folder.glob("s.jsonl.bak-*")
    assert json.loads(backup.read_text().splitlines()[0])["version"] == 3
