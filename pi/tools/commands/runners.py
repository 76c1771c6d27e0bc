"""Programs that run others, load code or write files when an argument asks for it.

The balanced profile lets them (it also lets ``cargo`` build, and so run, anything), but see
``running``; the strict one refuses the arguments named here, and words that the running
shell might turn into such an argument. Sources: the manuals of GNU findutils, coreutils and
tar, of ripgrep, fd, git, cargo, tree; the collection of such uses known as GTFOBins.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple
from pi.tools.commands.names import listed
from pi.tools.commands.programs import awk_is_harmless, sed_is_harmless
from pi.tools.commands.refusal import refuse, shown
from pi.tools.commands.words import literal, may_be_option, one_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.tools.shell.syntax import Word


class Danger(NamedTuple):
    """Options not to be given: letters, and long names (whose abbreviations count too).

    ``valued`` letters take what is glued to them. ``exact`` are whole words, wherever
    they stand. ``operands`` is how many operands there may be; ``bundled`` says that the
    first word is option letters even without a dash.
    """

    short: str = ""
    valued: str = ""
    long: tuple[str, ...] = ()
    exact: frozenset[str] = frozenset()
    operands: int = 1_000_000
    bundled: bool = False


_FIND = Danger(exact=listed("-exec -execdir -ok -okdir -delete -fprint -fprint0 -fprintf -fls"))
_FD = Danger("xX", "tedEScjo", long=("exec", "exec-batch"))
_TAR = Danger(
    "IF",
    "fbCKNTVXgHL",
    long=(
        "to-command", "checkpoint-action", "use-compress-program", "info-script",
        "new-volume-script", "rmt-command", "rsh-command", "absolute-names",
    ),
    bundled=True,
)  # fmt: skip
DANGERS: dict[str, Danger] = {
    "find": _FIND,
    "gfind": _FIND,
    "fd": _FD,
    "fdfind": _FD,
    "rg": Danger(long=("pre", "hostname-bin")),
    "sort": Danger("o", "kStT", long=("compress-program", "output")),
    "gsort": Danger("o", "kStT", long=("compress-program", "output")),
    "uniq": Danger(valued="fsw", operands=1),
    "tree": Danger("oR", "LPI"),
    "file": Danger("CzZ", "emfFP", long=("compile", "uncompress", "uncompress-noreport")),
    "date": Danger("s", "drfI", long=("set",)),
    "split": Danger(long=("filter",)),
    "tar": _TAR,
    "bsdtar": _TAR,
    "rsync": Danger("e", "fBTM", long=("rsh", "rsync-path", "remove-source-files")),
    "zip": Danger("TO", long=("unzip-command", "test", "output-file")),
    "diff3": Danger(long=("diff-program",)),
    "sdiff": Danger("o", long=("diff-program", "output")),
    "man": Danger("PH", long=("pager", "html", "preprocessor")),
}


def judge_danger(name: str, words: Sequence[Word]) -> None:
    """Raises Refused if the words make the program run or write something."""
    danger = DANGERS[name]
    operands = 0
    for at, word in enumerate(words):
        if may_be_option(word):
            refuse(name, f"'{shown(word.raw)}' may become an option")
        text = word.value or word.prefix
        if text in danger.exact:
            refuse(name, f"'{text}' runs commands, removes or writes files")
        if text == "--" and not danger.exact:
            operands += len(words) - at - 1
            break
        if text.startswith("--"):
            option = text[2:].partition("=")[0]
            if any(each.startswith(option) for each in danger.long):
                refuse(name, f"'--{shown(option)}' runs commands or writes files")
        elif len(text) > 1 and text[0] == "-" and not danger.exact:
            operands -= _takes_next(name, danger, text[1:])
        elif danger.bundled and at == 0:
            _takes_next(name, danger, text)
        else:
            operands += 1
    if operands > danger.operands:
        refuse(name, "it writes to its last operand")


def _takes_next(name: str, danger: Danger, letters: str) -> bool:
    """Whether the last of the option letters has its value in the next word."""
    for at, letter in enumerate(letters):
        if letter in danger.short:
            refuse(name, f"'-{letter}' runs commands or writes files")
        if letter in danger.valued:
            return at == len(letters) - 1
    return False


def judge_sed(name: str, words: Sequence[Word]) -> None:
    """Every script must be literal and harmless; nothing is edited in place."""
    scripts: list[str] = []
    operands: list[str] = []
    wanted = False
    ended = False
    for word in words:
        if wanted:
            scripts.append(_program(name, word))
            wanted = False
            continue
        if not ended and may_be_option(word):
            refuse(name, f"'{shown(word.raw)}' may become an option or a script")
        text = word.value
        if text is None or ended or text[:1] != "-" or text == "-":
            operands.append(_program(name, word) if not scripts and not operands else "")
        elif text == "--":
            ended = True
        elif text in ("-e", "-ne", "-Ee", "-nEe", "-re", "-nre", "--expression"):
            wanted = True
        elif text.startswith("--expression="):
            scripts.append(text.partition("=")[2])
        elif text[1:].strip("nErsuz") and text not in _SED_SAFE:
            refuse(name, f"its option '{shown(text)}' may change files or hide the script")
    if not scripts:
        scripts = operands[:1]
    if not sed_is_harmless("\n".join(scripts)):
        refuse(name, "the script may run commands or write files")


_SED_SAFE = (
    "--quiet", "--silent", "--regexp-extended", "--separate", "--unbuffered", "--null-data",
    "--posix", "--sandbox", "--debug", "--version", "--help",
)  # fmt: skip


def _program(name: str, word: Word) -> str:
    text = literal(word)
    if text is None:
        refuse(name, f"its program '{shown(word.raw)}' is known only when it runs")
    return text


def judge_awk(name: str, words: Sequence[Word]) -> None:
    """The program must be literal and harmless, and no other is loaded."""
    at = 0
    while at < len(words):
        text = literal(words[at])
        if text is None:
            break
        if text in ("-F", "-v"):
            at += 2
        elif text[:2] in ("-F", "-v"):
            at += 1
        elif text == "--":
            at += 1
            break
        elif text.startswith("-"):
            refuse(name, f"its option '{shown(text)}' may load or hide a program")
        else:
            break
    for word in words[:at]:
        if not one_word(word):
            refuse(name, f"'{shown(word.raw)}' may become several words")
    if at < len(words) and not awk_is_harmless(_program(name, words[at])):
        refuse(name, "the program may run commands or write files")


# Subcommands that run no code of the project and no program it names.
_SUBCOMMANDS: dict[str, frozenset[str]] = {
    "cargo": listed("help locate-project metadata pkgid tree version"),
    "rustup": listed("check help show which"),
    "go": listed("env help list version"),
    "npm": listed("help ls list outdated root view version"),
}


def judge_subcommand(name: str, words: Sequence[Word]) -> None:
    """For tools whose common subcommands build, and so run, what is in the project."""
    for word in words:
        text = literal(word)
        if text is None and may_be_option(word):
            refuse(name, f"'{shown(word.raw)}' may become an option")
        if text is not None and text.startswith(("--config", "-C", "-Z", "-toolexec")):
            refuse(name, f"'{shown(text)}' may name a program")
    first = literal(words[0]) if words else "help"
    if first in ("--version", "-V", "--list", "--help", "-h", "--print", "--explain"):
        return
    if first not in _SUBCOMMANDS.get(name, ()):
        refuse(name, "it may build and run what is in the project")
