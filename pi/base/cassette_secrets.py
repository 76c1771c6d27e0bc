"""What a cassette must not keep: credentials by header name, headers that the user gave,
secrets by their value. Pure.

A secret is also found as JSON, JSON inside JSON and URLs write it.
"""

from __future__ import annotations

from pi.base.text import (
    MIN_SECRET_BYTES,
    REDACTED,
    is_credential,
    longest_first,
    redact,
    spellings,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.base.http import Request

REDACTED_BYTES = REDACTED.encode()
# What a user gives with --header may be anything, unless it has one of these names.
HARMLESS_HEADERS = frozenset(
    (
        *("accept", "accept-language", "user-agent", "content-type", "referer", "http-referer"),
        *("anthropic-beta", "anthropic-version", "openai-beta", "x-title"),
    )
)
MIN_HEADER_SECRET = 16  # bytes; shorter values may be words that stand in answers too


def of_user(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What of the user's own headers is not kept: the names whose value is taken out, and the
    values that are taken out wherever they stand, because they look like no word."""
    doubtful = [pair for pair in headers if pair[0].lower() not in HARMLESS_HEADERS]
    long = (value for _, value in doubtful if len(value) >= MIN_HEADER_SECRET and " " not in value)
    return tuple(name.lower() for name, _ in doubtful), tuple(long)


class Secrets:
    """The values to take out, in all their spellings. Headers with one of ``names`` (lower
    case) lose their value whatever it is."""

    def __init__(self, values: Iterable[str], names: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        found = {
            spelling
            for value in values
            if len(value.encode("utf-8", "surrogatepass")) >= MIN_SECRET_BYTES
            and value not in REDACTED
            for spelling in spellings(value)
        }
        self.texts = longest_first(found)
        self.values = tuple(text.encode("utf-8", "surrogatepass") for text in self.texts)

    def text(self, text: str) -> str:
        return redact(text, self.texts)

    def data(self, data: bytes) -> bytes:
        for value in self.values:
            if value in data:
                data = data.replace(value, REDACTED_BYTES)
        return data

    def are_in(self, data: bytes) -> bool:
        return any(value in data for value in self.values)

    def headers(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, REDACTED if self._is_hidden(name) else self.text(value)) for name, value in pairs
        )

    def _is_hidden(self, name: str) -> bool:
        return is_credential(name) or name.lower() in self._names

    def request(self, request: Request) -> Request:
        return request._replace(
            url=self.text(request.url),
            headers=self.headers(request.headers),
            body=self.data(request.body),
        )
