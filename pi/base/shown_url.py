"""Addresses as they may be shown and kept: without what can be a password or a token. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from pi.base.text import REDACTED, is_credential

MAX_SHOWN = 300

_TOKEN = re.compile(r"[A-Za-z0-9_\-+/=.~%]{16,}\Z")


def shown_url(url: str) -> str:
    """``url`` for a person: no user information, nothing that looks like a token."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        shown = urlunsplit((parts.scheme, host, parts.path, _shown_query(parts.query), ""))
    except ValueError:
        shown = url.partition("?")[0].rpartition("@")[2]
    shown = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in shown)
    return shown if len(shown) <= MAX_SHOWN else shown[:MAX_SHOWN] + "..."


def _shown_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(
        name + equals + (REDACTED if value and _is_secret(name, value) else value)
        if equals
        else (REDACTED if _TOKEN.match(name) else name)
        for name, equals, value in pairs
    )


def _is_secret(name: str, value: str) -> bool:
    return is_credential(name) or name.lower() in ("sig", "signature") or bool(_TOKEN.match(value))
