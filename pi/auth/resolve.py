"""Which API key a provider gets. The only module that reads a key variable.

Order, the first that is not blank: a key flag of the command line, the provider's own
variables, ``PI_API_KEY``. A vendor's variable is read for that vendor only.
"""

from __future__ import annotations

from pi.base.errors import ConfigError, MissingKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.ai.providers import ProviderSpec

ANY_PROVIDER = "PI_API_KEY"


def resolve_key(
    spec: ProviderSpec,
    given: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    is_primary: bool = True,
    is_local: bool = False,
) -> str:
    """The key for ``spec``, or "" where none is needed.

    ``given`` maps key flags typed on the command line to their values; ``--api-key`` is
    meant for the primary model and goes to no other vendor. ``is_local`` says that the base
    URL is on this machine. Raises MissingKey, naming the variables, and ConfigError for a
    key that cannot be sent in a header.
    """
    flags = (spec.key_flag, "--api-key") if is_primary else (spec.key_flag,)
    candidates = [(flag, given.get(flag, "")) for flag in flags]
    names = (*spec.key_variables, ANY_PROVIDER)
    candidates += [(name, environ.get(name, "")) for name in names]
    for source, value in candidates:
        key = value.strip()
        if not key:
            continue
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigError(
                f"the API key in {source} holds characters that no key has",
                hint="look for a line break, a space or a quote in it",
            )
        return key
    if spec.keyless or is_local:
        return ""
    raise MissingKey(
        f"no API key for provider '{spec.id}'",
        hint=f"set {' or '.join(names)}, or try --model demo/tour, which needs no key",
    )
