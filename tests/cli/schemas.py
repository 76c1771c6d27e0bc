"""The schemas of docs/schemas, and whether a value is what one of them promises."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.cli.conftest import ROOT

FOLDER = ROOT / "docs" / "schemas"


@cache
def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


@cache
def _validator(name: str, part: str) -> Draft202012Validator:
    whole = schema(name)
    if part:
        whole = {"$defs": whole["$defs"], "$ref": f"#/$defs/{part}"}
    Draft202012Validator.check_schema(whole)
    return Draft202012Validator(whole)


def faults(name: str, value: Any, part: str = "") -> list[str]:
    """What is wrong with ``value``; ``part`` names one of the schema's definitions."""
    return [
        f"{error.json_path}: {error.message[:300]}"
        for error in _validator(name, part).iter_errors(value)
    ]


def check(name: str, value: Any, part: str = "") -> Any:
    """``value``, if it is what the schema promises."""
    assert faults(name, value, part) == [], value
    return value


def only_line(text: str) -> Any:
    """The value of the only line."""
    assert text.endswith("\n")
    assert text.count("\n") == 1, text
    return strict(text)


def strict(line: str) -> Any:
    """JSON without the words that only Python knows."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(line, parse_constant=refuse)
