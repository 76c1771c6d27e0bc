"""Texts of skills that the user put into the conversation stay, word for word, when what is
around them is summarised. Pure.

They stand behind the summary, and after them a line that says how long each is: so they are
found again, and carried on, when that summary is summarised in its turn.
"""

from __future__ import annotations

import re

from pi.ai.cost import estimate_tokens
from pi.ai.types import Text
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pi.ai.types import Message
    from pi.compaction.sizes import Plan

MAX_TOKENS = 40_000  # of all texts together, however large the window is
MAX_LEFT = 50  # named of those that did not fit: the list takes room as well
INTRODUCTION = "Skills that the user put into the conversation, word for word:"
END = "\n</skill>"

# As ``/skill:NAME`` writes it.
_HEAD = re.compile(r'<skill name="([^"\n]*)" location="([^"\n]*)">\n')
_LENGTHS = re.compile(r'\n\n<kept-skills lengths="(\d{1,9}(?: \d{1,9}){0,99})"/>\Z')


class Kept(NamedTuple):
    """``texts`` stay, oldest first; ``left`` are the heads of those too large for that: pairs
    of name and file."""

    texts: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


def skill_text(message: Message) -> str:
    """The skill in a user's message, without what the user said to it; "" for none."""
    if message.role != "user":
        return ""
    text = message.text()
    end = text.rfind(END)
    if end < 0 or _HEAD.match(text) is None:
        return ""
    return text[: end + len(END)]


def choose(
    earlier: Iterable[str], gone: Iterable[Message], left: Iterable[Message], most: int
) -> Kept:
    """The texts to keep, of ``earlier`` ones and of the messages that are ``gone``: of one
    skill the last; none that is in the messages that are ``left``; of all the newest, as
    many as ``most`` tokens hold."""
    found: dict[tuple[str, str], str] = {}
    for text in (*earlier, *filter(None, map(skill_text, gone))):
        head = _head(text)
        found.pop(head, None)
        found[head] = text
    for text in filter(None, map(skill_text, left)):
        found.pop(_head(text), None)
    texts: list[str] = []
    dropped: list[tuple[str, str]] = []
    for head, text in reversed(found.items()):
        most -= estimate_tokens(text)
        if most >= 0 and len(texts) < 100:
            texts.append(text)
        else:
            most = min(most, 0)
            dropped.append(head)
    return Kept(tuple(reversed(texts)), tuple(reversed(dropped)))


def room_for(plan: Plan, overhead: int) -> int:
    """Tokens that kept texts may take: half of what a summary and the newest messages leave."""
    free = plan.limit - overhead - plan.keep - plan.output
    return max(0, min(free // 2, MAX_TOKENS))


def without_texts(messages: Iterable[Message], texts: Sequence[str]) -> tuple[Message, ...]:
    """``messages`` for the one who summarises, who needs no text that is kept anyway."""
    found = []
    for message in messages:
        text = skill_text(message)
        if text and text in texts:
            said = message.text()[len(text) :]
            name, file = _head(text)
            short = f"(the text of the skill {name} from {file}, which is kept){said}"
            others = tuple(block for block in message.blocks if not isinstance(block, Text))
            message = message._replace(blocks=(Text(short), *others))
        found.append(message)
    return tuple(found)


def with_texts(summary: str, kept: Kept) -> str:
    """A summary and the texts behind it."""
    parts = [summary] if summary else []
    if kept.left:
        newest = kept.left[-MAX_LEFT:]
        files = "\n".join(f"- {name}: {file}" for name, file in newest)
        if len(newest) < len(kept.left):
            files = f"- {len(kept.left) - len(newest)} older ones\n{files}"
        parts.append(f"Skills whose text did not fit; read the file if it is needed:\n{files}")
    if kept.texts:
        lengths = " ".join(str(len(text)) for text in kept.texts)
        parts += [INTRODUCTION, *kept.texts, f'<kept-skills lengths="{lengths}"/>']
    return "\n\n".join(parts)


def split_texts(whole: str) -> tuple[str, tuple[str, ...]]:
    """A summary without the texts behind it, and the texts. What does not fit together is
    all summary."""
    last = _LENGTHS.search(whole)
    if last is None:
        return whole, ()
    texts: list[str] = []
    end = last.start()
    for length in map(int, reversed(last[1].split())):
        start = end - length
        text = whole[max(start, 0) : end]
        if start < 0 or _HEAD.match(text) is None or not text.endswith(END):
            return whole, ()
        if start and whole[start - 2 : start] != "\n\n":
            return whole, ()
        texts.append(text)
        end = start - 2
    head = whole[: max(end, 0)]
    if head == INTRODUCTION:
        return "", tuple(reversed(texts))
    if not head.endswith(f"\n\n{INTRODUCTION}"):
        return whole, ()
    return head[: -len(INTRODUCTION) - 2], tuple(reversed(texts))


def told(kept: Kept, most: int) -> str:
    """What the user is told of texts that do not stay; "" if all do."""
    if not kept.left:
        return ""
    names = ", ".join(name for name, _ in kept.left[:10])
    more = f" and {len(kept.left) - 10} more" if len(kept.left) > 10 else ""
    return (
        f"the text of skills is summarised with the rest, it is more than {most} tokens: "
        f"{names}{more} (--skill or /skills-use keeps it in the system prompt)"
    )


def _head(text: str) -> tuple[str, str]:
    found = _HEAD.match(text)
    return (found[1], found[2]) if found is not None else ("", "")
