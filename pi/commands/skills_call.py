"""``/skill:NAME arguments``: a skill's text as the next prompt."""

from __future__ import annotations

from pi.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.commands.context import CommandContext

PREFIX = "/skill:"


def skill_prompt(name: str, arguments: str, context: CommandContext) -> str | None:
    """The prompt that a typed name means, None if it names no skill at all.

    Raises UsageError for an unknown skill, and for one whose text the model has already
    (unless there are arguments, which are new).
    """
    if not name.startswith(PREFIX):
        return None
    from pi.commands.skills_told import service
    from pi.skills.prompting import invocation

    text = invocation(service(context, "skill_to_call")(name[len(PREFIX) :]), arguments)
    if not arguments and context.store is not None:
        for message in context.store.context().messages:
            if message.role == "user" and text in message.text():
                raise UsageError(
                    f"the model has read the skill '{name[len(PREFIX) :]}' already",
                    hint="give arguments to call it once more",
                )
    return text
