"""Thinking that a server left in the text, in front of the answer: ``<think>...</think>``.

Only a text that begins with a tag is split; a tag further on is something the model
writes about. Fed in pieces, a tag may be cut anywhere. Invariants
(tests/property/test_think_tags_laws.py): any way of slicing the same text gives the same
thinking and text; a text that does not begin with a tag passes unchanged, and undelayed
once that is clear.
"""

from __future__ import annotations

TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]"))

MAX_BLANK = 64  # in front of a tag; more is text

_START, _INSIDE, _AFTER, _PLAIN = range(4)


class ThinkSplitter:
    """Splits one answer's text. Each call returns (thinking, text) that became certain."""

    __slots__ = ("_close", "_held", "_state")

    def __init__(self) -> None:
        self._state = _START
        self._held = ""  # may be, or become, part of a tag
        self._close = ""

    @property
    def passes(self) -> bool:
        """Whether all that can follow is text."""
        return self._state == _PLAIN

    def feed(self, text: str) -> tuple[str, str]:
        if self._state == _PLAIN:
            return "", text
        thinking = ""
        text, self._held = self._held + text, ""
        if self._state == _START:
            text = self._find_open(text)
        if self._state == _INSIDE:
            thinking, text = self._find_close(text)
        if self._state == _AFTER:
            text = text.lstrip()  # the tag's own line end, not part of the answer
            if text:
                self._state = _PLAIN
        return thinking, text if self._state == _PLAIN else ""

    def finish(self) -> tuple[str, str]:
        """The text ended: what was held is what it looks like."""
        held, self._held = self._held, ""
        return (held, "") if self._state == _INSIDE else ("", held)

    def _find_open(self, text: str) -> str:
        """Look for a tag at the start; return what is left to look at."""
        start = text.lstrip()
        if len(text) - len(start) > MAX_BLANK:
            self._state = _PLAIN
            return text
        for tag, close in TAGS:
            if start.startswith(tag):
                self._state, self._close = _INSIDE, close
                return start[len(tag) :]
        if any(tag.startswith(start) for tag, _ in TAGS):  # also when nothing came yet
            self._held = text
            return ""
        self._state = _PLAIN
        return text

    def _find_close(self, text: str) -> tuple[str, str]:
        thinking, found, rest = text.partition(self._close)
        if found:
            self._state = _AFTER
            return thinking, rest
        for size in range(min(len(self._close) - 1, len(text)), 0, -1):
            if text.endswith(self._close[:size]):
                self._held = text[-size:]
                return text[:-size], ""
        return text, ""
