"""Services of every run: the session's summary, the policy in force, the clock, stdin."""

from __future__ import annotations

from pi.base.errors import PiError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.agent.events import AutoCompactionEnd
    from pi.cli.conversation import Conversation


def compact(run: Conversation) -> Callable[[str], AutoCompactionEnd] | None:
    """``compact(focus)``: summarise the older part of the conversation."""
    if run.store is None and not run.interactive:
        return None

    def compacted(focus: str) -> AutoCompactionEnd:
        from pi.cli.asking import compact_now  # with it come models and tools

        return compact_now(run, focus)

    return compacted


def monotonic(run: Conversation) -> Callable[[], float]:
    """Seconds that only go forward."""
    return run.host.monotonic


def policy(run: Conversation) -> Callable[[], dict[str, Any]]:
    """The policy in force, as data."""

    def report() -> dict[str, Any]:
        from pi.cli.toolbox import policy_report  # with it come the tools

        return policy_report(run.settings.tools, run.host, run.cwd, run.alarm)

    return report


def secrets(run: Conversation) -> Callable[[], tuple[str, ...]]:
    """What of the environment and the settings must not be shown."""
    return lambda: run.secrets


def stdin(run: Conversation) -> Callable[[], bytes] | None:
    """All of standard input, where nothing else of the run reads it."""
    if not run.stdin_is_free:
        return None
    stream = run.host.stdin

    def read() -> bytes:
        if stream is None:
            raise UsageError("standard input is closed")
        try:
            return stream.buffer.read()
        except OSError as exc:
            raise PiError("standard input cannot be read", cause=str(exc)) from exc

    return read
