"""Addresses and headers that may be sent."""

from __future__ import annotations

import pytest

from pi.base.errors import ConfigError
from pi.base.target import Target, check_headers, parse_target


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("http://h", Target("http", "h", 80, "/"), "h"),
        ("HTTPS://H:443/a?b=c#d", Target("https", "h", 443, "/a?b=c"), "h"),
        ("http://h:8080/a%20b?x=%2F", Target("http", "h", 8080, "/a%20b?x=%2F"), "h:8080"),
        ("http://[::1]:81/", Target("http", "::1", 81, "/"), "[::1]:81"),
        ("https://b\xfccher.example/\xe9?q=\u4e2d", None, "xn--bcher-kva.example"),
        ("http://h?q", Target("http", "h", 80, "/?q"), "h"),
    ],
)
def test_an_address_is_taken_apart(url: str, target: Target | None, authority: str) -> None:
    parsed = parse_target(url)
    assert parsed == (target or parsed)
    assert parsed.authority == authority
    assert parsed.path.isascii()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h/a",
        "ftp://h/",
        "file:///etc/passwd",
        "http://",
        "http://h:99999/",
        "http://h:port/",
        "http://[::1/",
        "http://h/a b",
        "http://h/a\r\nX: y",
        "http://a..b/",
        "http://" + "a" * 254 + "/",
        "http://\u2603" + "x" * 70 + "/",
    ],
)
def test_what_cannot_be_asked_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError):
        parse_target(url)


def test_no_message_about_an_address_shows_its_secrets() -> None:
    for url in (
        "http://user:hunter2@h/",
        "http://user:hunter2@h:port/?key=hunter2",
        "ftp://user:hunter2@h/?key=hunter2",
        "http://h/ ?key=hunter2",
        "http://h:x/?key=hunter2@",
    ):
        with pytest.raises(ConfigError) as caught:
            parse_target(url)
        assert "hunter2" not in "\n".join(caught.value.lines())
    assert parse_target("https://h/v1?key=hunter2").shown == "https://h/v1"


def test_ordinary_headers_pass() -> None:
    check_headers([("Authorization", "Bearer k"), ("X-Name", "caf\xe9"), ("x_y.z", "")])


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\r", "a\0b", "\u20ac"])
def test_a_header_value_that_cannot_be_sent_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_headers([("Authorization", "Bearer sk-secret" + value)])
    shown = "\n".join(caught.value.lines())
    assert "Authorization" in shown
    assert "sk-secret" not in shown


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "\xe9"])
def test_a_header_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        check_headers([(name, "x")])
