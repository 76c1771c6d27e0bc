"""What is known about models: windows, prices, abilities. Pure.

A catalog is made of layers; an entry of a later layer replaces the whole entry of an
earlier one with the same name. Providers are the aliases of the provider table, with
their second names folded (``gemini`` is ``google``). Nothing known is ``None`` (or ""):
a missing price is never zero, a missing ability is never "no".

Looking a model up, the first that is found:
  1. its own name, ignoring case;
  2. its name without a date or ``-latest`` (``claude-sonnet-4-20250514``);
  3. the same two under the other aliases of one family: catalogs in the older format list
     every OpenAI-compatible vendor's models under ``openai``. Such an entry says nothing
     about the wire format.
"""

from __future__ import annotations

from pi.ai.providers import BY_NAME, PROVIDERS
from pi.base.errors import ConfigError
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

DIGITS = "0123456789"
# The vendors that an older catalog lists under the first of them.
FAMILY = tuple(spec.id for spec in PROVIDERS if spec.api == "openai-chat" and spec.key_variables)


class Rates(NamedTuple):
    """US dollars per million tokens; None where unknown."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None


class LongPrompt(NamedTuple):
    """The rates of a whole request whose prompt is longer than ``over_tokens``."""

    over_tokens: int
    rates: Rates


class Entry(NamedTuple):
    """One model.

    ``api`` is the wire format ("openai-chat", "openai-responses", "anthropic", "google"),
    "" for the provider's own. ``thinking_style`` says how thinking is asked for
    ("anthropic-adaptive", "anthropic-budget", "openai-effort", "gemini-level",
    "gemini-budget"), ``thinking_levels`` which levels are taken; () is unknown.
    ``retires`` is the day (YYYY-MM-DD) the vendor shuts the model down.
    """

    provider: str
    model: str
    context_window_tokens: int | None = None
    supports_tools: bool | None = None
    supports_multimodal: bool | None = None
    supports_reasoning: bool | None = None
    rates: Rates = Rates()
    max_output_tokens: int | None = None
    long_prompt: LongPrompt | None = None
    api: str = ""
    thinking_style: str = ""
    thinking_levels: tuple[str, ...] = ()
    thinking_can_disable: bool | None = None
    temperature_allowed: bool | None = None
    compat: Mapping[str, Any] = {}
    retires: str = ""
    replaced_by: str = ""
    source: str = ""
    checked: str = ""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class Filters(NamedTuple):
    """Which entries a listing shows. ``words`` must all occur in ``provider/model``."""

    words: tuple[str, ...] = ()
    provider: str = ""
    tools: bool | None = None
    multimodal: bool | None = None
    reasoning: bool | None = None


class Catalog:
    """Entries by name. Never changes once made."""

    def __init__(self, *layers: Iterable[Entry]) -> None:
        self._by_name: dict[tuple[str, str], Entry] = {}
        for layer in layers:
            self._by_name.update({name_of(entry): entry for entry in layer})
        self._by_base: dict[tuple[str, str], Entry] | None = None  # made when first needed

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[Entry]:
        """The entries, sorted by provider, then model."""
        return iter(self._by_name[name] for name in sorted(self._by_name))

    def find(self, provider: str, model: str) -> Entry | None:
        """The entry for a model, or None."""
        provider = canonical_provider(provider)
        model = model.strip().lower()
        found = self._under(provider, model)
        if found is None and provider in FAMILY:
            others = (self._under(other, model) for other in FAMILY if other != provider)
            found = next((entry for entry in others if entry is not None), None)
            if found is not None:
                found = found._replace(provider=provider, api="", compat={})
        return found

    def search(self, filters: Filters) -> list[Entry]:
        """The entries that pass, sorted."""
        words = [word.lower() for word in filters.words]
        provider = canonical_provider(filters.provider)
        wanted = (filters.tools, filters.multimodal, filters.reasoning)
        return [
            entry
            for entry in self
            if (not provider or entry.provider == provider)
            and all(want is None or has is want for want, has in zip(wanted, abilities(entry)))
            and all(word in str(entry).lower() for word in words)
        ]

    def _under(self, provider: str, model: str) -> Entry | None:
        exact = self._by_name.get((provider, model))
        if exact is not None:
            return exact
        if self._by_base is None:
            self._by_base = {}
            # Reversed: of several with one base the undated, then the oldest name wins.
            for name in sorted(self._by_name, reverse=True):
                self._by_base[name[0], base_name(name[1])] = self._by_name[name]
        return self._by_base.get((provider, base_name(model)))


def abilities(entry: Entry) -> tuple[bool | None, bool | None, bool | None]:
    """Tools, other input than text, reasoning."""
    return entry.supports_tools, entry.supports_multimodal, entry.supports_reasoning


def canonical_provider(name: str) -> str:
    """The one spelling of a provider's name."""
    name = name.strip().lower()
    spec = BY_NAME.get(name)
    return spec.id if spec is not None else name


def name_of(entry: Entry) -> tuple[str, str]:
    """What an entry is found by; two entries of one layer never share it."""
    return entry.provider, entry.model.lower()


def base_name(model: str) -> str:
    """A model's name without ``-latest``, ``-YYYYMMDD`` or ``-YYYY-MM-DD`` at its end."""
    if model.endswith("-latest"):
        return model[: -len("-latest")] or model
    for shape in ("-00000000", "-0000-00-00"):
        end = model[-len(shape) :]
        digits = "".join("0" if char in DIGITS else char for char in end)
        if digits == shape and model != end:
            return model[: -len(shape)]
    return model


def check_model(entry: Entry | None, name: str, today: str = "") -> list[str]:
    """Warnings about running ``name``, which ``entry`` describes, on ``today`` (YYYY-MM-DD).

    Raises ConfigError if the model is known to take no tools: an agent is nothing without.
    """
    if entry is None:
        return [f"model catalog warning: missing entry for '{name}'; skipping capability guardrail"]
    if entry.supports_tools is False:
        raise ConfigError(
            f"model '{name}' is marked as tool-incompatible in the model catalog",
            hint="choose another with pi --list-models",
            code="model-without-tools",
        )
    if entry.retires and today and today >= entry.retires:
        instead = f"; its vendor names {entry.replaced_by} instead" if entry.replaced_by else ""
        return [f"model catalog warning: '{name}' was shut down on {entry.retires}{instead}"]
    return []


def row(entry: Entry) -> str:
    """An entry as one line of a listing."""
    facts = (
        ("tools", entry.supports_tools),
        ("multimodal", entry.supports_multimodal),
        ("reasoning", entry.supports_reasoning),
        ("context_window_tokens", entry.context_window_tokens),
        ("input_cost_per_million", entry.rates.input),
        ("output_cost_per_million", entry.rates.output),
    )
    return " ".join((f"model: {entry}", *(f"{name}={shown(value)}" for name, value in facts)))


def shown(value: bool | float | None) -> str:
    """A fact in words: six decimals for money, lower case for yes and no."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def listing(entries: Sequence[Entry], source: str, limit: int = 0) -> list[str]:
    """A listing's lines: a head, then at most ``limit`` rows (0: all)."""
    rows = [row(entry) for entry in (entries[:limit] if limit else entries)]
    head = f"models list: source={source} total_matches={len(entries)} shown={len(rows)}"
    return [head, *(rows or ["models list: no matches"])]
