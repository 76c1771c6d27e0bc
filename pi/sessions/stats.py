"""A session in figures. Pure; linear in its entries. A damaged tree is counted as far as
it goes, and what is wrong with it is listed."""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple
from pi.sessions.graph import Findings, Node, depths, examine, roots, tips
from pi.sessions.snapshot import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.sessions.entry import SessionEntry
    from pi.sessions.snapshot import Snapshot

_TOKENS = ("input", "output", "cache_read", "cache_write")
_INTEGERS = [int] * len(_TOKENS)


class ToolCount(NamedTuple):
    """Results of one tool, and how many of them were errors."""

    results: int
    errors: int


class Stats(NamedTuple):
    """``roles`` and ``tools`` are in alphabetical order. ``tokens`` maps provider/model to
    input and output tokens of its answers, cached ones counted as input. ``first_ms`` and
    ``last_ms`` are the earliest and latest times of entries that have one."""

    entries: int
    tips: int
    roots: int
    max_depth: int
    active: int | None
    latest: int | None
    active_depth: int | None
    latest_depth: int | None
    roles: Mapping[str, int]
    tools: Mapping[str, ToolCount]
    tokens: Mapping[str, tuple[int, int]]
    first_ms: int | None
    last_ms: int | None
    findings: Findings


def count(snapshot: Snapshot) -> Stats:
    """The figures of ``snapshot``."""
    parent_of = snapshot.parent_of
    depth = depths(parent_of)
    roles: dict[str, int] = {}
    tools: dict[str, ToolCount] = {}
    tokens: dict[str, tuple[int, int]] = {}
    times = []
    for entry in snapshot.by_id():
        message = entry.message
        roles[message.role] = roles.get(message.role, 0) + 1
        if message.role == "tool":
            name = message.tool_name or "?"
            before = tools.get(name, ToolCount(0, 0))
            tools[name] = ToolCount(before.results + 1, before.errors + message.is_error)
        elif message.role == "assistant":
            _add_tokens(tokens, entry)
        ts = entry.extra.get("ts")
        if type(ts) is int:
            times.append(ts)
    return Stats(
        sum(roles.values()),
        len(tips(parent_of)),
        len(roots(parent_of)),
        max(depth.values(), default=0),
        snapshot.active,
        snapshot.latest,
        None if snapshot.active is None else depth.get(snapshot.active),
        None if snapshot.latest is None else depth.get(snapshot.latest),
        dict(sorted(roles.items())),
        dict(sorted(tools.items())),
        dict(sorted(tokens.items())),
        min(times, default=None),
        max(times, default=None),
        # What hangs on a root is sound, and so is its parent.
        examine([Node(*each) for each in parent_of.items() if each[0] not in depth]),
    )


def _add_tokens(tokens: dict[str, tuple[int, int]], entry: SessionEntry) -> None:
    usage = entry.extra.get("usage")
    if not isinstance(usage, dict):
        return
    figures: list[Any] = [usage.get(name) for name in _TOKENS]
    if [type(figure) for figure in figures] != _INTEGERS:
        return
    fresh, output, read, written = figures
    origin = entry.message.origin
    name = f"{origin.provider}/{origin.model}" if origin is not None else "unknown"
    before = tokens.get(name, (0, 0))
    tokens[name] = (before[0] + fresh + read + written, before[1] + output)


def text_lines(stats: Stats) -> tuple[str, ...]:
    """The report for a person."""
    same = str(stats.active == stats.latest).lower()
    lines = [
        f"session stats: entries={stats.entries} branch_tips={stats.tips} roots={stats.roots} "
        f"max_depth={stats.max_depth}",
        f"heads: active={shown(stats.active)} latest={shown(stats.latest)} active_is_latest={same}",
        f"depth: active={shown(stats.active_depth)} latest={shown(stats.latest_depth)}",
    ]
    lines += [f"role: {role}={number}" for role, number in stats.roles.items()] or ["roles: none"]
    lines += [
        f"tool: {name} results={found.results} errors={found.errors}"
        for name, found in stats.tools.items()
    ]
    lines += [
        f"model: {name} input_tokens={used[0]} output_tokens={used[1]}"
        for name, used in stats.tokens.items()
    ]
    found = stats.findings
    if found.orphans:
        lines.append(f"damaged: missing parent of {_ids(found.orphans)}")
    if found.cyclic:
        lines.append(f"damaged: cycle under {_ids(found.cyclic)}")
    return tuple(lines)


def json_data(stats: Stats) -> dict[str, Any]:
    """The figures as JSON data, with the names the older program gave them."""
    return {
        "entries": stats.entries,
        "branch_tips": stats.tips,
        "roots": stats.roots,
        "max_depth": stats.max_depth,
        "active_depth": stats.active_depth,
        "latest_depth": stats.latest_depth,
        "active_head": stats.active,
        "latest_head": stats.latest,
        "active_is_latest": stats.active == stats.latest,
        "role_counts": dict(stats.roles),
        "tools": {name: found._asdict() for name, found in stats.tools.items()},
        "tokens": {
            name: {"input_tokens": used[0], "output_tokens": used[1]}
            for name, used in stats.tokens.items()
        },
        "first_ms": stats.first_ms,
        "last_ms": stats.last_ms,
        "missing_parents": list(stats.findings.orphans),
        "cyclic": list(stats.findings.cyclic),
    }


def _ids(ids: tuple[int, ...]) -> str:
    return ",".join(map(str, ids))
