from __future__ import annotations

import pytest

from pi.ai.catalog import (
    Catalog,
    Entry,
    Filters,
    Rates,
    base_name,
    canonical_provider,
    check_model,
    listing,
    row,
)
from pi.base.errors import ConfigError

MINI = Entry("openai", "gpt-mini", 128_000, True, True, False, Rates(0.15, 0.6))
SONNET = Entry("anthropic", "claude-sonnet-4", 200_000, True, True, True, Rates(3.0, 15.0))
HAIKU = Entry("anthropic", "claude-3-5-haiku-latest")
FLASH = Entry("google", "gemini-flash", supports_tools=False)
LLAMA = Entry("groq", "llama-70b", supports_tools=True, api="openai-chat", compat={"x": 1})
CATALOG = Catalog((MINI, SONNET, HAIKU, FLASH, LLAMA))


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-mini", MINI),
        ("OpenAI ", " GPT-Mini", MINI),
        ("openai", "gpt-mini-2024-07-18", MINI),
        ("anthropic", "claude-sonnet-4-20250514", SONNET),
        ("anthropic", "claude-sonnet-4-latest", SONNET),
        ("anthropic", "claude-3-5-haiku-20241022", HAIKU),
        ("anthropic", "claude-3-5-haiku", HAIKU),
        ("gemini", "gemini-flash", FLASH),
        ("anthropic", "claude-sonnet-4-5", None),
        ("anthropic", "gpt-mini", None),
        ("ollama", "gpt-mini", None),
        ("", "", None),
    ],
)
def test_a_model_is_found_by_its_name_with_or_without_a_date(
    provider: str, model: str, expected: Entry | None
) -> None:
    assert CATALOG.find(provider, model) == expected


def test_an_exact_name_wins_over_a_dated_one() -> None:
    dated = Entry("openai", "gpt-mini-2024-07-18", 1)
    other = Entry("openai", "gpt-mini-2025-07-18", 2)
    catalog = Catalog((other, dated, MINI))
    assert catalog.find("openai", "gpt-mini-2024-07-18") == dated
    assert catalog.find("openai", "gpt-mini") == MINI
    assert catalog.find("openai", "gpt-mini-2026-01-01") == MINI
    assert Catalog((other, dated)).find("openai", "gpt-mini") == dated


def test_openai_compatible_vendors_find_each_others_entries_but_not_their_wire_format() -> None:
    found = CATALOG.find("openai", "llama-70b")
    assert found == LLAMA._replace(provider="openai", api="", compat={})
    found = CATALOG.find("azure-openai", "gpt-mini")
    assert found == MINI._replace(provider="azure")


def test_a_later_layer_replaces_the_whole_entry() -> None:
    newer = Entry("openai", "GPT-MINI", 1)
    catalog = Catalog((MINI, SONNET), (newer,))
    assert catalog.find("openai", "gpt-mini") == newer
    assert len(catalog) == 2


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("m-20250514", "m"),
        ("m-2024-07-18", "m"),
        ("m-latest", "m"),
        ("m-2512", "m-2512"),
        ("m20250514", "m20250514"),
        ("-20250514", "-20250514"),
        ("m-2024-0718", "m-2024-0718"),
        ("m-\uff12\uff10250514", "m-\uff12\uff10250514"),
        ("m-dddddddd", "m-dddddddd"),
        ("-latest", "-latest"),
        ("", ""),
    ],
)
def test_only_a_date_or_latest_at_the_end_is_not_part_of_the_name(model: str, base: str) -> None:
    assert base_name(model) == base


def test_second_names_of_providers_are_folded() -> None:
    assert [canonical_provider(name) for name in ("Gemini", " azure-openai", "mine")] == [
        "google",
        "azure",
        "mine",
    ]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [HAIKU, SONNET, FLASH, LLAMA, MINI]),
        (Filters(("CLAUDE", "son")), [SONNET]),
        (Filters(("anthropic/", "4")), [SONNET]),
        (Filters(("claude", "gpt")), []),
        (Filters(provider="gemini"), [FLASH]),
        (Filters(tools=True), [SONNET, LLAMA, MINI]),
        (Filters(tools=False), [FLASH]),
        (Filters(multimodal=True, reasoning=False), [MINI]),
    ],
)
def test_a_listing_shows_what_passes_every_filter_sorted(
    filters: Filters, expected: list[Entry]
) -> None:
    assert CATALOG.search(filters) == expected


def test_a_row_says_unknown_where_nothing_is_known() -> None:
    assert row(MINI) == (
        "model: openai/gpt-mini tools=true multimodal=true reasoning=false "
        "context_window_tokens=128000 input_cost_per_million=0.150000 "
        "output_cost_per_million=0.600000"
    )
    assert row(Entry("a", "b")).endswith(
        "tools=unknown multimodal=unknown reasoning=unknown context_window_tokens=unknown "
        "input_cost_per_million=unknown output_cost_per_million=unknown"
    )


def test_a_listing_counts_matches_and_rows() -> None:
    lines = listing([MINI, SONNET], "built-in", limit=1)
    assert lines[0] == "models list: source=built-in total_matches=2 shown=1"
    assert lines[1:] == [row(MINI)]
    assert listing([], "cache:F") == [
        "models list: source=cache:F total_matches=0 shown=0",
        "models list: no matches",
    ]


def test_a_model_without_tools_is_refused_and_an_unknown_one_only_warned_about() -> None:
    with pytest.raises(ConfigError, match="'google/gemini-flash' is marked as tool-incompatible"):
        check_model(FLASH, "google/gemini-flash")
    assert check_model(HAIKU, "anthropic/x") == []
    assert check_model(None, "mine/x") == [
        "model catalog warning: missing entry for 'mine/x'; skipping capability guardrail"
    ]


def test_a_model_is_warned_about_from_the_day_it_is_shut_down() -> None:
    old = MINI._replace(retires="2027-01-14", replaced_by="gpt-new")
    assert check_model(old, "openai/gpt-mini", "2027-01-13") == []
    (warning,) = check_model(old, "openai/gpt-mini", "2027-01-14")
    assert "shut down on 2027-01-14; its vendor names gpt-new instead" in warning
    assert check_model(old, "openai/gpt-mini") == []
    (warning,) = check_model(old._replace(replaced_by=""), "openai/gpt-mini", "2028-01-01")
    assert warning.endswith("was shut down on 2027-01-14")
