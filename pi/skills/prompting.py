"""What of skills is told to the model: chosen texts, the list of the others, a call."""

from __future__ import annotations

from pi.base.text import visible
from pi.skills.skill import FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.skills.skill import Skill

INTRODUCTION = (
    "The skills below give specialised instructions for certain tasks. When a task matches a "
    "description, read the file of that skill with the read tool first. Resolve relative paths "
    "in it against the folder of that file, and use absolute paths in tool calls."
)
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
ORDER = ("explicit", "project", "user", "settings")


def with_selected(base: str, skills: Sequence[Skill]) -> str:
    """``base`` with the whole text of each skill behind it."""
    parts = [base.rstrip()] if base.strip() else []
    for skill in skills:
        body = skill.body.strip()
        if skill.kind == FOLDER:
            body = f"References are relative to {visible(skill.folder)}.\n\n{body}"
        parts.append(f"# Skill: {visible(skill.name)}\n{body}")
    return "\n\n".join(parts)


def listing(skills: Sequence[Skill]) -> str:
    """The list of skills the model may read when it needs one; "" for none."""
    listed = [skill for skill in skills if skill.is_listed]
    if not listed:
        return ""
    listed.sort(key=lambda skill: (ORDER.index(skill.scope), skill.name))
    rows = ["<available_skills>"]
    for skill in listed:
        rows += [
            "  <skill>",
            f"    <name>{escaped(visible(skill.name))}</name>",
            f"    <description>{escaped(skill.description)}</description>",
            f"    <location>{escaped(visible(skill.file))}</location>",
            "  </skill>",
        ]
    rows.append("</available_skills>")
    return f"{INTRODUCTION}\n\n" + "\n".join(rows)


def invocation(skill: Skill, arguments: str = "") -> str:
    """The message of ``/skill:NAME arguments``."""
    message = (
        f'<skill name="{escaped(visible(skill.name))}" '
        f'location="{escaped(visible(skill.file))}">\n'
        f"References are relative to {visible(skill.folder)}.\n\n{skill.body.strip()}\n</skill>"
    )
    return f"{message}\n\n{arguments}" if arguments else message


def escaped(text: str) -> str:
    return text.translate(ESCAPES)
