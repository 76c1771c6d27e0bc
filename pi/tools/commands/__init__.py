"""The policy's word on shell commands.

An allow list is a guard against mistakes, not a security boundary; the sandbox is.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.tools.commands.rule import CommandRule
    from pi.tools.decision import Decision
    from pi.tools.policy import Policy


def command_check(
    policy: Policy, roots: Sequence[str], environ: Mapping[str, str]
) -> Callable[[str, str], Decision]:
    """What ``Toolkit.check_command`` wants: ``CommandRule.check``, loaded when first asked."""
    made: list[CommandRule] = []

    def check(command: str, cwd: str) -> Decision:
        if not made:
            # What judges a first command costs 4 ms, and many runs have no command.
            from pi.tools.commands.rule import CommandRule

            made.append(CommandRule(policy, roots, environ))
        return made[0].check(command, cwd)

    return check
