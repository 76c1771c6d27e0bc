"""Moments as people type them."""

from __future__ import annotations

import pytest

from pi.audit.moments import parse_moment, show_moment

NOW = 1_800_000_000_000
DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1700000000", 1_700_000_000_000),
        ("1700000000123", 1_700_000_000_123),
        ("90m", NOW - 5_400_000),
        ("24h", NOW - DAY),
        ("7D", NOW - 7 * DAY),
        ("30s", NOW - 30_000),
        ("1970-01-02", DAY),
        ("1970-01-02T00:00:01Z", DAY + 1000),
        ("1970-01-02T01:00+01:00", DAY),
        (" 1970-01-02 ", DAY),
    ],
)
def test_a_moment_is_a_date_a_number_or_so_long_ago(text: str, expected: int) -> None:
    assert parse_moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "m", "-5m", "1.5h", "tomorrow", "2026-13-01", "٣h", "9" * 40])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment; write 2026"):
        parse_moment(text, NOW)


def test_a_moment_is_shown_in_utc_and_an_impossible_one_as_its_number() -> None:
    assert show_moment(DAY + 1000) == "1970-01-02T00:00:01Z"
    assert show_moment(2**62) == str(2**62)
