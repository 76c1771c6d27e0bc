"""How tool calls that a model wrote as text begin, and how soon that can be told.

``verdict`` looks at the beginning of what may be a call. More text never turns a yes or a no
around, so it does not matter in which pieces the text arrives.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Names = Sequence[str]  # of the tools that were offered


def deepseek_token(words: str) -> str:
    """A token of DeepSeek's: written with a wide bar, and with a low block for blanks."""
    return f"<\uff5c{words}\uff5c>"


CALLS_BEGIN = deepseek_token("tool\u2581calls\u2581begin")
CALL_BEGIN = deepseek_token("tool\u2581call\u2581begin")
MARKERS = (
    "<tool_call>", "<function=", "<|python_tag|>", "[TOOL_CALLS]", CALLS_BEGIN, CALL_BEGIN,
)  # fmt: skip
MARKER = re.compile("|".join(re.escape(marker) for marker in MARKERS))
FENCE_WORDS = ("json", "tool_call", "tool_calls", "tool_code")

_LONGEST = max(map(len, MARKERS))
_FIRST_KEYS = ("name", "type", "id", "function", "tool_calls", "arguments", "parameters", "args")
_JSON_HEAD = re.compile(
    r"[\[\s]*(?:\{\s*(?:\"(\w*)(?:(\")\s*(?:(:)\s*(?:(\")([^\"]*)(\"?))?)?)?)?)?"
)
_FENCE_HEAD = re.compile(r"(`{1,3})(?:(\w*)[ \t]*(\r?\n\s*|\r?\Z)?)?")
_NAME_HEAD = re.compile(r"[\"']?([\w.:-]*)")


def verdict(head: str, names: Names) -> bool | None:
    """Whether a call begins here: yes, no, or (None) too early to say."""
    if head.startswith("`"):
        return _fenced(head, names)
    if head.startswith("{"):
        return _json(head, names)
    marker = next((name for name in MARKERS if head.startswith(name)), "")
    if not marker:
        return _json(head, names)
    rest = head[len(marker) :]
    if marker == "<function=":
        return _name(rest, names)
    rest = rest.lstrip()
    if rest[:1] in ("{", "["):
        return _json(rest, names)
    if marker == "<tool_call>":
        return _after_prefix(rest, "<function=", names)
    if marker == "[TOOL_CALLS]":
        return _name(rest, names)
    if marker == "<|python_tag|>":
        return None if not rest else False
    return True  # DeepSeek's tokens are no ordinary text


def _json(head: str, names: Names) -> bool | None:
    match = _JSON_HEAD.match(head)
    if match is None:
        return False
    key, key_end, _, value_start, value, value_end = match.groups()
    ended = match.end() == len(head)
    if key is None:
        return None if ended else False
    if not key_end:
        return None if ended and any(name.startswith(key) for name in _FIRST_KEYS) else False
    if key not in _FIRST_KEYS:
        return False
    if key != "name":
        return True
    if value_end:
        return value.strip() in names
    if value_start:
        return None if is_start(value.strip(), names) else False
    return None if ended else False


def _fenced(head: str, names: Names) -> bool | None:
    match = _FENCE_HEAD.match(head)
    if match is None or len(match.group(1)) < 3:
        return None if head in ("`", "``") else False
    word, line_end = match.group(2) or "", match.group(3)
    if match.end() == len(head):
        whole = bool(line_end)
        fits = word in ("", *FENCE_WORDS) if whole else is_start(word, FENCE_WORDS)
        return None if fits else False
    if not line_end or word not in ("", *FENCE_WORDS):
        return False
    rest = head[match.end() :]
    return _json(rest, names) if rest[0] in "{[" else False


def _after_prefix(rest: str, prefix: str, names: Names) -> bool | None:
    if rest.startswith(prefix):
        return _name(rest[len(prefix) :], names)
    return None if prefix.startswith(rest) else False


def _name(rest: str, names: Names) -> bool | None:
    match = _NAME_HEAD.match(rest)
    name = match.group(1) if match else ""
    if match is not None and match.end() < len(rest):
        return name in names
    return None if is_start(name.rstrip(), names) else False


def is_start(start: str, words: Iterable[str]) -> bool:
    return any(word.startswith(start) for word in words)


def marker_part(text: str, start: int) -> int:
    """Where the end of ``text`` may be the first part of a marker, else its length."""
    for at in range(max(start, len(text) - _LONGEST + 1), len(text)):
        if text[at] in "<[" and is_start(text[at:], MARKERS):
            return at
    return len(text)
