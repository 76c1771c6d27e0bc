"""What slash commands may ask of the run, one row each: made when first asked for.

A row's maker is ``maker(conversation) -> function``; the function is what a handler finds
in ``context.services`` under the row's name. A maker that returns None says that this run
has no such service.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from pi.cli.conversation import Conversation

SERVICES: dict[str, str] = {
    "compact": "pi.cli.script_services:compact",
    "monotonic": "pi.cli.script_services:monotonic",
    "policy": "pi.cli.script_services:policy",
    "stdin": "pi.cli.script_services:stdin",
}


class Services(Mapping[str, "Callable[..., Any]"]):
    """The services of one conversation, by name."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._made: dict[str, Callable[..., Any] | None] = {}

    def __getitem__(self, name: str) -> Callable[..., Any]:
        if name not in self._made:
            module, _, function = SERVICES[name].partition(":")
            self._made[name] = getattr(import_module(module), function)(self._conversation)
        made = self._made[name]
        if made is None:
            raise KeyError(name)
        return made

    def __iter__(self) -> Iterator[str]:
        return (name for name in SERVICES if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
