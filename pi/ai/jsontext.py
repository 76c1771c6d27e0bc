"""JSON from and for a provider: read generously, written strictly.

Reading takes literal control characters inside strings (small models write them) and
raises nothing but ``ValueError``. What leaves is UTF-8 without lone surrogates, without
NaN or Infinity, without deep nesting.
"""

from __future__ import annotations

import json
import math

from pi.ai.surrogates import repair
from pi.base.typing import Any

# Deeper than any tool's arguments, well below what a recursive schema check can walk.
MAX_DEPTH = 100


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _finite_float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits} is out of range")
    return value


decode_prefix = json.JSONDecoder(strict=False).raw_decode
"""Parse the value a text begins with: (value, where it ends). Also raises RecursionError."""

_strict_prefix = json.JSONDecoder(
    strict=False, parse_constant=_no_constant, parse_float=_finite_float
).raw_decode
_write = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def parse(text: str) -> Any:
    """Parse one JSON value; raise ValueError for anything else."""
    text = text.strip()
    try:
        value, end = decode_prefix(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if end != len(text):
        raise ValueError("more than one JSON value")
    return value


def parse_strict_prefix(text: str) -> tuple[Any, str]:
    """Parse the value ``text`` begins with, and return the rest; raise ValueError.

    The value can be written again: its numbers are finite, it nests at most
    ``MAX_DEPTH`` deep, its strings hold no lone surrogate.
    """
    text = text.lstrip()
    try:
        value, end = _strict_prefix(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth_over(value, MAX_DEPTH):
        raise ValueError("nested too deeply")
    if "\\u" in text:  # only an escape can bring a lone surrogate into a clean text
        written = _write(value)
        repaired = repair(written)
        if repaired is not written:
            value, _ = _strict_prefix(repaired)
    return value, text[end:].strip()


def dump(value: Any) -> str:
    """Write compact JSON; keys keep their order. Numbers that JSON lacks become null."""
    try:
        return _write(value)
    except (ValueError, RecursionError):
        return _write(_writable(value, MAX_DEPTH))


def dump_bytes(value: Any) -> bytes:
    """``dump`` as UTF-8; lone surrogates become U+FFFD."""
    return repair(dump(value)).encode("utf-8")


def _depth_over(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner
    return any(isinstance(item, (dict, list)) for item in level)


def _writable(value: Any, depth: int) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: _writable(v, depth - 1) for k, v in value.items()} if depth else None
    if isinstance(value, (list, tuple)):
        return [_writable(item, depth - 1) for item in value] if depth else None
    return value
