"""Where a request in one of OpenAI's two formats goes, and in which header the key travels.

Azure is told by the address, never by the alias. Its two forms of base URL:
  * ``https://RESOURCE.openai.azure.com/openai/deployments/NAME``: the deployment is in the
    path and every request carries a dated ``api-version``;
  * ``https://RESOURCE.openai.azure.com/openai/v1``: the request's ``model`` names the
    deployment and no version is needed.
Of a resource given without a path the second form is taken.

Any other base URL passes through. In all cases the suffix is added once, so an address
copied whole from a web page works, and a base that ends in the other format's suffix
serves both.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.codec import Options

API_VERSION = "2024-10-21"  # the last dated version that is not a preview
CHAT_SUFFIX = "/chat/completions"
RESPONSES_SUFFIX = "/responses"

_SUFFIXES = (CHAT_SUFFIX, RESPONSES_SUFFIX)
_DEPLOYMENTS = "/openai/deployments/"
_DOMAIN = ".openai.azure.com"
_HOSTS = (
    _DOMAIN,
    ".services.ai.azure.com",
    ".cognitiveservices.azure.com",
    ".openai.azure.us",
    ".openai.azure.cn",
)


class Target(NamedTuple):
    """A whole address. ``key_header`` is "api-key" (the bare key) or "authorization"
    ("Bearer" and the key)."""

    url: str
    key_header: str


def target(base_url: str, suffix: str, api_version: str) -> Target:
    """The address of ``suffix`` (``CHAT_SUFFIX`` or ``RESPONSES_SUFFIX``) under a base URL.

    ``api_version`` is the user's, "" if none was set; only Azure gets it. A query in the
    base URL stays, and a version in it counts as the user's unless ``api_version`` is set.
    """
    base, _, query = base_url.strip().partition("?")
    base = _without_suffix(base.rstrip("/"))
    if not _is_azure(base):
        return Target(_joined(base + suffix, query), "authorization")
    scheme, _, rest = base.partition("://")
    host, _, path = rest.partition("/")
    if path.lower() in ("", "openai"):
        base = f"{scheme}://{host}/openai/v1"
    pairs = [pair for pair in query.split("&") if pair]
    versioned = any(pair.lower().startswith("api-version=") for pair in pairs)
    if api_version:
        pairs = [pair for pair in pairs if not pair.lower().startswith("api-version=")]
    elif not versioned and not _is_v1(base):
        api_version = API_VERSION
    if api_version:
        pairs.append(f"api-version={_escaped(api_version)}")
    return Target(_joined(base + suffix, "&".join(pairs)), "api-key")


def headers(options: Options, key_header: str) -> tuple[tuple[str, str], ...]:
    """The headers of a request; the user's own replace ours of the same name."""
    own = [("Content-Type", "application/json")]
    if options.api_key and key_header == "api-key":
        own.append(("api-key", options.api_key))
    elif options.api_key:
        own.append(("Authorization", f"Bearer {options.api_key}"))
    given = {name.lower() for name, _ in options.extra_headers}
    kept = tuple(pair for pair in own if pair[0].lower() not in given)
    return kept + options.extra_headers


def _is_azure(base: str) -> bool:
    lowered = base.lower()
    if _DOMAIN in lowered or _DEPLOYMENTS in lowered + "/":
        return True
    host = lowered.partition("://")[2].partition("/")[0].partition(":")[0]
    return host.endswith(_HOSTS)


def _is_v1(base: str) -> bool:
    return base.lower().endswith("/openai/v1")


def _without_suffix(base: str) -> str:
    for suffix in _SUFFIXES:
        if base.endswith(suffix):
            return base[: -len(suffix)].rstrip("/")
    return base


def _joined(url: str, query: str) -> str:
    return f"{url}?{query}" if query else url


def _escaped(version: str) -> str:
    """A version fit for a query; a stray character must not start another parameter."""
    return "".join(c for c in version if c.isascii() and (c.isalnum() or c in "-._~"))
