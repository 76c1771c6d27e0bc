from __future__ import annotations

import json
from typing import Any

import pytest

from pi.base.cassette_match import Difference, difference
from pi.base.http import Request

HEADERS = (
    ("Content-Type", "application/json"),
    ("Authorization", "[REDACTED]"),
    ("User-Agent", "pi/1"),
    ("x-pi-request-id", "pi-1"),
)
SAME = Request("POST", "http://a/v1", HEADERS, b'{"a":1}')


def bodies(ours: Any, theirs: Any) -> Difference:
    raw = [
        each if isinstance(each, bytes) else json.dumps(each).encode() for each in (ours, theirs)
    ]
    found = difference(SAME._replace(body=raw[0]), SAME._replace(body=raw[1]))
    assert found is not None
    return found


def test_the_same_request_is_the_same() -> None:
    assert difference(SAME, SAME) is None


def test_request_id_and_user_agent_match_by_name_only() -> None:
    sent = (*HEADERS[:2], ("User-Agent", "pi/2"), ("x-pi-request-id", "other"))
    assert difference(SAME, SAME._replace(headers=sent)) is None
    found = difference(SAME, SAME._replace(headers=sent[:-1]))
    assert found is not None
    assert found.part == "header x-pi-request-id"
    assert found.sent == "(no such header)"


def test_a_credential_may_be_absent_from_the_sent_request_but_not_new_in_it() -> None:
    without = (HEADERS[0], *HEADERS[2:])
    assert difference(SAME, SAME._replace(headers=without)) is None
    found = difference(SAME._replace(headers=without), SAME)
    assert found == Difference("header Authorization", "(no such header)", "'[REDACTED]'")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"method": "GET"}, Difference("method", "'POST'", "'GET'")),
        ({"url": "http://a/v2"}, Difference("url", "'http://a/v1'", "'http://a/v2'")),
        (
            {"headers": (("Content-Type", "text/plain"), *HEADERS[1:])},
            Difference("header Content-Type", "'application/json'", "'text/plain'"),
        ),
        (
            {"headers": (*HEADERS, ("X", "1"))},
            Difference("header X", "(no such header)", "'1'"),
        ),
    ],
)
def test_the_first_part_that_differs_is_named(change: Any, expected: Difference) -> None:
    assert difference(SAME, SAME._replace(**change)) == expected


def test_the_order_of_headers_counts_unless_it_is_lenient() -> None:
    turned = SAME._replace(headers=HEADERS[::-1])
    found = difference(SAME, turned)
    assert found is not None
    assert found.part == "the order of headers"
    assert difference(SAME, turned, lenient=True) is None
    assert difference(SAME, turned._replace(body=b""), lenient=True) is not None


def test_lenient_does_not_forgive_another_value_or_order_of_one_header() -> None:
    one = SAME._replace(headers=(("A", "1"), ("A", "2")))
    two = SAME._replace(headers=(("A", "2"), ("A", "1")))
    assert difference(one, two, lenient=True) is not None
    assert difference(one, one._replace(headers=(("A", "1"),)), lenient=True) is not None


MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({"m": MESSAGES}, {"m": []}, ("m[0]", '{"role": "user", "content": "hi"}', "(absent)")),
        ({"m": MESSAGES}, {"m": [{"role": "user", "content": "ho"}]},
         ("m[0].content", "'hi'", "'ho'")),
        ({"a": 1}, {"a": True}, ("a", "1", "true")),
        ({"a": 1}, {"a": 1.0}, ("a", "1", "1.0")),
        ({"a": None}, {}, ("a", "null", "(absent)")),
        ({}, {"b c": 2}, ("['b c']", "(absent)", "2")),
        ([1, [2, 3]], [1, [2, 4]], ("[1][1]", "3", "4")),
    ],
)  # fmt: skip
def test_the_innermost_json_value_that_differs_is_named(
    ours: Any, theirs: Any, expected: tuple[str, str, str]
) -> None:
    assert bodies(ours, theirs) == Difference(f"body at {expected[0]}", *expected[1:])


def test_another_order_of_keys_is_a_difference() -> None:
    found = bodies({"m": {"a": 1, "b": 2}}, {"m": {"b": 2, "a": 1}})
    assert found == Difference("body at m, the order of keys", "'a, b'", "'b, a'")


def test_bodies_of_another_kind_are_shown_whole() -> None:
    assert bodies([1], {"a": 1}) == Difference("body", "[1]", '{"a": 1}')


def test_a_body_that_is_no_json_is_compared_by_position() -> None:
    assert bodies(b"abc", b"abd") == Difference("body at byte 2", "'abc'", "'abd'")
    assert bodies(b'{"a":1}', b'{"a": 1}').part == "body at byte 5"
    deep = b"[" * 100_000
    assert bodies(deep, deep + b"]").part == "body at byte 100000"


def test_long_texts_are_shortened_around_the_difference() -> None:
    text = "x" * 100_000
    found = bodies({"t": f"{text}A{text}"}, {"t": f"{text}B{text}"})
    assert found.recorded.startswith("…'" + "x" * 24 + "A")
    assert found.sent.endswith("x'…")
    assert len(found.recorded) < 80


def test_nothing_unprintable_is_shown() -> None:
    found = bodies({"t": "\x1b[2J\x9b1m\u202e"}, {"t": ["\x1b[2J\x9b1m\u202e"]})
    assert found.recorded.isprintable()
    assert found.sent.isprintable()
