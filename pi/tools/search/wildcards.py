"""A glob as a regular expression, by the rules of git's wildmatch.

``*`` and ``?`` and ``[...]`` never match a slash; ``**`` as a whole segment matches any
number of directories. Of what the stars match the shortest is tried first and kept, which
never loses a match, so a hostile ``*a*a*a*b`` costs its length and not a power of it.
Source: gitignore(5) and the behaviour of git 2.39.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Token = tuple[str, str]  # kind ("text", "set", "star") and its text
    Segment = Union[list[Token], None]  # None: any number of directories

_STAR: Token = ("star", "")
_SPECIAL = re.compile(r"[*?\[\\]")
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
MAX_BRACES = 1000
MAX_EXPANDED = 100_000  # characters, of all together


class Glob:
    """One pattern. ``matches`` takes a name, or a path relative to the pattern's place.

    ``needle`` is text that must occur in "/" + name + "/", name being the last part of
    anything that matches; "" if there is no such text. ``ending``, if not None, decides
    alone: exactly what ends so matches.
    """

    __slots__ = ("_exact", "_match", "_prefix", "_tail", "ending", "needle")

    def __init__(self, pattern: str, *, is_path: bool) -> None:
        self._match: re.Pattern[str] | None = None
        self._exact: str | None = None
        self.ending: str | None = None
        found = _SPECIAL.search(pattern)
        # git compares the part before the first special character as it is, and takes
        # the rest for a pattern of its own: "**" counts as leading there.
        self._prefix = pattern[: found.start()] if found else pattern
        self._tail: list[Segment] | None = None
        if found is None:
            self._exact = pattern
            self.needle = f"/{pattern.rpartition('/')[2]}/"
            return
        rest = pattern[found.start() :]
        if pattern[0] == "*" and not is_path and not _SPECIAL.search(pattern, 1):
            self.ending = pattern[1:]
            self.needle = f"{self.ending}/"
            return
        self._tail = _segments(rest, is_path=is_path)
        self.needle = _needle(self._prefix, self._tail)

    def matches(self, text: str) -> bool:
        if self._exact is not None:
            return text == self._exact
        if self.ending is not None:
            return text.endswith(self.ending)
        if self._match is None:
            self._match = re.compile(self._expression(), re.DOTALL)
        return self._match.fullmatch(text) is not None

    def _expression(self) -> str:
        if self._tail is None:
            return "(?!)"
        return re.escape(self._prefix) + _expression(self._tail)


def expand_braces(pattern: str) -> list[str]:
    """``a.{b,c}`` as ``a.b`` and ``a.c``; a brace without a comma or an end is only text.

    At most ``MAX_BRACES`` come of it, and ``MAX_EXPANDED`` characters; a pattern with more is
    taken as it is.
    """
    done: list[str] = []
    waiting = [pattern]
    most = min(MAX_BRACES, MAX_EXPANDED // max(1, len(pattern)))
    while waiting:
        each = waiting.pop()
        parts = _first_braces(each)
        if parts is None:
            done.append(each)
        else:
            waiting.extend(reversed(parts))
        if len(done) + len(waiting) > max(1, most):
            return [pattern]
    return done


def _first_braces(pattern: str) -> list[str] | None:
    start = at = -1
    depth = 0
    cuts: list[int] = []
    while (at := at + 1) < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif char == "{":
            depth += 1
            if depth == 1:
                start, cuts = at, [at]
        elif char == "," and depth == 1:
            cuts.append(at)
        elif char == "}" and depth:
            depth -= 1
            if depth == 0 and len(cuts) > 1:
                ends = [*cuts[1:], at]
                middles = [pattern[a + 1 : b] for a, b in zip(cuts, ends)]
                return [pattern[:start] + middle + pattern[at + 1 :] for middle in middles]
    return None


def _segments(pattern: str, *, is_path: bool) -> list[Segment] | None:
    """The parts between slashes, or None for a pattern that can match nothing."""
    current: list[Token] = []
    found: list[Segment] = [current]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            begin = at - 1
            while pattern[at : at + 1] == "*":
                at += 1
            escaped = pattern.startswith("\\/", at)
            ends = at == len(pattern) or pattern[at] == "/" or escaped
            if not (is_path and at - begin > 1 and not current and ends):
                if current[-1:] != [_STAR]:
                    current.append(_STAR)
                continue
            if escaped:  # unlike "**/" this wants one directory at least
                current.append(_STAR)
                found.append(None)
            else:
                found[-1] = None
            if at < len(pattern):
                at += 2 if escaped else 1
                current = []
                found.append(current)
        elif char == "/" or (char == "\\" and pattern[at : at + 1] == "/"):
            at += char == "\\"
            current = []
            found.append(current)
        elif char == "?":
            current.append(("set", "[^/]"))
        elif char == "[":
            members, at = _bracket(pattern, at)
            if at < 0:
                return None
            current.append(("set", members))
        elif char == "\\":
            if at == len(pattern):
                return None
            current.append(("text", pattern[at]))
            at += 1
        else:
            current.append(("text", char))
    return found


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    """The set that opened before ``at``, and where it ends; -1 if it never does."""
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    parts: list[str] = []
    previous = ""
    first = True
    while first or pattern[at : at + 1] != "]":
        first = False
        char = pattern[at : at + 1]
        after = pattern[at + 1 : at + 2]
        if char == "\\":
            at += 1
            char = after
            parts.append(_member(char))
        elif char == "-" and previous and after and after != "]":
            at += 1
            if after == "\\":
                at += 1
                after = pattern[at : at + 1]
            if after and previous <= after:
                parts.append(f"{_member(previous)}-{_member(after)}")
            char, previous = after, ""
            if not char:
                return "", -1
            at += 1
            continue
        elif char == "[" and after == ":":
            end = pattern.find("]", at + 2)
            if end < 0:
                return "", -1
            if end > at + 2 and pattern[end - 1] == ":":
                members = _CLASSES.get(pattern[at + 2 : end - 1])
                if members is None:
                    return "", -1
                parts.append(members)
                at, previous = end + 1, ""
                continue
            parts.append(_member(char))
        else:
            parts.append(_member(char))
        if not char:
            return "", -1
        previous = char
        at += 1
    inside = "".join(parts)
    if negated:
        return f"[^/{inside}]", at + 1
    return (f"(?!/)[{inside}]" if inside else "(?!)"), at + 1


def _member(char: str) -> str:
    return f"\\{char}" if char and char in "\\]^-[&~|" else char


def _expression(segments: list[Segment]) -> str:
    """The segments as one expression. What a ``**`` matches is kept once found."""
    groups: list[list[str]] = [[]]
    number = 0
    for segment in segments:
        if segment is None:
            if groups[-1] or len(groups) == 1:
                groups.append([])
        else:
            text, number = _one_segment(segment, number)
            groups[-1].append(text)
    joined = ["/".join(group) for group in groups]
    if len(joined) == 1:
        return joined[0]
    ends_with_any = not groups[-1]
    out = [f"{joined[0]}/" if groups[0] else ""]
    for text in joined[1:-1]:
        number += 1
        out.append(f"(?=(?P<g{number}>(?:[^/]*/)*?{text}/))(?P=g{number})")
    out.append(".*" if ends_with_any else f"(?:.*/)?{joined[-1]}")
    return "".join(out)


def _one_segment(tokens: list[Token], number: int) -> tuple[str, int]:
    pieces = [""]
    for kind, text in tokens:
        if kind == "star":
            pieces.append("")
        else:
            pieces[-1] += re.escape(text) if kind == "text" else text
    if len(pieces) == 1:
        return pieces[0], number
    out = [pieces[0]]
    for piece in pieces[1:-1]:
        number += 1
        out.append(f"(?=(?P<g{number}>[^/]*?{piece}))(?P=g{number})")
    out.append(f"[^/]*{pieces[-1]}")
    return "".join(out), number


def _needle(prefix: str, segments: list[Segment] | None) -> str:
    """The longest text that is sure to be in "/" + name + "/"."""
    if segments is None:
        return "\0"  # in no name
    last = segments[-1]
    if last is None:
        return ""
    runs = ["/"]
    if len(segments) == 1:
        runs[0] += prefix.rpartition("/")[2]
    for kind, text in last:
        if kind == "text":
            runs[-1] += text
        else:
            runs.append("")
    runs[-1] += "/"
    return max(runs, key=len)
