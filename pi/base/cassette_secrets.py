"""What a cassette must not keep: credentials by header name, secrets by their value. Pure.

A secret is also found as JSON, JSON inside JSON and URLs write it.
"""

from __future__ import annotations

import json

from pi.base.text import MIN_SECRET_BYTES, REDACTED, redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.base.http import Request

CREDENTIAL_HEADERS = {"authorization", "cookie", "set-cookie", "api-key"}
# "x-api-key", "x-goog-api-key", "proxy-authorization", and what gateways call theirs.
CREDENTIAL_ENDINGS = ("-key", "-authorization", "-token", "-secret", "-password", "-cookie")
REDACTED_BYTES = REDACTED.encode()


class Secrets:
    """The values to take out, in all their spellings."""

    def __init__(self, values: Iterable[str]) -> None:
        found = {
            spelling
            for value in values
            if len(value.encode("utf-8", "surrogatepass")) >= MIN_SECRET_BYTES
            and value not in REDACTED
            for spelling in _spellings(value)
        }
        self.texts = tuple(sorted(found, key=lambda text: (-len(text), text)))
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


def is_credential(header: str) -> bool:
    name = header.lower()
    return name in CREDENTIAL_HEADERS or name.endswith(CREDENTIAL_ENDINGS)


def _spellings(value: str) -> set[str]:
    """``value`` as it stands in texts, in JSON, in JSON inside JSON, and in URLs."""
    from urllib.parse import quote, quote_plus  # loaded anyway by the transport

    level = {value}
    found = {value, quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")}
    for _ in range(2):
        level = {
            escaped
            for text in level
            for dumped in (json.dumps(text), json.dumps(text, ensure_ascii=False))
            for escaped in (dumped[1:-1], dumped[1:-1].replace("/", "\\/"))
        }
        found |= level
    return found
