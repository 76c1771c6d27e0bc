"""Programs that run another program: what they run, by a table of their options.

Sources: the POSIX pages of env, nice, nohup, time, xargs, command; the manuals of GNU
coreutils, findutils and time, of util-linux, sudo and doas; bash(1) for its builtins.
An option that is not in the table makes the whole command unknown, so it is refused.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple
from pi.tools.commands.names import is_guarded, is_name
from pi.tools.commands.options import Given, Options, UnknownOption, read_options
from pi.tools.commands.refusal import refuse, shown
from pi.tools.commands.words import literal, one_word, unknown
from pi.tools.shell.syntax import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Wrapper(NamedTuple):
    """``operands`` stand before the command; ``assigns`` says that ``NAME=value`` may too.

    With one of ``shows`` among the options nothing is run.
    """

    options: Options = Options()
    operands: int = 0
    assigns: bool = False
    shows: str = ""


class Inner(NamedTuple):
    """The command inside; no word at all if none is run."""

    words: tuple[Word, ...]
    moved: bool = False  # whether it starts in another directory


_ENV = Options(
    "i0v",
    "uC",
    long=(
        "ignore-environment", "null", "debug", "list-signal-handling",
        "block-signal", "default-signal", "ignore-signal",
    ),
    long_valued=("unset", "chdir"),
)  # fmt: skip
_XARGS = Options(
    "0rtxpo",
    "adEILnPs",
    "eil",
    long=(
        "null", "no-run-if-empty", "verbose", "exit", "interactive", "open-tty",
        "show-limits", "replace", "eof", "max-lines",
    ),
    long_valued=("arg-file", "delimiter", "max-args", "max-procs", "max-chars"),
)  # fmt: skip
_TIMEOUT = Options(
    "vfp", "ks", long=("foreground", "preserve-status", "verbose"),
    long_valued=("kill-after", "signal"),
)  # fmt: skip
_SUDO = Options("AbEHknPS", "ugp", long=("non-interactive",), long_valued=("user", "group"))

# Which of them need not be on the list says ``registry``.
WRAPPERS: dict[str, Wrapper] = {
    "command": Wrapper(Options("pvV"), shows="vV"),
    "builtin": Wrapper(),
    "exec": Wrapper(Options("cl", "a")),
    "env": Wrapper(_ENV, assigns=True),
    "nice": Wrapper(Options("0123456789", "n", long_valued=("adjustment",))),
    "nohup": Wrapper(),
    "time": Wrapper(Options("apqvV", "f", long=("append", "portability", "quiet", "verbose"))),
    "timeout": Wrapper(_TIMEOUT, operands=1),
    "xargs": Wrapper(_XARGS),
    "stdbuf": Wrapper(Options("", "ioe", long_valued=("input", "output", "error"))),
    "setsid": Wrapper(Options("cfw", long=("ctty", "fork", "wait"))),
    "ionice": Wrapper(Options("t", "cn", long_valued=("class", "classdata"))),
    "chrt": Wrapper(Options("bfiorRv"), operands=1),
    "taskset": Wrapper(Options("c", long=("cpu-list",)), operands=1),
    "flock": Wrapper(Options("sxenuoFv", "wE"), operands=1),
    "doas": Wrapper(Options("n", "u")),
    "sudo": Wrapper(_SUDO, assigns=True),
    "chroot": Wrapper(operands=1),
    "busybox": Wrapper(),
    "toybox": Wrapper(),
}


def unwrap(name: str, words: Sequence[Word]) -> Inner:
    """What ``words`` (those behind the name) run. Raises Refused if that is unknown."""
    wrapper = WRAPPERS[name]
    try:
        given, rest = read_options(words, wrapper.options)
    except UnknownOption as unknown_option:
        refuse(name, f"its option '{shown(str(unknown_option))}' is not one that can be judged")
    if any(option.name in wrapper.shows for option in given if len(option.name) == 1):
        return Inner(())
    if len(rest) < wrapper.operands:
        refuse(name, "it cannot be told what it runs")
    for word in rest[: wrapper.operands]:
        if literal(word) is None:  # it might be an option, and shift the others
            refuse(name, f"'{shown(word.raw)}' is known only when it runs")
    inner = tuple(rest[wrapper.operands :])
    if wrapper.assigns:
        inner = _without_assignments(name, inner)
    for option in given:
        if option.name in ("u", "unset") and name == "env" and option.value is not None:
            variable = option.value.value or ""
            if is_guarded(variable):
                refuse(name, f"removing {shown(variable)} may change what runs")
    if name == "xargs":
        return Inner(_with_input(inner, given))
    return Inner(inner, moved=name == "chroot" or any(o.name in ("C", "chdir") for o in given))


def _without_assignments(name: str, words: tuple[Word, ...]) -> tuple[Word, ...]:
    for at, word in enumerate(words):
        text = literal(word)
        start = text if text is not None else word.prefix
        if text == "-" and name == "env":  # an old spelling of -i
            continue
        variable, equals, _ = start.partition("=")
        if not equals:
            return words[at:]
        if not one_word(word):
            refuse(name, f"'{shown(word.raw)}' may become several words")
        if not is_name(variable) or is_guarded(variable):
            refuse(name, f"setting {shown(variable)} may change what runs")
    return ()


def _with_input(words: tuple[Word, ...], given: list[Given]) -> tuple[Word, ...]:
    """The command of ``xargs``, with the words it adds, of which nothing is known."""
    if not words:
        return ()  # it is echo
    mark = ""
    for option in given:
        if option.name in ("I", "i", "replace"):
            mark = (option.value.value if option.value is not None else None) or "{}"
    if not mark:
        return (*words, unknown("(its input)"))
    return tuple(_with_mark(word, mark) for word in words)


def _with_mark(word: Word, mark: str) -> Word:
    """The word, unknown from where ``xargs`` puts its input instead of ``mark``."""
    if mark not in (word.raw if word.value is None else word.value):
        return word
    return Word(word.raw, None, word.prefix.partition(mark)[0])
