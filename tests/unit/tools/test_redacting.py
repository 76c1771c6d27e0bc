"""Secrets in a stream of bytes."""

from __future__ import annotations

import pytest

from pi.tools.redacting import Redactor


@pytest.mark.parametrize(
    ("secrets", "pieces", "expected"),
    [
        ([], [b"any", b"thing"], [b"any", b"thing", b""]),
        (["supersecret"], [b"a supersecret b"], [b"a [REDACTED] b", b""]),
        (["supersecret"], [b"a super", b"secret b"], [b"a ", b"[REDACTED] b", b""]),
        (["supersecret"], [b"a super", b"man"], [b"a ", b"superman", b""]),
        (["supersecret"], [b"a super"], [b"a ", b"super"]),
        (["secret", "secretlonger"], [b"secret", b"longer"], [b"", b"[REDACTED]", b""]),
        (["secret", "secretlonger"], [b"secret", b"s"], [b"", b"[REDACTED]", b"s"]),
        (["secret", "secretlonger"], [b"secret"], [b"", b"[REDACTED]"]),
        (["abcdef", "cdefghij"], [b"abcdef", b"ghij"], [b"[REDACTED]", b"ghij", b""]),
        (["aaaaaa"], [b"aaaaaaa", b"aaaaa"], [b"[REDACTED]", b"[REDACTED]", b""]),
        (["line1\nline2"], [b"line1\n", b"line2\n"], [b"", b"[REDACTED]\n", b""]),
        (["pass\udcffword"], [b"pass\xffword"], [b"[REDACTED]", b""]),
        (["\ud800\ud800\ud800"], [b"x"], [b"x", b""]),
    ],
)
def test_secrets_are_blanked_out_wherever_pieces_break(
    secrets: list[str], pieces: list[bytes], expected: list[bytes]
) -> None:
    redactor = Redactor(secrets)
    assert [*map(redactor.feed, pieces), redactor.finish()] == expected
