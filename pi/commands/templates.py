"""Prompt templates as commands: the list of them, and ``/name arguments``.

Needs the service "templates": () -> the templates by name. What a template makes of its
arguments is run by ``dispatch`` as ``/prompt`` would run it.
"""

from __future__ import annotations

from pi.base.errors import PiError
from pi.base.typing import Any
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.commands.expansion import Template


def templates(arguments: Arguments, context: CommandContext) -> Result:
    """List the templates."""
    found = _known(context)
    lines = [f"templates: count={len(found)}"]
    for template in found.values():
        usage = f"/{template.name} {template.arguments}".rstrip()
        lines.append(f"  {usage} ({template.level}): {template.description}")
    if not found:
        lines.append("  put Markdown files into .pi/prompts, or prompts in your own pi folder")
    rows = [
        {
            "name": template.name,
            "level": template.level,
            "path": template.path,
            "description": template.description,
            "arguments": template.arguments,
        }
        for template in found.values()
    ]
    return Result(tuple(lines), {"templates": rows})


def template_names(context: CommandContext) -> tuple[str, ...]:
    """What can be typed for a template, with its slash."""
    return tuple(f"/{name}" for name in _known(context))


def find_template(name: str, context: CommandContext) -> Template | None:
    """The template behind a typed ``/name``, None if there is none."""
    found = _known(context)
    typed = name[1:]
    return found.get(typed) or found.get(typed.lower())


def template_prompt(name: str, raw: str, context: CommandContext) -> str | None:
    """The prompt that a typed ``/name arguments`` stands for, None if no template has that
    name. Raises PiError for one that comes to nothing."""
    template = find_template(name, context)
    if template is None:
        return None
    from pi.commands.expansion import expand, split_arguments

    text = expand(template.body, split_arguments(raw))
    if not text.strip():
        raise PiError(
            f"/{template.name} makes an empty prompt",
            cause=f"{template.path} holds nothing but places for arguments",
            hint=f"usage: /{template.name} {template.arguments or '<arguments>'}",
            code="empty-prompt",
        )
    return text


def _known(context: CommandContext) -> Mapping[str, Template]:
    service = context.services.get("templates")
    found: Any = service() if service is not None else {}
    known: Mapping[str, Template] = found
    return known
