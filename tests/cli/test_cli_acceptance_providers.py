"""Acceptance of the command line: which server is asked for which model, with which key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.asking import bodies
from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import answers, delta, finish, stream
from tests.fakes.fault_server import FaultServer, Peer, always, answer
from tests.fakes.wires import WIRES

SAID = "the answer of the stub"
OK = (delta(SAID), finish())
BUSY = answer(b'{"error": {"message": "busy"}}', status="503 Service Unavailable")


def only(model: str, refusal: bytes) -> Callable[[Peer], None]:
    """A server where one model answers and all others are refused."""

    def script(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            if json.loads(request.body)["model"] == model:
                stream(peer, *OK)
            else:
                peer.send(refusal)

    return script


def test_a_fallback_is_asked_once_and_so_was_the_first(pi: Pi) -> None:
    """C21"""
    with FaultServer(only("gpt-fallback", BUSY)) as server:
        flags = ("--provider-max-retries", "0", "--fallback-model", "openai/gpt-fallback")
        done = pi.ask(server.url, "--no-session", *flags)
        sent = [(json.loads(r.body)["model"], r.headers) for r in server.requests]
    assert (done.returncode, done.stdout) == (0, SAID + "\n"), done.stderr
    assert [model for model, _ in sent] == ["gpt-4o-mini", "gpt-fallback"]
    assert [headers["x-pi-retry-attempt"] for _, headers in sent] == ["0", "0"]


@pytest.mark.parametrize(
    ("variable", "model", "asked"),
    [
        ("OPENROUTER_API_KEY", "openrouter/openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        ("GROQ_API_KEY", "groq/llama-3.3-70b", "llama-3.3-70b"),
        ("XAI_API_KEY", "xai/grok-4", "grok-4"),
        ("MISTRAL_API_KEY", "mistral/mistral-large-latest", "mistral-large-latest"),
    ],
)
def test_a_vendor_is_asked_with_its_own_key(pi: Pi, variable: str, model: str, asked: str) -> None:
    """C22, C23, C24, C25, README-5: also where OpenAI's key is there."""
    with FaultServer(answers(OK, OK)) as server:
        base = ("--api-base", server.url + "/v1", "--no-session", "--prompt", "hello")
        for environ in ({variable: "own-key-012345"}, {**KEY, variable: "own-key-012345"}):
            done = pi("--model", model, *base, **environ)
            assert (done.returncode, done.stdout) == (0, SAID + "\n"), done.stderr
        for request in server.requests:
            assert request.target == "/v1/chat/completions"
            assert request.headers["authorization"] == "Bearer own-key-012345"
            assert json.loads(request.body)["model"] == asked


@pytest.mark.parametrize(
    ("model", "variable", "host"),
    [
        ("openrouter/openai/gpt-4o-mini", "OPENROUTER_API_KEY", "openrouter.ai"),
        ("groq/llama-3.3-70b", "GROQ_API_KEY", "api.groq.com"),
        ("mistral/devstral", "MISTRAL_API_KEY", "api.mistral.ai"),
        ("xai/grok-4", "XAI_API_KEY", "api.x.ai"),
        ("google/gemini-2.5-pro", "GEMINI_API_KEY", "generativelanguage.googleapis.com"),
    ],
)
def test_a_vendor_has_an_address_of_its_own(pi: Pi, model: str, variable: str, host: str) -> None:
    """README-5: told by where the proxy is asked to connect to."""
    with FaultServer(always(answer(b"", status="502 Bad Gateway"))) as proxy:
        flags = ("--proxy", proxy.url, "--provider-max-retries", "0", "--no-session")
        done = pi("--model", model, *flags, "-p", "hi", **{variable: "own-key-012345"}, **KEY)
        targets = {request.target for request in proxy.requests}
    assert done.returncode in (4, 5)
    assert targets == {f"{host}:443"}


def test_azure_has_its_path_its_version_and_its_header(pi: Pi) -> None:
    """C26"""
    with FaultServer(answers(OK)) as server:
        base = server.url + "/openai/deployments/test-deployment"
        done = pi(
            *("--model", "azure/gpt-4o-mini", "--api-base", base, "--no-session"),
            *("--azure-openai-api-version", "2024-10-21", "--prompt", "hello"),
            AZURE_OPENAI_API_KEY="azure-key-012345",
        )
        (request,) = server.requests
    assert (done.returncode, done.stdout) == (0, SAID + "\n"), done.stderr
    path = "/openai/deployments/test-deployment/chat/completions?api-version=2024-10-21"
    assert request.target == path
    assert request.headers["api-key"] == "azure-key-012345"
    assert "authorization" not in request.headers


def test_anthropic_has_its_headers(pi: Pi) -> None:
    """C27"""
    with FaultServer(answers(tuple(WIRES["anthropic"].text([SAID])))) as server:
        done = pi(
            *("--model", "anthropic/claude-sonnet-4-20250514", "--no-session"),
            *("--anthropic-api-base", server.url + "/v1", "--anthropic-api-key", "K2-0123456"),
            *("--prompt", "hello"),
        )
        (request,) = server.requests
    assert (done.returncode, done.stdout) == (0, SAID + "\n"), done.stderr
    assert "missing entry" not in done.stderr  # a dated name is found
    assert request.target == "/v1/messages"
    assert request.headers["x-api-key"] == "K2-0123456"
    assert request.headers["anthropic-version"] == "2023-06-01"


def test_gemini_streams_and_its_key_is_in_a_header(pi: Pi) -> None:
    """C28: never in the address, where logs of servers and proxies would keep it."""
    with FaultServer(answers(tuple(WIRES["google"].text(["two ", "pieces"])))) as server:
        done = pi(
            *("--model", "google/gemini-2.5-pro", "--google-api-base", server.url + "/v1beta"),
            *("--google-api-key", "K3-0123456", "--no-session", "--prompt", "hello"),
        )
        (request,) = server.requests
    assert (done.returncode, done.stdout) == (0, "two pieces\n"), done.stderr
    assert request.target == "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == "K3-0123456"


def test_only_what_may_pass_moves_on_to_the_fallback(pi: Pi) -> None:
    """C98"""
    once = ("--json-events", "--no-session", "--provider-max-retries", "0")
    for status, models in (
        ("401 Unauthorized", ["gpt-4o-mini"]),
        ("429 Too Many Requests", ["gpt-4o-mini", "other"]),
    ):
        with FaultServer(only("other", answer(b"{}", status=status))) as server:
            done = pi.ask(server.url, *once, "--fallback-model", "openai/other")
            assert [body["model"] for body in bodies(server)] == models
        events = [json.loads(line) for line in done.stdout.splitlines()]
        found = [event for event in events if event["type"] == "provider_fallback"]
        if status.startswith("401"):
            assert (done.returncode, found) == (3, [])
    assert done.returncode == 0, done.stderr
    (event,) = found
    assert (event["error_kind"], event["status"], event["fallback_index"]) == (
        "http_status", 429, 1,
    )  # fmt: skip


def test_the_first_model_and_doubles_are_no_fallbacks(pi: Pi) -> None:
    """C99"""
    names = ("openai/b", "openai/gpt-4o-mini", "gpt-4o-mini", "openai/c", "openai/b", "openai/a")
    with FaultServer(always(BUSY)) as server:
        done = pi.ask(
            server.url, "--provider-max-retries", "0", "--fallback-model", ",".join(names)
        )
        models = [body["model"] for body in bodies(server)]
    assert done.returncode == 5
    assert models == ["gpt-4o-mini", "b", "c", "a"]


def entry(model: str, **more: Any) -> dict[str, Any]:
    return {"provider": "openai", "model": model, "supports_tools": True, **more}


def catalog(pi: Pi, *entries: dict[str, Any], name: str = "c.json") -> str:
    """A cache file with these entries. Returns its content."""
    text = json.dumps({"schema_version": 1, "entries": entries})
    (pi.folder / name).write_text(text, encoding="utf-8")
    return text


CACHE = ("--model-catalog-cache", "c.json")


def test_a_catalog_is_downloaded_once_and_kept(pi: Pi) -> None:
    """C31, README-9: while the copy is fresh nobody is asked; offline reads it too."""
    served = json.dumps({"schema_version": 1, "entries": [entry("gpt-4o-mini")]}).encode()
    with FaultServer(always(answer(served))) as web, FaultServer(answers(OK, OK, OK)) as server:
        flags = ("--no-session", *CACHE, "--model-catalog-url", web.url + "/models.json")
        first = pi.ask(server.url, *flags)
        again = pi.ask(server.url, *flags)
        offline = pi.ask(server.url, "--no-session", *CACHE, "--model-catalog-offline")
        assert len(web.requests) == 1
    assert f"model catalog: source=remote url={web.url}/models.json" in first.stderr
    assert "entries=1" in first.stderr
    for later in (again, offline):
        assert "model catalog: source=cache path=c.json entries=1" in later.stderr
        assert later.stdout == SAID + "\n"


def test_a_model_without_tools_is_refused_before_a_key_is_looked_for(pi: Pi) -> None:
    """C32"""
    catalog(pi, entry("gpt-4o-mini", supports_tools=False))
    done = pi("--no-session", *CACHE, "--model-catalog-offline", "--prompt", "hello")
    assert (done.returncode, done.stdout) == (2, "")
    assert "tool-incompatible" in done.stderr
    assert "API key" not in done.stderr


def test_a_catalog_that_cannot_be_had_leaves_the_one_that_is_there(pi: Pi) -> None:
    """C33, C34, README-9: no answer, or one that is no catalog, ends nothing and destroys
    nothing; a cache that cannot be read is passed over."""
    kept = catalog(pi, entry("gpt-4o-mini"))
    twice = json.dumps([entry("gpt-4o-mini"), entry("GPT-4o-mini")]).encode()
    with FaultServer(always(answer(twice))) as web, FaultServer(answers(OK, OK, OK)) as server:
        for url in ("http://127.0.0.1:1/c.json", web.url + "/c.json"):
            done = pi.ask(server.url, "--no-session", *CACHE, "--model-catalog-url", url)
            assert (done.returncode, done.stdout) == (0, SAID + "\n"), done.stderr
            assert "source=cache-fallback path=c.json reason=" in done.stderr
            assert (pi.folder / "c.json").read_text(encoding="utf-8") == kept
        (pi.folder / "c.json").write_text("{", encoding="utf-8")
        done = pi.ask(server.url, "--no-session", *CACHE, "--model-catalog-offline")
    assert (done.returncode, done.stdout) == (0, SAID + "\n"), done.stderr
    assert "model catalog: source=built-in entries=" in done.stderr
    done = pi("--no-session", *CACHE, "--model-catalog-offline", stdin="/models-list\n")
    assert done.stdout.startswith("models list: source=built-in ")
    assert done.stderr.count("c.json was ignored: ") == 1
