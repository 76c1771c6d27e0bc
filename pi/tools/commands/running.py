"""What ``find`` and ``fd`` run for each file: commands like any others in the line.

A word that only the running shell knows (``"$dir"``) may stand in both; what can be told to
hide such a command by one is refused. The strict profile lets neither.
Sources: the POSIX page of find, the manuals of GNU findutils and of fd.
"""

from __future__ import annotations

from pi.tools.commands.refusal import refuse, shown
from pi.tools.commands.words import literal, may_be_option
from pi.tools.commands.wrappers import Inner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pi.tools.shell.syntax import Word

_EXEC = {"-exec": False, "-ok": False, "-execdir": True, "-okdir": True}  # whether elsewhere
_PARTS = ("-e", "-o", "-", "-?", "-*", "-[", "-{")  # how one begins that is not all there
_FD_LETTERS = "xX"
_FD_VALUED = "tedEScjo"
_FD_LONG = ("--exec", "--exec-batch")


def run_by_find(words: Sequence[Word]) -> Iterator[Inner]:
    """The commands behind ``-exec`` and its kin, each up to its ``;`` or ``{} +``. Raises
    Refused where words hide one."""
    at = 0
    while at < len(words):
        word = words[at]
        moved = _EXEC.get(word.value or "")
        at += 1
        if moved is None:
            if _spells_exec(word) or _ends(words, at - 1):
                refuse("find", f"'{shown(word.raw)}' may be part of an '-exec' that cannot be read")
            continue
        begin = at
        while at < len(words) and not _ends(words, at):
            at += 1
        if at > begin:
            inner = tuple(words[begin:at])
            _refuse_hidden("find", inner, lambda text: text in _EXEC)
            yield Inner(inner, moved)
        at += 1  # what ends it


def _spells_exec(word: Word) -> bool:
    """Whether an expansion may make ``-exec`` or its like of what is written as part of it."""
    if literal(word) is not None:
        return False
    if word.raw[:1] == "{":  # of a brace expansion
        return "{-" in word.raw or ",-" in word.raw
    return (word.prefix if word.value is None else word.value)[:2] in _PARTS


def _refuse_hidden(
    name: str, inner: Sequence[Word], begins: Callable[[str], bool], hidden: str = ""
) -> None:
    """Raises Refused for a word in ``inner`` that may turn out to be its end, ``hidden`` if
    that is known, with something behind it that begins another command."""
    for word in inner:
        if hidden and begins(word.value or ""):
            refuse(name, f"'{hidden}' may end a command before '{shown(word.raw)}'")
        if not hidden and (may_be_option(word) or word.prefix[:1] in (";", "+")):
            hidden = shown(word.raw) if literal(word) is None else ""


def _ends(words: Sequence[Word], at: int) -> bool:
    text = words[at].value
    return text == ";" or (text == "+" and at > 0 and words[at - 1].value == "{}")


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
        # Newer ones take a glued word alone for the command, and go on with what is behind it.
        ends = shown(words[begin - 1].raw) if glued else ""
        _refuse_hidden("fd", inner, lambda text: _glued(text) is not None, ends)
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
