from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.catalog import Entry, LongPrompt, Rates
from pi.ai.catalog_json import BadCatalog, encode_catalog, parse_catalog, plain_entry

GOOD: dict[str, Any] = {"provider": "openai", "model": "m"}


def encoded(*entries: Any, **head: Any) -> bytes:
    return json.dumps({"schema_version": 1, "entries": list(entries), **head}).encode()


def complaint(data: bytes) -> str:
    with pytest.raises(BadCatalog) as caught:
        parse_catalog(data)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_both_forms_are_read_and_unknown_fields_ignored() -> None:
    entry = {**GOOD, "provider": " OpenAI ", "model": " m ", "shape": [1], "input": 3}
    expected = (Entry("openai", "m"),)
    assert parse_catalog(json.dumps([entry]).encode()).entries == expected
    parsed = parse_catalog(b"\xef\xbb\xbf" + encoded(entry, etag="x"))
    assert parsed.entries == expected
    assert parsed.head == {"schema_version": 1, "etag": "x"}


def test_every_field_is_read() -> None:
    entry = {
        **GOOD,
        "provider": "gemini",
        "context_window_tokens": 10,
        "supports_tools": True,
        "supports_multimodal": False,
        "supports_reasoning": None,
        "input_cost_per_million": 1,
        "output_cost_per_million": 2.5,
        "cache_read_cost_per_million": 0,
        "cache_write_cost_per_million": 3,
        "max_output_tokens": 5,
        "long_prompt": {"over_tokens": 7, "input_cost_per_million": 2},
        "api": "google",
        "thinking_style": "gemini-level",
        "thinking_levels": ["low", "high"],
        "thinking_can_disable": False,
        "temperature_allowed": True,
        "compat": {"a": [1]},
        "retires": "2027-01-14",
        "replaced_by": "n",
        "source": "s",
        "checked": "2026-11-22",
        "note": "n",
    }
    assert parse_catalog(encoded(entry)).entries == (
        Entry(
            "google", "m", 10, True, False, None, Rates(1.0, 2.5, 0.0, 3.0), 5,
            LongPrompt(7, Rates(2.0)), "google", "gemini-level", ("low", "high"),
            False, True, {"a": [1]}, "2027-01-14", "n", "s", "2026-11-22", "n",
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("provider", None, "provider is missing or blank"),
        ("provider", "  ", "provider is missing or blank"),
        ("model", 3, "model is a number, not a text"),
        ("model", "a\nb", "model holds characters that cannot be shown"),
        ("model", "\ud800", "model holds characters that cannot be shown"),
        ("model", "m" * 301, "model is longer than 300 characters"),
        ("context_window_tokens", 0, "context_window_tokens is 0, not between"),
        ("context_window_tokens", -1, "context_window_tokens is -1, not between"),
        ("context_window_tokens", 1.5, "context_window_tokens is a number, not a whole number"),
        ("context_window_tokens", True, "context_window_tokens is true or false, not a whole"),
        ("context_window_tokens", 10**60, "context_window_tokens is a huge number"),
        ("max_output_tokens", "5", "max_output_tokens is a text, not a whole number"),
        ("supports_tools", 1, "supports_tools is a number, not true or false"),
        ("supports_tools", "yes", "supports_tools is a text, not true or false"),
        ("input_cost_per_million", -0.1, "input_cost_per_million is -0.1, not a price"),
        ("input_cost_per_million", float("nan"), "input_cost_per_million is nan, not a price"),
        ("output_cost_per_million", float("inf"), "output_cost_per_million is inf, not a price"),
        ("output_cost_per_million", "3", "output_cost_per_million is a text, not a number"),
        ("output_cost_per_million", True, "output_cost_per_million is true or false, not a num"),
        ("long_prompt", [], "long_prompt is a list, not an object"),
        ("long_prompt", {}, "long_prompt: over_tokens is missing"),
        ("long_prompt", {"over_tokens": 1, "input_cost_per_million": -1}, "long_prompt: input_"),
        ("thinking_levels", "low", "thinking_levels is a text, not a list"),
        ("thinking_levels", [1], "thinking_levels is a number, not a text"),
        ("compat", [1], "compat is a list, not an object"),
        ("api", {}, "api is an object, not a text"),
    ],
)
def test_a_wrong_field_is_named_with_its_entry(field: str, value: Any, why: str) -> None:
    text = complaint(encoded(GOOD, {"provider": "p", "model": "x", field: value}))
    assert text.startswith("entry 1")
    assert why in text
    if field not in ("provider", "model"):
        assert "p/x" in text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"entries":[]', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "not JSON: nested too deeply"),
        (b"3", "entries is a number, not a list"),
        (b"null", "entries is missing, not a list"),
        (b'{"schema_version":1}', "entries is missing"),
        (b'{"entries":[]}', "schema_version is missing, not 1"),
        (b'{"schema_version":2,"entries":[]}', "schema_version is 2, not 1"),
        (b'{"schema_version":true,"entries":[]}', "schema_version is True, not 1"),
        (b'{"schema_version":[1],"entries":[]}', "schema_version is [1], not 1"),
        (b"[3]", "entry 0 is a number, not an object"),
    ],
)
def test_what_is_no_catalog_is_refused_in_one_line(data: bytes, why: str) -> None:
    assert why in complaint(data)


def test_a_name_may_be_there_once_whatever_its_case_and_spelling() -> None:
    twice = encoded({"provider": "google", "model": "M"}, {"provider": "Gemini", "model": "m"})
    assert complaint(twice) == "google/m is there twice"


def test_the_written_form_holds_every_field_and_the_head() -> None:
    data = encode_catalog([Entry("openai", "m")], {"etag": "x", "entries": 3, "schema_version": 9})
    assert data.endswith(b"}\n")
    assert b'\n  "entries": [\n    {\n' in data
    written = json.loads(data)
    assert written["schema_version"] == 1
    assert written["etag"] == "x"
    (entry,) = written["entries"]
    assert entry["input_cost_per_million"] is None
    assert entry["api"] is None
    assert entry["long_prompt"] is None
    assert entry == plain_entry(Entry("openai", "m"))


def test_what_cannot_be_written_does_not_reach_the_file() -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    entry = Entry("openai", "m", compat={"deep": deep, "half": "\ud800", "no": float("nan")})
    (back,) = parse_catalog(encode_catalog([entry])).entries
    assert back.compat["no"] is None
