"""``--completion SHELL``: a script that completes pi's command line, made from the flag table.

The script holds everything that the file of pi knows: flags, choices, tools, models. What
changes, the sessions of a folder, it reads from the folder itself. So no Tab starts pi.
"""

from __future__ import annotations

from importlib import import_module

from pi.base.typing import NamedTuple
from pi.cli.flags import FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.base.host import Host
    from pi.cli.flag import Flag
    from pi.cli.parse import Parsed

SHELLS: dict[str, str] = {
    "bash": "pi.cli.completion_bash:script",
    "zsh": "pi.cli.completion_zsh:script",
    "fish": "pi.cli.completion_fish:script",
}
# What the values of a flag are, where its row does not say it: see Completed.source.
SOURCES = {
    "--model": "models",
    "--fallback-model": "models",
    "--session": "sessions",
    "--tools": "tools",
}
BY_METAVAR = {"FILE": "files", "PATH": "files", "DIR": "folders"}


class Completed(NamedTuple):
    """One flag as a shell needs it.

    takes:  "nothing", "value" (the next word, or after ``=``), or "joined" (a value is
            possible, and only after ``=``)
    source: where values come from: "words" (those given), "files", "folders", "models",
            "tools", "sessions" (and files), "" for none
    """

    name: str
    short: str
    help: str
    takes: str
    metavar: str = ""
    source: str = ""
    words: tuple[str, ...] = ()
    is_list: bool = False
    repeats: bool = False


def print_completion(parsed: Parsed, host: Host) -> int:
    """The mode: print the script for the shell that was named."""
    from pi.ai.catalog_store import built_in
    from pi.tools import TOOLS

    models = sorted({*(f"{each.provider}/{each.model}" for each in built_in()), "demo/tour"})
    module, _, name = SHELLS[str(parsed.values["--completion"])].partition(":")
    script: Callable[..., str] = getattr(import_module(module), name)
    print(script(completed(FLAGS), models, list(TOOLS)), end="", file=host.stdout)
    return 0


def completed(flags: Sequence[Flag]) -> tuple[Completed, ...]:
    """The rows of the flag table as shells need them."""
    return tuple(_completed(flag) for flag in flags)


def _completed(flag: Flag) -> Completed:
    if flag.kind == "bool":
        # A switch that is off is only ever turned on; others may be set either way.
        joined = flag.default is not False or bool(flag.choices)
        words = ("true", "false", *flag.choices) if joined else ()
        takes, source = ("joined", "words") if joined else ("nothing", "")
        return Completed(flag.name, flag.short, flag.help, takes, "BOOL", source, words)
    kinds = flag.kind in ("path", "list", "repeat")
    by_metavar = BY_METAVAR.get(flag.metavar.partition(",")[0], "") if kinds else ""
    source = SOURCES.get(flag.name) or ("words" if flag.choices else by_metavar)
    return Completed(
        flag.name,
        flag.short,
        flag.help,
        "value",
        flag.metavar.partition(",")[0],
        source,
        flag.choices,
        flag.kind == "list",
        flag.kind in ("list", "repeat"),
    )
