"""``/audit-summary``: the audit and telemetry logs, counted."""

from __future__ import annotations

import os

from pi.audit.moments import parse_moment
from pi.audit.summary import Window, summarize_files
from pi.audit.summary_text import json_data, text_lines
from pi.base.errors import PiError, UsageError
from pi.base.typing import Any
from pi.commands.arguments import ArgumentError
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext


def audit_summary(arguments: Arguments, context: CommandContext) -> Result:
    """Count the logs named, or those this run writes."""
    paths = _paths(arguments.words, context)
    if not paths:
        raise ArgumentError("no log is named, and this run keeps none", is_count=True)
    window = Window(*(_moment(arguments, name, context) for name in ("since", "until")))
    try:
        found = summarize_files([os.path.join(context.cwd, path) for path in paths], window)
    except PiError as exc:
        shown = _as_given(exc, paths, context.cwd)
        cause = f" ({exc.cause})" if exc.cause else ""
        return Result((f"audit summary error: {shown.message}{cause}",), error=shown)
    price = _prices(context)
    return Result(text_lines(found, ",".join(paths), price), json_data(found, paths, price))


def _paths(words: tuple[str, ...], context: CommandContext) -> tuple[str, ...]:
    """The files meant: several, or one whose name holds blanks and was not quoted."""
    whole = " ".join(words)
    if len(words) > 1 and os.path.exists(os.path.join(context.cwd, whole)):
        return (whole,)
    if words:
        return words
    logs = context.services.get("logs")
    return tuple(dict.fromkeys(logs())) if logs is not None else ()


def _moment(arguments: Arguments, name: str, context: CommandContext) -> int | None:
    text = arguments.options.get(name)
    if text is None:
        return None
    try:
        return parse_moment(text, context.now_ms())
    except ValueError as exc:
        raise UsageError(f"--{name}: {exc}") from None


def _as_given(exc: PiError, paths: tuple[str, ...], cwd: str) -> PiError:
    """The failure with the path as it was typed."""
    for path in paths:
        if exc.message.endswith(os.path.join(cwd, path)):
            exc.message = f"failed to open audit file {path}"
    return exc


def _prices(context: CommandContext) -> Callable[[str], tuple[float, float] | None]:
    """Dollars per million tokens by "provider/model", as far as the catalog knows them."""
    loaded: list[Any] = []

    def price(name: str) -> tuple[float, float] | None:
        if not loaded:
            service = context.services.get("catalog")
            loaded.append(service().catalog if service is not None else None)
        if loaded[0] is None:
            return None
        provider, _, model = name.partition("/")
        entry = loaded[0].find(provider, model)
        if entry is None or entry.rates.input is None or entry.rates.output is None:
            return None
        return entry.rates.input, entry.rates.output

    return price
