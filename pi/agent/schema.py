"""Values against a JSON Schema (2020-12), as far as schemas of tools go.

Checked: type, enum, const, minimum, maximum, minLength, maxLength, pattern, properties,
patternProperties, required, additionalProperties, items, anyOf, oneOf, allOf. Other
keywords are ignored, as the standard asks. ``items`` may be a list, one schema for each
position, as in earlier drafts. Whether the schema itself makes sense is said by
``schema_check``; the functions here expect one that does. Pure; never raises for any value.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Union

    Schema = Union[Mapping[str, Any], bool]

MAX_DEPTH = 32
SHOWN = 80

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "array": (list, tuple),
    "null": (type(None),),
}


def first_error(value: Any, schema: Schema, depth: int = 0) -> str:
    """Say what is wrong with ``value``, or "" if it is valid. The first finding only."""
    if isinstance(schema, bool):
        return "" if schema else f"{show(value)} is not allowed here"
    if depth > MAX_DEPTH:
        return "nested too deeply"
    for check in CHECKS:
        complaint = check(value, schema, depth + 1)
        if complaint:
            return complaint
    return ""


def has_type(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if isinstance(value, float) and wanted == "integer":
        return value.is_integer()
    return isinstance(value, TYPES.get(wanted, ()))


def wanted_types(schema: Schema) -> tuple[str, ...]:
    """The names in ``type``, () if it may be anything."""
    wanted = schema.get("type", ()) if not isinstance(schema, bool) else ()
    return (wanted,) if isinstance(wanted, str) else tuple(wanted)


def same(one: Any, other: Any) -> bool:
    """Equality of JSON values: numbers by value, and true is no number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def show(value: Any) -> str:
    """A value in a few words."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return "a value nested too deeply"
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _type(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    options = wanted_types(schema)
    if not options or any(has_type(value, option) for option in options):
        return ""
    return f"{show(value)} is not of type " + " or ".join(f'"{option}"' for option in options)


def _choices(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    if "enum" in schema and not any(same(value, one) for one in schema["enum"]):
        return f"{show(value)} is not one of {show(list(schema['enum']))}"
    if "const" in schema and not same(value, schema["const"]):
        return f"{show(schema['const'])} was expected, not {show(value)}"
    return ""


def _range(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    if "minimum" in schema and value < schema["minimum"]:
        return f"{value} is less than the minimum of {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"{value} is greater than the maximum of {schema['maximum']}"
    return ""


def _string(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    if not isinstance(value, str):
        return ""
    if len(value) < schema.get("minLength", 0):
        return f"{show(value)} is too short"
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        return f"{show(value)} is too long"
    if "pattern" in schema and not _matches(schema["pattern"], value):
        return f"{show(value)} does not match {show(schema['pattern'])}"
    return ""


def _matches(pattern: str, text: str) -> bool:
    import re  # only schemas of others use patterns

    return re.search(pattern, text) is not None


def _object(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    if not isinstance(value, dict):
        return ""
    for name in schema.get("required") or ():
        if name not in value:
            return f'"{name}" is a required property'
    for name, item in value.items():
        rules = list(_rules(name, schema))
        if not rules and schema.get("additionalProperties", True) is False:
            return f"Additional properties are not allowed ({name!r} was unexpected)"
        for rule in rules or [schema.get("additionalProperties", True)]:
            complaint = first_error(item, rule, depth)
            if complaint:
                return f"{name}: {complaint}"
    return ""


def _rules(name: str, schema: Mapping[str, Any]) -> Iterator[Schema]:
    """The schemas of the property ``name``; none if it is an additional one."""
    properties = schema.get("properties") or {}
    if name in properties:
        yield properties[name]
    for pattern, rule in (schema.get("patternProperties") or {}).items():
        if _matches(pattern, name):
            yield rule


def _array(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    rules = schema.get("items", True)
    if not isinstance(value, (list, tuple)) or rules is True:
        return ""
    for index, item in enumerate(value):
        if isinstance(rules, (list, tuple)):
            rule = rules[index] if index < len(rules) else True
        else:
            rule = rules
        complaint = first_error(item, rule, depth)
        if complaint:
            return f"[{index}]: {complaint}"
    return ""


def _combined(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    for part in schema.get("allOf") or ():
        complaint = first_error(value, part, depth)
        if complaint:
            return complaint
    for keyword in ("anyOf", "oneOf"):
        parts = schema.get(keyword)
        if not parts:
            continue
        complaints = [first_error(value, part, depth) for part in parts]
        fitting = complaints.count("")
        if not fitting:
            return f"{show(value)} does not fit {keyword} ({complaints[0]})"
        if keyword == "oneOf" and fitting > 1:
            return f"{show(value)} fits more than one of oneOf"
    return ""


CHECKS: tuple[Callable[[Any, Mapping[str, Any], int], str], ...] = (
    _type,
    _choices,
    _range,
    _string,
    _object,
    _array,
    _combined,
)
