"""What the tool policy says of one call, without making it.

The same parts decide as in a run: the command rule, the path rule, the sandbox's word on
whether commands start at all. Nothing is opened, started or written, except that a sandbox
is tried out (once) where one is asked for.
"""

from __future__ import annotations

from pi.base.errors import UsageError
from pi.base.text import secret_values
from pi.base.typing import Any
from pi.cli.toolbox import build_sandbox, command_judge, private_files, roots
from pi.tools import TOOLS
from pi.tools.decision import ALLOW, DENY, Step
from pi.tools.guarded import guarded_in
from pi.tools.outcome import Missing, ToolFailure
from pi.tools.paths import PathRule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.base.host import Host
    from pi.cli.tool_settings import ToolSettings
    from pi.tools.places import Place

# How a path is looked at that is not only to be read.
LOOKS: dict[str, Callable[[PathRule, str, str], Place]] = {
    "write": PathRule.writable,
    "edit": lambda rule, path, cwd: rule.existing(path, cwd, writes=True),
}


def check_call(
    settings: ToolSettings, host: Host, cwd: str, tool: str, argument: str
) -> dict[str, Any]:
    """The word on one call: ``decision``, ``rule``, ``reason`` and the ``steps`` to it.

    ``argument`` is the command of bash, the path of any other tool. Raises UsageError for
    a tool that pi does not have.
    """
    if tool not in TOOLS:
        raise UsageError(f"there is no tool {tool!r}", hint=f"tools: {', '.join(TOOLS)}")
    if tool not in settings.names:
        step = Step("tools", DENY, f"the model does not get '{tool}' in this run")
        return _verdict(tool, argument, [step], "tools", step.detail)
    steps = [Step("tools", ALLOW, f"the model gets '{tool}'")]
    judge = _command if tool == "bash" else _path_of(tool)
    return judge(settings, host, cwd, tool, argument, steps)


def _command(
    settings: ToolSettings, host: Host, cwd: str, tool: str, command: str, steps: list[Step]
) -> dict[str, Any]:
    secrets = secret_values(host.environ)
    decision = command_judge(settings, host, cwd, secrets, lambda text: None).check(command, cwd)
    steps += decision.steps
    if not decision.allowed:
        return _verdict(tool, command, steps, decision.rule, decision.error)
    sandbox = build_sandbox(settings, host, cwd)
    if sandbox.mode == "force" and not sandbox.describe().get("confined"):
        reason = str(sandbox.describe().get("reason") or "no launcher works here")
        steps.append(Step("os_sandbox_mode", DENY, reason))
        return _verdict(tool, command, steps, "os_sandbox_mode", f"no sandbox: {reason}")
    steps.append(Step("os_sandbox_mode", ALLOW, f"sandbox mode '{sandbox.mode}'"))
    return _verdict(tool, command, steps)


def _path_of(tool: str) -> Callable[..., dict[str, Any]]:
    def judge(
        settings: ToolSettings, host: Host, cwd: str, tool: str, path: str, steps: list[Step]
    ) -> dict[str, Any]:
        policy = settings.policy
        rule = PathRule(
            roots(settings, cwd),
            enforce_regular_files=policy.enforce_regular_files,
            guards_secrets=policy.preset != "permissive",
            private_files=private_files(settings, cwd, host.environ),
            guarded=guarded_in(policy, roots(settings, cwd)),
        )
        try:
            place = LOOKS.get(tool, PathRule.existing)(rule, path, cwd)
        except Missing as exc:
            steps.append(Step("path", ALLOW, f"no rule refuses it, but {exc.error}"))
            return _verdict(tool, path, steps)
        except ToolFailure as exc:
            steps.append(Step(exc.rule or "path", DENY, exc.error))
            return _verdict(tool, path, steps, exc.rule or "path", exc.error)
        steps.append(Step("path", ALLOW, f"'{place.resolved}' is below '{place.root}'"))
        return _verdict(tool, path, steps)

    return judge


def _verdict(
    tool: str, argument: str, steps: list[Step], rule: str = "", reason: str = ""
) -> dict[str, Any]:
    return {
        "tool": tool,
        "argument": argument,
        "decision": DENY if reason else ALLOW,
        "rule": rule or None,
        "reason": reason or None,
        "steps": [step._asdict() for step in steps],
    }
