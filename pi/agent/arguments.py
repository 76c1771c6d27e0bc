"""What a model sent as arguments, brought into the shape a tool's schema asks for. Pure.

Only where the meaning is not in doubt: models trained on other tools use other names,
some write numbers and lists as text. The result is validated afterwards like any other.
"""

from __future__ import annotations

import json

from pi.agent.schema import MAX_DEPTH, has_type, wanted_types
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.agent.schema import Schema

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
# What text may stand for when a schema does not take text, in the order of trying.
FROM_TEXT = ("boolean", "integer", "number", "object", "array")
MAX_NUMBER = 20  # longest text that is taken for a number


class Shaped(NamedTuple):
    """Arguments, and the names that were dropped because the tool does not know them."""

    arguments: dict[str, Any]
    dropped: tuple[str, ...] = ()


def lenient(arguments: Mapping[str, Any], schema: Schema) -> Shaped:
    """Bring arguments into the schema's shape, at every level.

    Known aliases are renamed, unknown properties of a closed schema dropped, nulls for
    optional properties dropped; "true", "12", "{...}" are converted where the schema
    wants a boolean, a number, an object or a list, and no text.
    """
    dropped: list[str] = []
    return Shaped(_object(arguments, schema, "", dropped, 0), tuple(dropped))


def _object(
    given: Mapping[str, Any], schema: Schema, where: str, dropped: list[str], depth: int
) -> dict[str, Any]:
    if isinstance(schema, bool):
        return dict(given)
    properties = schema.get("properties") or {}
    required = schema.get("required") or ()
    is_closed = schema.get("additionalProperties") is False and not schema.get("patternProperties")
    shaped: dict[str, Any] = {}
    for sent, value in given.items():
        name = sent
        alias = ALIASES.get(sent)
        if alias and sent not in properties and alias in properties and alias not in given:
            name = alias
        if name in shaped or (name not in properties and is_closed):
            dropped.append(where + sent)
        elif name not in properties:
            shaped[name] = value
        elif value is not None or name in required:
            shaped[name] = _value(value, properties[name], f"{where}{name}.", dropped, depth + 1)
    return shaped


def _value(value: Any, schema: Schema, where: str, dropped: list[str], depth: int) -> Any:
    if isinstance(schema, bool) or depth > MAX_DEPTH:
        return value
    if isinstance(value, str):
        value = _from_text(value, wanted_types(schema))
    if isinstance(value, dict) and "properties" in schema:
        return _object(value, schema, where, dropped, depth)
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, dict):
        return [_value(item, items, where, dropped, depth + 1) for item in value]
    return value


def _from_text(text: str, wanted: tuple[str, ...]) -> Any:
    """What ``text`` stands for where text is not wanted; ``text`` itself if nothing."""
    if not wanted or "string" in wanted:
        return text
    is_plain = bool(text) and len(text) <= MAX_NUMBER and text.strip() == text
    value = _parsed(text) if is_plain or text.lstrip()[:1] in ("{", "[") else None
    if isinstance(value, float) and not text.replace("-", "").replace(".", "").isdigit():
        return text  # 1e3, NaN: not exactly a number
    for kind in FROM_TEXT:
        is_whole = kind == "integer" and isinstance(value, float)
        if kind in wanted and has_type(value, kind) and not is_whole:
            return value
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
