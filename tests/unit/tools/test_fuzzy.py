"""Texts found by what they look like."""

from __future__ import annotations

import pytest

from pi.tools.fuzzy import fuzzy_matches


@pytest.mark.parametrize(
    ("text", "find", "found"),
    [
        ("a \u201cb\u201d c", '"b"', ["\u201cb\u201d"]),
        ("a\u2014b\u2212c", "a-b-c", ["a\u2014b\u2212c"]),
        ("a\u00a0b\u3000c", "a b c", ["a\u00a0b\u3000c"]),
        ("\uff08x\uff09\uff1b", "(x);", ["\uff08x\uff09\uff1b"]),
        ("a  \nb \t\nc", "a\nb\nc", ["a  \nb \t\nc"]),
        ("a \r\nb\r\nc", "a\nb", ["a \r\nb"]),
        ("a\nb", "a   \nb  ", ["a\nb"]),
        ("\n\nx  \n\u2018y\u2019", "x\n'y'", ["x  \n\u2018y\u2019"]),
        ("x  \ny", "\ny", ["\ny"]),
        ("x \r\ny\u2019", "\ny'", ["\r\ny\u2019"]),
        ("x\u2019 \ny", "x'\n", ["x\u2019 \n"]),
        ("cafe\u0301!", "caf\u00e9", ["cafe\u0301"]),
        ("caf\u00e9!", "cafe\u0301!", ["caf\u00e9!"]),
        ("\u1112\u1161\u11ab", "\ud55c", ["\u1112\u1161\u11ab"]),
        ("\uff76\uff9e", "\u30ac", ["\uff76\uff9e"]),
        ("\ufb01x", "fix", ["\ufb01x"]),
        ("\ufb01x", "ix", []),  # half of a ligature
        ("e\u0301x", "e", []),  # a letter without its mark
        ("\u2018\u2018\u2018", "''", ["\u2018\u2018"]),
        ("a\u00a0\u00a0", " ", []),
        ("a", "b", []),
        ("", "a", []),
    ],
)
def test_what_looks_the_same_is_found(text: str, find: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in fuzzy_matches(text, find)] == found
