from __future__ import annotations

import pytest

from pi.base.cassette_secrets import Secrets, of_user
from pi.base.http import Request

KEY = "sk-abcdef/0123+x"


@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "proxy-authorization", "cookie", "set-cookie", "api-key", "x-api-key"),
        *("x-goog-api-key", "ocp-apim-subscription-key", "x-auth-token", "cf-aig-authorization"),
        *("apikey", "x_access_token", "x-auth-header", "x-secrets"),
    ],
)
def test_credential_headers_lose_their_value_whatever_it_is(name: str) -> None:
    pairs = [(name, "x"), (name.title(), "Bearer y"), ("Accept", "z")]
    assert Secrets(()).headers(pairs) == (
        (name, "[REDACTED]"),
        (name.title(), "[REDACTED]"),
        ("Accept", "z"),
    )


def test_counts_of_tokens_and_keys_in_headers_are_kept() -> None:
    pairs = (("x-ratelimit-remaining-tokens", "99"), ("x-keyboard", "de"))
    assert Secrets(()).headers(pairs) == pairs


def test_the_users_own_headers_lose_their_value_unless_their_name_is_harmless() -> None:
    token = "t0k3n-0123456789"
    given = [("X-Tenant", token), ("X-Team", "blue"), ("User-Agent", "pi-test/1.0-abcdefgh")]
    names, values = of_user(given)
    secrets = Secrets(values, names)
    assert secrets.headers(given) == (
        *(("X-Tenant", "[REDACTED]"), ("X-Team", "[REDACTED]")),
        ("User-Agent", "pi-test/1.0-abcdefgh"),
    )
    assert secrets.text(f"a blue {token}") == "a blue [REDACTED]"  # a word is nobody's secret


def test_secrets_leave_url_headers_and_body_of_a_request() -> None:
    request = Request("POST", f"http://a/?k={KEY}", (("X-Note", KEY),), f"<{KEY}>".encode())
    clean = Secrets([KEY]).request(request)
    assert clean.url == "http://a/?k=[REDACTED]"
    assert clean.headers == (("X-Note", "[REDACTED]"),)
    assert clean.body == b"<[REDACTED]>"


@pytest.mark.parametrize(
    "written",
    [
        'sk-a"b\\c/é',
        r"sk-a\"b\\c/\u00e9",
        r"sk-a\"b\\c/é",
        r"sk-a\"b\\c\/é",
        r"sk-a\\\"b\\\\c/\\u00e9",
        "sk-a%22b%5Cc%2F%C3%A9",
        "sk-a%22b%5cc%2f%c3%a9",
    ],
)
def test_a_secret_is_found_as_json_nested_json_and_urls_write_it(written: str) -> None:
    assert Secrets(['sk-a"b\\c/é']).text(f"({written})") == "([REDACTED])"


def test_short_and_empty_values_are_no_secrets() -> None:
    assert Secrets(["", "true", "12345"]).text("true 12345") == "true 12345"


def test_a_secret_inside_another_goes_with_it() -> None:
    assert Secrets(["abcdef", "abcdefghi"]).text("abcdefghi abcdef") == "[REDACTED] [REDACTED]"
