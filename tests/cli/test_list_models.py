"""``--list-models`` on the built file: no key, and no network unless an address is given."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Pi
from tests.fakes.fault_server import FaultServer, always, answer

CATALOG = {
    "schema_version": 1,
    "entries": [
        {"provider": "openai", "model": "gpt-mine", "supports_tools": True},
        {"provider": "Gemini", "model": "flash-mine", "supports_tools": False},
    ],
}


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_the_list_needs_no_key_and_leaves_nothing_behind(pi: Pi) -> None:
    done = pi("--list-models")
    assert done.returncode == 0
    assert done.stderr == ""
    head, *rows = lines(done.stdout)
    assert head.startswith("models list: source=built-in total_matches=")
    assert rows == sorted(rows)
    assert any(row.startswith("model: openai/gpt-4o-mini tools=true") for row in rows)
    assert not (pi.folder / ".pi").exists()


def test_words_narrow_the_list_whatever_their_order(pi: Pi) -> None:
    both = pi("--list-models", "sonnet", "anthropic/")
    assert both.stdout == pi("--list-models", "anthropic/ SONNET").stdout
    assert all("anthropic/claude-sonnet" in row for row in lines(both.stdout)[1:])
    none = pi("--list-models", "no-such-model")
    assert none.returncode == 0
    assert lines(none.stdout)[1] == "models list: no matches"


def test_the_json_form_is_one_object(pi: Pi) -> None:
    found = json.loads(pi("--list-models", "--json", "demo/tour").stdout)
    assert sorted(found) == ["data", "errors", "status"]
    assert found["status"] == "ok"
    assert found["data"]["total_matches"] == 1
    (model,) = found["data"]["models"]
    assert (model["provider"], model["model"]) == ("demo", "tour")
    assert model["input_cost_per_million"] == 0


def test_a_named_cache_is_listed_over_the_built_in_entries(pi: Pi) -> None:
    (pi.folder / "c.json").write_text(json.dumps(CATALOG), encoding="utf-8")
    done = pi("--list-models", "mine", "--model-catalog-cache", "c.json")
    head, *rows = lines(done.stdout)
    assert head == "models list: source=cache:c.json total_matches=2 shown=2"
    assert [row.split(" ")[1] for row in rows] == ["google/flash-mine", "openai/gpt-mine"]


def test_a_cache_that_nobody_asked_for_is_not_believed(pi: Pi) -> None:
    place = pi.folder / ".pi" / "models"
    place.mkdir(parents=True)
    (place / "catalog.json").write_text(json.dumps(CATALOG), encoding="utf-8")
    assert "mine" not in pi("--list-models").stdout
    assert "gpt-mine" in pi("--list-models", "--model-catalog-offline").stdout
    assert "gpt-mine" in pi("--list-models", PI_MODEL_CATALOG_OFFLINE="1").stdout


def test_a_remote_catalog_is_asked_for_once_and_kept(pi: Pi) -> None:
    body = json.dumps(CATALOG).encode()
    with FaultServer(always(answer(body))) as server:
        url = server.url + "/models.json"
        first = pi("--list-models", "mine", "--model-catalog-url", url)
        second = pi("--list-models", "mine", "--model-catalog-url", url)
    assert lines(first.stdout)[0].startswith(f"models list: source=remote:{url} ")
    assert lines(second.stdout)[0].startswith("models list: source=cache:.pi/models/catalog.json ")
    assert lines(first.stdout)[1:] == lines(second.stdout)[1:]
    assert len(server.requests) == 1
    assert "authorization" not in server.requests[0].headers


def test_an_address_that_does_not_answer_is_a_remark(pi: Pi) -> None:
    done = pi("--list-models", "demo", "--model-catalog-url", "http://127.0.0.1:1/x")
    assert done.returncode == 0
    assert "was not used" in done.stderr
    assert "demo/tour" in done.stdout


@pytest.mark.parametrize("url", ["models.json", "ftp://host/x", "http://", "http://a b/"])
def test_an_address_that_cannot_be_one_is_refused(pi: Pi, url: str) -> None:
    done = pi("--list-models", "--model-catalog-url", url)
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_damaged_cache_is_a_remark_that_names_entry_and_field(pi: Pi) -> None:
    broken = [{"provider": "p", "model": "m", "supports_tools": "yes"}]
    (pi.folder / "c.json").write_text(json.dumps(broken), encoding="utf-8")
    done = pi("--list-models", "demo", "--model-catalog-cache", "c.json")
    assert done.returncode == 0
    assert "c.json was ignored: entry 0 (p/m): supports_tools is a text" in done.stderr
    assert "demo/tour" in done.stdout
