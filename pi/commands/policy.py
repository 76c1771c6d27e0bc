"""``/policy``: what tools may do and who said so; ``/policy check``: what of one call;
``/policy forget``: take back that a command was let through."""

from __future__ import annotations

from pi.base.errors import PiError, PolicyRefused, UsageError
from pi.base.text import visible
from pi.base.typing import Any
from pi.commands.arguments import ArgumentError
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext

CHECK_USAGE = "usage: /policy check <tool> <command or path>"
FORGET_USAGE = "usage: /policy forget <command>"
# What stands in the report about the machine rather than the policy.
MACHINE = ("sandbox", "bash_confined", "schema_version")


def policy(arguments: Arguments, context: CommandContext) -> Result:
    """The policy in force, or its word on one call."""
    if arguments.words[:1] == ("check",):
        return _check(arguments, context)
    if arguments.words[:1] == ("forget",):
        return _forget(arguments, context)
    if arguments.words:
        raise ArgumentError(f"unexpected {arguments.words[0]!r}", is_count=True)
    report = _service(context, "policy")()
    sources = context.services.get("policy_sources")
    found: Mapping[str, str] = sources() if sources is not None else {}
    data = {**report, "sources": dict(found)}
    return Result(text_lines(report, found), data, legacy=report)


def text_lines(report: Mapping[str, Any], sources: Mapping[str, str]) -> tuple[str, ...]:
    """The policy for a person: each value, and in brackets where it came from."""
    lines = [f"policy: preset={report['preset']}{_from(sources.get('preset', ''))}"]
    lines += [
        f"  {name}={_value(value)}{_from(sources.get(name, ''))}"
        for name, value in report.items()
        if name not in MACHINE and name != "preset"
    ]
    sandbox = report.get("sandbox") or {}
    held = "true" if report.get("bash_confined") else "false"
    facts = " ".join(f"{name}={_value(value)}" for name, value in sandbox.items() if value)
    return (*lines, f"here: bash_confined={held} {facts}".rstrip())


def _check(arguments: Arguments, context: CommandContext) -> Result:
    tool, argument = split_call(arguments.raw)
    if not tool or not argument:
        missing = UsageError("/policy check: something is missing", hint=CHECK_USAGE)
        return Result((CHECK_USAGE,), error=missing)
    word = _service(context, "policy_check")(tool, argument)
    head = f"policy check: tool={tool} decision={word['decision']}"
    if word["rule"]:
        head += f" rule={word['rule']}"
    lines = [head]
    if word["reason"]:
        lines.append(f"  reason: {word['reason']}")
    lines += [f"  {step['outcome']}: {step['check']}: {step['detail']}" for step in word["steps"]]
    error = None
    if word["decision"] != "allow":
        error = PolicyRefused(f"{tool} is refused: {word['reason']}", code="policy-refused")
    return Result(tuple(lines), word, error)


def _forget(arguments: Arguments, context: CommandContext) -> Result:
    names = arguments.words[1:]
    if len(names) != 1:
        wrong = UsageError("/policy forget takes the name of one command", hint=FORGET_USAGE)
        return Result((FORGET_USAGE,), error=wrong)
    name = names[0]
    forgotten = _service(context, "forget_command")(name)
    line = f"policy forget: command={visible(name)} forgotten={'true' if forgotten else 'false'}"
    return Result((line,), {"command": name, "forgotten": forgotten})


def split_call(raw: str) -> tuple[str, str]:
    """The tool and its argument as typed behind ``check``: quotes and flags there belong to
    the command, not to us; our own ``--json`` stands before the tool."""
    words: list[str] = []
    rest = raw.strip()
    while rest and len(words) < 2:
        word, rest = (*rest.split(None, 1), "")[:2]
        if word != "--json":
            words.append(word)
    tool = words[1] if len(words) > 1 else ""
    return tool, rest[len("-- ") :].lstrip() if rest.startswith("-- ") else rest


def _service(context: CommandContext, name: str) -> Callable[..., Any]:
    service = context.services.get(name)
    if service is None:
        raise PiError("this run has no tool policy", code="no-policy")
    return service


def _from(source: str) -> str:
    return f" [{source}]" if source else ""


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ",".join(f"{name}:{_value(each)}" for name, each in value.items()) or "none"
    return "none" if value in (None, "") else str(value)
