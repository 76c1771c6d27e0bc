"""The catalog that comes with pi: complete, dated, and true to its own rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pi.ai.catalog import Catalog, Entry
from pi.ai.catalog_json import parse_catalog
from pi.ai.catalog_store import built_in
from pi.ai.providers import BY_NAME

ROOT = Path(__file__).resolve().parents[3]
ENTRIES = built_in()
CATALOG = Catalog(ENTRIES)
APIS = {"openai-chat", "openai-responses", "anthropic", "google"}
STYLES = {
    *("", "anthropic-adaptive", "anthropic-budget", "openai-effort"),
    *("gemini-level", "gemini-budget"),
}
LEVELS = ("minimal", "low", "medium", "high", "xhigh", "max")
DATE = re.compile(r"20\d\d-\d\d-\d\d")
# The kinds of figures, as ``source`` names them.
KINDS = {
    "limits": ("context_window_tokens", "max_output_tokens"),
    "prices": ("rates", "long_prompt"),
    "abilities": (
        *("supports_tools", "supports_multimodal", "supports_reasoning"),
        *("thinking_style", "thinking_levels", "thinking_can_disable", "temperature_allowed"),
    ),
    "retirement": ("retires", "replaced_by"),
}
NOTHING_KNOWN = Entry("", "")


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_every_entry_is_sourced_and_keeps_the_rules(entry: Entry) -> None:
    assert entry.source
    assert DATE.fullmatch(entry.checked)
    assert not entry.retires or DATE.fullmatch(entry.retires)
    assert entry.provider in {*BY_NAME, "anthropic", "google"}
    assert entry.api in APIS
    assert entry.thinking_style in STYLES
    assert entry.supports_tools is True
    assert not (entry.thinking_style and not entry.supports_reasoning)
    assert list(entry.thinking_levels) == [x for x in LEVELS if x in entry.thinking_levels]
    rates, long_prompt = entry.rates, entry.long_prompt
    assert (rates.input is None) == (rates.output is None)
    if rates.input is not None and rates.output is not None:
        assert rates.output >= rates.input
        assert rates.cache_read is None or rates.cache_read <= rates.input
        assert rates.cache_write is None or rates.cache_write >= rates.input
    if long_prompt is not None:
        for short, long in zip(rates, long_prompt.rates):
            assert (short is None) == (long is None)
            assert short is None or long is None or long >= short
    if entry.replaced_by:
        assert CATALOG.find(entry.provider, entry.replaced_by) is not None


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_every_known_figure_has_a_source_and_no_source_stands_for_nothing(entry: Entry) -> None:
    """``source`` is "KIND, KIND: WHERE; KIND: WHERE"; what is not known has no WHERE."""
    named = []
    for part in entry.source.split("; "):
        kinds, colon, where = part.partition(": ")
        assert colon
        assert where.strip()
        named += kinds.split(", ")
    known = [
        kind
        for kind, fields in KINDS.items()
        if any(getattr(entry, name) != getattr(NOTHING_KNOWN, name) for name in fields)
    ]
    assert sorted(named) == sorted(known)


def test_the_file_says_what_its_sources_mean() -> None:
    about = " ".join(parse_catalog((ROOT / "pi/data/models.json").read_bytes()).head["about"])
    assert all(kind in about for kind in KINDS)


def test_the_default_model_is_listed_and_not_yet_retired() -> None:
    entry = CATALOG.find("openai", "gpt-4o-mini")
    assert entry is not None
    assert entry.retires == "2027-01-14"
    assert CATALOG.find("openai", entry.replaced_by) is not None


def test_entries_are_in_order_so_that_changes_are_easy_to_read() -> None:
    names = [(entry.provider, entry.model) for entry in ENTRIES]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("provider", "model", "window", "price"),
    [
        ("openai", "gpt-4o-mini", 128_000, (0.15, 0.60)),
        ("openai", "gpt-4o", 128_000, (2.50, 10.00)),
        ("openai", "openai/gpt-4o-mini", 128_000, (0.15, 0.60)),
        ("openrouter", "openai/gpt-4o-mini", 128_000, (0.15, 0.60)),
        ("openai", "llama-3.3-70b", 131_072, (None, None)),
        ("groq", "llama-3.3-70b", 131_072, (None, None)),
        ("openai", "grok-4", 256_000, (3.00, 15.00)),
        ("xai", "grok-4", 256_000, (3.00, 15.00)),
        ("openai", "mistral-large-latest", 262_144, (0.50, 1.50)),
        ("mistral", "mistral-large-latest", 262_144, (0.50, 1.50)),
        ("anthropic", "claude-sonnet-4", 200_000, (3.00, 15.00)),
        ("anthropic", "claude-sonnet-4-20250514", 200_000, (3.00, 15.00)),
        ("anthropic", "claude-3-5-haiku-latest", 200_000, (0.80, 4.00)),
        ("google", "gemini-2.0-flash", 1_048_576, (0.10, 0.40)),
        ("gemini", "gemini-2.5-pro", 1_048_576, (1.25, 10.00)),
        ("openai", "gpt-4o-mini-2024-07-18", 128_000, (0.15, 0.60)),
        ("demo", "tour", None, (0.0, 0.0)),
    ],
)
def test_well_known_names_resolve(
    provider: str, model: str, window: int | None, price: tuple[float | None, float | None]
) -> None:
    entry = CATALOG.find(provider, model)
    assert entry is not None
    assert entry.context_window_tokens == window
    assert entry.rates[:2] == price


def test_the_older_chat_models_are_not_listed_as_reasoning_models() -> None:
    for model in ("gpt-4o", "gpt-4o-mini"):
        entry = CATALOG.find("openai", model)
        assert entry is not None
        assert entry.supports_reasoning is False
        assert entry.temperature_allowed is True
