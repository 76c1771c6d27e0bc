"""Commands that a person lets through although they are not on the list.

Only a name that is merely missing from the list can be let through: what a rule refuses for
a reason of its own stays refused.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple
from pi.tools.decision import ALLOW, Step
from pi.tools.shell.pattern import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.tools.decision import Decision

    Check = Callable[[str, str], Decision]

MOST_NAMES = 8  # that one question is about
# A name with a star would be the beginning of many; others could not be shown as they are.
_NAME = pattern(r"[A-Za-z0-9_.+-]{1,64}")


def is_name(text: object) -> bool:
    """Whether this may be the name of a command that is let through."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


class _Once(NamedTuple):
    command: str
    cwd: str
    names: tuple[str, ...]


class Allowing:
    """The word on commands, as the rule and a person give it.

    ``make`` gives the rule's check with these names added to its list. ``kept`` gives the
    names that were let through for good; it is asked when the first name is missing.
    """

    def __init__(
        self, make: Callable[[tuple[str, ...]], Check], kept: Callable[[], Sequence[str]]
    ) -> None:
        self._make = make
        self._kept: Callable[[], Sequence[str]] | None = kept
        self._names: tuple[str, ...] = ()
        self._check = make(())
        self._once: _Once | None = None

    def check(self, command: str, cwd: str) -> Decision:
        """The word on ``command``; what was allowed once counts but once."""
        once = self._once
        if once is None or once[:2] != (command, cwd):
            return self._judge(command, cwd)
        self._once = None
        decision = self._make((*self._names, *once.names))(command, cwd)
        told = Step("allowed_commands", ALLOW, f"the user allowed {', '.join(once.names)} once")
        return decision._replace(steps=(*decision.steps, told)) if decision.allowed else decision

    def wanted(self, command: str, cwd: str) -> tuple[str, ...]:
        """The names without which ``command`` is refused and with which it is allowed; none
        if it is allowed, or refused for another reason too. Forgets what was allowed once."""
        self._once = None
        decision = self._judge(command, cwd)
        names: tuple[str, ...] = ()
        while not decision.allowed:
            name = decision.missing
            if name in names or not is_name(name) or len(names) == MOST_NAMES:
                return ()
            names = (*names, name)
            decision = self._make((*self._names, *names))(command, cwd)
        return names

    def allow_once(self, command: str, cwd: str, names: tuple[str, ...]) -> None:
        """Let these names through in ``command`` when it is judged next."""
        self._once = _Once(command, cwd, names)

    def allow(self, names: Sequence[str]) -> None:
        """Let these names through from now on."""
        added = tuple(name for name in dict.fromkeys(names) if name not in self._names)
        if added:
            self._names = (*self._names, *added)
            self._check = self._make(self._names)

    def _judge(self, command: str, cwd: str) -> Decision:
        decision = self._check(command, cwd)
        if decision.missing and self._kept is not None:
            kept, self._kept = self._kept, None
            self.allow([name for name in kept() if is_name(name)])
            decision = self._check(command, cwd)
        return decision
