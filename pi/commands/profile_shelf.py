"""The profiles that can be seen from here: the project's, and behind them the user's own."""

from __future__ import annotations

from pi.base.errors import PiError, UsageError
from pi.base.text import visible
from pi.base.typing import Any, NamedTuple
from pi.commands.approvals import Answers, digest
from pi.commands.profile_fields import BadProfile, Profile, read_profile, write_profile
from pi.commands.store_files import project_place, read_store, update_store, user_place
from pi.commands.store_text import PROFILES, valid_name, with_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.commands.store_files import Place

_MEMBER = PROFILES.member


class UnknownProfile(UsageError):
    """No profile has this name."""

    code = "unknown-profile"


class Found(NamedTuple):
    """A profile and where it is from. ``approved``: the user saved it here himself, or it is
    in his own file."""

    name: str
    profile: Profile
    place: Place
    approved: bool


class Shelf:
    """Both files. ``only_user`` leaves the project's out; a user's file that cannot be read
    is not in the way of the project's profiles, ``trouble`` says why."""

    def __init__(
        self,
        cwd: str,
        environ: Mapping[str, str],
        random_bytes: Callable[[int], bytes],
        *,
        only_user: bool = False,
    ) -> None:
        self._random_bytes = random_bytes
        self._only_user = only_user
        self._content: dict[str, dict[str, Any]] = {}
        self._answers = Answers(environ, random_bytes)
        self.project = project_place(PROFILES, cwd, environ)
        self.user = user_place(PROFILES, environ)
        self.trouble: PiError | None = None

    @property
    def place(self) -> Place:
        """The file that is spoken of."""
        return self.user if self._only_user else self.project

    def stored(self, place: Place) -> dict[str, Any]:
        """What stands behind the names in a file. Raises ConfigError."""
        if place.level not in self._content:
            try:
                self._content[place.level] = read_store(place, PROFILES)[_MEMBER]
            except PiError as exc:
                if place is self.place:
                    raise
                self.trouble = exc
                self._content[place.level] = {}
        return self._content[place.level]

    def names(self) -> tuple[tuple[str, Place], ...]:
        """Every profile and where it is, by name."""
        found: dict[str, Place] = {}
        for place in (self.place, self.user):
            for name in self.stored(place):
                found.setdefault(name, place)
        return tuple(sorted(found.items()))

    def find(self, name: str, *, trusted: bool = True) -> Found:
        """The profile of this name. Where the folder is not ``trusted``, one that nobody
        approved does not hide the user's own. Raises UnknownProfile, BadProfile, ConfigError."""
        for place in (self.place, self.user):
            stored = self.stored(place)
            if name not in stored or (not trusted and self._hides_own(name, place)):
                continue
            try:
                profile = read_profile(stored[name])
            except BadProfile as exc:
                raise BadProfile(f"profile '{visible(name)}' is damaged: {exc.message}") from None
            return Found(name, profile, place, self._is_mine(name, place))
        hint = "/profile list shows all"
        why = UnknownProfile(f"unknown profile '{visible(name)}'", hint=hint)
        if self.trouble is not None:
            why.cause = self.trouble.message
        raise why

    def _is_mine(self, name: str, place: Place) -> bool:
        return not place.is_project or self._answers.is_approved(
            place.path, f"profile:{name}", digest(self.stored(place)[name])
        )

    def _hides_own(self, name: str, place: Place) -> bool:
        return not self._is_mine(name, place) and name in self.stored(self.user)

    def put(
        self, name: str, values: Mapping[str, Any], sets: tuple[str, ...], flags: Mapping[str, Any]
    ) -> PiError | None:
        """Store a profile, and remember that it is the user's own work; what kept that from
        being remembered is returned. Raises PiError."""
        valid_name(name, PROFILES)
        made: dict[str, Any] = {}

        def change(content: dict[str, Any]) -> dict[str, Any]:
            nonlocal made
            made = write_profile(values, sets, flags, content[_MEMBER].get(name))
            return with_entry(content, _MEMBER, name, made)

        update_store(self.place, PROFILES, change, self._random_bytes)
        self._content.clear()
        return self._remember(name, digest(made))

    def take(self, name: str) -> int:
        """Remove a profile from its file, however damaged it is; return how many stay there.
        Raises UnknownProfile, PiError."""
        left = 0

        def change(content: dict[str, Any]) -> dict[str, Any]:
            nonlocal left
            if name not in content[_MEMBER]:
                hint = "/profile list shows all"
                if not self._only_user and name in self.stored(self.user):
                    hint = f"it is the user's own: /profile delete {visible(name)} --user"
                raise UnknownProfile(f"unknown profile '{visible(name)}'", hint=hint)
            left = len(content[_MEMBER]) - 1
            return with_entry(content, _MEMBER, name, None)

        update_store(self.place, PROFILES, change, self._random_bytes)
        self._content.clear()
        self._remember(name, None)
        return left

    def _remember(self, name: str, value: str | None) -> PiError | None:
        if not self.place.is_project:
            return None
        try:
            self._answers.approve(self.place.path, {f"profile:{name}": value})
        except PiError as exc:
            return exc
        return None
