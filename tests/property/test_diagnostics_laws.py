"""Laws of the diagnostics: logs, moments, checks, arguments of listings."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.audit.moments import parse_moment, show_moment
from pi.audit.summary import Counter, Summary, Window
from pi.audit.summary_text import json_data, text_lines
from pi.base.errors import UsageError
from pi.cli.doctor_checks_skills import count_keys
from pi.commands.doctor import Check, report
from pi.commands.models import read_wanted
from pi.commands.policy import split_call
from pi.skills.base64_strict import encode
from pi.skills.trust_store import TrustRecord
from tests.fakes.examples import few

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
records = st.fixed_dictionaries(
    {},
    optional={
        "event": st.just("tool_execution_end") | anything,
        "record_type": st.just("prompt_telemetry_v1") | anything,
        **dict.fromkeys(
            ("tool_name", "provider", "model", "served_by", "status", "success", "is_error",
             "duration_ms", "token_usage", "policy_rule", "error_code", "session",
             "timestamp_unix_ms"),
            anything,
        ),
    },
)  # fmt: skip
logs = st.lists(
    records.map(lambda one: json.dumps(one).encode()) | st.binary(max_size=9), max_size=6
)


def count(log: bytes, cuts: list[int], window: Window = Window()) -> Summary:  # noqa: B008
    places = sorted({0, len(log), *(cut % (len(log) + 1) for cut in cuts)})
    counter = Counter(window)
    counter.log(log[a:b] for a, b in zip(places, places[1:]))
    return counter.summary()


@settings(max_examples=few(150), deadline=None)
@given(lines=logs, cuts=st.lists(st.integers(0, 500), max_size=4))
def test_any_slicing_of_a_log_gives_the_same_summary_and_no_field_does_harm(
    lines: list[bytes], cuts: list[int]
) -> None:
    log = b"\n".join(lines)
    found = count(log, cuts)
    assert found == count(log, [])
    text = text_lines(found, "p", lambda name: (1.0, 1.0))
    assert all("\n" not in line for line in text)
    json.dumps(json_data(found, ["p"], lambda name: None), allow_nan=False).encode()


@settings(max_examples=few(60), deadline=None)
@given(lines=logs, at=st.integers(-5, 5))
def test_a_moment_parts_the_dated_records_of_a_log_in_two(lines: list[bytes], at: int) -> None:
    log = b"\n".join(lines)
    whole, before, after = (
        count(log, [], window) for window in (Window(), Window(until=at), Window(since=at))
    )
    dated = whole.records - before.records - after.records
    assert dated >= 0
    assert before.records + before.left_out == whole.records


@settings(max_examples=few(150), deadline=None)
@given(text=st.text(max_size=30), now=st.integers(0, 2**50))
def test_a_moment_is_a_number_or_a_value_error(text: str, now: int) -> None:
    with contextlib.suppress(ValueError):
        show_moment(parse_moment(text, now))


@settings(max_examples=few(100), deadline=None)
@given(seconds=st.integers(0, 4_000_000_000))
def test_a_moment_that_is_shown_can_be_typed_again(seconds: int) -> None:
    assert parse_moment(show_moment(seconds * 1000), 0) == seconds * 1000


checks = st.builds(
    Check,
    st.sampled_from(["model", "tls"]),
    st.sampled_from(["pass", "warn", "fail"]),
    *(st.text(max_size=12),) * 3,
)


@settings(max_examples=few(100), deadline=None)
@given(found=st.lists(checks, max_size=4))
def test_every_check_is_one_line_and_the_counts_add_up(found: list[Check]) -> None:
    told = report(found)
    assert len(told.text) == len(found) + 1
    assert all(len(line.splitlines()) == 1 for line in told.text)
    assert told.data is not None
    summary = told.data["summary"]
    assert summary["pass"] + summary["warn"] + summary["fail"] == summary["checks"] == len(found)
    assert (told.error is None) == (summary["fail"] == 0)


@settings(max_examples=few(60), deadline=None)
@given(
    keys=st.lists(
        st.builds(
            TrustRecord,
            st.text(max_size=3),
            st.text(max_size=8) | st.binary(min_size=32, max_size=32).map(encode),
            st.booleans(),
            st.none() | st.integers(0, 2**40),
        ),
        max_size=4,
        unique_by=lambda record: record.id,
    ),
    now=st.integers(0, 2**40),
)
def test_every_record_of_a_trust_file_is_counted_once(keys: list[TrustRecord], now: int) -> None:
    found = count_keys("t", keys, now)
    assert found.active + found.revoked + found.expired + len(found.bad) == len(keys)


@settings(max_examples=few(150), deadline=None)
@given(
    options=st.dictionaries(
        st.sampled_from(["tools", "limit", "min-context", "max-input-cost", "max-output-cost"]),
        st.text("0123456789.truefalse-e", max_size=6),
    ),
    words=st.lists(st.text(max_size=5), max_size=3),
)
def test_arguments_of_a_listing_are_taken_or_refused_in_words(
    options: dict[str, str], words: list[str]
) -> None:
    with contextlib.suppress(UsageError):
        wanted = read_wanted(words, options)
        assert wanted.limit >= 0
        assert wanted.max_input_cost is None or wanted.max_input_cost >= 0


@settings(max_examples=few(150), deadline=None)
@given(
    tool=st.text("abcdefgh", min_size=1, max_size=5),
    command=st.text(max_size=20).map(str.strip).filter(lambda text: not text.startswith("--")),
    flags=st.sampled_from(["", "--json "]),
)
def test_a_call_to_judge_comes_out_as_it_was_typed(tool: str, command: str, flags: str) -> None:
    assert split_call(f"{flags}check {flags}{tool} {command}") == (tool, command)
    assert split_call(f"check {tool} -- {command}"[: None if command else -1])[1] in (command, "--")
