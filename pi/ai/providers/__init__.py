"""The table of providers: what an alias means on the wire. Importing it imports no codec.

A key variable belongs to the row that names it and to no other, so a key never reaches
another vendor; ``PI_API_KEY`` is the user's own statement that any provider may have it.
"""

from __future__ import annotations

from typing import NamedTuple

OPENAI_CHAT = "pi.ai.providers.openai:OpenAiChatCodec"


class ProviderSpec(NamedTuple):
    """One provider.

    ``codec`` is "module:class", imported at first use. ``transport`` replaces HTTP with
    a part of pi itself (the demo). ``keyless`` providers are asked without a key when
    none is set, as is any provider whose base URL is on this machine.
    """

    id: str
    codec: str
    base_url: str
    key_variables: tuple[str, ...] = ()
    keyless: bool = False
    transport: str = ""


PROVIDERS: tuple[ProviderSpec, ...] = (
    ProviderSpec("openai", OPENAI_CHAT, "https://api.openai.com/v1", ("OPENAI_API_KEY",)),
    ProviderSpec(
        "openrouter", OPENAI_CHAT, "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",)
    ),
    ProviderSpec("groq", OPENAI_CHAT, "https://api.groq.com/openai/v1", ("GROQ_API_KEY",)),
    ProviderSpec("xai", OPENAI_CHAT, "https://api.x.ai/v1", ("XAI_API_KEY",)),
    ProviderSpec("mistral", OPENAI_CHAT, "https://api.mistral.ai/v1", ("MISTRAL_API_KEY",)),
    ProviderSpec("ollama", OPENAI_CHAT, "http://127.0.0.1:11434/v1", keyless=True),
    ProviderSpec("llamacpp", OPENAI_CHAT, "http://127.0.0.1:8080/v1", keyless=True),
    ProviderSpec("vllm", OPENAI_CHAT, "http://127.0.0.1:8000/v1", keyless=True),
    ProviderSpec("lmstudio", OPENAI_CHAT, "http://127.0.0.1:1234/v1", keyless=True),
    ProviderSpec(
        "demo", OPENAI_CHAT, "http://demo.invalid", keyless=True,
        transport="pi.ai.demo:DemoTransport",
    ),
)  # fmt: skip

BY_NAME: dict[str, ProviderSpec] = {spec.id: spec for spec in PROVIDERS}
