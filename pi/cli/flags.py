"""Every flag, one row each. Help, parsing, settings and the reference page read this table."""

from __future__ import annotations

from typing import NamedTuple


class Flag(NamedTuple):
    """One flag.

    ``kind`` is "text", "path", "secret", "int", "bool", "list" (comma-separated),
    "repeat" (taken whole each time) or "choice". A bool may be
    given bare. ``variable`` is the environment variable read when the flag is not given.
    ``needs`` and ``clashes`` name other flags and are judged on the command line only.
    """

    name: str
    help: str
    group: str
    kind: str = "text"
    default: object = None
    variable: str = ""
    metavar: str = ""
    short: str = ""
    minimum: int = 0
    choices: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    clashes: tuple[str, ...] = ()


GROUPS = ("Prompt", "Model", "Limits", "Session", "Tools", "Output", "Network", "Other")

FLAGS: tuple[Flag, ...] = (
    Flag("--prompt", "Run this prompt and exit; words without a flag do the same",
         "Prompt", metavar="TEXT", clashes=("--prompt-file",)),
    Flag("--print", "Run one prompt (the words given, or standard input) and exit",
         "Prompt", "bool", False, short="-p", clashes=("--prompt-file",)),
    Flag("--prompt-file", "Run the prompt in this file and exit; - is standard input",
         "Prompt", "path", variable="PI_PROMPT_FILE", metavar="FILE"),
    Flag("--system-prompt", "Text that tells the model how to work",
         "Prompt", variable="PI_SYSTEM_PROMPT", metavar="TEXT"),
    Flag("--system-prompt-file", "File with that text; beats --system-prompt",
         "Prompt", "path", variable="PI_SYSTEM_PROMPT_FILE", metavar="FILE"),
    Flag("--model", "Model as provider/model; demo/tour is scripted and needs no key",
         "Model", default="openai/gpt-4o-mini", variable="PI_MODEL", metavar="MODEL"),
    Flag("--api-base", "Base URL of the provider, for compatible servers and gateways",
         "Model", variable="PI_API_BASE", metavar="URL"),
    Flag("--api-key", "API key for the provider (better: the environment)",
         "Model", "secret", metavar="KEY"),
    Flag("--openai-api-key", "API key for an OpenAI-compatible provider",
         "Model", "secret", metavar="KEY"),
    Flag("--anthropic-api-key", "API key for Anthropic", "Model", "secret", metavar="KEY"),
    Flag("--google-api-key", "API key for Google", "Model", "secret", metavar="KEY"),
    Flag("--anthropic-api-base", "Base URL for Anthropic models",
         "Model", variable="PI_ANTHROPIC_API_BASE", metavar="URL"),
    Flag("--google-api-base", "Base URL for Google models",
         "Model", variable="PI_GOOGLE_API_BASE", metavar="URL"),
    Flag("--azure-openai-api-version", "Value of api-version for an Azure address",
         "Model", variable="PI_AZURE_OPENAI_API_VERSION", metavar="DATE"),
    Flag("--api-format", "Wire format of the address given, where it is not the provider's own",
         "Model", "choice", None, "PI_API_FORMAT", "NAME",
         choices=("openai-chat", "openai-responses", "anthropic", "google")),
    Flag("--fallback-model", "Models to try in order when the first one fails",
         "Model", "list", (), "PI_FALLBACK_MODEL", "MODEL,..."),
    Flag("--thinking", "How much the model should reason before it answers",
         "Model", "choice", None, "PI_THINKING", "LEVEL",
         choices=("off", "minimal", "low", "medium", "high", "xhigh", "max")),
    Flag("--cache-retention", "How long the provider should keep the prompt cached",
         "Model", "choice", "short", "PI_CACHE_RETENTION", "TIME",
         choices=("none", "short", "long")),
    Flag("--header", "Extra request header, for gateways; repeatable",
         "Model", "repeat", (), metavar="NAME=VALUE"),
    Flag("--list-models", "List the models pi knows and exit; words given narrow the list",
         "Model", "bool", False, clashes=("--prompt", "--print", "--prompt-file")),
    Flag("--model-catalog-url", "Address of a JSON catalog to use over the built-in one",
         "Model", variable="PI_MODEL_CATALOG_URL", metavar="URL"),
    Flag("--model-catalog-cache", "File that keeps the downloaded catalog",
         "Model", "path", ".pi/models/catalog.json", "PI_MODEL_CATALOG_CACHE", "FILE"),
    Flag("--model-catalog-offline", "Never download the catalog: use the cache or the built-in one",
         "Model", "bool", False, "PI_MODEL_CATALOG_OFFLINE"),
    Flag("--model-catalog-stale-after-hours", "Age at which the catalog is downloaded again",
         "Model", "int", 24, "PI_MODEL_CATALOG_STALE_AFTER_HOURS", "HOURS"),
    Flag("--max-turns", "Model requests allowed for one prompt",
         "Limits", "int", 100, "PI_MAX_TURNS", "N"),
    Flag("--turn-timeout-ms", "Time for one whole prompt, tools included; 0 is no limit",
         "Limits", "int", 0, "PI_TURN_TIMEOUT_MS", "MS"),
    Flag("--request-timeout-ms", "Longest wait for a connection, a first byte, a next byte",
         "Limits", "int", 120_000, "PI_REQUEST_TIMEOUT_MS", "MS", minimum=1),
    Flag("--provider-max-retries", "Extra attempts for a request that failed in passing",
         "Limits", "int", 2, "PI_PROVIDER_MAX_RETRIES", "N"),
    Flag("--provider-retry-budget-ms", "Time for all attempts of a request; 0 is no limit",
         "Limits", "int", 0, "PI_PROVIDER_RETRY_BUDGET_MS", "MS"),
    Flag("--provider-retry-jitter", "Vary the waits between attempts",
         "Limits", "bool", True, "PI_PROVIDER_RETRY_JITTER"),
    Flag("--max-cost-usd", "Most money one run may cost; needs a known price",
         "Limits", variable="PI_MAX_COST_USD", metavar="USD"),
    Flag("--max-tokens-total", "Most tokens one run may use, prompts and answers together",
         "Limits", "int", None, "PI_MAX_TOKENS_TOTAL", "N", minimum=1),
    Flag("--session", "Session file; a second run with it continues the conversation",
         "Session", "path", ".pi/sessions/default.jsonl", "PI_SESSION", "FILE"),
    Flag("--no-session", "Keep nothing on disk", "Session", "bool", False),
    Flag("--session-lock-wait-ms", "Longest wait for another process writing the session",
         "Session", "int", 5000, "PI_SESSION_LOCK_WAIT_MS", "MS", minimum=1),
    Flag("--allow-path", "Folders the tools may touch beside the working directory",
         "Tools", "list", (), "PI_ALLOW_PATH", "DIR,..."),
    Flag("--max-file-read-bytes", "Most bytes of a file one read returns",
         "Tools", "int", 1_000_000, "PI_MAX_FILE_READ_BYTES", "N", minimum=1024),
    Flag("--max-file-write-bytes", "Largest file write and edit may make",
         "Tools", "int", 1_000_000, "PI_MAX_FILE_WRITE_BYTES", "N", minimum=1024),
    Flag("--max-tool-output-bytes", "Most bytes of command output the model sees",
         "Tools", "int", 16_000, "PI_MAX_TOOL_OUTPUT_BYTES", "N", minimum=128),
    Flag("--bash-timeout-ms", "Time limit of one command",
         "Tools", "int", 120_000, "PI_BASH_TIMEOUT_MS", "MS", minimum=1),
    Flag("--max-command-length", "Longest command, in characters",
         "Tools", "int", 4096, "PI_MAX_COMMAND_LENGTH", "N", minimum=8),
    Flag("--stream-output", "Print the answer as it arrives",
         "Output", "bool", True, "PI_STREAM_OUTPUT"),
    Flag("--stream-delay-ms", "Pause after each printed piece",
         "Output", "int", 0, "PI_STREAM_DELAY_MS", "MS"),
    Flag("--json", "With --list-models: one JSON object instead of lines",
         "Output", "bool", False, needs=("--list-models",)),
    Flag("--json-events", "One JSON object per event on stdout instead of the answer",
         "Output", "bool", False, "PI_JSON_EVENTS"),
    Flag("--quiet", "No progress on stderr; errors are still shown",
         "Output", "bool", False, "PI_QUIET", short="-q"),
    Flag("--debug", "Show the traceback of a failure", "Output", "bool", False, "PI_DEBUG"),
    Flag("--ca-bundle", "PEM file of certificates to trust instead of the system's",
         "Network", "path", variable="PI_CA_BUNDLE", metavar="FILE"),
    Flag("--client-cert", "PEM file with a certificate that pi shows to servers",
         "Network", "path", variable="PI_CLIENT_CERT", metavar="FILE"),
    Flag("--client-key", "PEM file with the key of that certificate",
         "Network", "path", variable="PI_CLIENT_KEY", metavar="FILE"),
    Flag("--proxy", "HTTP proxy for all requests; beats HTTPS_PROXY and HTTP_PROXY",
         "Network", variable="PI_PROXY", metavar="URL"),
    Flag("--record", "Keep every exchange with the provider in this file, secrets removed",
         "Network", "path", metavar="FILE", clashes=("--replay",)),
    Flag("--replay", "Answer from a recorded file: no network, no key, exit 7 if it differs",
         "Network", "path", metavar="FILE"),
    Flag("--replay-lenient", "Let request headers come in another order",
         "Network", "bool", False, needs=("--replay",)),
    Flag("--help", "Show this help", "Other", "bool", False, short="-h"),
    Flag("--version", "Show the version", "Other", "bool", False, short="-V"),
)  # fmt: skip

BY_NAME: dict[str, Flag] = {flag.name: flag for flag in FLAGS}
BY_NAME.update({flag.short: flag for flag in FLAGS if flag.short})
