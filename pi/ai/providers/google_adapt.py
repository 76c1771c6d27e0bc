"""What a refusal by Google, or by a server that speaks like it, names of our request.

The words are those of the public API, of the cloud one, and of the JSON reader before
both, which refuses fields it does not know by name and place.
"""

from __future__ import annotations

from pi.ai.jsontext import parse
from pi.ai.providers.failure import error_line
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSALS = (400, 422)
_MAX_READ = 65536


class Refusable(NamedTuple):
    """Something we add that a server may refuse.

    ``words``: lists of words in lower case; the refusal holds all of one list.
    """

    name: str  # as in ``Options.without``
    words: tuple[tuple[str, ...], ...]


# In order: the more special before what its words contain.
REFUSABLE = (
    Refusable("parametersJsonSchema", (("parametersjsonschema",), ("parameters_json_schema",))),
    Refusable(
        "functionResponse.parts",
        (('unknown name "parts"', "function_resp"), ('unknown name "parts"', "functionresp")),
    ),
    Refusable(
        "functionCall.id",
        (('unknown name "id"', "function_"), ('unknown name "id"', "functioncall"),
         ('unknown name "id"', "functionresp")),
    ),
    # "Function call is missing a thought_signature in functionCall parts."
    Refusable("unsignedCalls", (("missing a thought_sign",), ("missing a `thought_sign",))),
    Refusable(
        "thoughtSignature",
        (("thought signature", "not valid"), ("thought signature", "invalid"),
         ("thought_signature", "invalid"), ("corrupted thought signature",)),
    ),
    # "Thinking level MEDIUM is not supported for this model."
    Refusable("thinkingLevel", (("thinking level",), ("thinking_level",), ("thinkinglevel",))),
    # "Budget 0 is invalid. This model only works in thinking mode."
    Refusable(
        "thinkingBudget",
        (("thinking budget",), ("thinking_budget",), ("thinkingbudget",),
         ("budget", "thinking mode")),
    ),
    Refusable(
        "thinkingConfig",
        (("thinking_config",), ("thinkingconfig",), ("thinking is not",), ("include_thoughts",),
         ("thinking", "not supported")),
    ),
    # "Developer instruction is not enabled for models/gemma-3-27b-it"
    Refusable(
        "systemInstruction",
        (("developer instruction", "not enabled"), ("system instruction", "not supported"),
         ("system instruction", "not enabled"), ('unknown name "system',)),
    ),
    Refusable("temperature", (("temperature",),)),
)  # fmt: skip


def refused_names(status: int, body: bytes) -> Iterator[str]:
    """What a refusal names, as in ``Options.without``, likeliest first."""
    if status not in _REFUSALS:
        return
    text = body[:_MAX_READ].decode("utf-8", "replace")
    try:
        text = error_line(parse(text))
    except ValueError:
        pass  # not JSON: the words are the body
    text = text.lower()
    for row in REFUSABLE:
        if any(all(word in text for word in words) for words in row.words):
            yield row.name
