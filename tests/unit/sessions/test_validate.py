"""What is an error in a session file and what is a warning."""

from __future__ import annotations

from pi.sessions.load_rows import lines_of, loaded
from pi.sessions.validate import json_data, text_lines, validate
from tests.fakes.session_files import answer, dump, entry, label, meta, result, rows


def test_a_sound_file_has_nothing_to_say() -> None:
    report = validate("x", rows(meta(), entry(1, None), answer(2, 1, "c"), result(3, 2, "c")))
    assert report.valid
    assert text_lines(report) == (
        "session validation: path=x entries=3 duplicates=0 invalid_parent=0 cycles=0",
        "session validation passed",
    )


def test_each_finding_is_named_with_its_place() -> None:
    report = validate(
        "x",
        rows(entry(1, None), entry(1, None), entry(2, 99), entry(3, 4), entry(4, 3), {"odd": 1}),
    )
    assert not report.valid
    assert text_lines(report) == (
        "session validation: path=x entries=5 duplicates=1 invalid_parent=1 cycles=2",
        "duplicate: id=1 line=2",
        "invalid parent: id=2",
        "cycle: ids=3,4",
        "bad line: line=6 reason=not a record of a session",
    )
    data = json_data(report)
    assert data["duplicates"] == [{"id": 1, "line": 2}]
    assert (data["invalid_parent"], data["cycles"], data["rings"]) == ([2], [3, 4], [[3, 4]])
    assert data["valid"] is False


def test_a_bare_record_of_the_oldest_form_with_odd_ids_is_a_bad_line() -> None:
    odd = [
        {"id": "1", "parent_id": None, "message": {}},
        {"id": 1.0, "parent_id": None, "message": {}},
        {"id": True, "parent_id": None, "message": {}},
        {"id": -1, "parent_id": None, "message": {}},
        {"id": 2**63, "parent_id": None, "message": {}},
        {"id": 1, "parent_id": "0", "message": {}},
    ]
    report = validate("x", rows(*odd))
    assert [number for number, _ in report.bad_lines] == [1, 2, 3, 4, 5, 6]


def test_warnings_do_not_make_a_file_unsound() -> None:
    report = validate(
        "x",
        rows(meta(), entry(1, None), answer(2, 1, "a", "b"), result(3, 2, "a"), result(4, 1, "z"))
        + rows(label("gone", 77)),
    )
    assert report.valid
    assert text_lines(report)[1:] == (
        "warning: call without result: id=2 call=b",
        "warning: result without call: id=4 call=z",
        "warning: name on nothing: name=gone id=77",
        "session validation passed",
    )
    assert json_data(report)["stray_names"] == [{"name": "gone", "id": 77}]


def test_an_entry_without_a_message_between_call_and_result_is_no_matter() -> None:
    waypoint = {"record_type": "entry", "id": 3, "parent_id": 2, "kind": "label"}
    report = validate("x", rows(entry(1, None), answer(2, 1, "c"), waypoint, result(4, 3, "c")))
    assert report.open_calls == ()
    assert report.stray_results == ()


def test_a_torn_end_is_a_warning_and_a_torn_line_within_an_error() -> None:
    whole = dump(entry(1, None), entry(2, 1))
    found = loaded(lines_of(whole[:-20]))
    report = validate("x", found.rows, found.torn)
    assert report.valid
    assert "warning: torn end: line=2" in text_lines(report)
    found = loaded(lines_of(whole[:-20] + b"\n" + dump(entry(3, 1))))
    assert not validate("x", found.rows, found.torn).valid
