"""What typed lines mean: several lines as one text, and a text as a prompt or a command. Pure.

A line that ends in a backslash goes on in the next one. Lines between two lines that hold
only three quotes are one prompt, whatever is in them. A first word with one slash, at its
beginning, is a command; ``//text`` is the prompt ``/text``; ``!text`` is for the shell, and
``!!text`` too, without telling the model.
"""

from __future__ import annotations

from pi.base.errors import UsageError
from pi.base.typing import NamedTuple
from pi.commands.dispatch import is_command

BLOCK = '"""'
PROMPT, COMMAND, SHELL, ASIDE = "prompt", "command", "shell", "aside"


class Entry(NamedTuple):
    """A text that is complete. ``verbatim``: it is a prompt, whatever it looks like."""

    text: str
    verbatim: bool = False


class Typed(NamedTuple):
    """``kind`` is "prompt", "command", "shell" or "aside"."""

    kind: str
    text: str


class Gathering:
    """Fed line by line; gives a text when it is complete."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._in_block = False

    @property
    def is_open(self) -> bool:
        """Whether a text was begun that is not complete."""
        return self._in_block or bool(self._lines)

    def clear(self) -> None:
        """Forget what was begun."""
        self._lines, self._in_block = [], False

    def feed(self, line: str) -> Entry | None:
        """One line, without its line break. A line that holds line breaks was pasted: it is
        a prompt as it stands, so that nothing in it is run unseen."""
        if self._in_block:
            if line.strip() == BLOCK:
                return self._complete(verbatim=True)
            self._lines.append(line)
            return None
        if not self._lines and line.strip() == BLOCK:
            self._in_block = True
            return None
        if "\n" in line.strip():
            self._lines.append(line)
            return self._complete(verbatim=True)
        if goes_on(line):
            self._lines.append(line[:-1])
            return None
        self._lines.append(line)
        return self._complete(verbatim=False)

    def finish(self) -> Entry | None:
        """The end of the input: what was begun with a backslash is complete. Raises UsageError
        for a block without its end, which is not sent."""
        if self._in_block:
            self.clear()
            raise UsageError(
                f"the input ended within a block: {BLOCK} is missing",
                hint="nothing of the block was sent",
            )
        return self._complete(verbatim=False) if self._lines else None

    def _complete(self, *, verbatim: bool) -> Entry:
        entry = Entry("\n".join(self._lines), verbatim)
        self.clear()
        return entry


def goes_on(line: str) -> bool:
    """Whether the last backslash of a line stands for itself: an odd number of them does."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def meaning(entry: Entry) -> Typed | None:
    """What is to be done with a text; None for a blank one."""
    text = entry.text.strip()
    if not text:
        return None
    if entry.verbatim:
        return Typed(PROMPT, text)
    if text.startswith("!!"):
        return Typed(ASIDE, text[2:].strip())
    if text.startswith("!"):
        return Typed(SHELL, text[1:].strip())
    if is_command(text):
        return Typed(COMMAND, text)
    return Typed(PROMPT, text[1:] if text.startswith("//") else text)
