"""Addresses of skills and registries: what is taken, and how they are shown. Pure.

An address can hold a password or a token. Messages, lockfiles and logs of the screen show
``shown_url``; only the request itself uses the address as it is.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from pi.base.errors import PiError, UsageError
from pi.base.shown_url import shown_url as shown_url

SCHEMES = ("http", "https")
MAX_CHARACTERS = 4096

_UNUSABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff\\]")
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def check_url(url: str, what: str, error: type[PiError] = UsageError) -> None:
    """Refuse an address that cannot be asked. ``what`` is "skill" or "registry"."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # its words may repeat a password
        raise error(f"invalid {what} URL '{shown_url(url)}'") from None
    is_usable = not _UNUSABLE.search(url) and len(url) <= MAX_CHARACTERS
    if parts.scheme and parts.scheme not in SCHEMES and is_usable:
        raise error(
            f"unsupported {what} URL scheme '{parts.scheme}' in '{shown_url(url)}'",
            hint="http:// and https:// are supported",
        )
    if not (parts.scheme and is_whole and is_usable):
        raise error(f"invalid {what} URL '{shown_url(url)}'", hint="write it as https://host/path")


def resolve_url(base: str, url: str) -> str:
    """``url`` as it stands in the registry at ``base``: relative ones begin there.

    What cannot be joined comes back as it is; ``check_url`` refuses it.
    """
    if _HAS_SCHEME.match(url):  # urljoin() would also join "https:x"
        return url
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def signature_url(registry_url: str) -> str:
    """Where the signature of a registry lies: its path and ``.sig``, before any query."""
    head, mark, query = registry_url.partition("#")[0].partition("?")
    return f"{head}.sig{mark}{query}"
