"""The one line of --json."""

from __future__ import annotations

import json

from pi.base.errors import PiError
from pi.commands.result import Result, render_json


def test_success_and_failure_have_one_envelope() -> None:
    assert (
        render_json("/x", Result(("a",), {"b": 1})) == '{"command":"/x","data":{"b":1},"ok":true}'
    )
    data = json.loads(render_json("/x", Result(error=PiError("m", cause="c", hint="h", code="k"))))
    error = {"cause": "c", "code": "k", "exit_code": 1, "hint": "h", "message": "m"}
    assert data == {"command": "/x", "ok": False, "error": error}


def test_old_keys_stay_on_top_and_never_hide_the_envelope() -> None:
    data = json.loads(render_json("/x", Result((), {"n": 1}, legacy={"n": 1, "ok": "no"})))
    assert data == {"command": "/x", "data": {"n": 1}, "n": 1, "ok": True}


def test_whatever_a_text_holds_it_is_one_line_of_utf_8() -> None:
    line = render_json("/x", Result((), {"t": "a\nb\ud800"}))
    assert line.encode("utf-8").count(b"\n") == 0
    assert json.loads(line)["data"]["t"] == "a\nb?"
