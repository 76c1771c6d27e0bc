from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.catalog import Catalog, Entry, Filters, LongPrompt, Rates, base_name
from pi.ai.catalog_json import BadCatalog, encode_catalog, parse_catalog
from pi.ai.cost import Caps, Spend, estimate_tokens, spend, worst_case
from pi.ai.types import Usage
from tests.fakes.examples import few

NAMES = st.sampled_from(["m", "m-2024-07-18", "m-20250514", "m-latest", "N", "n/x", "日本"])
PROVIDERS = st.sampled_from(["openai", "google", "groq", "mine", "anthropic"])
PRICES = st.one_of(st.none(), st.integers(0, 10**8).map(lambda micros: micros / 1_000_000))
RATES = st.builds(Rates, PRICES, PRICES, PRICES, PRICES)
FLAGS = st.sampled_from([None, True, False])
COUNTS = st.one_of(st.none(), st.integers(1, 2**32 - 1))
TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)
ENTRIES = st.builds(
    Entry,
    PROVIDERS,
    NAMES,
    COUNTS,
    FLAGS,
    FLAGS,
    FLAGS,
    RATES,
    COUNTS,
    st.one_of(st.none(), st.builds(LongPrompt, st.integers(1, 1000), RATES)),
    st.sampled_from(["", "anthropic", "openai-chat", "openai-responses", "google"]),
    TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    FLAGS,
    FLAGS,
    st.dictionaries(TEXTS, st.integers(), max_size=2),
)
CATALOGS = st.lists(ENTRIES, max_size=8, unique_by=lambda entry: (entry.provider, entry.model))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from([*encode_catalog([Entry("a", "b")]).decode().split('"')[1::2], "other"])
ALMOST = st.dictionaries(FIELDS, JSON, max_size=4).map(
    lambda fields: [{"provider": "p", "model": "m", **fields}]
)
TOKENS = st.integers(0, 10**7)
USAGES = st.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS)


def complaint(data: bytes) -> str:
    """Why ``data`` is no catalog; "" if it is one."""
    try:
        parse_catalog(data)
    except BadCatalog as exc:
        return str(exc)
    return ""


@settings(max_examples=few(300), deadline=None)
@given(entries=CATALOGS)
def test_what_is_written_is_read_back(entries: list[Entry]) -> None:
    """parse(encode(entries)) == entries"""
    assert list(parse_catalog(encode_catalog(entries)).entries) == entries


@settings(max_examples=few(300), deadline=None)
@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_catalog_or_a_bad_one(data: bytes) -> None:
    """parse returns or raises BadCatalog, nothing else"""
    assert complaint(data).count("\n") == 0


@settings(max_examples=few(500), deadline=None)
@given(value=st.one_of(ALMOST, JSON))
def test_any_json_is_a_catalog_or_a_bad_one(value: Any) -> None:
    """parse returns entries that can be written, or raises BadCatalog with one line"""
    data = json.dumps(value).encode()
    why = complaint(data)
    assert why.isprintable()
    if not why:
        parse_catalog(encode_catalog(parse_catalog(data).entries))


@settings(max_examples=few(300), deadline=None)
@given(below=CATALOGS, above=CATALOGS)
def test_layers_never_lose_an_entry_and_the_later_one_wins(
    below: list[Entry], above: list[Entry]
) -> None:
    """find(name) is the entry of the last layer that has the name"""
    catalog = Catalog(below, above)
    for entry in above:
        assert catalog.find(entry.provider, entry.model) == entry
    later = {(entry.provider, entry.model) for entry in above}
    for entry in below:
        if (entry.provider, entry.model) not in later:
            assert catalog.find(entry.provider, entry.model) == entry
    assert list(Catalog(catalog)) == list(catalog)
    assert catalog.search(Filters()) == list(catalog)


@settings(max_examples=few(300), deadline=None)
@given(entries=CATALOGS, provider=PROVIDERS, model=NAMES)
def test_what_is_found_differs_from_what_was_asked_in_the_date_only(
    entries: list[Entry], provider: str, model: str
) -> None:
    """find(p, m) is None, or has provider p and m's name but for date and case"""
    found = Catalog(entries).find(provider, model)
    if found is not None:
        assert found.provider == provider
        assert base_name(found.model.lower()) == base_name(model.lower())


@settings(max_examples=few(300), deadline=None)
@given(entry=ENTRIES, parts=st.lists(USAGES, min_size=1, max_size=5))
def test_costs_add_up_in_any_order(entry: Entry, parts: list[Usage]) -> None:
    """the sum of costs is the same in any order, and never below any of its parts"""
    spends = [spend(usage, entry) for usage in parts]
    there, back = Spend(), Spend()
    for one, other in zip(spends, reversed(spends)):
        there, back = there.plus(one), back.plus(other)
    assert there == back
    assert there.tokens == sum(usage.total for usage in parts)
    if there.picos is not None:
        assert all(one.picos is not None and one.picos <= there.picos for one in spends)


@settings(max_examples=few(300), deadline=None)
@given(entry=ENTRIES, prompt=TOKENS, output=TOKENS, data=st.data())
def test_no_request_costs_more_than_its_worst_case(
    entry: Entry, prompt: int, output: int, data: st.DataObject
) -> None:
    """any usage within prompt and output costs at most worst_case, where reads are cheap"""
    rates = [entry.rates, *([entry.long_prompt.rates] if entry.long_prompt else [])]
    for rate in rates:
        cheap = rate.cache_read is None or (rate.input or 0) >= rate.cache_read
        if rate.input is None or not cheap:
            return
    written = data.draw(st.integers(0, prompt))
    read = data.draw(st.integers(0, prompt - written))
    usage = Usage(prompt - written - read, output, read, written)
    worst = worst_case(prompt, output, entry)
    actual = spend(usage, entry)
    assert actual.tokens == worst.tokens
    if worst.picos is not None and actual.picos is not None:
        assert actual.picos <= worst.picos


@settings(max_examples=few(300), deadline=None)
@given(entry=ENTRIES, cap=st.integers(0, 10**9), prompt=TOKENS, more=st.integers(1, 1000))
def test_the_allowance_is_the_edge_of_the_cap(
    entry: Entry, cap: int, prompt: int, more: int
) -> None:
    """an answer of the allowed length crosses no cap, and a longer one does"""
    caps = Caps(max_cost_usd=cap / 1_000_000)
    allowed = caps.output_allowance(Spend(), prompt, entry)
    if allowed is None or allowed <= 0:
        return
    assert caps.would_cross(Spend(), worst_case(prompt, allowed, entry)) is None
    assert caps.would_cross(Spend(), worst_case(prompt, allowed + more, entry)) is not None


@settings(max_examples=few(300), deadline=None)
@given(left=st.text(max_size=40), right=st.text(max_size=40))
def test_an_estimate_of_a_whole_is_about_that_of_its_parts(left: str, right: str) -> None:
    """estimate(a + b) is estimate(a) + estimate(b), or one less, and never more than length"""
    whole = estimate_tokens(left + right)
    parts = estimate_tokens(left) + estimate_tokens(right)
    assert parts - 1 <= whole <= parts
    assert whole <= len(left + right)
