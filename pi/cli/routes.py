"""From a model's name to something that can be asked: address, key, wire format, traits."""

from __future__ import annotations

import sys

from pi import __version__
from pi.ai.client import Client, Clock
from pi.ai.providers import BY_NAME, CODECS
from pi.ai.providers.codec import Options, Traits
from pi.auth.resolve import resolve_key
from pi.base.errors import ConfigError
from pi.cli.wires import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.ai.catalog import Entry
    from pi.ai.models import ModelRef
    from pi.ai.providers import ProviderSpec
    from pi.ai.providers.codec import Codec
    from pi.base.host import Host
    from pi.cli.settings import ModelSettings, Settings
    from pi.cli.wires import Wires

RESPONSES_MODELS = ("gpt-5*", "gpt-6*", "o[1-9]*", "codex*")


def load_codec(api: str) -> Codec:
    """A codec of the table."""
    codec: Codec = load(CODECS[api])()
    return codec


def base_url(ref: ModelRef, model: ModelSettings, environ: Mapping[str, str]) -> str:
    """Where requests for ``ref`` go. Raises ConfigError where nothing says it.

    A vendor's own flag holds for all its models. ``--api-base`` is about the primary model
    and others of its provider; for a vendor that has its own flag it counts only if typed,
    never as a variable left in the environment for other servers.
    """
    spec = BY_NAME[ref.provider]
    own = model.bases.get(spec.base_flag, "") if spec.base_flag != "--api-base" else ""
    same_provider = ref.provider == model.ref.provider
    general = model.bases.get("--api-base", "") if same_provider else ""
    if spec.base_flag != "--api-base" and not model.api_base_typed:
        general = ""
    named = next(filter(None, (environ.get(name, "") for name in spec.base_variables)), "")
    base = own or general or named or spec.base_url
    if not base:
        raise ConfigError(
            f"provider '{spec.id}' has no address of its own",
            hint=f"give it with --api-base or {' or '.join(spec.base_variables)}",
        )
    return base


def is_local(base: str) -> bool:
    """Whether a base URL points at this machine, where a server may ask for no key."""
    from urllib.parse import urlsplit  # loaded by the transport anyway

    host = urlsplit(base).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def traits_of(entry: Entry | None) -> Traits:
    """What the catalog says of a model, as codecs want it."""
    if entry is None:
        return Traits()
    can_disable = entry.thinking_can_disable
    return Traits(
        context_window=entry.context_window_tokens,
        max_output_tokens=entry.max_output_tokens,
        supports_images=entry.supports_multimodal,
        supports_reasoning=entry.supports_reasoning,
        thinking_style=entry.thinking_style,
        thinking_levels=entry.thinking_levels,
        thinking_can_disable=True if can_disable is None else can_disable,
        temperature_allowed=entry.temperature_allowed,
    )


def wire_format(spec: ProviderSpec, model: str, entry: Entry | None, base: str) -> str:
    """The codec for a model.

    The catalog's word holds for the vendor's own address only: a gateway or a local server
    speaks what its provider row says. OpenAI's newer models take tools together with
    reasoning over Responses alone, also where the catalog does not know them yet.
    """
    is_own = base.rstrip("/") == spec.base_url
    if is_own and entry is not None and entry.api:
        return entry.api
    is_azure_v1 = spec.id == "azure" and base.rstrip("/").endswith("/openai/v1")
    if (spec.id == "openai" and is_own) or is_azure_v1:
        from fnmatch import fnmatchcase  # only for the two that have both formats

        if any(fnmatchcase(model, pattern) for pattern in RESPONSES_MODELS):
            return "openai-responses"
    return spec.api


def build_client(
    settings: Settings, host: Host, wires: Wires, ref: ModelRef, entry: Entry | None
) -> Client:
    """A client for ``ref``. Raises MissingKey, ConfigError."""
    model = settings.model
    spec = BY_NAME[ref.provider]
    base = base_url(ref, model, host.environ)
    key = resolve_key(
        spec,
        model.keys,
        host.environ,
        is_primary=ref.provider == model.ref.provider,
        is_local=is_local(base) or wires.is_replay,
    )
    options = Options(
        base_url=base,
        api_key=key,
        timeout_ms=model.request_timeout_ms,
        extra_headers=model.headers,
        provider=spec.id,
        traits=traits_of(entry),
        thinking=model.thinking,
        cache_retention=model.cache_retention,
        azure_api_version=model.azure_api_version,
        compat=entry.compat if entry is not None else {},
    )
    return Client(
        load_codec(model.api_format or wire_format(spec, ref.model, entry, base)),
        options,
        wires.transport(spec),
        clock=Clock(host.now_ms, wires.pause, host.draw),
        user_agent=f"pi/{__version__} (python {sys.version_info[0]}.{sys.version_info[1]})",
        retry=model.retry,
        load_codec=load_codec,
    )
