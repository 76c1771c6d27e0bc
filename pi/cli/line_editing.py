"""What a terminal's lines know of the run: what was typed before, what Tab may offer."""

from __future__ import annotations

from pi.base.errors import PiError
from pi.cli.line_completion import offers, paths
from pi.cli.line_history import History, history_path, is_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pi.cli.conversation import Conversation


class Memory:
    """What was typed, in this run and, if a history is kept, before it."""

    def __init__(self, run: Conversation) -> None:
        self.past: list[str] = []
        self._file: History | None = None
        path = history_path(run.host.environ)
        if path is not None and not run.parsed.values["--no-history"]:
            self._file = History(path, run.secrets)
            self.past = self._file.load(run.host.random_bytes)
        self._last = self.past[-1] if self.past else ""

    def add(self, text: str) -> bool:
        """Keep ``text``. Returns whether the arrow keys may bring it back."""
        if is_secret(text) or text == self._last:
            return False
        self._last = text
        if self._file is not None:
            self._file.add(text)
        return True


def completer(run: Conversation) -> Callable[[str], tuple[str, ...]]:
    """What may stand in place of the last word of a line."""
    sources: dict[str, Callable[[str], Iterable[str]]] = {
        "places": lambda start: [*_ids(run), *_names(run, "alias"), *_names(run, "bookmark")],
        "aliases": lambda start: _names(run, "alias"),
        "bookmarks": lambda start: _names(run, "bookmark"),
        "models": lambda start: _models(run),
        "macros": lambda start: _macros(run),
        "profiles": lambda start: _profiles(run),
        "templates": lambda start: run.services["templates"](),
        "commands": lambda start: _commands(start),
        "paths": lambda start: paths(start, run.cwd),
    }

    def complete(before: str) -> tuple[str, ...]:
        try:
            return offers(before, sources)
        except (PiError, OSError, ValueError):
            return ()  # what cannot be read is told by the command itself

    return complete


MAX_IDS = 50


def _ids(run: Conversation) -> list[str]:
    """The newest entries of the session, and the words for places."""
    if run.store is None:
        return []
    snapshot = run.store.snapshot()
    newest = snapshot.some(list(snapshot.parent_of)[-MAX_IDS:])
    return [f"{entry.id} " for entry in reversed(newest)] + ["active ", "latest "]


def _names(run: Conversation, kind: str) -> list[str]:
    from pi.commands.positions import names  # loaded by the first command anyway

    return [] if run.store is None else [f"{name} " for name in names(run.store, kind)]


def _models(run: Conversation) -> list[str]:
    loaded = run.services["catalog"]()
    return [f"{entry} " for entry in loaded.catalog]


def _macros(run: Conversation) -> list[str]:
    from pi.commands.macro_shelf import Shelf

    return [f"{name} " for name, _ in Shelf(run.context()).names()]


def _profiles(run: Conversation) -> list[str]:
    from pi.commands.profile_shelf import Shelf

    shelf = Shelf(run.cwd, run.host.environ, run.host.random_bytes)
    return [f"{name} " for name, _ in shelf.names()]


def _commands(start: str) -> list[str]:
    from pi.commands.table import COMMANDS

    slash = "/" if start.startswith("/") else ""
    return [f"{slash}{spec.name[1:]} " for spec in COMMANDS]
