"""Whether a request goes through a proxy, and which. Pure: the environment is an argument.

The rules are those of curl and urllib where the two agree, with what urllib lacks:
addresses and networks (CIDR) in ``NO_PROXY``, and loopback that never leaves the machine.
"""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote_to_bytes, urlsplit

from pi.base.errors import ConfigError
from pi.base.target import Target, ascii_host, bracketed
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address
    from typing import Union

    Address = Union[IPv4Address, IPv6Address]


class Proxy(NamedTuple):
    """``authorization`` is the value of Proxy-Authorization or "": never print a Proxy."""

    host: str
    port: int
    authorization: str
    source: str  # who named it, for messages: a variable or a flag

    @property
    def shown(self) -> str:
        return f"{bracketed(self.host)}:{self.port} (from {self.source})"


def choose_proxy(target: Target, environ: Mapping[str, str], override: str = "") -> Proxy | None:
    """The proxy for ``target``: ``override``, else the variables; None to go directly.

    Raises ConfigError for a proxy that cannot be used (SOCKS, or not an address).
    """
    source, url = ("--proxy", override) if override else _variable(target.scheme, environ)
    if not url or bypasses(target.host, target.port, _either("no_proxy", environ)):
        return None
    return parse_proxy(url, source)


def _variable(scheme: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Name and value of the variable in force; lower case wins, and an empty one says none."""
    for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"):
        if name in environ:
            return name, environ[name].strip()
    return "", ""


def _either(name: str, environ: Mapping[str, str]) -> str:
    return environ[name] if name in environ else environ.get(name.upper(), "")


def parse_proxy(url: str, source: str) -> Proxy:
    """Take a proxy's URL apart; "host:port" alone means http. Raises ConfigError."""
    scheme = url.partition("://")[0].lower() if "://" in url else "http"
    if scheme != "http":
        known = "SOCKS proxies are" if scheme.startswith("socks") else f"'{scheme[:20]}://' is"
        raise ConfigError(
            f"the proxy in {source} cannot be used: {known} not supported",
            hint="name an HTTP proxy (http://host:port); TLS to the provider passes through it",
        )
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if not parts.hostname:
        raise ConfigError(f"the proxy in {source} is not an address", hint="http://host:port")
    authorization = ""
    if parts.username is not None:
        userinfo = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
        authorization = "Basic " + b64encode(userinfo).decode("ascii")
    return Proxy(ascii_host(parts.hostname), 80 if port is None else port, authorization, source)


def bypasses(host: str, port: int, no_proxy: str) -> bool:
    """Whether ``host`` is reached directly: loopback always, else if ``no_proxy`` says so.

    An entry is ``*``, a domain (with or without a leading dot or ``*.``; it covers its
    subdomains), an address, or a network, each but the network optionally with a port.
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    if address is not None and address.is_loopback:
        return True
    entries = no_proxy.replace(",", " ").split()
    return any(_covers(entry.lower(), name, port, address) for entry in entries)


def _covers(entry: str, name: str, port: int, address: Address | None) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return address is not None and _in_network(address, entry)
    entry_host, entry_port = _split_port(entry)
    if entry_port and entry_port != str(port):
        return False
    entry_address = _address(entry_host)
    if entry_address is not None or address is not None:
        return entry_address == address
    domain = entry_host.removeprefix("*").strip(".")
    return bool(domain) and (name == domain or name.endswith("." + domain))


def _split_port(entry: str) -> tuple[str, str]:
    """``[::1]:80``, ``::1``, ``host:80`` and ``host`` as host and port text."""
    if entry.startswith("["):
        host, _, tail = entry[1:].partition("]")
        return host, tail.removeprefix(":")
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, port
    return entry, ""


def _address(text: str) -> Address | None:
    if not (":" in text or text[-1:].isdigit()):
        return None  # a name: spares the import below
    from ipaddress import ip_address  # 3 ms, and only where a proxy is set

    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _in_network(address: Address, entry: str) -> bool:
    from ipaddress import ip_network

    try:
        return address in ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False  # not a network: it covers nothing
