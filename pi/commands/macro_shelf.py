"""The macros that can be seen from here: the project's, and behind them the user's own."""

from __future__ import annotations

from pi.base.errors import PiError
from pi.base.text import redact, secret_values, visible
from pi.base.typing import Any
from pi.commands.macro_plan import Macro, read_macro
from pi.commands.macro_text import BadLine
from pi.commands.store_files import project_place, read_store, update_store, user_place
from pi.commands.store_text import MACROS, unreadable, valid_name, with_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.commands.context import CommandContext
    from pi.commands.store_files import Place

ABOUT = "descriptions"


class UnknownMacro(BadLine):
    """No macro has this name."""

    code = "unknown-macro"


class Shelf:
    """Both files, read when they are first needed, once.

    ``only_user`` leaves the project's out. A user's file that cannot be read is not in the
    way of the project's macros; ``trouble`` says why.
    """

    def __init__(self, context: CommandContext, *, only_user: bool = False) -> None:
        self._context = context
        self._only_user = only_user
        self._content: dict[str, dict[str, Any]] = {}
        self.project = project_place(MACROS, context.cwd, context.environ)
        self.user = user_place(MACROS, context.environ)
        self.trouble: PiError | None = None

    @property
    def place(self) -> Place:
        """The file that is spoken of."""
        return self.user if self._only_user else self.project

    @property
    def places(self) -> tuple[Place, ...]:
        """The files, the one that wins first."""
        return (self.user,) if self._only_user else (self.project, self.user)

    def content(self, place: Place) -> dict[str, Any]:
        """What is in a file. Raises ConfigError."""
        found = self._content.get(place.level)
        if found is None:
            try:
                found = read_store(place, MACROS)
            except PiError as exc:
                if place.is_project or self._only_user:
                    raise
                self.trouble = exc
                found = {MACROS.member: {}}
            self._content[place.level] = found
        return found

    def names(self) -> tuple[tuple[str, Place], ...]:
        """Every macro and where it is, by name."""
        found: dict[str, Place] = {}
        for place in self.places:
            for name in self.content(place)[MACROS.member]:
                found.setdefault(name, place)
        return tuple(sorted(found.items()))

    def find(self, name: str) -> Macro:
        """The macro of this name. Raises BadLine for one that is damaged or not there."""
        for place in self.places:
            content = self.content(place)
            if name in content[MACROS.member]:
                return read_macro(name, content, place.path, place.level)
        why = UnknownMacro(f"unknown macro '{visible(name)}'", hint="/macro list shows all")
        if self.trouble is not None:
            why.cause = self.trouble.message
        raise why

    def put(
        self,
        name: str,
        lines: Sequence[str],
        description: str | None,
        before: Sequence[str] | None = None,
    ) -> Place:
        """Store a macro; a description of None leaves the one there is. Raises PiError, also
        where the macro is not ``before`` any more (None for any), BadLine for one that holds
        a key: the file is made to be passed on."""
        valid_name(name, MACROS)
        _refuse_secrets((name, *lines, description or ""), self._context.environ)
        place = self.place

        def change(content: dict[str, Any]) -> dict[str, Any]:
            if before is not None and content[MACROS.member].get(name) != list(before):
                raise PiError(
                    f"macro '{name}' was changed by another process meanwhile",
                    hint=f"/macro show {name} shows it as it is now",
                    code="macro-changed",
                )
            made = with_entry(content, MACROS.member, name, list(lines))
            if description is not None:
                _check_about(content, place)
                made = with_entry(made, ABOUT, name, description or None)
            return made

        update_store(place, MACROS, change, self._context.random_bytes)
        self._content.clear()
        return place

    def take(self, name: str) -> int:
        """Remove a macro from its file, however damaged it is; return how many stay there.
        Raises UnknownMacro, PiError."""
        place = self.place
        left = 0

        def change(content: dict[str, Any]) -> dict[str, Any]:
            nonlocal left
            if name not in content[MACROS.member]:
                hint = "/macro list shows all"
                if not self._only_user and any(name == each for each, _ in self.names()):
                    hint = f"it is the user's own: /macro delete {name} --user"
                raise UnknownMacro(f"unknown macro '{visible(name)}'", hint=hint)
            left = len(content[MACROS.member]) - 1
            made = with_entry(content, MACROS.member, name, None)
            if isinstance(content.get(ABOUT), dict):
                made = with_entry(made, ABOUT, name, None)
            return made

        update_store(place, MACROS, change, self._context.random_bytes)
        self._content.clear()
        return left


def _check_about(content: dict[str, Any], place: Place) -> None:
    if not isinstance(content.get(ABOUT, {}), dict):
        raise unreadable(place.path, MACROS, f"{ABOUT!r} is no object")


def _refuse_secrets(texts: Sequence[str], environ: Mapping[str, str]) -> None:
    text = "\n".join(texts)
    if redact(text, secret_values(environ)) != text:
        raise BadLine(
            "it holds the value of a secret variable",
            hint="pass it when the macro is run: ${key} in the line, key=VALUE behind --",
        )
