"""One skill: a text that tells the model how to do something, and what is known of it.

Two forms: a folder with ``SKILL.md`` (the Agent Skills format, agentskills.io), or a flat
``NAME.md``. A flat file without a description is plain: it is used when asked for by name,
and never offered to the model.
"""

from __future__ import annotations

import os
import re

from pi.base.typing import NamedTuple
from pi.skills.frontmatter import parse
from pi.skills.yaml_lines import FrontmatterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.skills.frontmatter import Value

PLAIN, FLAT, FOLDER = "plain", "flat", "folder"
MAX_NAME = 64
NAME = re.compile("[a-z0-9]+(?:-[a-z0-9]+)*")  # what no rule has anything against
MAX_DESCRIPTION = 1024
MAX_COMPATIBILITY = 500


class Skill(NamedTuple):
    """``file`` is the absolute path of the text, ``body`` the text without its head.

    ``hidden``: not offered to the model. ``scope`` says where it was found: "explicit",
    "project", "user" or "settings". ``fields`` is the whole head.
    """

    name: str
    kind: str
    file: str
    scope: str
    body: str
    description: str = ""
    hidden: bool = False
    aliases: tuple[str, ...] = ()
    fields: Mapping[str, Value] = {}

    @property
    def folder(self) -> str:
        """The folder that paths in the text are relative to."""
        return os.path.dirname(self.file)

    @property
    def is_listed(self) -> bool:
        """Whether the model is told of it without being asked."""
        return self.kind != PLAIN and not self.hidden


class Judged(NamedTuple):
    """A skill, or None for a file that is none; ``warnings`` name the file."""

    skill: Skill | None
    warnings: tuple[str, ...] = ()


def judge_folder(text: str, file: str, scope: str) -> Judged:
    """The skill of a ``SKILL.md``. The standard's rules about names are warnings only."""
    try:
        document = parse(text)
    except FrontmatterError as exc:
        return Judged(None, (f"{file}: not loaded: {exc}",))
    fields = document.fields
    if fields is None:
        return Judged(None, (f"{file}: not loaded: no frontmatter ('---' in line 1)",))
    description = _text(fields.get("description"))
    if not description.strip():
        return Judged(None, (f"{file}: not loaded: the description is missing",))
    folder = os.path.basename(os.path.dirname(file))
    name = _text(fields.get("name")).strip()
    problems = name_problems(name, folder) if name else []
    if not name or not name.isprintable():
        name = folder
    problems += length_problems(fields, description)
    skill = Skill(
        name,
        FOLDER,
        file,
        scope,
        document.body,
        description,
        fields.get("disable-model-invocation") is True,
        (),
        fields,
    )
    return Judged(skill, tuple(f"{file}: {problem}" for problem in problems))


def judge_flat(text: str, file: str, scope: str, *, managed: bool) -> Judged:
    """The skill of a ``NAME.md``. Outside the managed directory a file without a
    description is no skill (it may be a README)."""
    name = os.path.basename(file)[: -len(".md")]
    try:
        document = parse(text)
    except FrontmatterError as exc:
        return Judged(None, (f"{file}: not loaded: {exc}",))
    fields = document.fields or {}
    description = _text(fields.get("description"))
    if not description.strip():
        body = text if document.fields is None else document.body
        plain = Skill(name, PLAIN, file, scope, body, fields=fields)
        return Judged(plain if managed else None)
    other = _text(fields.get("name")).strip()
    aliases: tuple[str, ...] = ()
    problems = length_problems(fields, description)
    if other and other != name and other.isprintable():
        aliases = (other,)
        problems.insert(0, f"is named {other!r}; the file name {name!r} counts, both work")
    hidden = fields.get("disable-model-invocation") is True
    skill = Skill(name, FLAT, file, scope, document.body, description, hidden, aliases, fields)
    return Judged(skill, tuple(f"{file}: {problem}" for problem in problems))


def name_problems(name: str, folder: str) -> list[str]:
    """What the standard has against ``name``, of a skill in ``folder``."""
    if name == folder and len(name) <= MAX_NAME and NAME.fullmatch(name):
        return []
    import unicodedata  # only for other names

    name = unicodedata.normalize("NFKC", name)
    found = []
    if len(name) > MAX_NAME:
        found.append(f"the name has {len(name)} characters; {MAX_NAME} are allowed")
    if not all(sign == "-" or (sign.isalnum() and sign == sign.lower()) for sign in name):
        found.append(f"the name {name!r} has characters beside lower-case letters, digits, '-'")
    if name.startswith("-") or name.endswith("-") or "--" in name:
        found.append(f"the name {name!r} begins or ends with a hyphen, or has two in a row")
    if name != unicodedata.normalize("NFKC", folder):
        found.append(f"the name {name!r} is not that of its folder {folder!r}")
    return found


def length_problems(fields: Mapping[str, Value], description: str) -> list[str]:
    """What the standard has against the lengths of description and compatibility."""
    found = []
    if len(description) > MAX_DESCRIPTION:
        found.append(
            f"the description has {len(description)} characters; {MAX_DESCRIPTION} are allowed"
        )
    compatibility = _text(fields.get("compatibility"))
    if len(compatibility) > MAX_COMPATIBILITY:
        found.append(
            f"compatibility has {len(compatibility)} characters; {MAX_COMPATIBILITY} are allowed"
        )
    return found


def violations(text: str, file: str) -> tuple[str, ...]:
    """Everything the standard has against a ``SKILL.md``; nothing for a valid one."""
    judged = judge_folder(text, file, "explicit")
    found = list(judged.warnings)
    if judged.skill is not None and not _text(judged.skill.fields.get("name")).strip():
        found.append(f"{file}: the name is missing")
    return tuple(found)


def allowed_tools(fields: Mapping[str, Value]) -> tuple[str, ...]:
    """What the skill says it needs. Shown; it never widens what tools may do."""
    value = fields.get("allowed-tools")
    if isinstance(value, list):
        return tuple(value)
    return tuple(_text(value).split())


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""
