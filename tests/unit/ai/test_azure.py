from __future__ import annotations

import pytest

from pi.ai.providers.azure import CHAT_SUFFIX, RESPONSES_SUFFIX, Target, headers, target
from pi.ai.providers.codec import Options

LEGACY = "https://res.openai.azure.com/openai/deployments/d"
V1 = "https://res.openai.azure.com/openai/v1"


@pytest.mark.parametrize(
    "base",
    ["http://h/v1", "http://h/v1/", " http://h/v1/chat/completions ", "http://h/v1/responses/"],
)
def test_the_suffix_is_added_once_whatever_the_base_ended_with(base: str) -> None:
    assert target(base, CHAT_SUFFIX, "").url == "http://h/v1/chat/completions"
    assert target(base, RESPONSES_SUFFIX, "").url == "http://h/v1/responses"


def test_a_base_that_is_not_azure_gets_a_bearer_and_no_version() -> None:
    for base in ("https://api.openai.com/v1", "https://api.groq.com/openai/v1"):
        found = target(base, CHAT_SUFFIX, "2024-01-01")
        assert found == Target(base + "/chat/completions", "authorization")


def test_a_query_of_the_base_stays_behind_the_path() -> None:
    assert target("http://h/v1?a=b", CHAT_SUFFIX, "").url == "http://h/v1/chat/completions?a=b"


def test_a_deployment_gets_its_key_header_and_a_dated_version() -> None:
    found = target(LEGACY, CHAT_SUFFIX, "")
    assert found == Target(f"{LEGACY}/chat/completions?api-version=2024-10-21", "api-key")
    assert target(LEGACY + "/", CHAT_SUFFIX, "2025-01-01-preview").url == (
        f"{LEGACY}/chat/completions?api-version=2025-01-01-preview"
    )


def test_a_deployment_path_is_azure_on_any_host() -> None:
    found = target("http://127.0.0.1:9/OpenAI/Deployments/d", CHAT_SUFFIX, "")
    assert found.key_header == "api-key"
    assert found.url.endswith("/OpenAI/Deployments/d/chat/completions?api-version=2024-10-21")


@pytest.mark.parametrize(
    "base",
    [
        V1,
        V1 + "/",
        "https://res.openai.azure.com",
        "https://res.openai.azure.com/openai/",
        "https://res.openai.azure.com/openai/v1/responses",
    ],
)
def test_the_undated_form_has_a_version_only_if_the_user_set_one(base: str) -> None:
    assert target(base, RESPONSES_SUFFIX, "") == Target(f"{V1}/responses", "api-key")
    assert target(base, RESPONSES_SUFFIX, "preview").url == f"{V1}/responses?api-version=preview"


@pytest.mark.parametrize(
    "host",
    [
        "r.openai.azure.com",
        "r.services.ai.azure.com",
        "r.cognitiveservices.azure.com",
        "R.OpenAI.Azure.com:443",
        "r.openai.azure.us",
    ],
)
def test_each_azure_host_is_known(host: str) -> None:
    assert target(f"https://{host}/openai/v1", CHAT_SUFFIX, "").key_header == "api-key"


@pytest.mark.parametrize(
    "base", ["https://services.ai.azure.com.evil/v1", "https://h/x.cognitiveservices.azure.com"]
)
def test_a_host_that_only_mentions_azure_is_another(base: str) -> None:
    assert target(base, CHAT_SUFFIX, "").key_header == "authorization"


def test_a_whole_address_keeps_its_version_unless_the_user_set_another() -> None:
    whole = f"{LEGACY}/chat/completions?api-version=2023-05-15&x=1"
    assert target(whole, CHAT_SUFFIX, "").url == whole
    assert target(whole, CHAT_SUFFIX, "2025-01-01").url == (
        f"{LEGACY}/chat/completions?x=1&api-version=2025-01-01"
    )


def test_a_version_cannot_bring_a_parameter_or_a_line() -> None:
    assert target(LEGACY, CHAT_SUFFIX, "a&b=c\r\nX: y#z").url.endswith("?api-version=abcXyz")


def test_the_key_is_in_one_header_only() -> None:
    options = Options("http://h", "sk-key-1234")
    plain = ("Content-Type", "application/json")
    assert headers(options, "api-key") == (plain, ("api-key", "sk-key-1234"))
    assert headers(options, "authorization") == (plain, ("Authorization", "Bearer sk-key-1234"))
    assert headers(Options("http://h"), "authorization") == (plain,)


def test_the_users_headers_replace_ours_of_the_same_name() -> None:
    options = Options("http://h", "k", extra_headers=(("API-KEY", "x"), ("X-Title", "pi")))
    assert headers(options, "api-key") == (
        ("Content-Type", "application/json"),
        ("API-KEY", "x"),
        ("X-Title", "pi"),
    )
