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
    "columns": "pi.cli.help:columns_for_commands",
    "catalog": "pi.cli.diagnostic_services:catalog",
    "answer": "pi.cli.conversation_services:answer",
    "compact": "pi.cli.script_services:compact",
    "cost": "pi.cli.conversation_services:cost",
    "model_info": "pi.cli.conversation_services:model_info",
    "new_session": "pi.cli.conversation_services:new_session",
    "prompt": "pi.cli.conversation_services:prompt",
    "switch_model": "pi.cli.conversation_services:switch_model",
    "doctor": "pi.cli.diagnostic_services:doctor",
    "logs": "pi.cli.diagnostic_services:logs",
    "policy_check": "pi.cli.diagnostic_services:policy_check",
    "policy_sources": "pi.cli.diagnostic_services:policy_sources",
    "forget_command": "pi.cli.diagnostic_services:forget_command",
    "monotonic": "pi.cli.script_services:monotonic",
    "policy": "pi.cli.script_services:policy",
    "apply_profile": "pi.cli.profile_services:apply_profile",
    "fresh_context": "pi.cli.macro_services:fresh_context",
    "profile_given": "pi.cli.profile_services:profile_given",
    "profile_values": "pi.cli.profile_services:profile_values",
    "reload": "pi.cli.config_services:reload",
    "secrets": "pi.cli.script_services:secrets",
    "skill_catalogue": "pi.cli.skill_services:skill_catalogue",
    "skill_to_call": "pi.cli.skill_services:skill_to_call",
    "skills": "pi.cli.skill_services:skills",
    "skills_changed": "pi.cli.skill_services:skills_changed",
    "skills_do": "pi.cli.skill_services:skills_do",
    "skills_in_use": "pi.cli.skill_services:skills_in_use",
    "skills_selected": "pi.cli.skill_services:skills_selected",
    "stdin": "pi.cli.script_services:stdin",
    "templates": "pi.cli.config_services:templates",
    "trust": "pi.cli.config_services:trust",
    "trust_state": "pi.cli.config_services:trust_state",
    "trusted": "pi.cli.config_services:trusted",
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
