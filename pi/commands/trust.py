"""``/trust``: whether what this folder brings along (settings, templates, macros) counts."""

from __future__ import annotations

from pi.base.errors import PiError, UsageError
from pi.base.text import visible
from pi.base.typing import Any
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext

NO_PROJECT = "this is no project: the home folder and / cannot be approved"


def trust(arguments: Arguments, context: CommandContext) -> Result:
    """Approve the folder, take that back, or list all answers. A yes is kept only if what
    the folder brings along can be used.

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
    before = state["folders"].get(state["root"])
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
        take_back = (lambda: change(before)) if word == "trusted" else None
        notes = _counting(reload, take_back)
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
    question = f"{visible(state['root'])} brings {things}. Do you trust this folder?"
    if context.interactive and not context.confirm(question):
        raise UsageError(
            "the folder was not approved",
            cause="only a person on a terminal or a command file with /trust --yes can do that",
            hint="pi --trust-project trusts it for one run",
        )


def _counting(reload: Callable[[], list[str]], take_back: Callable[[], bool] | None) -> list[str]:
    """Let a new answer count at once. A yes is taken back if that fails, or every start
    from then on would; a yes that was revoked stays so."""
    try:
        return reload()
    except BaseException as exc:
        if take_back is not None:
            take_back()
        if isinstance(exc, PiError):
            told = "was not approved" if take_back is not None else "is not approved any more"
            exc.hint = f"{exc.hint}; the folder {told}".lstrip("; ")
        raise


def listed(state: dict[str, Any]) -> Result:
    """All answers, by folder."""
    folders: dict[str, bool] = state["folders"]
    lines = [f"trust list: count={len(folders)}"]
    lines += [
        f"  {'trusted' if answer else 'refused'} {folder}" for folder, answer in folders.items()
    ]
    return Result(tuple(lines), {"folders": folders})
