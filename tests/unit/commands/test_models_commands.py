"""``/models-list`` and ``/model-show`` over a small catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.ai.catalog import Catalog, Entry, Rates
from pi.ai.catalog_store import Loaded
from pi.commands.context import CommandContext
from pi.commands.dispatch import run_line
from tests.fakes.session_files import context, entry

ENTRIES = (
    Entry("openai", "gpt-4o-mini", 128_000, True, True, False, Rates(0.15, 0.6)),
    Entry("openai", "gpt-4o", 128_000, True, True, False, Rates(2.5, 10.0)),
    Entry("openai", "notools", 8_000, False),
    Entry("google", "gemini-pro", 1_048_576, True, True, True, Rates(1.25, 10.0, 0.3)),
    Entry("groq", "llama-3.3-70b"),
)
USAGE = (
    "usage: /models-list [query] [--provider <name>] [--tools <bool>] "
    "[--multimodal <bool>] [--reasoning <bool>] [--limit <n>]"
)


@pytest.fixture
def ran(tmp_path: Path) -> CommandContext:
    loaded = Loaded(Catalog(ENTRIES), "cache path=c.json", "cache:c.json", len(ENTRIES))
    info: dict[str, Any] = {"model": "openai/gpt-4o-mini"}
    return context(tmp_path, entry(1, None), catalog=lambda: loaded, model_info=lambda: info)


def lines(ran: CommandContext, line: str) -> tuple[str, ...]:
    return run_line(line, ran).lines


def names(ran: CommandContext, line: str) -> list[str]:
    return [row.split(" ")[1] for row in lines(ran, line)[1:] if row.startswith("model: ")]


def test_the_list_has_a_head_and_sorted_rows_and_marks_the_active_model(
    ran: CommandContext,
) -> None:
    found = lines(ran, "/models-list gpt --provider openai --tools true --limit 5")
    assert found == (
        "models list: source=cache:c.json total_matches=2 shown=2",
        "model: openai/gpt-4o tools=true multimodal=true reasoning=false "
        "context_window_tokens=128000 input_cost_per_million=2.500000 "
        "output_cost_per_million=10.000000",
        "model: openai/gpt-4o-mini tools=true multimodal=true reasoning=false "
        "context_window_tokens=128000 input_cost_per_million=0.150000 "
        "output_cost_per_million=0.600000 active=true",
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("mini GPT", ["openai/gpt-4o-mini"]),
        ("'mini gpt'", ["openai/gpt-4o-mini"]),
        ("--provider gemini", ["google/gemini-pro"]),
        ("--provider groq", ["groq/llama-3.3-70b"]),
        ("--reasoning TRUE", ["google/gemini-pro"]),
        ("--tools=false", ["openai/notools"]),
        ("--tools false --tools true --limit 1", ["google/gemini-pro"]),
        ("--min-context 200000", ["google/gemini-pro"]),
        ("--max-input-cost 1.3", ["google/gemini-pro", "openai/gpt-4o-mini"]),
        ("--max-output-cost 0.6", ["openai/gpt-4o-mini"]),
        ("--sort input-cost --limit 2", ["openai/gpt-4o-mini", "google/gemini-pro"]),
        ("--sort output-cost --limit 1", ["openai/gpt-4o-mini"]),
        ("--sort context --limit 1", ["google/gemini-pro"]),
    ],
)
def test_words_and_filters_combine(
    ran: CommandContext, arguments: str, expected: list[str]
) -> None:
    assert names(ran, f"/models-list {arguments}") == expected


def test_a_limit_of_zero_is_all_and_what_is_cut_off_is_still_counted(ran: CommandContext) -> None:
    assert len(names(ran, "/models-list --limit 0")) == len(ENTRIES)
    assert lines(ran, "/models-list --limit 2")[0].endswith("total_matches=5 shown=2")


def test_no_match_is_a_line_of_its_own(ran: CommandContext) -> None:
    assert lines(ran, "/models-list zzz") == (
        "models list: source=cache:c.json total_matches=0 shown=0",
        "models list: no matches",
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("--tools maybe", "models list error: --tools expects true or false, got 'maybe'"),
        ("--limit x", "models list error: invalid --limit value 'x'"),
        ("--limit -1", "models list error: invalid --limit value '-1'"),
        ("--min-context 1.5", "models list error: invalid --min-context value '1.5'"),
        ("--max-input-cost .", "models list error: invalid --max-input-cost value '.'"),
        ("--bad", "models list error: error=unknown flag '--bad'"),
        ("--provider", "models list error: error=missing value for --provider"),
        ("'open", 'models list error: error=no closing quotation in "\'open"'),
    ],
)
def test_bad_arguments_are_told_with_the_usage(
    ran: CommandContext, arguments: str, why: str
) -> None:
    assert lines(ran, f"/models-list {arguments}") == (why, USAGE)
    error = run_line(f"/models-list {arguments}", ran).result.error
    assert error is not None
    assert error.exit_code == 2


def test_the_json_list_says_which_model_is_active(ran: CommandContext) -> None:
    data = json.loads(lines(ran, "/models-list gpt --json")[0])["data"]
    assert [(row["model"], row["active"]) for row in data["models"]] == [
        ("gpt-4o", False),
        ("gpt-4o-mini", True),
    ]
    assert (data["source"], data["total_matches"], data["shown"]) == ("cache:c.json", 2, 2)


def test_one_model_is_shown_a_fact_a_line(ran: CommandContext) -> None:
    assert lines(ran, "/model-show gemini/gemini-pro") == (
        "model show: google/gemini-pro",
        "source=cache:c.json",
        "context_window_tokens=1048576",
        "supports_tools=true",
        "supports_multimodal=true",
        "supports_reasoning=true",
        "input_cost_per_million=1.250000",
        "output_cost_per_million=10.000000",
        "cache_read_cost_per_million=0.300000",
    )
    assert lines(ran, "/model-show GPT-4o-mini")[-1] == "active=true"
    assert lines(ran, "/model-show groq/llama-3.3-70b")[2] == "context_window_tokens=unknown"


def test_a_model_that_is_not_there_gets_near_misses(ran: CommandContext) -> None:
    found = run_line("/model-show openai/gpt4o-mini", ran)
    assert found.lines[0] == "model show: not found: openai/gpt4o-mini"
    assert found.lines[1].startswith("did you mean openai/gpt-4o-mini")
    assert found.lines[1].endswith("run /models-list to see all")
    assert found.result.error is not None
    assert found.result.error.code == "model-not-found"
    assert "google/gemini-pro" in lines(ran, "/model-show openai/gemini-pro")[1]
    assert lines(ran, "/model-show q/q")[1] == "run /models-list to see all"


def test_a_bad_reference_is_told_with_the_usage(ran: CommandContext) -> None:
    assert lines(ran, "/model-show openai/") == (
        "model show error: invalid model reference 'openai/': missing model identifier",
        "usage: /model-show <provider/model>",
    )
    assert lines(ran, "/model-show") == ("usage: /model-show <provider/model>",)


def test_a_run_without_a_catalog_says_so(ran: CommandContext) -> None:
    found = run_line("/models-list", ran._replace(services={}))
    assert found.lines == ("models list error: error=this run has no model catalog",)
    bare = ran._replace(services={"catalog": ran.services["catalog"]})
    assert "active" not in "".join(lines(bare, "/models-list"))
