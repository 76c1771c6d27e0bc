"""Secrets known by value, found in the forms that programs give them: as they are, as hex in
either case, in base64 wherever they stand in what was encoded, and both of these broken into
lines. And found where a message's neighbouring texts have a part each. Pure.

Laws (each has a property test):
  * a text that holds no form of a secret comes back equal;
  * what comes back holds none of them.

Each form is looked for by a plain search, in the text without its ends of lines; only where
one is there is it looked for by a pattern that steps over them. So a text costs its length
for each form, however its lines are broken.
"""

from __future__ import annotations

import re

from pi.base.text import MIN_SECRET_BYTES, REDACTED, longest_first, redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MIN_BASE64 = 10  # shorter pieces may be part of any word, or of a picture
_END = r"\\+[rn]|[\r\n]"  # of a line, also as it is written in JSON
_FIRST_BETWEEN = 0xFDD0  # what is no character, and so in no text but to confuse


class SecretForms:
    """``plain`` are the texts that are looked for as they are, the longest first; the other
    forms are made of ``values``."""

    def __init__(self, plain: Sequence[str], values: Iterable[str]) -> None:
        self._coded = coded(values)
        known = frozenset(self._coded)
        self._plain = tuple(text for text in plain if text not in known)
        self._shortest = min(map(len, (*self._plain, *self._coded)), default=0)

    def text(self, text: str) -> str:
        """``text`` without any form of a secret."""
        if len(text) < self._shortest:
            return text
        text = redact(text, self._plain)
        for form in self._coded_in(text):
            text = re.sub(_pattern(form, f"(?:{_END})*"), REDACTED, text)
        return text

    def texts(self, texts: Sequence[str]) -> list[str]:
        """The same for texts that follow each other in one message."""
        whole = "".join(texts)
        if not self._is_in(whole):
            return list(texts)
        clean = list(map(self.text, texts))
        whole = "".join(clean)
        if len(texts) < 2 or not self._is_in(whole):
            return clean
        return self._parted(clean, whole)

    def _parted(self, texts: Sequence[str], whole: str) -> list[str]:
        """``texts`` without the forms that one of them begins and another ends."""
        between = _none_of(whole)
        joined = between.join(texts)

        def marks(match: re.Match[str]) -> str:
            return between.join([REDACTED] * (match[0].count(between) + 1))

        for value in self._plain:
            if value in whole:
                joined = re.sub(_pattern(value, f"{between}*"), marks, joined)
        for form in self._coded_in(whole):
            joined = re.sub(_pattern(form, f"(?:{_END}|{between})*"), marks, joined)
        return joined.split(between)

    def _is_in(self, text: str) -> bool:
        return any(value in text for value in self._plain) or bool(self._coded_in(text))

    def _coded_in(self, text: str) -> list[str]:
        """Those of the coded forms that may be in ``text``."""
        flat = _flat(text)
        if flat is text:
            return [form for form in self._coded if form in text]
        # Of a form that begins with "n" or "r" that may be gone, after a backslash.
        return [form for form in self._coded if form[form[0] in "nr" :] in flat]


def _pattern(form: str, gap: str) -> str:
    return gap.join(map(re.escape, form))


def _flat(text: str) -> str:
    """``text`` without the ends of its lines; itself if it is one."""
    for end in ("\n", "\r"):
        if end in text:
            text = text.replace(end, "")
    if "\\" in text:
        for end in ("\\n", "\\r", "\\"):
            text = text.replace(end, "")
    return text


def _none_of(text: str) -> str:
    """A character that is not in ``text``, and means nothing in a pattern."""
    number = _FIRST_BETWEEN
    if chr(number) in text:
        there = set(text)
        while chr(number) in there:
            number += 1
    return chr(number)


def coded(values: Iterable[str]) -> tuple[str, ...]:
    """Hex and base64 of ``values``, the longest first."""
    found: set[str] = set()
    for value in values:
        data = _as_bytes(value)
        if len(data) >= MIN_SECRET_BYTES and value not in REDACTED:
            found |= {data.hex(), data.hex().upper(), *in_base64(data)}
    return longest_first(found)


def _as_bytes(value: str) -> bytes:
    """As commands get it: a variable may hold bytes that are no text."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")


def in_base64(data: bytes) -> set[str]:
    """What is always there of ``data`` in the base64 of something that holds it
    ("user:value"), wherever it stands there: its own characters without those it shares with
    its neighbours. With the signs of addresses, too (RFC 4648, sections 4 and 5)."""
    from binascii import b2a_base64  # only where there is something to hide

    found = set()
    for before in range(3):
        first = (before * 8 + 5) // 6
        last = (before + len(data)) * 8 // 6
        text = b2a_base64(bytes(before) + data, newline=False)[first:last].decode()
        found |= {text, text.replace("+", "-").replace("/", "_")}
    return {text for text in found if len(text) >= MIN_BASE64}
