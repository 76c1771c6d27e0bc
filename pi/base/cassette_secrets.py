"""What a cassette must not keep: credentials by header name, secrets by their value. Pure.

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


class Secrets:
    """The values to take out, in all their spellings."""

    def __init__(self, values: Iterable[str]) -> None:
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
            (name, REDACTED if is_credential(name) else self.text(value)) for name, value in pairs
        )

    def request(self, request: Request) -> Request:
        return request._replace(
            url=self.text(request.url),
            headers=self.headers(request.headers),
            body=self.data(request.body),
        )
