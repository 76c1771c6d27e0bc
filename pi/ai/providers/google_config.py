"""What is asked of a Gemini model beside the conversation: tools, limits, thinking."""

from __future__ import annotations

from pi.ai.providers.google_contents import gemini_version
from pi.ai.providers.shared import LEVELS, nearest
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.ai.providers.codec import Options
    from pi.ai.types import ChatRequest, ToolDefinition

# Taken by every model that has levels; the lowest and the highest are not.
COMMON_LEVELS = ("low", "medium", "high")
# Tokens for minimal, low, medium, and high or more, by the vendor's limits per model.
_BUDGETS = {
    "pro": (128, 2048, 8192, 32768),
    "flash-lite": (512, 2048, 8192, 24576),
    "": (128, 2048, 8192, 24576),
}
# The OpenAPI subset that the older ``parameters`` field takes.
_SCHEMA_KEYS = {
    "title", "description", "nullable", "minItems", "maxItems", "required",
    "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "minimum", "maximum",
}  # fmt: skip
_MAX_SCHEMA_DEPTH = 32


def generation_config(chat: ChatRequest, options: Options) -> dict[str, Any]:
    config: dict[str, Any] = {}
    refused = options.without
    if (
        chat.temperature is not None
        and options.traits.temperature_allowed is not False
        and "temperature" not in refused
    ):
        config["temperature"] = chat.temperature
    if chat.max_tokens is not None:
        config["maxOutputTokens"] = chat.max_tokens
    thinking = thinking_config(chat.model, options)
    if thinking:
        config["thinkingConfig"] = thinking
    return config


def thinking_config(model: str, options: Options) -> dict[str, Any]:
    """How the wanted effort is said to this model; {} leaves it to the model.

    A model takes a level or a budget, never both; one that refuses its own way is asked
    the other way, then for its thoughts only.
    """
    wanted, refused = options.thinking, options.without
    style = _style(model, options)
    if not wanted or not style or "thinkingConfig" in refused:
        return {}
    config: dict[str, Any] = {"includeThoughts": wanted != "off"}
    ways = ("thinkingLevel", "thinkingBudget")
    for way in ways if style == "gemini-level" else ways[::-1]:
        if way not in refused:
            level = way == "thinkingLevel"
            config[way] = _level(wanted, options) if level else _budget(wanted, model, options)
            break
    return config


def _style(model: str, options: Options) -> str:
    traits = options.traits
    if traits.supports_reasoning is False:
        return ""
    if traits.thinking_style.startswith("gemini-"):
        return traits.thinking_style
    version = gemini_version(model)
    if version is None or version < 2 or "gemini-2.0" in model.lower():
        return ""
    return "gemini-budget" if version == 2 else "gemini-level"


def _level(wanted: str, options: Options) -> str:
    """The nearest level the model has; there is none for "off", so then the lowest."""
    known = [level for level in options.traits.thinking_levels if level in LEVELS]
    return nearest(wanted, known or COMMON_LEVELS).upper()


def _budget(wanted: str, model: str, options: Options) -> int:
    name = model.lower()
    kind = next((kind for kind in _BUDGETS if kind in name), "")
    if wanted not in LEVELS:
        return 0 if options.traits.thinking_can_disable and kind != "pro" else _BUDGETS[kind][0]
    return _BUDGETS[kind][min(LEVELS.index(wanted), 3)]


def declarations(chat: ChatRequest, options: Options) -> list[dict[str, Any]]:
    plain = "parametersJsonSchema" not in options.without
    return [_declaration(tool, plain) for tool in chat.tools]


def _declaration(tool: ToolDefinition, plain: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"name": tool.name, "description": tool.description}
    if plain:
        row["parametersJsonSchema"] = dict(tool.parameters)
    elif tool.parameters.get("properties"):  # an object without properties is refused
        row["parameters"] = openapi_schema(tool.parameters)
    return row


def openapi_schema(schema: Mapping[str, Any], depth: int = _MAX_SCHEMA_DEPTH) -> dict[str, Any]:
    """A JSON Schema without what the ``parameters`` field does not know.

    What is dropped only widens what the model may send; the arguments are checked against
    the whole schema when they arrive.
    """
    if depth <= 0:
        return {}
    out = {key: value for key, value in schema.items() if key in _SCHEMA_KEYS}
    kinds = schema.get("type")
    names = [kind for kind in _list(kinds) if isinstance(kind, str) and kind != "null"]
    choices = _dicts(schema.get("anyOf")) or _dicts(schema.get("oneOf"))
    if isinstance(kinds, str):
        out["type"] = kinds
    elif len(names) == 1:
        out["type"] = names[0]
    elif names and not choices:
        choices = [{"type": name} for name in names]
    if "null" in _list(kinds):
        out["nullable"] = True
    values = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
    if values and all(isinstance(value, str) for value in values):
        out["enum"] = values
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(properties, dict):
        out["properties"] = {
            name: openapi_schema(inner, depth - 1)
            for name, inner in properties.items()
            if isinstance(inner, dict)
        }
    if isinstance(items, dict):
        out["items"] = openapi_schema(items, depth - 1)
    if choices:
        out["anyOf"] = [openapi_schema(choice, depth - 1) for choice in choices]
    return out


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [row for row in _list(value) if isinstance(row, dict)]
