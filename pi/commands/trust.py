"""``/trust``: whether what this folder brings along (settings, templates, macros) counts."""

from __future__ import annotations

from typing import Any

from pi.base.errors import PiError, UsageError
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext

NO_PROJECT = "this is no project: the home folder and / cannot be approved"


def trust(arguments: Arguments, context: CommandContext) -> Result:
    """Approve the folder, take that back, or list all answers.

    Needs the services "trust_state" () -> {"root", "trusted", "things", "folders"} and
    "trust" (bool | None) -> whether that changed anything; "reload" makes it count.
    """
    state_of, change = context.services.get("trust_state"), context.services.get("trust")
    if state_of is None or change is None:
        raise PiError("there is nothing to trust here", code="no-conversation")
    if "list" in arguments.options:
        return listed(state_of())
    state: dict[str, Any] = state_of()
    if not state["root"]:
        raise UsageError(NO_PROJECT, code="no-project")
    if "revoke" in arguments.options:
        changed = change(None)
        word = "revoked" if changed else "was_not_trusted"
    else:
        _ask(arguments, context, state)
        changed = change(True)
        word = "trusted" if changed else "already_trusted"
    notes: list[str] = []
    reload = context.services.get("reload")
    if changed and reload is not None:
        notes = reload()
    things = ", ".join(state["things"]) or "nothing yet"
    line = f"trust: root={state['root']} status={word} brings={things}"
    data = {**state, "trusted": "revoke" not in arguments.options, "changed": changed}
    return Result((line, *(f"  {note}" for note in notes)), {**data, "notes": notes})


def _ask(arguments: Arguments, context: CommandContext, state: dict[str, Any]) -> None:
    """Raise UsageError unless the user said so: a person on a terminal, or a command file
    with --yes. Lines through a pipe may be anybody's words, whatever is in them."""
    if not context.interactive and "yes" not in arguments.options:
        raise UsageError(
            "a script approves a folder only with --yes",
            hint="/trust --yes, or start pi with --trust-project for one run",
        )
    things = ", ".join(state["things"]) or "nothing yet"
    question = f"{state['root']} brings {things}. Do you trust this folder?"
    if context.interactive and not context.confirm(question):
        raise UsageError(
            "the folder was not approved",
            hint="only a person on a terminal or a command file with /trust --yes can do that; "
            "--trust-project is for one run",
        )


def listed(state: dict[str, Any]) -> Result:
    """All answers, by folder."""
    folders: dict[str, bool] = state["folders"]
    lines = [f"trust list: count={len(folders)}"]
    lines += [
        f"  {'trusted' if answer else 'refused'} {folder}" for folder, answer in folders.items()
    ]
    return Result(tuple(lines), {"folders": folders})
