"""How a Claude model is asked to think, and how many tokens it may then write.

Models from 4.6 on choose themselves how much they think ("anthropic-adaptive", steered by
an effort), earlier ones are given a budget ("anthropic-budget"). A model whose style is
unknown is not asked: what its vendor does by default is then right.
"""

from __future__ import annotations

from pi.ai.providers.shared import nearest
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.ai.providers.codec import Options

ADAPTIVE = "anthropic-adaptive"
BUDGET = "anthropic-budget"
# Thinking between tool calls, which models with a budget do only when asked.
INTERLEAVED_BETA = "interleaved-thinking-2025-05-14"

EFFORTS = ("low", "medium", "high", "xhigh", "max")
# The vendor's least is 1024; past 16384 answers get slower, hardly better.
BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384}
MIN_BUDGET = 1024
MIN_ANSWER = 1024

# Enough for any file a model writes at once; more only raises what a runaway answer costs.
USUAL_MAX_TOKENS = 32_000
# For a model we know nothing of: every Claude model since 3.5 accepts it.
UNKNOWN_MAX_TOKENS = 8_192


class Asked(NamedTuple):
    """``fields`` go into the body beside ``max_tokens``."""

    max_tokens: int
    fields: dict[str, Any]

    @property
    def thinks(self) -> bool:
        """Whether we asked for thinking, which then forbids some other parameters."""
        return self.fields.get("thinking", {}).get("type") in ("adaptive", "enabled")


def ask(options: Options, max_tokens: int | None) -> Asked:
    """What to send for ``options.thinking``; ``max_tokens`` is what the user set, if they did."""
    limit = options.traits.max_output_tokens
    base = max_tokens or (min(limit, USUAL_MAX_TOKENS) if limit else UNKNOWN_MAX_TOKENS)
    if limit:
        base = min(base, limit)
    style = _style(options)
    if not style or not options.thinking or "thinking" in options.without:
        return Asked(base, {})
    if style == ADAPTIVE:
        return Asked(base, _adaptive(options))
    if options.thinking == "off":
        return Asked(base, {})  # these models do not think unless asked to
    return _budgeted(options, base, limit)


def _style(options: Options) -> str:
    """The model's style, or the other one after this server refused the first."""
    style = options.traits.thinking_style
    if style == ADAPTIVE and "thinking-adaptive" in options.without:
        style = BUDGET
    if style == BUDGET and "thinking-budget" in options.without:
        style = "" if "thinking-adaptive" in options.without else ADAPTIVE
    return style if style in (ADAPTIVE, BUDGET) else ""


def _adaptive(options: Options) -> dict[str, Any]:
    if options.thinking == "off" and options.traits.thinking_can_disable:
        refused = "thinking-off" in options.without
        # Claude Sonnet 5.5 has another word for it, and refuses this one (its migration guide).
        word = str(options.compat.get("thinking_off") or "disabled")
        return {} if refused else {"thinking": {"type": word}}
    thinking = {"type": "adaptive"}
    if "thinking-display" not in options.without:
        thinking["display"] = "summarized"  # newer models show nothing by default
    fields: dict[str, Any] = {"thinking": thinking}
    effort = nearest(options.thinking, _allowed(options, EFFORTS))
    if effort and "effort" not in options.without:
        fields["output_config"] = {"effort": effort}
    return fields


def _budgeted(options: Options, base: int, limit: int | None) -> Asked:
    """The budget comes on top of the answer's tokens, as far as the model's limit allows."""
    budget = BUDGETS[nearest(options.thinking, _allowed(options, BUDGETS))]
    total = min(base + budget, limit) if limit else base + budget
    budget = min(budget, total - MIN_ANSWER) if total < base + budget else budget
    if budget < MIN_BUDGET:
        return Asked(base, {})
    return Asked(total, {"thinking": {"type": "enabled", "budget_tokens": budget}})


def _allowed(options: Options, expressible: Iterable[str]) -> tuple[str, ...]:
    """The levels that the model has and the wire can say; all of the latter if unknown."""
    every = tuple(expressible)
    return tuple(level for level in options.traits.thinking_levels if level in every) or every
