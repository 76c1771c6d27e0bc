"""Arguments of a tool call against the tool's JSON Schema.

A subset of JSON Schema (2020-12): type, properties, required, additionalProperties,
items, enum, const, minimum, maximum, minLength, maxLength, pattern, anyOf, oneOf, allOf.
Other keywords are ignored, as the standard asks. Pure; never raises for any value.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

# Names that models trained on other tools send for ours.
ALIASES = {
    "file_path": "path",
    "filepath": "path",
    "oldText": "find",
    "old_string": "find",
    "newText": "replace",
    "new_string": "replace",
    "replace_all": "all",
}
MAX_DEPTH = 32


def lenient(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Bring arguments into the schema's shape where the meaning is not in doubt.

    Known aliases are renamed, unknown properties of a closed schema dropped, nulls for
    optional properties dropped, "true"/"12"/"{...}" converted where the schema wants a
    boolean, an integer, an object or a list.
    """
    properties = schema.get("properties") or {}
    required = schema.get("required") or ()
    closed = schema.get("additionalProperties") is False
    shaped: dict[str, Any] = {}
    for given, value in arguments.items():
        name = given
        alias = ALIASES.get(given)
        if alias and given not in properties and alias in properties and alias not in arguments:
            name = alias
        if name not in properties:
            if not closed:
                shaped[name] = value
            continue
        if value is None and name not in required:
            continue
        shaped[name] = _converted(value, properties[name])
    return shaped


def _converted(value: Any, schema: Mapping[str, Any]) -> Any:
    wanted = schema.get("type")
    if not isinstance(value, str) or wanted in ("string", None):
        return value
    if wanted == "boolean" and value in ("true", "false"):
        return value == "true"
    if wanted == "integer" and len(value) < 20 and value.lstrip("-").isdecimal():
        return int(value)
    if wanted in ("object", "array"):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return parsed if _has_type(parsed, wanted) else value
    return value


def first_error(value: Any, schema: Mapping[str, Any], depth: int = 0) -> str:
    """Say what is wrong with ``value``, or "" if it is valid. The first finding only."""
    if depth > MAX_DEPTH:
        return "nested too deeply"
    for check in CHECKS:
        complaint = check(value, schema, depth + 1)
        if complaint:
            return complaint
    return ""


def describe(schema: Mapping[str, Any]) -> str:
    """The expected arguments in one line: ``path: string, limit?: integer``."""
    required = schema.get("required") or ()
    return ", ".join(
        f"{name}{'' if name in required else '?'}: {row.get('type', 'any')}"
        for name, row in (schema.get("properties") or {}).items()
    )


def _has_type(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if isinstance(value, float) and wanted == "integer":
        return value.is_integer()
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "object": (dict,),
        "array": (list, tuple),
        "null": (type(None),),
    }
    return isinstance(value, kinds.get(wanted, ()))


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _type(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    wanted = schema.get("type")
    if wanted is None:
        return ""
    options = [wanted] if isinstance(wanted, str) else list(wanted)
    if any(_has_type(value, option) for option in options):
        return ""
    return f"{_show(value)} is not of type " + " or ".join(f'"{option}"' for option in options)


def _choices(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if allowed is None:
        return ""
    same = any(value == one and type(value) is type(one) for one in allowed)
    return "" if same else f"{_show(value)} is not one of {_show(list(allowed))}"


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
        return f"{_show(value)} is too short"
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        return f"{_show(value)} is too long"
    if "pattern" in schema:
        import re  # only schemas of others use patterns

        if not re.search(schema["pattern"], value):
            return f"{_show(value)} does not match {_show(schema['pattern'])}"
    return ""


def _object(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    if not isinstance(value, dict):
        return ""
    for name in schema.get("required") or ():
        if name not in value:
            return f'"{name}" is a required property'
    properties = schema.get("properties") or {}
    extra = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in properties:
            complaint = first_error(item, properties[name], depth)
        elif extra is False:
            return f"Additional properties are not allowed ({name!r} was unexpected)"
        else:
            complaint = first_error(item, extra, depth) if isinstance(extra, dict) else ""
        if complaint:
            return f"{name}: {complaint}"
    return ""


def _array(value: Any, schema: Mapping[str, Any], depth: int) -> str:
    if not isinstance(value, (list, tuple)) or not isinstance(schema.get("items"), dict):
        return ""
    for index, item in enumerate(value):
        complaint = first_error(item, schema["items"], depth)
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
        matches = sum(not first_error(value, part, depth) for part in parts)
        if not matches or (keyword == "oneOf" and matches > 1):
            return f"{_show(value)} does not fit {keyword}"
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
