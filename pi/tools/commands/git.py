"""Uses of ``git`` that run no other program, as far as its command line tells.

Source: the manual pages of git 2.47. What the configuration of a repository makes git run
(aliases, filters, hooks, a pager, a file system monitor) cannot be seen on a command line;
so only subcommands that read are let, and no configuration may be given.
"""

from __future__ import annotations

from pi.tools.commands.names import listed
from pi.tools.commands.refusal import refuse, shown
from pi.tools.commands.words import literal, may_be_option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.tools.shell.syntax import Word

_READING = listed("""
    annotate blame branch cat-file check-attr check-ignore cherry count-objects describe
    diff diff-files diff-index diff-tree for-each-ref grep log ls-files ls-tree
    merge-base name-rev range-diff reflog rev-list rev-parse shortlog show show-branch
    show-ref status tag var version whatchanged
    """)
_GLOBAL_FLAGS = listed(
    "--no-pager -P --no-optional-locks --literal-pathspecs --version --no-replace-objects"
)
# Abbreviations of these count too, except where they are the whole name of another option.
_RUNNING = (
    "ext-diff", "textconv", "open-files-in-pager", "output", "exec", "upload-pack",
    "receive-pack", "remote", "filters", "edit-description", "sign", "local-user", "delete",
    "force", "web", "man", "info",
)  # fmt: skip
_HARMLESS = frozenset(("text",))


def judge_git(name: str, words: Sequence[Word]) -> None:
    at = 0
    while at < len(words):
        text = literal(words[at])
        if text == "-C" and at + 1 < len(words):
            at += 2
        elif text in _GLOBAL_FLAGS:
            at += 1
        else:
            break
    if at == len(words):
        return
    subcommand = literal(words[at])
    if subcommand is None:
        refuse(name, f"'{shown(words[at].raw)}' is known only when it runs")
    if subcommand not in _READING:
        refuse(name, f"'{shown(subcommand)}' may run other programs or change things")
    for word in (*words[:at], *words[at + 1 :]):
        if may_be_option(word):
            refuse(name, f"'{shown(word.raw)}' may become an option")
        text = word.value or word.prefix
        if text == "--":
            break
        _judge_option(name, subcommand, text)


def _judge_option(name: str, subcommand: str, text: str) -> None:
    if text.startswith("--"):
        option = text[2:].partition("=")[0]
        running = option not in _HARMLESS and any(each.startswith(option) for each in _RUNNING)
    else:
        letters = text[1:] if text[:1] == "-" else ""
        running = (subcommand == "grep" and "O" in letters) or (
            subcommand in ("branch", "tag") and not set("dDmMcCfsuvF").isdisjoint(letters)
        )
    if subcommand == "reflog" and text in ("expire", "delete", "drop"):
        running = True
    if running or "ext::" in text or "fd::" in text:
        refuse(name, f"'{shown(text)}' may run other programs or change things")
