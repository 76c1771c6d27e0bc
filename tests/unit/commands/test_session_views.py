"""Commands that look: what they print, and what export writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pi.base.errors import PiError
from pi.commands.context import CommandContext
from pi.commands.dispatch import run_line
from pi.commands.slow_search import search_in_child
from pi.sessions.load_rows import load_rows
from pi.sessions.search import Query
from tests.fakes.session_files import answer, context, dump, entry, label, meta, result

TREE = (
    meta(),
    entry(1, None, "root"),
    entry(2, 1, "main line", later={"x": [1]}),
    answer(3, 2, "c"),
    result(4, 3, "c"),
    entry(5, 1, "side"),
    label("spot", 5),
)


@pytest.fixture
def ran(tmp_path: Path) -> CommandContext:
    found = context(tmp_path, *TREE)
    assert found.store is not None
    found.store.switch(4)
    return found


def lines(ran: CommandContext, line: str) -> tuple[str, ...]:
    return run_line(line, ran).lines


def test_the_sessions_of_the_folder_are_listed(tmp_path: Path) -> None:
    folder = tmp_path / ".pi" / "sessions"
    folder.mkdir(parents=True)
    inside = context(folder, *TREE, name="work.jsonl")
    ran = inside._replace(cwd=str(tmp_path), store=None)
    (line,) = lines(ran, "/sessions")
    assert line.startswith("1. work  20")
    assert line.endswith("bytes  root")
    (row,) = json.loads(lines(ran, "/sessions --json")[0])["data"]["sessions"]
    assert set(row) == {
        *("name", "path", "modified", "modified_ms", "size", "first_prompt", "last_message"),
    }
    assert (row["name"], row["first_prompt"], row["last_message"]) == ("work", "root", "side")
    assert lines(ran._replace(cwd=str(folder)), "/sessions") == ("no sessions",)


def test_a_pattern_that_never_ends_is_ended(ran: CommandContext) -> None:
    assert ran.store is not None
    evil = Query("(a+)+$", regex=True)
    hay = context(Path(ran.cwd), entry(1, None, "a" * 64 + "b"), name="evil.jsonl").store
    assert hay is not None
    clock = iter(range(1, 10**9)).__next__  # each look at the clock is a second
    with pytest.raises(PiError, match="the pattern took longer"):
        search_in_child(hay.path, hay.snapshot(), evil, monotonic=clock, seconds=30)


def test_a_risky_pattern_finds_what_is_there(ran: CommandContext) -> None:
    found = lines(ran, "/session-search --regex --case 's.*d.*'")
    assert (
        found[0] == 'session search: query="s.*d.*" role=any entries=5 matches=1 shown=1 limit=50'
    )
    assert found[1] == "result: id=5 parent=1 role=user preview=side"
    active = lines(ran, "/session-search --regex '^(main|side).*' --branch active")
    assert [line.split()[1] for line in active[1:]] == ["id=2"]


def test_a_bad_pattern_says_where(ran: CommandContext) -> None:
    (line,) = lines(ran, "/session-search --regex '('")
    assert line.startswith("session search error: error=invalid regular expression")


def test_an_export_is_a_session_with_all_that_was_in_it(ran: CommandContext) -> None:
    assert lines(ran, "/session-export out.jsonl") == (
        "session export complete: path=out.jsonl entries=4 head=4",
    )
    assert ran.store is not None
    ours = Path(ran.store.path).read_bytes().split(b"\n")
    theirs = (Path(ran.cwd) / "out.jsonl").read_bytes().split(b"\n")
    assert theirs[1:5] == ours[1:5]
    assert json.loads(theirs[-2])["record_type"] == "digest"
    found = load_rows(str(Path(ran.cwd) / "out.jsonl"))
    assert all(row.record is not None for row in found.rows)


def test_an_export_never_overwrites_unless_told_to(ran: CommandContext) -> None:
    (Path(ran.cwd) / "out.jsonl").write_text("mine")
    assert "already there" in lines(ran, "/session-export out.jsonl")[0]
    assert (Path(ran.cwd) / "out.jsonl").read_text() == "mine"
    assert "complete" in lines(ran, "/session-export out.jsonl --force")[0]
    for path in ("s.jsonl", "./s.jsonl", "s.jsonl --force"):
        assert "onto itself" in lines(ran, f"/session-export {path}")[0]


@pytest.mark.parametrize("form", ["jsonl", "md", "html", "json", "pi-mono"])
def test_an_export_to_standard_output_is_the_file_to_the_byte(tmp_path: Path, form: str) -> None:
    odd = "a\u2028b\u0085c\x0cd\r\nlast"
    ran = context(tmp_path, meta(), entry(1, None, odd))
    said = "".join(f"{line}\n" for line in lines(ran, f"/session-export - --format {form}"))
    lines(ran, f"/session-export out --format {form}")
    assert (tmp_path / "out").read_bytes() == said.encode()
    data = json.loads(lines(ran, f"/session-export - --format {form} --json")[0])["data"]
    assert data["text"] == said


def test_another_branch_and_old_names_can_be_exported(ran: CommandContext) -> None:
    folder = Path(ran.cwd)
    old = {"schema_version": 1, "aliases": {"old": 5, "gone": 99}}
    (folder / "s.aliases.json").write_text(json.dumps(old))
    assert "entries=2 head=5" in lines(ran, "/session-export out --from spot")[0]
    data = (folder / "out").read_text()
    assert '"name":"old"' in data
    assert '"name": "spot"' in data
    assert "gone" not in data
    assert "entries=5 head=4" in lines(ran, "/session-export all --all")[0]


def test_a_drawing_shows_names_and_where_one_stands(ran: CommandContext) -> None:
    text = "\n".join(lines(ran, "/session-graph-export -"))
    assert '  n5["5: user | side (spot)"]' in text
    assert "style n4 stroke-width:3px" in text
    data = json.loads(lines(ran, "/session-graph-export - --format json --json")[0])["data"]
    assert data["nodes"] == 5
    assert json.loads(data["text"])["active"] == 4


def test_validation_in_words_and_json(ran: CommandContext) -> None:
    assert lines(ran, "/session-validate")[-1] == "session validation passed"
    odd = dump({"id": 1.5, "message": {}}, meta())
    Path(ran.cwd, "s.jsonl").write_bytes(odd + b'{"id":1,"mess')
    found = run_line("/session-validate --json", ran)
    data = json.loads(found.lines[0])
    assert found.result.error is not None
    assert found.result.error.exit_code == 7
    assert data["data"]["bad_lines"][0]["line"] == 1
    assert data["data"]["torn_line"] == 3


def test_stats_keep_their_old_names_on_top(ran: CommandContext) -> None:
    data = json.loads(lines(ran, "/session-stats --json")[0])
    assert data["entries"] == data["data"]["entries"] == 5
    assert data["data"]["tools"] == {"read": {"errors": 0, "results": 1}}


def test_differences_take_names(ran: CommandContext) -> None:
    assert lines(ran, "/session-diff spot active")[0] == (
        "session diff: source=explicit left=5 right=4"
    )
    assert lines(ran, "/session-diff 9 1") == ("session diff error: unknown left session id 9",)
