"""What ``find`` and ``fd`` run for each file: commands like any others in the line.

Sources: the POSIX page of find, the manuals of GNU findutils and of fd.
"""

from __future__ import annotations

from pi.tools.commands.wrappers import Inner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pi.tools.shell.syntax import Word

_EXEC = {"-exec": False, "-ok": False, "-execdir": True, "-okdir": True}  # whether elsewhere
_FD_LETTERS = "xX"
_FD_VALUED = "tedEScjo"
_FD_LONG = ("--exec", "--exec-batch")


def run_by_find(words: Sequence[Word]) -> Iterator[Inner]:
    """The commands behind ``-exec`` and its kin, each up to its ``;`` or ``{} +``."""
    at = 0
    while at < len(words):
        moved = _EXEC.get(words[at].value or "")
        at += 1
        if moved is None:
            continue
        begin = at
        while at < len(words) and not _ends(words, at):
            at += 1
        if at > begin:
            yield Inner(tuple(words[begin:at]), moved)


def _ends(words: Sequence[Word], at: int) -> bool:
    text = words[at].value
    return text == ";" or (text == "+" and words[at - 1].value == "{}")


def run_by_fd(words: Sequence[Word]) -> Iterator[Inner]:
    """The commands behind ``-x``, ``-X`` and their long names, each up to a ``;``."""
    at = 0
    while at < len(words):
        text = words[at].value or ""
        at += 1
        if text == "--":
            return
        glued = _glued(text)
        if glued is None:
            at += _takes_next(text)
            continue
        begin = at
        while at < len(words) and words[at].value != ";":
            at += 1
        inner = tuple(words[begin:at])
        if glued:
            inner = (words[begin - 1]._replace(value=glued, prefix=glued, raw=glued), *inner)
        if inner:
            yield Inner(inner)


def _glued(option: str) -> str | None:
    """What of a command stands in the same word as the option that runs it; None if it is
    another option, or none."""
    if option.startswith("--"):
        name, _, value = option.partition("=")
        # An abbreviation counts, as it does where it is refused.
        return value if len(name) > 4 and any(each.startswith(name) for each in _FD_LONG) else None
    for at, letter in enumerate(option[1:], 2) if option[:1] == "-" else ():
        if letter in _FD_LETTERS:
            return option[at:].removeprefix("=")
        if letter in _FD_VALUED:
            return None
    return None


def _takes_next(option: str) -> bool:
    """Whether the value of the last of these letters is the next word."""
    if option[:1] != "-" or option[:2] == "--":
        return False
    first = next((at for at, letter in enumerate(option) if at and letter in _FD_VALUED), 0)
    return bool(first) and first == len(option) - 1
