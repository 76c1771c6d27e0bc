"""Hides secrets in what a run writes down: a model may repeat what a user pasted.

Results are redacted before anybody sees them (``pi.agent.hooks``); this is for the rest:
prompts, answers, the arguments of calls. The conversation in memory stays as it was; who
resumes it from the file gets the redacted one.
"""

from __future__ import annotations

from pi.agent.events import MessageAdded, ToolEnd, ToolStart, ToolUpdate
from pi.ai.types import Image
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.agent.events import AgentEvent

CALLS: tuple[type, ...] = (ToolStart, ToolEnd, ToolUpdate)
EVERYTHING: tuple[type, ...] = (MessageAdded, *CALLS)
MAX_DEPTH = 200
TOO_DEEP = "[nested too deep to be searched for secrets]"


def redacting(
    sink: Callable[[AgentEvent], None],
    hide: Callable[[str], str],
    kinds: tuple[type, ...] = EVERYTHING,
) -> Callable[[AgentEvent], None]:
    """``sink`` with ``hide`` applied to every text of the events of ``kinds`` it gets."""

    def hiding(event: AgentEvent) -> None:
        sink(hidden(event, hide) if isinstance(event, kinds) else event)

    return hiding


def hidden(value: Any, hide: Callable[[str], str], depth: int = 0) -> Any:
    """``value`` with ``hide`` applied to every string in it; itself if that changes nothing.

    What was signed by a vendor and is changed loses its signature, which would not fit.
    """
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, Image):
        return value
    if depth > MAX_DEPTH:
        return TOO_DEEP if isinstance(value, (dict, list, tuple)) else value
    if isinstance(value, dict):
        found = {hide(str(name)): hidden(item, hide, depth + 1) for name, item in value.items()}
        return value if found == value else found
    if not isinstance(value, (tuple, list)):
        return value
    items = [hidden(item, hide, depth + 1) for item in value]
    if all(new is old for new, old in zip(items, value)):
        return value
    if isinstance(value, list):
        return items
    fields = getattr(value, "_fields", None)
    if fields is None:
        return tuple(items)
    changed = type(value)(*items)
    return changed._replace(signature=None) if "signature" in fields else changed  # type: ignore[attr-defined]
