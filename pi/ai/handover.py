"""A conversation handed to a model that did not produce all of it. Pure.

Works on what ``pi.ai.context.prepare`` returns. In answers of another model (wire format,
provider and model must all be the same to count as its own):

  * thinking is dropped, or becomes plain text if ``thinking_as_text``;
  * signatures and vendors' item ids are dropped, nobody else can read them;
  * ids of calls are mapped to what the target takes, the same in calls and results.

Pictures go from every message if the model takes none. What is left empty is dropped.

Laws (tests/property/test_handover_laws.py): the same history gives the same result; a
longer history only adds to the result; handing over twice is handing over once; a history
of the target's own comes back as it is; every call keeps its results. Linear.
"""

from __future__ import annotations

from pi.ai.types import Image, Message, Text, Thinking, ToolCall
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pi.ai.providers.codec import Options, Traits
    from pi.ai.types import Block, Origin

NO_IMAGE = "[image omitted: model does not accept images]"
_HASH_LENGTH = 10  # of a shortened id: a billion calls until two are likely to meet


class IdRule(NamedTuple):
    """The ids of calls a target takes: letters and digits, up to ``max_length``.

    ``plain``: no underscore or dash, and exactly ``max_length``. Otherwise both may be in
    it, but for an underscore at the end, which the Responses API refuses.
    """

    max_length: int
    plain: bool = False

    def accepts(self, identity: str) -> bool:
        size = len(identity)
        if not identity.isascii() or (size != self.max_length if self.plain else not size):
            return False
        if self.plain:
            return identity.isalnum()
        letters = identity.replace("_", "").replace("-", "")
        fits = size <= self.max_length and not identity.endswith("_")
        return fits and (letters.isalnum() or not letters)


# By wire format; the Gemini API takes any id.
ID_RULES: dict[str, IdRule] = {
    "anthropic": IdRule(64),
    "openai-chat": IdRule(40),
    "openai-responses": IdRule(64),
}
MISTRAL_IDS = IdRule(9, plain=True)


def id_rule(api: str, options: Options) -> IdRule | None:
    """The rule of a target, None if it takes any id."""
    if api == "openai-chat":
        from pi.ai.providers.compat import compat_of  # loaded with that codec anyway

        if compat_of(options).tool_id_pattern == "mistral":
            return MISTRAL_IDS
    return ID_RULES.get(api)


def hand_over(
    messages: Iterable[Message],
    target: Origin,
    traits: Traits,
    rule: IdRule | None,
    *,
    thinking_as_text: bool = False,
) -> tuple[Message, ...]:
    """``messages`` as ``target`` may read them. They must be valid, see ``prepare``."""
    ids = _Ids(rule)
    return tuple(_handed(messages, target, traits, ids, thinking_as_text))


def _handed(
    messages: Iterable[Message], target: Origin, traits: Traits, ids: _Ids, as_text: bool
) -> Iterator[Message]:
    mapped: dict[str, str] = {}  # ids of the last answer's calls, where they changed
    for message in messages:
        if message.role == "assistant":
            mapped = {}
            own = message.origin == target
            blocks = message.blocks if own else tuple(_stripped(message.blocks, as_text))
            blocks = tuple(_renamed(blocks, own, ids, mapped))
            if not blocks:
                continue
        else:
            blocks = message.blocks
            identity = message.tool_call_id
            if identity is not None and identity in mapped:
                message = message._replace(tool_call_id=mapped[identity])
        if traits.supports_images is False:
            blocks = _without_images(blocks)
        yield message if blocks == message.blocks else message._replace(blocks=blocks)


def _stripped(blocks: tuple[Block, ...], as_text: bool) -> Iterator[Block]:
    """What another model may read of an answer."""
    for block in blocks:
        if isinstance(block, Thinking):
            if as_text and not block.redacted and block.text.strip():
                yield Text(block.text)
        elif isinstance(block, Text):
            if block.text.strip():
                yield block if block.signature is None else Text(block.text)
        elif isinstance(block, ToolCall):
            yield block._replace(signature=None, item_id=None)
        else:
            yield block


def _renamed(
    blocks: tuple[Block, ...], own: bool, ids: _Ids, mapped: dict[str, str]
) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, ToolCall):
            identity = ids.take(block.id, own=own)
            if identity != block.id:
                mapped[block.id] = identity
                block = block._replace(id=identity)
        yield block


def _without_images(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """``blocks`` with a note in the place of each run of pictures."""
    if not any(isinstance(block, Image) for block in blocks):
        return blocks
    kept: list[Block] = []
    after_image = False
    for block in blocks:
        if not isinstance(block, Image):
            kept.append(block)
        elif not after_image:
            kept.append(Text(NO_IMAGE))
        after_image = isinstance(block, Image)
    return tuple(kept)


class _Ids:
    """The ids a conversation has used so far; depends on what came before only."""

    def __init__(self, rule: IdRule | None) -> None:
        self._rule = rule
        self._used: set[str] = set()
        self._foreign: set[str] = set()

    def take(self, identity: str, *, own: bool) -> str:
        """The id of a call for the target. One of its own changes only if a foreign call has it."""
        rule = self._rule
        if rule is None:
            return identity
        refused = identity in (self._foreign if own else self._used)
        if refused or not (own or rule.accepts(identity)):
            wanted, number = identity, 0
            while identity in self._used or not rule.accepts(identity):
                identity = _fitting(wanted, number, rule)
                number += 1
        self._used.add(identity)
        if not own:
            self._foreign.add(identity)
        return identity


def _fitting(identity: str, number: int, rule: IdRule) -> str:
    """An id by the rule, the same for the same ``identity`` and ``number``."""
    import hashlib  # 2 ms, and only for ids that do not fit

    name = f"{identity}#{number}" if number else identity
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    if rule.plain:
        return digest[: rule.max_length]
    start = identity[: rule.max_length - _HASH_LENGTH - 1]
    kept = "".join(char if char.isascii() and char.isalnum() else "_" for char in start)
    return f"{kept}_{digest[:_HASH_LENGTH]}"
