"""The summary of logs as lines for a person and as data for scripts. Pure.

The head, ``tool_breakdown`` and ``provider_breakdown`` are what the older program printed,
letter by letter; the sections behind them are there when they have something to say.
"""

from __future__ import annotations

from pi.audit.moments import show_moment
from pi.audit.summary import TOKENS, cost_of
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pi.audit.summary import Row, Summary

    Price = Callable[[str], "tuple[float, float] | None"]


def text_lines(found: Summary, path: str, price: Price) -> tuple[str, ...]:
    """The report for a person; bad lines are named only if there are any."""
    tools, prompts = (sum(row.times for row in rows) for rows in (found.tools, found.providers))
    head = f"audit summary: path={path} records={found.records} "
    head += f"tool_events={tools} prompt_records={prompts}"
    head += f" bad_lines={found.bad_lines}" if found.bad_lines else ""
    head += f" left_out={found.left_out}" if found.left_out else ""
    lines = [head, "tool_breakdown:"]
    lines += [_line(row.name, _figures(row)) for row in found.tools] or ["  none"]
    lines.append("provider_breakdown:")
    lines += [_line(row.name, _with_tokens(row)) for row in found.providers] or ["  none"]
    lines += _section(
        "model_breakdown",
        (
            _line(row.name, {**_with_tokens(row), "estimated_cost_usd": _dollars(row, price)})
            for row in found.models
        ),
    )
    lines += _section(
        "error_breakdown", (f"  {name} count={times}" for name, times in found.errors)
    )
    lines += _section(
        "tail_latency",
        (
            f"  {row.name} p99_ms={row.percentile(99)} max_ms={row.longest}"
            for row in (*found.tools, *found.providers)
            if row.durations
        ),
    )
    lines += _section(
        "slowest_calls",
        (
            f"  {call.name} duration_ms={call.duration_ms} "
            f"at={show_moment(call.at_ms) if call.at_ms else 'unknown'} "
            f"session={call.session or 'none'}"
            for call in found.slowest
        ),
    )
    return tuple(lines)


def json_data(found: Summary, paths: Iterable[str], price: Price) -> dict[str, Any]:
    """The report for scripts."""
    costs = [cost_of(row, price) for row in found.models]
    return {
        "schema_version": 1,
        "paths": list(paths),
        "records": found.records,
        "bad_lines": found.bad_lines,
        "left_out": found.left_out,
        "tools": [_data(row) for row in found.tools],
        "providers": [_token_data(row) for row in found.providers],
        "models": [
            {**_token_data(row), "estimated_cost_usd": None if cost is None else round(cost, 6)}
            for row, cost in zip(found.models, costs)
        ],
        "errors": [{"kind": kind, "count": times} for kind, times in found.errors],
        "slowest": [
            {**call._asdict(), "at_ms": call.at_ms or None, "session": call.session or None}
            for call in found.slowest
        ],
    }


def _section(name: str, lines: Iterable[str]) -> list[str]:
    rows = list(lines)
    return [f"{name}:", *rows] if rows else []


def _figures(row: Row) -> dict[str, str]:
    return {
        "count": str(row.times),
        "error_rate": f"{100 * row.errors / row.times:.2f}%",
        "p50_ms": str(row.percentile(50)),
        "p95_ms": str(row.percentile(95)),
    }


def _with_tokens(row: Row) -> dict[str, str]:
    return {**_figures(row), **{name: str(count) for name, count in zip(TOKENS, row.tokens)}}


def _dollars(row: Row, price: Price) -> str:
    cost = cost_of(row, price)
    return "unknown" if cost is None else f"{cost:.6f}"


def _line(name: str, figures: Mapping[str, str]) -> str:
    return f"  {name} " + " ".join(f"{field}={value}" for field, value in figures.items())


def _data(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "count": row.times,
        "errors": row.errors,
        "p50_ms": row.percentile(50),
        "p95_ms": row.percentile(95),
        "p99_ms": row.percentile(99),
        "max_ms": row.longest,
    }


def _token_data(row: Row) -> dict[str, Any]:
    return {**_data(row), **dict(zip(TOKENS, row.tokens))}
