from __future__ import annotations

import pytest

from pi.base.errors import UsageError, VerificationFailed
from pi.skills.urls import check_url, resolve_url, shown_url, signature_url


@pytest.mark.parametrize("url", ["https://h/a.md", "http://127.0.0.1:80/x?y=1", "https://[::1]/"])
def test_addresses_of_the_web_are_taken(url: str) -> None:
    check_url(url, "skill")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "invalid skill URL"),
        ("h/a.md", "invalid skill URL 'h/a.md'"),
        ("https://", "invalid skill URL"),
        ("https:///a", "invalid skill URL"),
        ("https://h:0/a", "invalid skill URL"),
        ("https://h:99999/a", "invalid skill URL"),
        ("https://[::1/a", "invalid skill URL"),
        ("https://h/a b", "invalid skill URL"),
        ("https://h/a\nb", "invalid skill URL"),
        ("https://h\\@evil/a", "invalid skill URL"),
        ("https://h/" + "a" * 5000, "invalid skill URL"),
        ("file:///etc/passwd", "unsupported skill URL scheme 'file'"),
        ("ftp://h/a", "unsupported skill URL scheme 'ftp'"),
    ],
)
def test_other_addresses_are_refused(url: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_url(url, "skill")
    assert says in caught.value.message


def test_a_registry_and_another_kind_of_error_can_be_named() -> None:
    with pytest.raises(VerificationFailed, match="unsupported registry URL scheme"):
        check_url("gopher://h/", "registry", VerificationFailed)


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("skills/a.md", "https://h/r/skills/a.md"),
        ("../a.md", "https://h/a.md"),
        ("/a.md", "https://h/a.md"),
        ("//other/a.md", "https://other/a.md"),
        ("http://other/a.md", "http://other/a.md"),
        ("file:///a.md", "file:///a.md"),
        ("https:a.md", "https:a.md"),
        ("//[", "//["),
    ],
)
def test_relative_addresses_begin_at_the_registry(url: str, resolved: str) -> None:
    assert resolve_url("https://h/r/manifest.json?x=1", url) == resolved


def test_the_signature_lies_beside_the_manifest() -> None:
    assert signature_url("https://h/m.json") == "https://h/m.json.sig"
    assert signature_url("https://h/m.json#part") == "https://h/m.json.sig"
    assert signature_url("https://h/m.json?t=1") == "https://h/m.json.sig?t=1"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h:8/a.md", "https://h:8/a.md"),
        ("https://user:pass@h/a", "https://h/a"),
        ("https://h/a?page=2&access_token=x", "https://h/a?page=2&access_token=[REDACTED]"),
        ("https://h/a?x=" + "A1b2" * 8, "https://h/a?x=[REDACTED]"),
        ("https://h/a?" + "A1b2" * 8, "https://h/a?[REDACTED]"),
        ("https://h/a\x1b[31m", "https://h/a\ufffd[31m"),
        ("https://u:p@[h/a?b=c", "[h/a"),
    ],
)
def test_what_is_shown_holds_no_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_a_long_address_is_cut() -> None:
    assert len(shown_url("https://h/" + "a" * 5000)) < 310
