"""Which proxy a request goes through."""

from __future__ import annotations

import pytest

from pi.base.errors import ConfigError
from pi.base.proxies import bypasses, choose_proxy, parse_proxy
from pi.base.target import parse_target


def chosen(url: str, environ: dict[str, str], override: str = "") -> str:
    proxy = choose_proxy(parse_target(url), environ, override)
    return f"{proxy.host}:{proxy.port}" if proxy else ""


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("https://h/", {}, ""),
        ("https://h/", {"HTTPS_PROXY": "http://p:1"}, "p:1"),
        ("http://h/", {"HTTPS_PROXY": "http://p:1"}, ""),
        ("http://h/", {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://q:2"}, "p:1"),
        ("https://h/", {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://q:2"}, "q:2"),
        ("https://h/", {"https_proxy": "http://l:1", "HTTPS_PROXY": "http://u:2"}, "l:1"),
        ("https://h/", {"https_proxy": "", "HTTPS_PROXY": "http://u:2"}, ""),
        ("https://h/", {"all_proxy": "l:1", "ALL_PROXY": "u:2"}, "l:1"),
        ("https://h/", {"https_proxy": "p"}, "p:80"),
        ("https://h/", {"https_proxy": "http://[::1]:3128"}, "::1:3128"),
        ("https://h/", {"https_proxy": "p:1", "no_proxy": "h"}, ""),
        ("https://h/", {"https_proxy": "p:1", "no_proxy": "", "NO_PROXY": "h"}, "p:1"),
        ("https://h/", {"https_proxy": "p:1", "NO_PROXY": "h"}, ""),
        ("https://localhost/", {"https_proxy": "p:1"}, ""),
    ],
)
def test_the_environment_names_the_proxy(url: str, environ: dict[str, str], expected: str) -> None:
    assert chosen(url, environ) == expected


def test_a_given_proxy_wins_over_the_environment_but_not_over_no_proxy() -> None:
    environ = {"https_proxy": "p:1", "no_proxy": "inside"}
    assert chosen("https://h/", environ, "http://given:9") == "given:9"
    assert chosen("https://inside/", environ, "http://given:9") == ""


def test_credentials_are_percent_decoded() -> None:
    proxy = parse_proxy("http://us%40er:p%3Ass%C3%A9@h:1", "https_proxy")
    assert proxy.authorization == "Basic dXNAZXI6cDpzc8Op"
    assert "p%3A" not in proxy.shown
    assert parse_proxy("http://h:1", "x").authorization == ""
    assert parse_proxy("http://user@h:1", "x").authorization == "Basic dXNlcjo="


@pytest.mark.parametrize(
    "url",
    [
        "socks5://u:hunter2@h:1",
        "socks5h://h",
        "https://u:hunter2@h:1",
        "ftp://h",
        "http://",
        "http://u:hunter2@",
        "http://h:port",
        "http://[::1",
        ":8080",
    ],
)
def test_an_unusable_proxy_is_named_by_its_source_without_credentials(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_proxy(url, "ALL_PROXY")
    shown = "\n".join(caught.value.lines())
    assert "ALL_PROXY" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "expected"),
    [
        ("api.example.com", 443, "example.com", True),
        ("api.example.com", 443, ".example.com", True),
        ("api.example.com", 443, "*.example.com", True),
        ("example.com", 443, ".example.com", True),
        ("notexample.com", 443, "example.com", False),
        ("API.Example.COM.", 443, "other, EXAMPLE.com", True),
        ("h", 443, "a b  h", True),
        ("h", 443, "*", True),
        ("h", 443, "", False),
        ("h", 443, ".", False),
        ("h", 8443, "h:8443", True),
        ("h", 443, "h:8443", False),
        ("10.1.2.3", 443, "10.0.0.0/8", True),
        ("11.1.2.3", 443, "10.0.0.0/8", False),
        ("10.1.2.3", 443, "10.1.2.3", True),
        ("10.1.2.3", 443, "10.1.2.3:443", True),
        ("10.1.2.3", 443, "10.1.2.3:80", False),
        ("10.1.2.3", 443, "2.3", False),
        ("h10", 443, "10.0.0.0/8", False),
        ("10.1.2.3", 443, "10.0.0.0/99, nonsense/8", False),
        ("fd00::5", 443, "fd00::/8", True),
        ("fd00::5", 443, "[fd00::5]", True),
        ("fd00::5", 443, "[fd00::5]:443", True),
        ("fd00::5", 443, "[fd00::5]:80", False),
        ("fd00::5", 443, "fd00:0::5", True),
        ("fe80::1", 443, "10.0.0.0/8", False),
        ("::ffff:10.0.0.1", 443, "10.0.0.0/8", True),
        ("localhost", 1, "", True),
        ("app.localhost", 1, "", True),
        ("127.9.9.9", 1, "", True),
        ("::1", 1, "", True),
        ("::ffff:127.0.0.1", 1, "", True),
        ("127.0.0.1.example.com", 1, "", False),
        ("localhost.example.com", 1, "", False),
    ],
)
def test_what_is_reached_directly(host: str, port: int, no_proxy: str, expected: bool) -> None:
    assert bypasses(host, port, no_proxy) is expected
