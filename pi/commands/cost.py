"""``/cost``: what this run has used, and the session before it."""

from __future__ import annotations

from pi.base.typing import Any
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext


def cost(arguments: Arguments, context: CommandContext) -> Result:
    """Requests, tokens and dollars of this run; tokens of the session by model."""
    service = context.services.get("cost")
    totals: Mapping[str, Any] = service() if service is not None else {}
    requests, tokens = (totals.get(name) or 0 for name in ("requests", "total_tokens"))
    usd = totals.get("cost_usd") if totals else 0.0
    lines = [f"cost: requests={requests} total_tokens={tokens} cost_usd={_dollars(usd)}"]
    models = totals.get("models") or []
    lines += [
        f"run model: {row['model']} requests={row.get('requests', 0)} "
        f"total_tokens={row.get('total_tokens', 0)} cost_usd={_dollars(row.get('cost_usd'))}"
        for row in models
    ]
    kept = _kept(context)
    lines += [
        f"session model: {name} input_tokens={used['input_tokens']} "
        f"output_tokens={used['output_tokens']}"
        for name, used in kept.items()
    ]
    data = {"requests": requests, "total_tokens": tokens, "cost_usd": usd}
    return Result(tuple(lines), {**data, "models": list(models), "session_tokens": kept})


def _kept(context: CommandContext) -> dict[str, Any]:
    """Tokens by model of all that stands in the session's file."""
    if context.store is None:
        return {}
    from pi.sessions import stats  # only with a session

    tokens: dict[str, Any] = stats.json_data(stats.count(context.store.snapshot()))["tokens"]
    return tokens


def _dollars(usd: object) -> str:
    return f"{usd:.6f}" if isinstance(usd, (int, float)) else "unknown"
