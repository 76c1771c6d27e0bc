from __future__ import annotations

from typing import Any

import pytest

from pi.ai.providers import PROVIDERS
from pi.ai.providers.codec import Options
from pi.ai.providers.compat import (
    BY_ALIAS,
    LOCAL,
    STRANGER,
    Compat,
    compat_of,
    host_and_port,
    is_private,
    wire_call_id,
)


def flags(base_url: str, provider: str = "openai", **compat: Any) -> Compat:
    return compat_of(Options(base_url, provider=provider, compat=compat))


@pytest.mark.parametrize(
    ("base_url", "provider", "alias"),
    [
        ("https://openrouter.ai/api/v1", "openrouter", "openrouter"),
        ("https://openrouter.ai/api/v1", "openai", "openrouter"),
        ("https://eu.api.mistral.ai/v1", "openai", "mistral"),
        ("https://r.openai.azure.com/openai/v1", "openai", "azure"),
        ("https://gw.corp/openai/deployments/d", "openai", "azure"),
        ("https://API.DeepSeek.com", "openai", "deepseek"),
        ("http://127.0.0.1:9999/v1", "ollama", "ollama"),
        ("http://gpu:11434/v1", "openai", "ollama"),
        ("https://gateway.corp/groq", "groq", "groq"),
    ],
)
def test_a_known_host_then_the_alias_say_what_holds(
    base_url: str, provider: str, alias: str
) -> None:
    assert flags(base_url, provider) == BY_ALIAS[alias]


def test_the_vendors_own_host_is_told_from_a_compatible_one() -> None:
    vendor = flags("https://api.openai.com/v1")
    assert vendor.supports_store
    assert vendor.supports_developer_role
    assert vendor.max_tokens_field == "max_completion_tokens"
    assert flags("https://api.openai.com.evil.example/v1") == STRANGER
    assert flags("https://notapi.openai.com/v1") == STRANGER
    assert flags("https://evil.example/api.openai.com") == STRANGER


@pytest.mark.parametrize(
    ("base_url", "row"),
    [
        ("http://localhost:8080/v1", LOCAL),
        ("http://[::1]:8080/v1", LOCAL),
        ("http://192.168.3.4/v1", LOCAL),
        ("http://gpu-box:8000", LOCAL),
        ("https://models.example.org/v1", STRANGER),
        ("", STRANGER),
        ("///", STRANGER),
    ],
)
def test_an_unknown_server_is_local_or_a_stranger(base_url: str, row: Compat) -> None:
    assert flags(base_url) == row


def test_calls_written_as_text_are_looked_for_only_where_no_vendor_parses_them() -> None:
    for spec in PROVIDERS:
        if spec.api == "openai-chat" and spec.base_url and not spec.transport:
            assert flags(spec.base_url, spec.id).rescue_calls == spec.keyless, spec.id
    assert flags("https://models.example.org/v1").rescue_calls


def test_options_have_the_last_word() -> None:
    row = flags(
        "https://api.openai.com/v1",
        supports_store=False,
        thinking_format="qwen",
        routing={"only": ["x"]},
        thinking_off="disabled",  # another codec's
    )
    assert (row.supports_store, row.thinking_format, row.routing) == (
        False,
        "qwen",
        {"only": ["x"]},
    )
    assert row.supports_developer_role


@pytest.mark.parametrize(
    "wrong",
    [
        {"supports_store": "yes"},
        {"supports_store": 1},
        {"thinking_format": "no such"},
        {"thinking_format": ["qwen"]},
        {"max_tokens_field": "api_key"},
        {"routing": [1]},
        {"_fields": ()},
    ],
)
def test_a_flag_of_the_wrong_kind_is_passed_over(wrong: dict[str, Any]) -> None:
    assert flags("https://models.example.org/v1", **wrong) == STRANGER


@pytest.mark.parametrize(
    ("base_url", "found"),
    [
        ("https://H.example:8443/v1?x#y", ("h.example", "8443")),
        ("h.example/v1", ("h.example", "")),
        ("http://user:pw@h.example", ("h.example", "")),
        ("http://[fe80::1]:80/", ("fe80::1", "80")),
        ("http://[broken", ("broken", "")),
        ("", ("", "")),
    ],
)
def test_host_and_port_are_found_in_any_text(base_url: str, found: tuple[str, str]) -> None:
    assert host_and_port(base_url) == found


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.1.2.3", True),
        ("10.0.0.1", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("8.8.8.8", False),
        ("box.local", True),
        ("example.org", False),
        ("99999999999999999999.1.1.1", False),
        ("\u0661.1.1.1", False),
        ("2001:db8::1", False),
        ("", False),
    ],
)
def test_private_hosts_are_told_by_address_or_name(host: str, expected: bool) -> None:
    assert is_private(host) is expected


def test_a_call_id_is_changed_only_where_the_server_wants_another_form() -> None:
    assert wire_call_id("functions.read:0", "") == "functions.read:0"
    assert wire_call_id("abcDEF123", "mistral") == "abcDEF123"
    made = wire_call_id("call_1", "mistral")
    assert len(made) == 9
    assert made.isascii()
    assert made.isalnum()
    assert wire_call_id("call_1", "mistral") == made != wire_call_id("call_2", "mistral")
    assert len(wire_call_id("\ud800", "mistral")) == 9
