"""Names that an installed skill may have, and the name that an address gives it. Pure."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from pi.skills.archive import ENDINGS, is_archive
from pi.skills.installed import is_kept

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.I)


def name_problem(name: str) -> str:
    """Why ``name`` cannot be the name of an installed skill; "" if it can."""
    if not NAME.fullmatch(name):
        return "expected letters, digits, '.', '_' and '-', beginning with a letter or digit"
    if DEVICES.fullmatch(name):
        return "it is the name of a device on some systems"
    if name.endswith("."):
        return "it ends in a dot"
    return ""


def folder_name_problem(name: str) -> str:
    """Why ``name`` cannot be the name of a skill that is a folder; "" if it can."""
    if name.lower().endswith(".md"):
        return "a folder of that name would stand where a flat skill stands"
    if not is_kept(name):
        return "files of that name belong to no skill"
    return name_problem(name)


def last_segment(url: str, position: int) -> str:
    """The file name in ``url``: its last part that is not empty, unquoted once; else one
    made of ``position`` (from 1)."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return unquote(parts[-1], errors="strict") if parts else f"remote-skill-{position}"


def name_from_url(url: str, position: int) -> str:
    """The name a skill at ``url`` is installed under, without ``.md``. Not yet judged.

    ``.../DIR/SKILL.md`` is named after DIR. Raises UnicodeDecodeError for a part that is
    no text when unquoted.
    """
    segment = last_segment(url, position)
    if segment == "SKILL.md":
        parts = [part for part in urlsplit(url).path.split("/") if part]
        return unquote(parts[-2], errors="strict") if len(parts) > 1 else segment
    if is_archive(segment):
        return segment[: -len(next(end for end in ENDINGS if segment.lower().endswith(end)))]
    return segment[:-3] if segment.endswith(".md") else segment
