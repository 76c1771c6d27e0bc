"""What to leave out after a refusal that names something we added.

A model may be newer than our catalog, and servers that copy the vendor's interface lack
parts of it. Each rule needs both: the words of the refusal, and that we sent the thing.
So a rule fires at most once, and words about the user's own doing change nothing.
"""

from __future__ import annotations

import re

from pi.ai.jsontext import parse
from pi.ai.providers.failure import error_line
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.ai.providers.codec import Options

_REFUSALS = (400, 422)
_MAX_READ = 65536
# Every model that takes an effort takes these.
_COMMON_EFFORTS = ("low", "medium", "high")


class Rule(NamedTuple):
    """``words`` are looked for in the refusal, ``sent`` in our body; ``name`` goes."""

    name: str
    words: str
    sent: Callable[[dict[str, Any]], bool]


def _thinking_type(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda body: bool(body.get("thinking", {}).get("type") == kind)


def _blocks(body: dict[str, Any]) -> list[dict[str, Any]]:
    said = [block for message in body["messages"] for block in message["content"]]
    return [*body.get("system", ()), *said]


def _has_thoughts(body: dict[str, Any]) -> bool:
    return any(block["type"] in ("thinking", "redacted_thinking") for block in _blocks(body))


def _has_mark(body: dict[str, Any]) -> bool:
    return any("cache_control" in block for block in _blocks(body))


def _has_long_mark(body: dict[str, Any]) -> bool:
    return any("ttl" in block.get("cache_control", ()) for block in _blocks(body))


def _asks_thinking(body: dict[str, Any]) -> bool:
    return "thinking" in body


# The first that fits counts. Words are as the vendor, its resellers and gateways have them.
RULES: tuple[Rule, ...] = (
    # "Invalid `signature` in `thinking` block. The block is bound to a different
    # conversation.", "`thinking` ... blocks in the latest assistant message cannot be
    # modified", "messages.1.content.0.thinking.signature: Field required"
    Rule(
        "thinking-history",
        r"invalid \W?(signature|data)\W? in|different conversation|cannot be modified"
        r"|thinking\.signature|redacted_thinking\.data",
        _has_thoughts,
    ),
    # "Expected `thinking` or `redacted_thinking`, but found `tool_use`": the turn was begun
    # without thinking, so it must be ended without.
    Rule("thinking", r"expected \W?thinking\W? or", _asks_thinking),
    Rule("beta", r"anthropic-beta|interleaved-thinking", _thinking_type("enabled")),
    Rule("cache-ttl", r"\bttl\b|extended-cache", _has_long_mark),
    Rule("cache_control", r"cache_control", _has_mark),
    Rule("temperature", r"temperature", lambda body: "temperature" in body),
    Rule("thinking-display", r"\bdisplay\b", lambda body: "display" in body.get("thinking", {})),
    # "adaptive thinking is not supported on this model", "thinking: Input tag 'adaptive'
    # found using 'type' does not match any of the expected tags"
    Rule("thinking-adaptive", r"adaptive", _thinking_type("adaptive")),
    # "This model does not support the effort parameter"
    Rule("effort", r"effort|output_config", lambda body: "output_config" in body),
    # '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive"'
    Rule("thinking-budget", r"enabled|adaptive|budget_tokens", _thinking_type("enabled")),
    Rule("thinking-off", r"thinking|disabled", _thinking_type("disabled")),
    Rule("thinking", r"thinking", _asks_thinking),
)

# "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for ..."
_TOO_MANY = re.compile(r"max_tokens\W{1,4}(\d{1,9}) ?> ?(\d{1,9})")


def adapted(status: int, refusal: bytes, body: dict[str, Any], options: Options) -> Options | None:
    """The options without the one thing that was refused, or None if it is not ours."""
    if status not in _REFUSALS:
        return None
    words = _words(refusal)
    too_many = _TOO_MANY.search(words)
    if too_many:
        most = int(too_many.group(2))
        if not 0 < most < body["max_tokens"]:
            return None
        return options._replace(traits=options.traits._replace(max_output_tokens=most))
    for rule in RULES:
        if rule.name in options.without or not re.search(rule.words, words):
            continue
        if not rule.sent(body):
            continue
        if rule.name == "effort" and body["output_config"]["effort"] not in _COMMON_EFFORTS:
            traits = options.traits._replace(thinking_levels=_COMMON_EFFORTS)
            return options._replace(traits=traits)
        return options._replace(without=options.without | {rule.name})
    return None


def _words(refusal: bytes) -> str:
    """The sentence for people in a refusal, in lower case."""
    text = refusal[:_MAX_READ].decode("utf-8", "replace")
    try:
        text = error_line(parse(text))
    except ValueError:
        pass  # not JSON: the words are the body
    return text.lower()
