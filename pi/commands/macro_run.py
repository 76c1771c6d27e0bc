"""``/macro run``: plan, ask where the macro is somebody else's, run, count truthfully."""

from __future__ import annotations

from pi.base.errors import Interrupted, PiError, PolicyRefused
from pi.base.text import visible
from pi.base.typing import Any
from pi.commands.approvals import Answers, digest
from pi.commands.credentials import repeatable
from pi.commands.dispatch import run_line
from pi.commands.macro_plan import check, expand, takes
from pi.commands.macro_text import read_values
from pi.commands.result import Result
from pi.runtime.report import error_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.commands.macro_plan import Macro, Step
    from pi.commands.macro_shelf import Shelf


def run(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    """Run a macro. Raises BadLine for one that cannot run and PolicyRefused for one that
    may not; a command that fails is in the result."""
    found = shelf.find(arguments.word(1))
    reached = check(found, shelf.find)
    steps = expand(found, read_values(arguments.words[2:], takes(found)), shelf.find)
    if "dry-run" in arguments.options:
        head = f"{_head(found)} mode=dry-run commands={len(steps)}"
        plan = [f"plan: command={visible(step.line)}" for step in steps]
        data = {**_about(found), "mode": "dry-run", "commands": len(steps)}
        data["plan"] = [step.data() for step in steps]
        return Result((head, *plan), data)
    if not allowed(reached, arguments, context):
        return Result(("not done",), {**_about(found), "done": False})
    return _apply(found, steps, context, keep_going="keep-going" in arguments.options)


def allowed(reached: Sequence[Macro], arguments: Arguments, context: CommandContext) -> bool:
    """Whether the macros may run: the user's own, those he approved, those of a folder he
    trusts. A person is asked, once for each content. Raises PolicyRefused for a script."""
    foreign = unapproved(reached, context)
    if not foreign or "trust-project" in arguments.options:
        return True
    names = ", ".join(f"'{visible(macro.name)}'" for macro in foreign)
    if not context.interactive:
        raise PolicyRefused(
            f"macro {names} came with this folder, and nobody has approved it",
            hint=f"look at it with /macro show {foreign[0].name}, then add --trust-project",
            code="project-not-trusted",
        )
    lines = [f"  {visible(line)}" for macro in foreign for line in macro.lines]
    where = visible(foreign[0].path)
    question = "\n".join(
        (f"Macro {names} came with this folder ({where}) and runs:", *lines, "Run it?")
    )
    if not context.confirm(question):
        return False
    try:
        digests = {f"macro:{macro.name}": digest(macro.lines) for macro in foreign}
        Answers(context.environ, context.random_bytes).approve(foreign[0].path, digests)
    except PiError:
        pass  # it is asked again next time
    return True


def unapproved(reached: Sequence[Macro], context: CommandContext) -> tuple[Macro, ...]:
    """The macros that are the project's and that nobody has approved."""
    answers = Answers(context.environ, context.random_bytes)
    foreign = [
        macro
        for macro in reached
        if macro.level == "project"
        and not answers.is_approved(macro.path, f"macro:{macro.name}", digest(macro.lines))
    ]
    trusted = context.services.get("trusted") if foreign else None
    return () if trusted is not None and trusted() else tuple(foreign)


def _apply(
    found: Macro, steps: Sequence[Step], context: CommandContext, *, keep_going: bool
) -> Result:
    """Run the steps; stop at the first that fails unless told to go on.

    With the service "fresh_context": (confirm) -> CommandContext each step gets a new one.
    """
    lines: list[str] = []
    rows: list[dict[str, Any]] = []
    failures: list[PiError] = []
    leave = False
    fresh = context.services.get("fresh_context")
    for step in steps:
        outcome = run_line(step.line, fresh(context.confirm) if fresh is not None else context)
        error = outcome.result.error
        lines += outcome.lines
        rows.append({**step.data(), "ok": error is None, "data": outcome.result.data})
        rows[-1]["text"] = list(outcome.result.text)
        leave = outcome.result.leave
        if error is not None:
            rows[-1]["error"] = error_data(error)
            failures.append(_stopped(found, step, error))
            lines.append(visible(_error_line(found, step, error)))
        if leave or (error is not None and not (keep_going and not _is_over(error))):
            break
    counts = {"commands": len(steps), "executed": len(rows), "failed": len(failures)}
    tail = f" failed={len(failures)}" if failures else ""
    head = f"{_head(found)} mode=apply commands={len(steps)} executed={len(rows)}{tail}"
    lines.append(visible(head))
    data = {**_about(found), "mode": "apply", **counts, "steps": rows}
    first = failures[0] if failures else None
    return Result(tuple(lines), data, first, leave, verbatim=True)  # those of commands may be


def _is_over(error: PiError) -> bool:
    """Whether the user wanted everything to stop."""
    return error.exit_code == Interrupted.exit_code


def _stopped(found: Macro, step: Step, error: PiError) -> PiError:
    """The failure of a macro: which command of which macro, and why."""
    of = f" (called by '{found.name}')" if step.macro != found.name else ""
    line = visible(repeatable(step.line))
    why = PiError(
        f"macro '{visible(step.macro)}'{of}: command #{step.number} {line}: {error.message}",
        cause=error.cause,
        hint=error.hint,
        code=error.code,
    )
    why.exit_code = error.exit_code
    return why


def _error_line(found: Macro, step: Step, error: PiError) -> str:
    within = f" (command #{step.number} of '{step.macro}')" if step.macro != found.name else ""
    return (
        f"macro error: path={found.path} name={found.name} command={repeatable(step.line)} "
        f"error={error.message}{within}"
    )


def _head(found: Macro) -> str:
    return f"macro run: path={found.path} name={found.name}"


def _about(found: Macro) -> dict[str, Any]:
    return {"path": found.path, "name": found.name, "level": found.level}
