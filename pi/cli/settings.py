"""Parsed flags as grouped, checked values. Below ``cli`` nobody sees parsed arguments."""

from __future__ import annotations

from pi.ai.cost import Caps, parse_usd
from pi.ai.models import parse_model
from pi.ai.providers import BY_NAME as PROVIDERS
from pi.base.errors import UsageError
from pi.base.retry import RetryPolicy
from pi.base.typing import NamedTuple
from pi.cli.tool_settings import build_tool_settings
from pi.compaction.sizes import CompactionSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pi.ai.models import ModelRef
    from pi.cli.parse import Parsed
    from pi.cli.tool_settings import ToolSettings

DEFAULT_SYSTEM_PROMPT = (
    "You are pi, a focused coding assistant. Prefer concrete steps and small, safe edits; "
    "read a file before you change it, and say briefly what you did."
)

# A false one of these would let a server read another request than was sent.
FRAMING_HEADERS = ("content-length", "transfer-encoding", "connection", "host", "te", "upgrade")
BASE_FLAGS = ("--api-base", "--anthropic-api-base", "--google-api-base")
OUTPUT_FLAGS = (
    *("--stream-output", "--json-events", "--stream-delay-ms", "--quiet", "--debug"),
    "--output-format",
)
KEY_FLAGS = ("--api-key", "--openai-api-key", "--anthropic-api-key", "--google-api-key")


class ModelSettings(NamedTuple):
    """``bases`` and ``keys`` map flags that were given to their values."""

    ref: ModelRef
    fallbacks: tuple[ModelRef, ...]
    bases: Mapping[str, str]
    api_base_typed: bool  # --api-base stands on the command line, not in a variable
    keys: Mapping[str, str]
    headers: tuple[tuple[str, str], ...]
    retry: RetryPolicy
    request_timeout_ms: int
    api_format: str  # "" for what the provider and the catalog say
    azure_api_version: str
    thinking: str
    cache_retention: str


class PromptSettings(NamedTuple):
    """Where the prompt comes from. ``text`` None means: from a file or standard input."""

    text: str | None
    file: str | None
    wanted: bool  # one prompt was asked for, with whatever form
    system: str
    system_file: str | None
    append: tuple[str, ...] = ()  # texts, or @FILE
    own: bool = False  # the user gave the system prompt
    context_files: bool = True


class SessionSettings(NamedTuple):
    path: str | None  # None: keep nothing
    asked_for: bool  # named by the user, so a failure to save is a failure of the run
    lock_wait_ms: int
    lock_stale_ms: int
    branch_from: int | None
    sync: str
    which: str  # "named", "latest" or "picked"
    fork: str  # the new session's name or path, "" for none
    links: bool = False  # a link in the project may lead out of it: the run trusts the folder


class OutputSettings(NamedTuple):
    stream: bool
    json_events: bool | str  # "full": every piece of text and of tool output too
    delay_ms: int
    quiet: bool
    debug: bool
    form: str  # "text" or "json": one object about the run


class NetworkSettings(NamedTuple):
    ca_bundle: str
    proxy: str
    client_cert: str
    client_key: str
    record: str
    replay: str
    replay_lenient: bool


class Settings(NamedTuple):
    model: ModelSettings
    prompt: PromptSettings
    session: SessionSettings
    tools: ToolSettings
    output: OutputSettings
    network: NetworkSettings
    caps: Caps
    compaction: CompactionSettings
    max_turns: int | None  # None: no limit
    turn_timeout_ms: int


def build_settings(parsed: Parsed) -> Settings:
    """Check the values that a type cannot. Raises UsageError; touches nothing outside."""
    try:
        return _settings(parsed)
    except UsageError as exc:
        raise _told_where(exc, parsed) from exc


def _told_where(error: UsageError, parsed: Parsed) -> UsageError:
    """The same mistake, with the variable or file that the value is from: ``--model`` in a
    message is no help to somebody who did not type it."""
    words = {word.strip(":,'\"") for word in error.message.split()}
    names = [name for name in parsed.where if name in words]
    if not names or error.cause:
        return error
    cause = f"{names[0]} is set in {parsed.where[names[0]]}"
    return UsageError(error.message, cause=cause, hint=error.hint, code=error.code)


def _settings(parsed: Parsed) -> Settings:
    value: dict[str, Any] = parsed.values
    if value["--json"] and not value["--session-validate"]:
        raise UsageError(
            "--json is for what prints no model's answer: --list-models, --audit-verify, "
            "--session-validate, --doctor, --print-config, --help, work on skills",
            hint="--output-format json gives the answer as JSON, --json-events what happens, "
            "--command-file-json what commands print",
        )
    if value["--client-key"] and not value["--client-cert"]:
        raise UsageError("--client-key needs --client-cert", hint="the key of which certificate?")
    return Settings(
        model=_model(parsed, value),
        prompt=_prompt(parsed, value),
        session=SessionSettings(
            None if value["--no-session"] else value["--session"],
            parsed.given("--session"),
            value["--session-lock-wait-ms"],
            value["--session-lock-stale-ms"],
            value["--branch-from"],
            value["--session-sync"],
            "latest" if value["--continue"] else "picked" if value["--resume"] else "named",
            value["--fork"] or "",
            bool(value["--trust-project"]),
        ),
        tools=build_tool_settings(parsed),
        output=OutputSettings(*(value[flag] for flag in OUTPUT_FLAGS)),
        network=NetworkSettings(
            ca_bundle=value["--ca-bundle"] or "",
            proxy=value["--proxy"] or "",
            client_cert=value["--client-cert"] or "",
            client_key=value["--client-key"] or "",
            record=value["--record"] or "",
            replay=value["--replay"] or "",
            replay_lenient=value["--replay-lenient"],
        ),
        caps=Caps(
            parse_usd(value["--max-cost-usd"]) if value["--max-cost-usd"] else None,
            value["--max-tokens-total"],
        ),
        compaction=CompactionSettings(
            value["--compaction"],
            value["--compact-reserve-tokens"],
            value["--compact-keep-tokens"],
            "" if value["--compact-fallback"] == "none" else value["--compact-fallback"],
        ),
        max_turns=value["--max-turns"],
        turn_timeout_ms=value["--turn-timeout-ms"],
    )


def _model(parsed: Parsed, value: dict[str, Any]) -> ModelSettings:
    bases = {flag: value[flag].strip() for flag in BASE_FLAGS if value[flag]}
    for flag, base in bases.items():
        check_base(base, flag)
    ref = known_model(parse_model(value["--model"]), "--model")
    others = [
        known_model(parse_model(text, "--fallback-model"), "--fallback-model")
        for text in value["--fallback-model"]
    ]
    fallbacks = tuple(dict.fromkeys(other for other in others if other != ref))
    return ModelSettings(
        ref,
        fallbacks,
        bases,
        parsed.sources["--api-base"] == "flag",
        {flag: value[flag] for flag in KEY_FLAGS if value[flag]},
        tuple(_header(text) for text in value["--header"]),
        RetryPolicy(
            value["--provider-max-retries"],
            value["--provider-retry-budget-ms"],
            jitter=value["--provider-retry-jitter"],
        ),
        value["--request-timeout-ms"],
        value["--api-format"] or "",
        value["--azure-openai-api-version"] or "",
        value["--thinking"] or "",
        value["--cache-retention"],
    )


def known_model(ref: ModelRef, flag: str) -> ModelRef:
    """``ref`` with its provider's first name. Raises UsageError for an unknown one."""
    spec = PROVIDERS.get(ref.provider)
    if spec is None:
        raise UsageError(
            f"{flag} {str(ref)!r}: unsupported provider {ref.provider!r}",
            hint=_providers_hint(ref.provider),
        )
    if spec.models and ref.model not in spec.models:
        raise UsageError(
            f"{flag} {str(ref)!r}: provider {spec.id!r} has no such model",
            hint="it has " + ", ".join(f"{spec.id}/{model}" for model in spec.models),
        )
    return ref._replace(provider=spec.id)


def _header(text: str) -> tuple[str, str]:
    """A header typed as NAME=VALUE or NAME: VALUE; the value may be a secret."""
    name, _, value = text.partition("=" if "=" in text.split(":")[0] else ":")
    name, value = name.strip(), value.strip()
    if "=" not in text and ":" not in text:
        name = ""
    if not name or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise UsageError("--header needs NAME=VALUE", hint="for example X-Team=search")
    if name.lower() in FRAMING_HEADERS:
        raise UsageError(f"--header {name}: pi sets this one itself")
    if not value.isprintable() or not value.isascii():
        raise UsageError(f"--header {name}: the value holds characters no header can have")
    return name, value


def check_base(base: str, flag: str = "--api-base") -> None:
    """Refuse a base URL that cannot be one. Raises UsageError."""
    from urllib.parse import urlsplit  # only when a base is given

    hint = "write it as https://host/v1 or http://127.0.0.1:8080/v1"
    try:
        parts = urlsplit(base)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as exc:
        raise UsageError(f"{flag} is not a URL", cause=str(exc), hint=hint) from exc
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise UsageError(f"{flag} needs http:// or https:// and a host", hint=hint)
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"{flag} must not hold a user name or password", hint="use --api-key instead"
        )
    if not base.isprintable() or " " in base:
        raise UsageError(f"{flag} holds blanks or control characters", hint=hint)


def _providers_hint(name: str) -> str:
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(name, PROVIDERS, n=1, cutoff=0.6)
    known = "supported: " + ", ".join(PROVIDERS)
    return f"did you mean {close[0]}? {known}" if close else known


def _prompt(parsed: Parsed, value: dict[str, Any]) -> PromptSettings:
    text = value["--prompt"]
    if parsed.words:
        if text is not None:
            raise UsageError(
                f"a prompt is given twice: --prompt and {parsed.words[0]!r}",
                hint="put quotes around a prompt of several words",
            )
        if parsed.sources["--prompt-file"] == "flag":
            raise UsageError(f"--prompt-file cannot be combined with {parsed.words[0]!r}")
        text = " ".join(parsed.words)
    if text is not None and not text.strip():
        raise UsageError("the prompt is empty", hint='pi -p "Summarize README.md"')
    file = value["--prompt-file"] if text is None and not value["--print"] else None
    own = parsed.given("--system-prompt") or parsed.given("--system-prompt-file")
    return PromptSettings(
        text,
        file,
        text is not None or file is not None or value["--print"],
        DEFAULT_SYSTEM_PROMPT if value["--system-prompt"] is None else value["--system-prompt"],
        value["--system-prompt-file"],
        value["--append-system-prompt"],
        own,
        not value["--no-context-files"] and (not own or value["--context-files"]),
    )
