"""The catalog's file format: JSON to entries and back. Pure.

Two forms are read: ``{"schema_version": 1, "entries": [...]}`` and a bare list. Unknown
fields are ignored; everything else must be what it claims to be, or ``BadCatalog`` names
the entry and the field. ``parse_catalog`` raises nothing else, whatever it is given.
"""

from __future__ import annotations

from pi.ai.catalog import Entry, LongPrompt, Rates, canonical_provider, name_of
from pi.ai.jsontext import dump, parse
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SCHEMA_VERSION = 1
MAX_TEXT = 300  # of a name or a remark: longer is a mistake or an attack
MAX_TOKENS = 2**32 - 1
MAX_RATE = 1_000_000  # a dollar per token
PRICES = ("input", "output", "cache_read", "cache_write")


class BadCatalog(ValueError):
    """The bytes are not a catalog. The text is one line."""


class Parsed(NamedTuple):
    """``head`` is what else the object form holds (``{}`` for a list)."""

    entries: tuple[Entry, ...]
    head: Mapping[str, Any]


def parse_catalog(data: bytes) -> Parsed:
    """Read a catalog. Raises BadCatalog."""
    try:
        value = parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise BadCatalog(f"not UTF-8 text (byte {exc.start})") from None
    except ValueError as exc:
        raise BadCatalog(f"not JSON: {exc}") from None
    head: Mapping[str, Any] = {}
    if isinstance(value, dict):
        version = value.get("schema_version")
        if isinstance(version, bool) or version != SCHEMA_VERSION:
            raise BadCatalog(f"schema_version is {_short(version)}, not {SCHEMA_VERSION}")
        head = {name: item for name, item in value.items() if name != "entries"}
        value = value.get("entries")
    if not isinstance(value, list):
        raise BadCatalog(f"entries is {_kind(value)}, not a list")
    entries = tuple(_entry(item, number) for number, item in enumerate(value))
    names: set[tuple[str, str]] = set()
    for entry in entries:
        if name_of(entry) in names:
            raise BadCatalog(f"{entry} is there twice")
        names.add(name_of(entry))
    return Parsed(entries, head)


def encode_catalog(entries: Iterable[Entry], head: Mapping[str, Any] = {}) -> bytes:
    """Write a catalog in the object form: two blanks of indent, null for what is unknown."""
    import json  # loaded by jsontext; its indented form is needed here only

    body = {
        "schema_version": SCHEMA_VERSION,
        **{name: item for name, item in head.items() if name not in ("schema_version", "entries")},
        "entries": [plain_entry(entry) for entry in entries],
    }
    # Through the strict writer first: no lone surrogate, NaN or depth reaches a file.
    text = json.dumps(json.loads(dump(body)), indent=2, ensure_ascii=True)
    return text.encode("ascii") + b"\n"


def plain_entry(entry: Entry) -> dict[str, Any]:
    """An entry as JSON data, in the file's field names."""
    fields: dict[str, Any] = entry._asdict()
    rates, long_prompt = fields.pop("rates"), fields.pop("long_prompt")
    fields.update(_plain_rates(rates))
    fields["long_prompt"] = long_prompt and {
        "over_tokens": long_prompt.over_tokens,
        **_plain_rates(long_prompt.rates),
    }
    fields["compat"] = dict(entry.compat)
    fields["thinking_levels"] = list(entry.thinking_levels)
    return {name: None if value == "" else value for name, value in fields.items()}


def _plain_rates(rates: Rates) -> dict[str, float | None]:
    return {f"{name}_cost_per_million": rate for name, rate in zip(PRICES, rates)}


def _entry(value: Any, number: int) -> Entry:
    """One entry. Its place is all there is to name it by, until its name is known."""
    if not isinstance(value, dict):
        raise BadCatalog(f"entry {number} is {_kind(value)}, not an object")
    where = f"entry {number}"
    provider = canonical_provider(_text(value, "provider", where))
    model = _text(value, "model", where)
    for name, part in (("provider", provider), ("model", model)):
        if not part:
            raise BadCatalog(f"{where}: {name} is missing or blank")
    where = f"{where} ({provider}/{model})"
    compat = value.get("compat")
    if compat is not None and not isinstance(compat, dict):
        raise BadCatalog(f"{where}: compat is {_kind(compat)}, not an object")
    return Entry(
        provider,
        model,
        _count(value, "context_window_tokens", where),
        _flag(value, "supports_tools", where),
        _flag(value, "supports_multimodal", where),
        _flag(value, "supports_reasoning", where),
        _rates(value, where),
        _count(value, "max_output_tokens", where),
        _long_prompt(value, where),
        _text(value, "api", where),
        _text(value, "thinking_style", where),
        _texts(value, "thinking_levels", where),
        _flag(value, "thinking_can_disable", where),
        _flag(value, "temperature_allowed", where),
        compat or {},
        _text(value, "retires", where),
        _text(value, "replaced_by", where),
        _text(value, "source", where),
        _text(value, "checked", where),
        _text(value, "note", where),
    )


def _text(value: dict[str, Any], name: str, where: str) -> str:
    return _checked_text(value.get(name), name, where)


def _checked_text(text: object, name: str, where: str) -> str:
    if text is None:
        return ""
    if not isinstance(text, str):
        raise BadCatalog(f"{where}: {name} is {_kind(text)}, not a text")
    text = text.strip()
    if not text.isprintable():  # also refuses lone surrogates
        raise BadCatalog(f"{where}: {name} holds characters that cannot be shown")
    if len(text) > MAX_TEXT:
        raise BadCatalog(f"{where}: {name} is longer than {MAX_TEXT} characters")
    return text


def _texts(value: dict[str, Any], name: str, where: str) -> tuple[str, ...]:
    items = value.get(name)
    if items is None:
        return ()
    if not isinstance(items, list):
        raise BadCatalog(f"{where}: {name} is {_kind(items)}, not a list")
    return tuple(_checked_text(item, name, where) for item in items)


def _flag(value: dict[str, Any], name: str, where: str) -> bool | None:
    flag: object = value.get(name)
    if flag is not None and not isinstance(flag, bool):
        raise BadCatalog(f"{where}: {name} is {_kind(flag)}, not true or false")
    return flag


def _count(value: dict[str, Any], name: str, where: str) -> int | None:
    count: object = value.get(name)
    if count is None:
        return None
    if isinstance(count, bool) or not isinstance(count, int):
        raise BadCatalog(f"{where}: {name} is {_kind(count)}, not a whole number")
    if not 0 < count <= MAX_TOKENS:
        raise BadCatalog(f"{where}: {name} is {_short(count)}, not between 1 and {MAX_TOKENS}")
    return count


def _rates(value: dict[str, Any], where: str) -> Rates:
    return Rates(*(_rate(value, f"{name}_cost_per_million", where) for name in PRICES))


def _rate(value: dict[str, Any], name: str, where: str) -> float | None:
    rate: object = value.get(name)
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise BadCatalog(f"{where}: {name} is {_kind(rate)}, not a number")
    if not 0 <= rate <= MAX_RATE:  # NaN is refused too: it compares false
        raise BadCatalog(f"{where}: {name} is {_short(rate)}, not a price")
    return float(rate)


def _long_prompt(value: dict[str, Any], where: str) -> LongPrompt | None:
    inner = value.get("long_prompt")
    if inner is None:
        return None
    if not isinstance(inner, dict):
        raise BadCatalog(f"{where}: long_prompt is {_kind(inner)}, not an object")
    where = f"{where}: long_prompt"
    over = _count(inner, "over_tokens", where)
    if over is None:
        raise BadCatalog(f"{where}: over_tokens is missing")
    return LongPrompt(over, _rates(inner, where))


KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}


def _kind(value: Any) -> str:
    return "missing" if value is None else KINDS.get(type(value), "a number")


def _short(value: Any) -> str:
    """A value in a message, which stays one short line whatever it is."""
    if value is None:
        return "missing"
    if isinstance(value, int) and value.bit_length() > 128:
        return "a huge number"
    return repr(value)[:40]
