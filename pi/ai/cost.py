"""What requests cost, what the next one may cost, and when a limit says stop. Pure.

Money is counted in whole trillionths of a dollar, so sums are exact in any order and a
thousand tiny requests do not round to nothing. Dollars appear at the edge, with six
decimals. A price may depend on the length of the prompt, so costs are computed for each
request and added, never for the sum of several.
"""

from __future__ import annotations

from pi.ai.jsontext import dump
from pi.ai.providers import BY_NAME
from pi.ai.types import Text, Thinking, ToolCall
from pi.base.errors import CapReached, ConfigError, UsageError
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.catalog import Entry, Rates
    from pi.ai.types import ChatRequest, Message, Usage

PICOS = 1_000_000_000_000  # in a dollar
PICOS_PER_TOKEN = 1_000_000  # for a rate of one dollar per million tokens
# Factors of the input price where the catalog is silent, by the vendors' general rules:
# reading from the prompt cache, writing to it, writing for an hour.
CACHE_RULES: dict[str, tuple[float | None, float | None, float | None]] = {
    "anthropic": (0.1, 1.25, 2.0),
    "openai-responses": (None, 1.25, None),
}
NO_RULE = (None, None, None)
# For a bound where nothing is known: no vendor charges more for a read than for fresh
# input, nor more than twice that for a write.
UPPER_RULE = (1.0, 2.0)
CHARACTERS_PER_TOKEN = 4
IMAGE_TOKENS = 1200


class Spend(NamedTuple):
    """Tokens and money of some requests; ``picos`` is None if the price is not known."""

    tokens: int = 0
    picos: int | None = 0

    def plus(self, other: Spend) -> Spend:
        known = self.picos is not None and other.picos is not None
        picos = (self.picos or 0) + (other.picos or 0) if known else None
        return Spend(self.tokens + other.tokens, picos)

    @property
    def usd(self) -> float | None:
        """Dollars, rounded to six decimals; None if not known."""
        return None if self.picos is None else (self.picos + 500_000) // 1_000_000 / 1_000_000


class Caps(NamedTuple):
    """Limits of a run; None is no limit."""

    max_cost_usd: float | None = None
    max_tokens_total: int | None = None

    def would_cross(self, spent: Spend, worst: Spend) -> CapReached | None:
        """The error that ends the run, if a request of at most ``worst`` may cross a limit.

        Asked before each request. What reaches a limit exactly does not cross it.
        """
        tokens = spent.tokens + worst.tokens
        if self.max_tokens_total is not None and tokens > self.max_tokens_total:
            return CapReached(
                f"the next request may use {worst.tokens} tokens, and {spent.tokens} of "
                f"{self.max_tokens_total} are used",
                hint="what was done is kept; run again to go on, or raise --max-tokens-total",
                code="token-cap",
            )
        if self.max_cost_usd is None:
            return None
        total = spent.plus(worst)
        if total.picos is not None and total.picos <= round(self.max_cost_usd * PICOS):
            return None
        return CapReached(
            f"the next request may cost {dollars(worst)}, and {dollars(spent)} of "
            f"${self.max_cost_usd:.6f} is spent",
            hint="what was done is kept; run again to go on, or raise --max-cost-usd",
            code="cost-cap",
        )

    def output_allowance(self, spent: Spend, prompt_tokens: int, entry: Entry | None) -> int | None:
        """The most output tokens the next request may ask for; None if nothing limits them.

        A request sent with this as its output limit crosses no cap; 0 or less means that
        none can be sent.
        """
        allowed: list[int] = []
        if self.max_tokens_total is not None:
            allowed.append(self.max_tokens_total - spent.tokens - prompt_tokens)
        if self.max_cost_usd is not None:
            # Two requests that differ by one token of output tell what each token costs.
            before = spent.plus(worst_case(prompt_tokens, 0, entry)).picos
            after = spent.plus(worst_case(prompt_tokens, 1, entry)).picos
            if before is None or after is None:
                return 0
            left = round(self.max_cost_usd * PICOS) - before
            if left < 0:
                allowed.append(0)
            elif after > before:
                allowed.append(left // (after - before))
        return min(allowed) if allowed else None


def cost(usage: Usage, entry: Entry | None, *, long_cache: bool = False) -> float | None:
    """Dollars of one request, to six decimals; None if a rate it needs is not known."""
    return spend(usage, entry, long_cache=long_cache).usd


def spend(
    usage: Usage, entry: Entry | None, *, long_cache: bool = False, at_most: bool = False
) -> Spend:
    """Tokens and money of one request.

    ``long_cache``: cache writes were made for an hour. ``at_most`` counts cached tokens
    whose rate is not known at the dearest it can be, as a limit has to.
    """
    if entry is None:
        return Spend(usage.total, None)
    prompt = usage.input + usage.cache_read + usage.cache_write
    rates = rates_of(entry, prompt, long_cache=long_cache, at_most=at_most)
    total = 0
    for tokens, rate in (
        (usage.input, rates.input),
        (usage.output, rates.output),
        (usage.cache_read, rates.cache_read),
        (usage.cache_write, rates.cache_write),
    ):
        if tokens:
            picos = _picos(rate)
            if picos is None:
                return Spend(usage.total, None)
            total += tokens * picos
    return Spend(usage.total, total)


def worst_case(
    prompt_tokens: int,
    max_output_tokens: int | None,
    entry: Entry | None,
    *,
    long_cache: bool = False,
) -> Spend:
    """The most a request may use: the prompt at its dearest rate, every output token.

    ``prompt_tokens`` is an estimate. Without an output limit the model's own holds, or
    what its window leaves; if neither is known the output counts as nothing, so callers
    that need a bound send a limit.
    """
    if max_output_tokens is None:
        max_output_tokens = _own_output_limit(entry, prompt_tokens)
    tokens = prompt_tokens + max_output_tokens
    if entry is None:
        return Spend(tokens, None)
    rates = rates_of(entry, prompt_tokens, long_cache=long_cache)
    fresh, output = _picos(rates.input), _picos(rates.output)
    if fresh is None or output is None:
        return Spend(tokens, None)
    dearest = max(fresh, _picos(rates.cache_write) or 0)
    return Spend(tokens, prompt_tokens * dearest + max_output_tokens * output)


def rates_of(
    entry: Entry, prompt_tokens: int, *, long_cache: bool = False, at_most: bool = False
) -> Rates:
    """The rates of a request with a prompt of that length, cache rules applied."""
    rates = entry.rates
    if entry.long_prompt is not None and prompt_tokens > entry.long_prompt.over_tokens:
        rates = entry.long_prompt.rates
    read, write, write_long = CACHE_RULES.get(_wire(entry), NO_RULE)
    reads = [rates.cache_read, _times(rates.input, read)]
    writes = [rates.cache_write, _times(rates.input, write)]
    if long_cache:
        writes.insert(0, _times(rates.input, write_long))
    if at_most:
        reads.append(_times(rates.input, UPPER_RULE[0]))
        writes.append(_times(rates.input, UPPER_RULE[1]))
    return rates._replace(cache_read=_first(reads), cache_write=_first(writes))


def require_price(caps: Caps, entry: Entry | None, model: str) -> None:
    """Refuse to start under a cost limit without a price. Raises ConfigError."""
    if caps.max_cost_usd is None:
        return
    if entry is None or entry.rates.input is None or entry.rates.output is None:
        raise ConfigError(
            f"--max-cost-usd: the price of '{model}' is not known",
            hint="pi --list-models shows the prices known; give yours in a file with "
            "--model-catalog-cache, or limit tokens with --max-tokens-total",
            code="price-unknown",
        )


def parse_usd(text: str, flag: str = "--max-cost-usd") -> float:
    """An amount as typed. Raises UsageError."""
    digits = text.strip().removeprefix("$")
    whole, _, fraction = digits.partition(".")
    plain = (whole + fraction).isascii() and (whole + fraction).isdigit()
    if not plain or len(whole) > 9 or len(fraction) > 12:
        raise UsageError(f"{flag}: {text[:40]!r} is not an amount", hint=f"{flag} 0.50")
    return float(digits)


def dollars(spend: Spend) -> str:
    return "an unknown amount" if spend.usd is None else f"${spend.usd:.6f}"


def estimate_tokens(text: str) -> int:
    """About how many tokens ``text`` is: four characters each, rounded up.

    A letter outside ASCII counts as a token of its own: four to one would be a third of
    what Chinese or Japanese really takes.
    """
    letters = 0
    if not text.isascii():
        letters = sum(1 for char in text if char > "\x7f" and char.isalpha())
    return letters - (letters - len(text)) // CHARACTERS_PER_TOKEN


def estimate_request(chat: ChatRequest) -> int:
    """About how many tokens a request's prompt is. Linear in its length."""
    total = estimate_tokens(chat.system)
    for tool in chat.tools:
        total += estimate_tokens(tool.name + tool.description + dump(dict(tool.parameters)))
    return total + sum(map(estimate_message, chat.messages))


def estimate_message(message: Message) -> int:
    """About how many tokens a message is."""
    total = 0
    for block in message.blocks:
        if isinstance(block, (Text, Thinking)):
            total += estimate_tokens(block.text)
        elif isinstance(block, ToolCall):
            total += estimate_tokens(block.name + dump(dict(block.arguments)))
        else:
            total += IMAGE_TOKENS
    return total


def _wire(entry: Entry) -> str:
    """The wire format a model is asked over: its own, or its provider's."""
    spec = BY_NAME.get(entry.provider)
    return entry.api or (spec.api if spec is not None else "")


def _own_output_limit(entry: Entry | None, prompt_tokens: int) -> int:
    if entry is None:
        return 0
    if entry.max_output_tokens is not None:
        return entry.max_output_tokens
    return max(0, (entry.context_window_tokens or 0) - prompt_tokens)


def _picos(rate: float | None) -> int | None:
    return None if rate is None else round(rate * PICOS_PER_TOKEN)


def _times(rate: float | None, factor: float | None) -> float | None:
    return None if rate is None or factor is None else rate * factor


def _first(values: list[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)
