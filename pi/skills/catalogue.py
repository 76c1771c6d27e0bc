"""All skills of a run in one list, flat ones and folders; picked by name."""

from __future__ import annotations

import os

from pi.base.errors import ConfigError, UsageError
from pi.base.typing import NamedTuple
from pi.skills.discovery import SKILL_FILE, Found, Place, search
from pi.skills.plain_files import read_plain
from pi.skills.skill import FOLDER, Judged, judge_flat, judge_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.skills.skill import Skill

MAX_BYTES = 5 * 1024 * 1024


class Catalogue(NamedTuple):
    """``broken`` maps names of files that are no skill to the reason; ``searched`` are the
    folders that were looked through."""

    skills: tuple[Skill, ...]
    warnings: tuple[str, ...] = ()
    broken: Mapping[str, str] = {}
    searched: tuple[str, ...] = ()

    def find(self, name: str) -> Skill:
        """The skill of that name, exact. Raises UsageError that names what is near."""
        for skill in self.skills:
            if skill.name == name:
                return skill
        for skill in self.skills:
            if name in skill.aliases:
                return skill
        if name in self.broken:
            raise UsageError(f"skill '{name}' cannot be used", cause=self.broken[name])
        from difflib import get_close_matches  # only on the way to an error

        close = get_close_matches(name, [skill.name for skill in self.skills], n=3, cutoff=0.5)
        near = f"did you mean {' or '.join(close)}? " if close else ""
        where = ", ".join(self.searched)
        told = f"searched: {where}" if where else "there is no folder of skills to search"
        raise UsageError(f"unknown skill '{name}'", hint=f"{near}{told}", code="unknown-skill")

    def select(self, names: Sequence[str]) -> tuple[Skill, ...]:
        """The skills of these names in this order, each once. Raises UsageError."""
        return tuple({(skill := self.find(name)).file: skill for name in names}.values())


def load(places: Sequence[Place], explicit: Sequence[str] = ()) -> Catalogue:
    """Read all skills below ``places``, after those at the paths in ``explicit``.

    A file that cannot be read is a warning. Raises ConfigError if the managed directory is
    no directory, UsageError for an explicit path that is no skill.
    """
    for place in places:
        if place.managed and os.path.lexists(place.path) and not os.path.isdir(place.path):
            raise ConfigError(
                f"failed to load skills from {place.path}",
                cause=f"{place.path} is not a directory",
            )
    found: list[Found] = []
    warnings: list[str] = []
    for path in explicit:
        one = explicit_skills(path)
        found += one.found
        warnings += one.warnings
    rest = search(places)
    warnings += rest.warnings
    gathered = _Gathered(warnings)
    for item in (*found, *rest.found):
        gathered.take(item)
    searched = tuple(place.path for place in places if os.path.isdir(place.path))
    return gathered.catalogue(searched)


class Explicit(NamedTuple):
    found: tuple[Found, ...]
    warnings: tuple[str, ...]


def is_path(value: str) -> bool:
    """Whether a value of ``--skill`` is a path, not a name."""
    separators = tuple(filter(None, (os.sep, os.altsep)))
    return (
        any(mark in value for mark in separators)
        or value.startswith(("~", "."))
        or value.endswith(".md")
    )


def explicit_skills(path: str) -> Explicit:
    """The skills at a path the user named. Raises UsageError if there is none."""
    place = Place(os.path.dirname(path), "explicit", True)
    if os.path.isdir(path):
        inside = search([Place(path, "explicit")])
        if not inside.found:
            raise UsageError(f"there is no skill in {path}", hint=f"a skill has a {SKILL_FILE}")
        return Explicit(inside.found, inside.warnings)
    if not os.path.lexists(path):
        raise UsageError(f"there is no skill at {path}", hint="check the path")
    if not path.endswith(".md"):
        raise UsageError(f"{path} is no skill", hint=f"a folder with {SKILL_FILE}, or a .md file")
    is_folder = os.path.basename(path) == SKILL_FILE
    return Explicit((Found(path, is_folder, place),), ())


class _Gathered:
    """Skills so far; the first of a name wins, but a folder beats a flat file beside it."""

    def __init__(self, warnings: list[str]) -> None:
        self._skills: dict[str, Skill] = {}
        self._places: dict[str, Place] = {}
        self._warnings = warnings
        self._broken: dict[str, str] = {}

    def take(self, item: Found) -> None:
        judged = read(item)
        self._warnings += judged.warnings
        skill = judged.skill
        if skill is None:
            if judged.warnings:
                self._broken.setdefault(_name_of(item), judged.warnings[-1])
            return
        before = self._skills.get(skill.name)
        if before is None:
            self._skills[skill.name] = skill
            self._places[skill.name] = item.place
            return
        if os.path.realpath(before.file) == os.path.realpath(skill.file):
            return  # named by its path, and found where it lies
        beside = self._places[skill.name] == item.place
        wins = beside and skill.kind == FOLDER and before.kind != FOLDER
        taken, left = (skill, before) if wins else (before, skill)
        self._skills[skill.name] = taken
        self._warnings.append(
            f"two skills are named '{skill.name}': {taken.file} is used, {left.file} is not"
        )

    def catalogue(self, searched: tuple[str, ...]) -> Catalogue:
        broken = {name: why for name, why in self._broken.items() if name not in self._skills}
        return Catalogue(tuple(self._skills.values()), tuple(self._warnings), broken, searched)


def _name_of(item: Found) -> str:
    if item.is_folder:
        return os.path.basename(os.path.dirname(item.file))
    return os.path.basename(item.file)[: -len(".md")]


def read(item: Found) -> Judged:
    """Read and judge one file. What cannot be read is a warning."""
    try:
        text = read_text(item.file)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        return Judged(None, (f"failed to read {item.file}: {why}",))
    if item.is_folder:
        return judge_folder(text, item.file, item.place.scope)
    return judge_flat(text, item.file, item.place.scope, managed=item.place.managed)


def read_text(path: str) -> str:
    """A regular UTF-8 file. Raises OSError (saying what it is instead) and ValueError."""
    data, _ = read_plain(path, MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ValueError(f"is not UTF-8 text ({exc.reason} at byte {exc.start})") from None
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text
