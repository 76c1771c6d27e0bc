"""What the Tab key offers: made of the tables of commands, and of what the run knows. Pure
but for ``paths``, which looks into a folder.
"""

from __future__ import annotations

import os

from pi.commands.arguments import split_line
from pi.commands.dispatch import find
from pi.commands.subcommands import SUBCOMMANDS
from pi.commands.table import BY_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pi.commands.spec import CommandSpec

    Sources = Mapping[str, Callable[[str], Iterable[str]]]

MAX_OFFERED = 200
MAX_LOOKED_AT = 5000
# What a word of a usage line stands for: the source that knows such words.
KINDS = {
    "id": "places",
    "left-id": "places",
    "right-id": "places",
    "path": "paths",
    "file": "paths",
    "lockfile_path": "paths",
    "trust_root_file": "paths",
    "commands_file": "paths",
    "provider/model": "models",
    "ref": "models",
    "command": "commands",
}
# A name is of what the command is about.
NAMES = {
    "/branch-alias": "aliases",
    "/session-bookmark": "bookmarks",
    "/skills-show": "skills",
    "/skills-use": "skills",
    "/macro": "macros",
    "/profile": "profiles",
}


def offers(before: str, sources: Sources) -> tuple[str, ...]:
    """What may stand in place of the last word of ``before``, the line up to the cursor.

    ``sources`` map kinds ("places", "paths", ...) to functions that get what is typed of the
    word. A blank at the end says that the word is then complete.
    """
    text = before.lstrip()
    start = text.rpartition(" ")[2]
    if text.startswith("/") and " " not in text and "/" not in text[1:]:
        templates = (f"/{name}" for name in _from(sources, "templates", start))
        found: Iterable[str] = (f"{name.rstrip()} " for name in (*BY_NAME, *templates))
    elif text.startswith("/") and "/" not in split_line(text)[0][1:]:
        found = _of_command(text, start, sources)
    else:
        found = _from(sources, "paths", start) if start else ()
    low = start.lower()
    # A name of a repository's own may hold what a terminal would obey.
    chosen = dict.fromkeys(
        one for one in found if one.lower().startswith(low) and one.isprintable()
    )
    return tuple(chosen)[:MAX_OFFERED]


def _of_command(text: str, start: str, sources: Sources) -> Iterable[str]:
    name, raw = split_line(text)
    spec = find(name, prefixes=True)
    if spec is None:
        return ()
    words = raw.split()
    if start and words:
        words.pop()
    choices = _choices(spec, words[-1]) if words else None
    if choices is not None:
        return [f"{choice} " for choice in choices]
    if start.startswith("--"):
        return [f"--{option.name} " for option in spec.options] + ["--json "]
    plain = _plain(spec, words)
    if spec.name in SUBCOMMANDS and not plain:
        return [f"{row.name} " for row in SUBCOMMANDS[spec.name]]
    kind = _kind(spec, plain)
    return _from(sources, kind, start) if kind else ()


def _choices(spec: CommandSpec, word: str) -> Sequence[str] | None:
    """The values an option takes that stands before the cursor; None if there is none."""
    for option in spec.options:
        if word == f"--{option.name}" and option.kind != "switch":
            return option.choices
    return None


def _plain(spec: CommandSpec, words: Sequence[str]) -> list[str]:
    """The words that are neither options nor values of some."""
    valued = {f"--{option.name}" for option in spec.options if option.kind != "switch"}
    found, skipped = [], False
    for word in words:
        if not skipped and not word.startswith("--"):
            found.append(word)
        skipped = not skipped and word in valued
    return found


def _kind(spec: CommandSpec, plain: Sequence[str]) -> str:
    """What the next plain word of a command is; "" for nothing that can be offered."""
    usage, at = spec.usage.partition(" ")[2], len(plain)
    for row in SUBCOMMANDS.get(spec.name, ()):
        if plain and row.name == plain[0]:
            usage, at = row.arguments, len(plain) - 1
    places = [word.strip("<>[]").lower() for word in usage.split() if word[:1] in "<["]
    places = [place for place in places if not place.startswith("--")]
    if at >= len(places):
        return ""
    return NAMES.get(spec.name, "") if places[at] == "name" else KINDS.get(places[at], "")


def _from(sources: Sources, kind: str, start: str) -> Iterable[str]:
    source = sources.get(kind)
    return source(start) if source is not None else ()


def paths(start: str, cwd: str) -> list[str]:
    """The files and folders that ``start`` may become. Names with blanks are left out: the
    line would split them."""
    folder, _, name = start.rpartition("/")
    shown = f"{folder}/" if "/" in start else ""
    where = os.path.join(cwd, os.path.expanduser(shown))
    found = []
    try:
        with os.scandir(where) as entries:
            for _, entry in zip(range(MAX_LOOKED_AT), entries):
                if not entry.name.startswith(name) or not entry.name.isprintable():
                    continue
                if " " in entry.name or (entry.name.startswith(".") and not name):
                    continue
                found.append(shown + entry.name + ("/" if entry.is_dir() else " "))
    except (OSError, ValueError):
        return []
    return sorted(found)
