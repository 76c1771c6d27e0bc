"""The table of providers: what an alias means on the wire. Importing it imports no codec.

A key variable belongs to the row that names it and to no other, so a key never reaches
another vendor; ``PI_API_KEY`` is the user's own statement that any provider may have it.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple

# Wire formats by name, as in ``Origin.api`` and the catalog's ``api``.
CODECS: dict[str, str] = {
    "openai-chat": "pi.ai.providers.openai:OpenAiChatCodec",
    "openai-responses": "pi.ai.providers.responses:OpenAiResponsesCodec",
    "anthropic": "pi.ai.providers.anthropic:AnthropicCodec",
    "google": "pi.ai.providers.google:GoogleCodec",
}


class ProviderSpec(NamedTuple):
    """One provider.

    ``api`` is a key of ``CODECS``, imported at first use; the catalog may name another for
    a model. ``transport`` replaces HTTP with a part of pi itself (the demo). ``keyless``
    providers are asked without a key when none is set, as is any provider whose base URL is
    on this machine. ``base_flag`` and ``key_flag`` are the flags that set its address and
    its key; ``base_variables`` may hold the address too.
    """

    id: str
    api: str
    base_url: str
    key_variables: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    keyless: bool = False
    transport: str = ""
    base_flag: str = "--api-base"
    key_flag: str = "--openai-api-key"
    base_variables: tuple[str, ...] = ()
    models: tuple[str, ...] = ()  # all it has, where that is known for ever


PROVIDERS: tuple[ProviderSpec, ...] = (
    ProviderSpec("openai", "openai-chat", "https://api.openai.com/v1", ("OPENAI_API_KEY",)),
    ProviderSpec(
        "anthropic", "anthropic", "https://api.anthropic.com/v1", ("ANTHROPIC_API_KEY",),
        base_flag="--anthropic-api-base", key_flag="--anthropic-api-key",
    ),
    ProviderSpec(
        "google", "google", "https://generativelanguage.googleapis.com/v1beta",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"), ("gemini",),
        base_flag="--google-api-base", key_flag="--google-api-key",
    ),
    # No address is everybody's: it holds the name of the user's resource.
    ProviderSpec(
        "azure", "openai-chat", "", ("AZURE_OPENAI_API_KEY",), ("azure-openai",),
        base_variables=("AZURE_OPENAI_BASE_URL",),
    ),
    ProviderSpec(
        "openrouter", "openai-chat", "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",)
    ),
    ProviderSpec("groq", "openai-chat", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",)),
    ProviderSpec("xai", "openai-chat", "https://api.x.ai/v1", ("XAI_API_KEY",)),
    ProviderSpec("mistral", "openai-chat", "https://api.mistral.ai/v1", ("MISTRAL_API_KEY",)),
    ProviderSpec("ollama", "openai-chat", "http://127.0.0.1:11434/v1", keyless=True),
    ProviderSpec("llamacpp", "openai-chat", "http://127.0.0.1:8080/v1", keyless=True),
    ProviderSpec("vllm", "openai-chat", "http://127.0.0.1:8000/v1", keyless=True),
    ProviderSpec("lmstudio", "openai-chat", "http://127.0.0.1:1234/v1", keyless=True),
    ProviderSpec(
        "demo", "openai-chat", "http://demo.invalid", keyless=True,
        transport="pi.ai.demo:DemoTransport", models=("tour",),
    ),
)  # fmt: skip

BY_NAME: dict[str, ProviderSpec] = {
    name: spec for spec in PROVIDERS for name in (spec.id, *spec.aliases)
}
