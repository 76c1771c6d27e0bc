"""What servers that speak chat completions do differently. A table; pure.

Which row holds for a request, the first that fits:
  1. the host of the base URL, if it is one we know: the wire is what it is, whatever the
     alias says;
  2. the alias, unless it is ``openai``, which also stands for "anything compatible";
  3. a host of this machine or a private network: a local server of unknown make;
  4. anything else: a stranger, treated carefully.
``Options.compat`` has the last word; keys it does not share with ``Compat``, and values of
another type, are passed over.
"""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.ai.providers.codec import Options


class Compat(NamedTuple):
    """Flags of one server. The defaults are those of a stranger."""

    supports_store: bool = False  # send store: false
    supports_developer_role: bool = False  # for models that reason
    max_tokens_field: str = "max_tokens"
    supports_reasoning_effort: bool = True
    # How thinking is asked for: "openai" (reasoning_effort), "openrouter" (reasoning),
    # "zai" (thinking.type, and reasoning_effort where supported), "qwen" (enable_thinking),
    # "qwen-chat-template" (the same for the template), "none".
    thinking_format: str = "openai"
    # Which earlier thinking goes back, under the field it came in: "never", "calls" (of
    # messages that hold calls), "required" (the same, empty if there was none), "always".
    thinking_replay: str = "never"
    supports_usage_in_streaming: bool = True
    supports_strict: bool = False  # send strict: false with each tool
    requires_tool_result_name: bool = False
    requires_assistant_after_tool_result: bool = False
    requires_thinking_as_text: bool = False
    tool_id_pattern: str = ""  # "" any, "mistral" exactly nine letters and digits
    cache_format: str = ""  # "", "openai", "openrouter", "mistral"
    parallel_tool_calls: str = ""  # "" the server's default, "yes", "no"
    think_tags: bool = True  # text may begin with thinking in tags
    rescue_calls: bool = True  # calls may come written as text
    silent_context: bool = False  # cuts a long prompt without a word
    routing: Mapping[str, Any] = {}  # OpenRouter's ``provider`` object


STRANGER = Compat()
LOCAL = Compat(thinking_replay="calls")
_VENDOR = Compat(think_tags=False, rescue_calls=False)
_OPENAI = _VENDOR._replace(
    supports_store=True,
    supports_developer_role=True,
    max_tokens_field="max_completion_tokens",
    cache_format="openai",
)
_AZURE = _VENDOR._replace(max_tokens_field="max_completion_tokens")
_OPEN_MODELS = _VENDOR._replace(think_tags=True)
_OPENROUTER = _OPEN_MODELS._replace(
    thinking_format="openrouter", thinking_replay="always", cache_format="openrouter"
)
_MISTRAL = _VENDOR._replace(
    tool_id_pattern="mistral", cache_format="mistral", thinking_replay="always"
)
_DEEPSEEK = _OPEN_MODELS._replace(thinking_format="zai", thinking_replay="required")
_ZAI = _OPEN_MODELS._replace(
    thinking_format="zai", thinking_replay="calls", supports_reasoning_effort=False
)
_MOONSHOT = _OPEN_MODELS._replace(
    thinking_format="zai", thinking_replay="required", supports_reasoning_effort=False
)
_QWEN = _OPEN_MODELS._replace(thinking_format="qwen", supports_reasoning_effort=False)
_OLLAMA = LOCAL._replace(silent_context=True)

BY_ALIAS: dict[str, Compat] = {
    "openrouter": _OPENROUTER,
    "groq": _OPEN_MODELS,
    "xai": _VENDOR,
    "mistral": _MISTRAL,
    "azure": _AZURE,
    "azure-openai": _AZURE,
    "deepseek": _DEEPSEEK,
    "zai": _ZAI,
    "moonshot": _MOONSHOT,
    "ollama": _OLLAMA,
    "llamacpp": LOCAL,
    "vllm": LOCAL,
    "lmstudio": LOCAL,
    "demo": _VENDOR,
}

# A host is one of these or ends with a dot and one of these.
BY_HOST: dict[str, Compat] = {
    "api.openai.com": _OPENAI,
    "openai.azure.com": _AZURE,
    "services.ai.azure.com": _AZURE,
    "cognitiveservices.azure.com": _AZURE,
    "openrouter.ai": _OPENROUTER,
    "groq.com": _OPEN_MODELS,
    "x.ai": _VENDOR,
    "mistral.ai": _MISTRAL,
    "deepseek.com": _DEEPSEEK,
    "z.ai": _ZAI,
    "bigmodel.cn": _ZAI,
    "moonshot.ai": _MOONSHOT,
    "moonshot.cn": _MOONSHOT,
    "aliyuncs.com": _QWEN,
}
BY_PORT: dict[str, Compat] = {"11434": _OLLAMA}

# What the flags that are words may be; any other word would be sent or silently ignored.
_WORDS = {
    "max_tokens_field": ("max_tokens", "max_completion_tokens"),
    "thinking_format": (
        "openai", "openrouter", "zai", "qwen", "qwen-chat-template", "none",
    ),
    "thinking_replay": ("never", "calls", "required", "always"),
    "tool_id_pattern": ("", "mistral"),
    "cache_format": ("", "openai", "openrouter", "mistral"),
    "parallel_tool_calls": ("", "yes", "no"),
}  # fmt: skip


def compat_of(options: Options) -> Compat:
    """The flags that hold for a request with these options."""
    base = _row(options)
    given = options.compat
    if not given:
        return base
    changes = {
        name: given[name]
        for name, default in zip(Compat._fields, base)
        if name in given and _fits(name, given[name], default)
    }
    return base._replace(**changes)


def _row(options: Options) -> Compat:
    if "/openai/deployments/" in options.base_url:
        return _AZURE
    host, port = host_and_port(options.base_url)
    labels = host.split(".")
    for start in range(max(0, len(labels) - 4), len(labels)):
        row = BY_HOST.get(".".join(labels[start:]))
        if row is not None:
            return row
    row = BY_ALIAS.get(options.provider)
    if row is not None:
        return row
    return BY_PORT.get(port) or (LOCAL if is_private(host) else STRANGER)


def _fits(name: str, value: Any, default: Any) -> bool:
    if name in _WORDS:
        return value in _WORDS[name] if isinstance(value, str) else False
    return isinstance(value, dict) if name == "routing" else type(value) is type(default)


def host_and_port(base_url: str) -> tuple[str, str]:
    """Host in lower case and port, "" where there is none. Takes any text."""
    authority = base_url.partition("://")[2] or base_url
    for end in "/?#":
        authority = authority.partition(end)[0]
    authority = authority.rpartition("@")[2].lower()
    if authority.startswith("["):
        host, _, rest = authority[1:].partition("]")
        return host, rest.lstrip(":")
    host, _, port = authority.partition(":")
    return host, port


def is_private(host: str) -> bool:
    """Whether a host is this machine, or by its address or name inside a private network."""
    if host in ("localhost", "::1") or host.endswith((".localhost", ".local", ".lan", ".internal")):
        return True
    parts = host.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        return host != "" and "." not in host and ":" not in host  # a bare machine name
    first, second = int(parts[0][:4]), int(parts[1][:4])
    return (
        first in (10, 127) or (first, second) == (192, 168) or (first == 172 and 16 <= second <= 31)
    )


def wire_call_id(identity: str, pattern: str) -> str:
    """A call's id as the server takes it; the same id always gives the same result."""
    if pattern != "mistral":
        return identity
    if len(identity) == 9 and identity.isascii() and identity.isalnum():
        return identity
    import hashlib  # 2 ms, and only for ids that do not fit

    digest = int.from_bytes(hashlib.sha256(identity.encode("utf-8", "replace")).digest(), "big")
    letters = []
    for _ in range(9):
        digest, at = divmod(digest, 62)
        letters.append(_BASE62[at])
    return "".join(letters)


_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
