"""Services about the conversation: prompts, its model, a new session, what it has used."""

from __future__ import annotations

import os

from pi.base.errors import PiError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.agent.events import AgentEnd
    from pi.ai.models import ModelRef
    from pi.cli.conversation import Conversation
    from pi.cli.settings import ModelSettings


def prompt(run: Conversation) -> Callable[[str], AgentEnd]:
    """``prompt(text)``: run one prompt. Where prompts come one by one, its answer is printed
    as it comes; elsewhere ``answer`` has it."""

    def ask(text: str) -> AgentEnd:
        from pi.cli.asking import ask_now  # with it come models and tools

        return ask_now(run, text, shown=run.interactive)

    return ask


def answer(run: Conversation) -> Callable[[], str]:
    """The text of the last answer."""
    return lambda: run.answer


def cost(run: Conversation) -> Callable[[], dict[str, object]]:
    """What the run has used so far: requests, total_tokens, cost_usd; {} if it asked no
    model."""
    return run.totals


def model_info(run: Conversation) -> Callable[[], dict[str, Any]]:
    """Which model answers."""

    def info() -> dict[str, Any]:
        model = run.settings.model
        return {
            "model": str(model.ref),
            "fallbacks": [str(ref) for ref in model.fallbacks],
            "thinking": model.thinking or None,
        }

    return info


def switch_model(run: Conversation) -> Callable[[str], dict[str, Any]]:
    """``switch_model(ref)``: the next prompt goes to another model. Returns its info.

    Raises UsageError, MissingKey, ConfigError; then nothing has changed.
    """
    began_with = run.settings.model

    def switch(text: str) -> dict[str, Any]:
        from pi.ai.models import parse_model
        from pi.cli.settings import known_model

        ref = known_model(parse_model(text, "/model"), "/model")
        model = model_settings(began_with, ref)
        run.switch_model(run.settings._replace(model=model))
        return model_info(run)()

    return switch


def model_settings(began_with: ModelSettings, ref: ModelRef) -> ModelSettings:
    """The settings for ``ref``, out of those of the command line. Pure.

    What was said there of the first model's provider (address, key, wire format) is not
    said of another vendor, and must not reach it.
    """
    fallbacks = tuple(other for other in began_with.fallbacks if other != ref)
    model = began_with._replace(ref=ref, fallbacks=fallbacks)
    if ref.provider == began_with.ref.provider:
        return model
    return model._replace(
        bases={name: base for name, base in model.bases.items() if name != "--api-base"},
        api_base_typed=False,
        keys={name: key for name, key in model.keys.items() if name != "--api-key"},
        api_format="",
    )


def new_session(run: Conversation) -> Callable[[str], str]:
    """``new_session(name)``: begin a conversation without a past, under a name or a path, or
    one made of the time. Returns its path, "" if the run keeps none."""

    def begin(name: str) -> str:
        session = run.settings.session
        if session.path is None:
            if name:
                hint = "start pi without --no-session"
                raise PiError("session is disabled", hint=hint, code="session-disabled")
            run.switch_session(run.settings)
            return ""
        path = _unused(name, run.host.local_time(run.host.now_ms()))
        fresh = session._replace(
            path=path, asked_for=True, branch_from=None, which="named", fork=""
        )
        run.switch_session(run.settings._replace(session=fresh))
        return path

    return begin


def _unused(name: str, time: str) -> str:
    """A path where no session is yet. Raises UsageError for a name that is taken."""
    from pi.sessions.shelf import path_of

    if name:
        path = path_of(name)
        if os.path.lexists(path):
            raise UsageError(
                f"/new {name}: {path} is already there",
                hint=f"choose another name, or go on with it: pi --session {name}",
            )
        return os.path.join(".", path) if os.sep not in path else path
    stem = time.replace(" ", "-").replace(":", "")
    number = 1
    while os.path.lexists(path := path_of(f"{stem}{f'-{number}' if number > 1 else ''}")):
        number += 1
    return path
