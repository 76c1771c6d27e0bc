"""The lines of an ignore file as rules, and what they say about the names in a directory.

Names are compared as git does, byte by byte: a name outside ASCII is taken apart into
its bytes, each as one character (``as_bytes``). Source: gitignore(5).
"""

from __future__ import annotations

from itertools import islice

from pi.base.typing import NamedTuple
from pi.tools.search.wildcards import Glob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_UTF8_MARK = "\xef\xbb\xbf"
# More than any project has. Every rule may be asked about every name, so a file made of
# nothing but short lines would hold up a walk for minutes; what comes behind does not count.
MAX_RULES = 5000
MAX_LINE = 4096  # bytes; no path that could match is longer


class Rule(NamedTuple):
    """One line. ``skip`` is the length of the path of the directory it counts from."""

    glob: Glob
    negative: bool
    only_directories: bool
    is_path: bool
    skip: int
    needle: str

    def matches(self, name: str, path: str, *, is_directory: bool) -> bool:
        if self.only_directories and not is_directory:
            return False
        return self.glob.matches(path[self.skip :] if self.is_path else name)


def as_bytes(name: str) -> str:
    """A file name with every byte as one character."""
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("latin-1")


def parse_rules(data: bytes, skip: int) -> tuple[Rule, ...]:
    """The rules of an ignore file, in its order, the last one weighing most."""
    text = data.decode("latin-1")
    lines = text[len(_UTF8_MARK) :] if text.startswith(_UTF8_MARK) else text
    told = (line for line in lines.split("\n") if line and line[0] != "#")
    rules = (_rule(line, skip) for line in islice(told, MAX_RULES) if len(line) <= MAX_LINE)
    return tuple(rule for rule in rules if rule is not None)


def ignored(
    rules: Sequence[Rule], folder: str, names: Sequence[str], directories: Sequence[str]
) -> set[str]:
    """Which of the files ``names`` and of the ``directories`` in ``folder`` are ignored.

    ``folder`` is "" or ends with a slash; it is counted from where the rules' ``skip`` is.
    """
    everything = as_bytes("/".join(("", *names, *directories, "")))
    # Few rules can match any name here; for most directories none.
    near = [rule for rule in reversed(rules) if rule.needle in everything]
    found: set[str] = set()
    if not near:
        return found
    base = as_bytes(folder)
    for group, is_directory in ((names, False), (directories, True)):
        for name in group:
            plain = as_bytes(name)
            path = base + plain
            for rule in near:
                if rule.matches(plain, path, is_directory=is_directory):
                    if not rule.negative:
                        found.add(name)
                    break
    return found


def _rule(line: str, skip: int) -> Rule | None:
    text = _without_trailing_spaces(line[:-1] if line.endswith("\r") else line)
    text = text.partition("\0")[0]
    negative = text.startswith("!")
    text = text[negative:]
    only_directories = text.endswith("/")
    if only_directories:
        text = text[:-1]
    is_path = "/" in text
    if text.startswith("/"):
        text = text[1:]
    if not text:
        return None
    glob = Glob(text, is_path=is_path)
    return Rule(glob, negative, only_directories, is_path, skip, glob.needle)


def _without_trailing_spaces(line: str) -> str:
    """``line`` without the spaces at its end, unless a backslash keeps them."""
    bare = line.rstrip(" ")
    if bare == line:
        return line
    slashes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if slashes % 2 else bare
