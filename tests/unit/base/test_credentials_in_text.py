"""Credentials by their shape and by their name."""

from __future__ import annotations

import base64

import pytest

from pi.base.credentials import Credentials, is_secret_name

MARK = "[REDACTED]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key sk-ant-api03-AbCdEf0123456789xyz.", f"key {MARK}."),
        (r'{"x":"a\nsk-proj-AbCdEf0123456789"}', rf'{{"x":"a\n{MARK}"}}'),
        ("ghp_" + "a1" * 18, MARK),
        ("xoxb-1234567890-abcdef", MARK),
        ("id AKIAIOSFODNN7EXAMPLE", f"id {MARK}"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", MARK),
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: Basic {MARK}"),
        ("curl -H 'authorization: tok-3n'", f"curl -H 'authorization: {MARK}'"),
        ("Bearer abcdefghij0123456789", f"Bearer {MARK}"),
        ("https://me:hunter2@example.org/x", f"https://me:{MARK}@example.org/x"),
        ("MY_DB_PASSWORD=correcthorse", f"MY_DB_PASSWORD={MARK}"),
        ('"password": "corr3ct-horse"', f'"password": "{MARK}"'),
        (r"\"api_key\": \"abc12345678\"", rf"\"api_key\": \"{MARK}\""),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nx",
            f"{MARK}\nx",
        ),
    ],
)
def test_what_looks_like_a_credential_is_blanked_out(text: str, shown: str) -> None:
    assert Credentials().hidden(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "task-force-of-many-people-and-more",
        "the bearer of good news, basic understanding",
        "password: Optional[str] = None",
        "https://example.org:8080/a@b",
        "max_tokens: 4096",
        "token = get_token(x)  # 5",
        "MY_KEY=$OTHER",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert Credentials().hidden(text) == text


def test_known_values_go_in_every_spelling() -> None:
    hide = Credentials(['p"w/d é'])
    assert hide.hidden(r"a p\"w/d \u00e9 p%22w%2Fd%20%C3%A9") == f"a {MARK} {MARK}"


@pytest.mark.parametrize(
    "piece", ["-eyJa", "sk-", "-----BEGIN PRIVATE KEY-----", "://a:", "token "]
)
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    """Would not end if a pattern walked it from each of its characters."""
    assert Credentials().hidden(piece * 100_000) is not None


def test_names_of_secrets() -> None:
    assert is_secret_name("OPENAI_API_KEY")
    assert is_secret_name("password")
    assert not is_secret_name("key")
    assert not is_secret_name("max_tokens")


@pytest.mark.parametrize("before", ["", "u", "me:", "user:"])
@pytest.mark.parametrize("after", ["", "x", "\n"])
def test_a_known_value_is_found_in_base64_wherever_it_stands(before: str, after: str) -> None:
    hide = Credentials(["hunter2_correct~~~?horse"])
    data = f"{before}hunter2_correct~~~?horse{after}".encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        shown = hide.hidden(f"echo {whole}")
        assert MARK in shown
        left = shown.replace("echo ", "").replace(MARK, "")
        assert len(left) <= 4 + 4 * ((len(before) + len(after) + 3) // 3)


def test_a_known_value_is_found_in_the_path_of_an_address() -> None:
    hide = Credentials(["abc/def+ghi=123"])
    assert hide.hidden("http://x/abc/def%2Bghi%3D123") == f"http://x/{MARK}"
    assert hide.hidden("http://x/abc/def%2bghi%3d123") == f"http://x/{MARK}"
