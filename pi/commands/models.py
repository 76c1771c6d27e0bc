"""``/models-list`` and ``/model-show``: what the catalog says. Nothing is downloaded."""

from __future__ import annotations

from pi.ai.catalog import Filters, row, shown
from pi.ai.catalog_json import plain_entry
from pi.ai.models import parse_model
from pi.base.errors import PiError, UsageError
from pi.base.typing import Any, NamedTuple
from pi.commands.result import Result
from pi.commands.table import BY_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.ai.catalog import Catalog, Entry
    from pi.ai.catalog_store import Loaded
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext

DEFAULT_LIMIT = 50
_NEAR = 3
_BOOLS = {"true": True, "false": False}
# Unknown comes last, whichever way a column is sorted.
_LAST = float("inf")
SORTS: dict[str, Callable[[Entry], float]] = {
    "context": lambda entry: -(entry.context_window_tokens or 0),
    "input-cost": lambda entry: _or_last(entry.rates.input),
    "output-cost": lambda entry: _or_last(entry.rates.output),
}


class Wanted(NamedTuple):
    """What a listing was asked for; ``limit`` 0 is all, None no bound."""

    filters: Filters
    limit: int = DEFAULT_LIMIT
    sort: str = "name"
    min_context: int | None = None
    max_input_cost: float | None = None
    max_output_cost: float | None = None


def models_list(arguments: Arguments, context: CommandContext) -> Result:
    """The models that fit."""
    try:
        wanted = read_wanted(arguments.words, arguments.options)
    except UsageError as exc:
        return _bad_arguments("/models-list", exc, f"models list error: {exc.message}")
    loaded = _loaded(context)
    found = select(loaded.catalog, wanted)
    active = _active(context, loaded.catalog)
    limited = found[: wanted.limit] if wanted.limit else found
    lines = [f"models list: source={loaded.name} total_matches={len(found)} shown={len(limited)}"]
    lines += [row(entry) + _mark(entry, active) for entry in limited]
    if not limited:
        lines.append("models list: no matches")
    data = {
        "source": loaded.name,
        "total_matches": len(found),
        "shown": len(limited),
        "models": [{**plain_entry(entry), "active": str(entry) == active} for entry in limited],
    }
    return Result(tuple(lines), data)


def model_show(arguments: Arguments, context: CommandContext) -> Result:
    """One model."""
    given = arguments.word()
    try:
        ref = parse_model(given)
    except UsageError as exc:
        why = exc.message.rpartition(f"{given!r}: ")[2]
        said = f"model show error: invalid model reference {given!r}: {why}"
        return _bad_arguments("/model-show", UsageError(said), said)
    loaded = _loaded(context)
    entry = loaded.catalog.find(*ref)
    if entry is None:
        near = near_misses(str(ref), loaded.catalog)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        hint += "run /models-list to see all"
        error = UsageError(f"model show: not found: {ref}", hint=hint, code="model-not-found")
        return Result((error.message, hint), {"model": str(ref), "near": near}, error)
    is_active = str(entry) == _active(context, loaded.catalog)
    lines = show_lines(entry, loaded.name, is_active=is_active)
    data = {"source": loaded.name, "model": {**plain_entry(entry), "active": is_active}}
    return Result(lines, data)


def read_wanted(words: Sequence[str], options: Mapping[str, Any]) -> Wanted:
    """The arguments of a listing. Raises UsageError, in the older program's words."""
    switches = (_switch(options, name) for name in ("tools", "multimodal", "reasoning"))
    filters = Filters(tuple(" ".join(words).split()), options.get("provider", ""), *switches)
    limit, context = (_number(options, name, int) for name in ("limit", "min-context"))
    costs = (_number(options, name, float) for name in ("max-input-cost", "max-output-cost"))
    return Wanted(
        filters,
        DEFAULT_LIMIT if limit is None else limit,
        options.get("sort", "name"),
        context,
        *costs,
    )


def select(catalog: Catalog, wanted: Wanted) -> list[Entry]:
    """The entries that fit, in the order asked for. What is unknown fits no bound."""
    found = [entry for entry in catalog.search(wanted.filters) if _is_within(entry, wanted)]
    key = SORTS.get(wanted.sort)
    return found if key is None else sorted(found, key=key)


def near_misses(name: str, catalog: Catalog) -> list[str]:
    """Names that ``name`` may have been meant to be."""
    from difflib import get_close_matches  # 5 ms, and only for a model that is not there

    names = [str(entry) for entry in catalog]
    folded = {each.lower(): each for each in names}
    tail = name.partition("/")[2].lower()
    same_model = [each for each in names if tail and each.lower().endswith("/" + tail)]
    close = [folded[each] for each in get_close_matches(name.lower(), folded, n=_NEAR)]
    return list(dict.fromkeys((*same_model, *close)))[:_NEAR]


def show_lines(entry: Entry, source: str, *, is_active: bool) -> tuple[str, ...]:
    """A model's facts, one a line; behind those of the older program what else is known."""
    facts = {
        "source": source,
        "context_window_tokens": shown(entry.context_window_tokens),
        "supports_tools": shown(entry.supports_tools),
        "supports_multimodal": shown(entry.supports_multimodal),
        "supports_reasoning": shown(entry.supports_reasoning),
        "input_cost_per_million": shown(entry.rates.input),
        "output_cost_per_million": shown(entry.rates.output),
    }
    more = {
        "max_output_tokens": entry.max_output_tokens,
        "cache_read_cost_per_million": entry.rates.cache_read,
        "cache_write_cost_per_million": entry.rates.cache_write,
        "retires": entry.retires,
        "replaced_by": entry.replaced_by,
        "checked": entry.checked,
        "note": entry.note,
    }
    facts.update(
        (name, value if isinstance(value, str) else shown(value))
        for name, value in more.items()
        if value not in (None, "")
    )
    if is_active:
        facts["active"] = "true"
    return (f"model show: {entry}", *(f"{name}={value}" for name, value in facts.items()))


def _is_within(entry: Entry, wanted: Wanted) -> bool:
    bounds = (
        (wanted.min_context, entry.context_window_tokens, -1),
        (wanted.max_input_cost, entry.rates.input, 1),
        (wanted.max_output_cost, entry.rates.output, 1),
    )
    return all(
        bound is None or (has is not None and sign * has <= sign * bound)
        for bound, has, sign in bounds
    )


def _or_last(rate: float | None) -> float:
    return _LAST if rate is None else rate


def _switch(options: Mapping[str, Any], name: str) -> bool | None:
    text = options.get(name)
    if text is None:
        return None
    if text.lower() not in _BOOLS:
        raise UsageError(f"--{name} expects true or false, got '{text}'")
    return _BOOLS[text.lower()]


def _number(options: Mapping[str, Any], name: str, kind: Callable[[str], Any]) -> Any:
    text = options.get(name)
    if text is None:
        return None
    digits = text.replace(".", "", 1) if kind is float else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise UsageError(f"invalid --{name} value '{text}'")
    return kind(text)


def _loaded(context: CommandContext) -> Loaded:
    service = context.services.get("catalog")
    if service is None:
        raise PiError("this run has no model catalog", code="no-catalog")
    loaded: Loaded = service()
    return loaded


def _active(context: CommandContext, catalog: Catalog) -> str:
    """The name, in the catalog, of the model in use; "" if it is not there."""
    service = context.services.get("model_info")
    if service is None:
        return ""
    ref = parse_model(str(service().get("model") or "demo/tour"))
    entry = catalog.find(*ref)
    return str(entry) if entry is not None else ""


def _mark(entry: Entry, active: str) -> str:
    return " active=true" if str(entry) == active else ""


def _bad_arguments(name: str, error: UsageError, said: str) -> Result:
    told = f"usage: {BY_NAME[name].usage}"
    return Result((said, told), error=UsageError(error.message, hint=told))
