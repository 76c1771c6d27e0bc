"""Whether a tool's JSON Schema makes sense, and what it asks for, in one line.

Tools of others (extensions, servers of tools) bring their schemas along; a broken one is
reported as such instead of refusing every call for a reason the model cannot act on.
Only the keywords that ``schema`` uses are looked at. Pure; never raises.
"""

from __future__ import annotations

from pi.agent.schema import MAX_DEPTH, TYPES, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

DESCRIBED_DEPTH = 2
DESCRIBED_CHOICES = 8


def schema_error(schema: Any, depth: int = 0) -> str:
    """Say what is wrong with ``schema``, or "" if it can be used. The first finding only."""
    if isinstance(schema, bool):
        return ""
    if not isinstance(schema, dict):
        return f"{show(schema)} is neither an object nor true or false"
    if depth > MAX_DEPTH:
        return "nested too deeply"
    for keyword, is_right, wanted in RULES:
        if keyword in schema and not is_right(schema[keyword]):
            return f"{keyword}: {show(schema[keyword])} is not {wanted}"
    for where, part in _parts(schema):
        complaint = schema_error(part, depth + 1)
        if complaint:
            return f"{where}: {complaint}"
    return ""


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas within ``schema``, with where they are."""
    for keyword in ("properties", "patternProperties"):
        for name, part in (schema.get(keyword) or {}).items():
            yield f"{keyword}.{name}", part
    for keyword in ("anyOf", "oneOf", "allOf"):
        for index, part in enumerate(schema.get(keyword) or ()):
            yield f"{keyword}[{index}]", part
    items = schema.get("items", True)
    if isinstance(items, list):
        for index, part in enumerate(items):
            yield f"items[{index}]", part
    else:
        yield "items", items
    yield "additionalProperties", schema.get("additionalProperties", True)


def _is_type(value: Any) -> bool:
    names = [value] if isinstance(value, str) else value
    return (
        isinstance(names, list)
        and bool(names)
        and all(isinstance(name, str) and name in TYPES for name in names)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_length(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == value // 1


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_pattern(value: Any) -> bool:
    import re  # only schemas of others use patterns

    try:
        re.compile(value)
    except (re.error, TypeError, ValueError, OverflowError, RecursionError):
        return False
    return isinstance(value, str)


def _is_patterns(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_pattern, value))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_schemas(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("type", _is_type, f"a type or a list of types ({', '.join(TYPES)})"),
    ("properties", _is_object, "an object"),
    ("patternProperties", _is_patterns, "an object whose names are regular expressions"),
    ("required", _is_names, "a list of names"),
    ("enum", _is_list, "a list"),
    ("minimum", _is_number, "a number"),
    ("maximum", _is_number, "a number"),
    ("minLength", _is_length, "a whole number from 0 up"),
    ("maxLength", _is_length, "a whole number from 0 up"),
    ("pattern", _is_pattern, "a regular expression"),
    ("anyOf", _is_schemas, "a list of schemas"),
    ("oneOf", _is_schemas, "a list of schemas"),
    ("allOf", _is_schemas, "a list of schemas"),
)


def describe(schema: Any) -> str:
    """The expected arguments in one line: ``path: string, limit?: integer``."""
    return _properties(schema, 0) or _shape(schema, 0)


def _properties(schema: Any, depth: int) -> str:
    if not isinstance(schema, dict):
        return ""
    required = schema.get("required") or ()
    return ", ".join(
        f"{name}{'' if name in required else '?'}: {_shape(part, depth)}"
        for name, part in (schema.get("properties") or {}).items()
    )


def _shape(schema: Any, depth: int) -> str:
    if not isinstance(schema, dict):
        return "any"
    if "enum" in schema:
        shown = " | ".join(map(show, schema["enum"][:DESCRIBED_CHOICES]))
        return shown + (" | ..." if len(schema["enum"]) > DESCRIBED_CHOICES else "")
    wanted = schema.get("type", "any")
    if depth < DESCRIBED_DEPTH and wanted == "array" and isinstance(schema.get("items"), dict):
        return f"array of {_shape(schema['items'], depth + 1)}"
    if depth < DESCRIBED_DEPTH and wanted == "object" and schema.get("properties"):
        return "{" + _properties(schema, depth + 1) + "}"
    return wanted if isinstance(wanted, str) else " or ".join(wanted)
