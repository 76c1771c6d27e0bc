"""What may be sent where: a URL taken apart, headers checked. Pure.

No message here shows a header's value, a query or user information: all of them may be
secrets.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from pi.base.errors import ConfigError
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_PORTS = {"http": 80, "https": 443}

# Everything that may stand in a request target stays; only what is not ASCII is escaped.
_KEEP = "%/:=&?~#+!$,;'@()*[]{}|\\^`\"<>"
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_UNSENDABLE = re.compile(r"[\x00\r\n]|[^\x00-\xff]")


class Target(NamedTuple):
    """``host`` is without brackets; ``path`` is path and query as they go on the wire."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` header has them: the port only if unusual."""
        if self.port == DEFAULT_PORTS[self.scheme]:
            return bracketed(self.host)
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def shown(self) -> str:
        """The address for messages: without the query, which may hold a key."""
        return f"{self.scheme}://{self.authority}{self.path.partition('?')[0]}"


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def parse_target(url: str) -> Target:
    """Take ``url`` apart. Raises ConfigError if nothing can be asked there."""
    shown = repr(url.partition("?")[0].rpartition("@")[2][:200])
    if _BLANK.search(url):
        raise ConfigError(f"the address {shown} has blanks or control characters in it")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ConfigError(f"bad address {shown}", cause=_reason(exc)) from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ConfigError(
            f"cannot send a request to {shown}", hint="an address starts with https:// or http://"
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"the address of {parts.hostname} holds a user name or password",
            hint="credentials go into a header, not into the address",
        )
    path = quote(parts.path or "/", safe=_KEEP)
    if parts.query:
        path += "?" + quote(parts.query, safe=_KEEP)
    default = DEFAULT_PORTS[parts.scheme]
    return Target(parts.scheme, ascii_host(parts.hostname), default if port is None else port, path)


def ascii_host(host: str) -> str:
    """The host name as it goes on the wire. Raises ConfigError if it is none."""
    try:
        ascii_name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as exc:
        raise ConfigError(f"bad host name {host[:80]!r}", cause=_reason(exc)) from None
    if not ascii_name or len(ascii_name) > 253 or ".." in ascii_name or "%" in ascii_name:
        raise ConfigError(f"bad host name {host[:80]!r}")
    return ascii_name


def check_headers(headers: Iterable[tuple[str, str]]) -> None:
    """Raise ConfigError for a header that would break out of its line or cannot be sent."""
    for name, value in headers:
        if _NAME.match(name) is None:
            raise ConfigError(f"bad header name {name[:40]!r}")
        if _UNSENDABLE.search(value):
            raise ConfigError(
                f"the value of header '{name}' cannot be sent",
                cause="it holds a line break or a character outside Latin-1 (not shown here)",
                hint="check the variable or file it comes from for stray line ends",
            )


def _reason(exc: ValueError) -> str:
    return str(exc.reason) if isinstance(exc, UnicodeError) and hasattr(exc, "reason") else str(exc)
