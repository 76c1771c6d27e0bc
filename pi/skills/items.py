"""A skill that is to be installed, as bytes: from a file, a folder or an archive.

What makes it one is judged here: its name, its text, its head. Nothing is written.
"""

from __future__ import annotations

import hashlib
import os

from pi.base.errors import UsageError
from pi.base.given_file import not_taken
from pi.base.typing import NamedTuple
from pi.skills.archive import ENDINGS, File, Tree, is_archive, read_archive
from pi.skills.discovery import SKILL_FILE
from pi.skills.frontmatter import parse
from pi.skills.installed import tree_digest, tree_of
from pi.skills.lockfile import LockEntry, make_source
from pi.skills.names import folder_name_problem, name_problem
from pi.skills.plain_files import read_plain
from pi.skills.skill import judge_folder
from pi.skills.yaml_lines import FrontmatterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_FLAT = 5 * 1024 * 1024
MAX_ARCHIVE = 50 * 1024 * 1024


class Item(NamedTuple):
    """A skill to install. ``files`` are those of a folder, or the one of a flat skill under
    "". ``source`` is for the lockfile, ``label`` for messages, ``step`` for counting."""

    name: str
    files: Mapping[str, File]
    source: Mapping[str, Any]
    label: str
    step: str

    @property
    def is_folder(self) -> bool:
        return "" not in self.files

    @property
    def file(self) -> str:
        """As the lockfile names it."""
        return f"{self.name}/{SKILL_FILE}" if self.is_folder else f"{self.name}.md"

    def entry(self) -> LockEntry:
        digests = [
            (path, hashlib.sha256(file.data).hexdigest()) for path, file in self.files.items()
        ]
        if not self.is_folder:
            return LockEntry(self.name, self.file, digests[0][1], self.source)
        digests.sort(key=lambda pair: pair[0].encode("utf-8", "surrogateescape"))
        return LockEntry(self.name, self.file, tree_digest(digests), self.source, tuple(digests))


def local_item(path: str, recorded: str) -> Item:
    """The skill at a path: a ``.md`` file, a folder with SKILL.md, or an archive.

    ``recorded`` is the path as the lockfile shall hold it. Raises PiError.
    """
    source = make_source("local", {"path": recorded})
    if os.path.basename(path) == SKILL_FILE and not os.path.isdir(path):
        path = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        name = os.path.basename(os.path.abspath(path))
        if not os.path.isfile(os.path.join(path, SKILL_FILE)):
            raise UsageError(f"{path} is no skill", cause=f"there is no {SKILL_FILE} in it")
        return checked(Item(name, _folder_files(path), source, path, "local"))
    if is_archive(path):
        data = _read(path, MAX_ARCHIVE)
        source["artifact_sha256"] = hashlib.sha256(data).hexdigest()
        found = read_archive(data, path)
        return checked(from_tree(found, source, path, "local", last=stem(path)))
    if not path.endswith(".md") and os.path.lexists(path):
        raise UsageError(
            f"skill source {path} must be a .md file",
            hint=f"or a folder with {SKILL_FILE}, or a .skill, .zip or .tar.gz of one",
        )
    data = _read(path, MAX_FLAT)
    return checked(flat(os.path.basename(path)[:-3], data, source, path, "local"))


def flat(name: str, data: bytes, source: Mapping[str, Any], label: str, step: str) -> Item:
    """A skill that is one text. Raises PiError if it is none."""
    text_of(data, label)
    return Item(name, {"": File(data)}, source, label, step)


def text_of(data: bytes, label: str) -> str:
    """The text of a skill. Raises PiError for bytes that are none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UsageError(f"{label} is not UTF-8 text", cause=f"at byte {exc.start}") from None
    if "\0" in text:
        raise UsageError(f"{label} is not UTF-8 text", cause="it holds a NUL character")
    return text


def stem(path: str) -> str:
    """The name of an archive without what says that it is one."""
    name = os.path.basename(path)
    return next((name[: -len(end)] for end in ENDINGS if name.lower().endswith(end)), name)


def from_tree(
    found: Tree,
    source: Mapping[str, Any],
    label: str,
    step: str,
    name: str = "",
    last: str = "",
) -> Item:
    """A folder skill out of an archive, under ``name``, else the name of its folder, of its
    own, or ``last``."""
    own = ""
    try:
        fields = parse(found.files[SKILL_FILE].data.decode("utf-8-sig", "replace")).fields or {}
        value = fields.get("name")
        own = value if isinstance(value, str) else ""
    except FrontmatterError:
        pass  # ``checked`` tells it
    return Item(name or found.name or own or last, dict(found.files), source, label, step)


def checked(item: Item) -> Item:
    """``item``, if its name and its head will do. Raises PiError."""
    why = (folder_name_problem if item.is_folder else name_problem)(item.name)
    if why:
        raise UsageError(f"{item.label}: a skill cannot be named {item.name!r}", cause=why)
    if item.is_folder:
        text = text_of(item.files[SKILL_FILE].data, f"{SKILL_FILE} of {item.label}")
        judged = judge_folder(text, f"{item.name}/{SKILL_FILE}", "project")
        if judged.skill is None:
            raise UsageError(f"{item.label} is no skill that can be used", cause=judged.warnings[0])
    return item


def _folder_files(path: str) -> dict[str, File]:
    found = {}
    for name, _ in tree_of(path):
        full = os.path.join(path, name)
        data = _read(full, MAX_ARCHIVE)
        found[name] = File(data, bool(os.stat(full).st_mode & 0o100))
    return found


def _read(path: str, limit: int) -> bytes:
    try:
        return read_plain(path, limit)[0]
    except OSError as exc:
        raise not_taken(f"failed to read skill source {path}", exc) from exc
