from __future__ import annotations

import pytest

from pi.tools.shell.ansi import decode


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("plain", "plain"),
        (r"\a\b\e\E\f\n\r\t\v", "\a\b\x1b\x1b\f\n\r\t\v"),
        (r"\\ \' \" \?", "\\ ' \" ?"),
        (r"\x72\x6D", "rm"),
        (r"\x7", "\x07"),
        (r"\162\0155", "r\r5"),
        (r"\u41\u004F", "AO"),
        ("é", "é"),
    ],
)
def test_escapes_are_decoded(body: str, text: str) -> None:
    assert decode(body) == text


@pytest.mark.parametrize(
    "body", [r"\xe9", r"\351", r"\u00e9", r"\U41", r"\cA", r"\0", r"\x", r"\z"]
)
def test_what_hangs_on_locale_or_shell_is_unknown(body: str) -> None:
    assert decode(body) is None
