"""What the policy says of a call, with the trace of why."""

from __future__ import annotations

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

ALLOW = "allow"
DENY = "deny"


class Step(NamedTuple):
    """One check and its outcome, "allow" or "deny"; the trace ends at the first deny."""

    check: str
    outcome: str
    detail: str


class Decision(NamedTuple):
    """The word on one command. ``rule``, ``error`` and ``fields`` (further fields of the
    error result, such as the list of allowed commands) are set when it is refused;
    ``missing`` is the name of the command if all that is wrong is that it is not listed.
    """

    steps: tuple[Step, ...] = ()
    rule: str = ""
    error: str = ""
    fields: Mapping[str, Any] = {}
    missing: str = ""

    @property
    def allowed(self) -> bool:
        return not self.error
