"""The old part of a conversation as labelled text, and the request for its summary. Pure.

Text and not messages: a model that is shown a conversation goes on with it.
"""

from __future__ import annotations

import json

from pi.ai.cost import estimate_tokens
from pi.ai.types import Image, Text, ToolCall
from pi.base.typing import NamedTuple
from pi.compaction.skill_texts import Kept, with_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.ai.types import Message

MAX_RESULT = 2000
MAX_ARGUMENT = 500
MAX_PIECES = 8  # each is a request of its own
READING = frozenset(("read",))
CHANGING = frozenset(("write", "edit"))

SYSTEM = (
    "You summarise conversations between a user and a coding assistant, so that the "
    "assistant can go on with the work without having seen them. You never continue the "
    "conversation and never call a tool: you write the summary and nothing else."
)
SECTIONS = """\
Write the summary with exactly these sections:

## Goal
What the user wants, in full; several goals if there are several.

## Constraints and preferences
What the user asked for about how it is done. "None" if nothing.

## Progress
### Done
### In progress
### Blocked

## Key decisions
Each with its reason.

## Next steps
In order.

## Critical context
Exact names, paths, commands, error texts and values that are needed to go on. "None" if
nothing.

Be brief, but leave out nothing that is needed to go on."""
UPDATE = (
    "The conversation above goes on from this earlier summary. Write the whole summary "
    "anew: keep what still holds, move what was finished, add what is new."
)
TURN = (
    "What follows is only the beginning of the user's last request and of the work on it; "
    "the rest is kept as it is. Summarise in a few lines what was asked and what was found "
    "or done so far."
)


class Files(NamedTuple):
    """Paths that tools were called with, sorted; a file that was changed is not listed as
    read."""

    read: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()


def transcript(messages: Iterable[Message]) -> str:
    """The messages as text, long results cut."""
    return "\n\n".join(part for message in messages for part in _parts(message))


def pieces(messages: Iterable[Message], most: int) -> list[str]:
    """The transcript in as few pieces as possible of about ``most`` tokens each.

    A part that is longer is cut; of more than ``MAX_PIECES`` the middle ones are left out.
    """
    found: list[list[str]] = []
    left = 0
    for part in (part for message in messages for part in _parts(message)):
        size = estimate_tokens(part)
        if size > most:
            part = _cut(part, max(1, len(part) * most // size))
            size = estimate_tokens(part)
        if size > left:
            found.append([])
            left = most
        found[-1].append(part)
        left -= size
    if len(found) > MAX_PIECES:
        half = MAX_PIECES // 2
        note = f"[... {len(found) - 2 * half} parts as long as this one are left out here ...]"
        found[-half].insert(0, note)
        del found[half:-half]
    return ["\n\n".join(parts) for parts in found]


def _cut(part: str, length: int) -> str:
    return f"{part[:length]}\n[... {len(part) - length} characters cut]"


def _parts(message: Message) -> list[str]:
    if message.role == "tool":
        text = message.text()
        if len(text) > MAX_RESULT:
            text = _cut(text, MAX_RESULT)
        kind = "error" if message.is_error else "result"
        return [f"[Tool {kind}, {message.tool_name}]: {text}"]
    label = "User" if message.role == "user" else "Assistant"
    found = []
    for block in message.blocks:
        if isinstance(block, Text) and block.text.strip():
            found.append(f"[{label}]: {block.text}")
        elif isinstance(block, Image):
            found.append(f"[{label}]: (an image)")
        elif isinstance(block, ToolCall):
            found.append(f"[Assistant calls a tool]: {block.name} {_arguments(block)}")
    return found


def _arguments(call: ToolCall) -> str:
    text = json.dumps(dict(call.arguments), ensure_ascii=False)
    return text if len(text) <= MAX_ARGUMENT else f"{text[:MAX_ARGUMENT]}..."


def request(text: str, previous: str, focus: str, words: int) -> str:
    """What the model is asked about a transcript, with an earlier summary to bring up to
    date and what the user wants it to look at."""
    parts = [f"<conversation>\n{text}\n</conversation>"]
    if previous:
        parts.append(f"<earlier-summary>\n{previous}\n</earlier-summary>\n\n{UPDATE}")
    parts.append(SECTIONS)
    if focus:
        parts.append(f"Look especially at: {focus}")
    parts.append(f"Use at most {words} words.")
    return "\n\n".join(parts)


def turn_request(text: str, words: int) -> str:
    """What the model is asked about the beginning of a turn that is cut in two."""
    return f"<conversation>\n{text}\n</conversation>\n\n{TURN} Use at most {words} words."


def touched_files(messages: Iterable[Message], before: Files = Files()) -> Files:  # noqa: B008
    """The files that the tools of ``messages`` were called with, and those of ``before``.

    They are listed one a line, so a path that is not one line is left out.
    """
    read, modified = set(before.read), set(before.modified)
    for message in messages:
        for call in message.tool_calls():
            path = call.arguments.get("path")
            if isinstance(path, str) and path and "\n" not in path:
                if call.name in READING:
                    read.add(path)
                elif call.name in CHANGING:
                    modified.add(path)
    return Files(tuple(sorted(read - modified)), tuple(sorted(modified)))


def summary_text(summary: str, turn: str, files: Files, skills: Kept = Kept()) -> str:  # noqa: B008
    """The whole summary of the old part of the conversation."""
    parts = [summary.strip()] if summary.strip() else []
    if turn.strip():
        parts.append(f"<beginning-of-this-turn>\n{turn.strip()}\n</beginning-of-this-turn>")
    if skills.texts or skills.left:
        parts = [with_texts("\n\n".join(parts), skills)]
    for label, paths in (("read-files", files.read), ("modified-files", files.modified)):
        if paths:
            parts.append(f"<{label}>\n" + "\n".join(paths) + f"\n</{label}>")
    return "\n\n".join(parts)


def split_summary(whole: str) -> tuple[str, Files]:
    """A whole summary without its lists of files, and the files."""
    lists = {}
    for label in ("modified-files", "read-files"):
        start = whole.rfind(f"<{label}>\n")
        end = f"\n</{label}>"
        if start >= 0 and whole.endswith(end):
            lists[label] = tuple(whole[start + len(label) + 3 : -len(end)].split("\n"))
            whole = whole[:start].rstrip("\n")
    return whole, Files(lists.get("read-files", ()), lists.get("modified-files", ()))
