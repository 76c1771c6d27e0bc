"""``/compact`` in a script: the one command that needs a model, which is built for it."""

from __future__ import annotations

from pi.base.cancel import Cancel
from pi.base.text import redact
from pi.cli.oneshot import system_prompt, warn
from pi.cli.signals import CancelOnSignals
from pi.cli.startup import build_agent, build_model
from pi.runtime.compacting import compact_now
from pi.runtime.output import Printer
from pi.runtime.recorder import Recorder
from pi.runtime.redacting import redacting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.agent.events import AutoCompactionEnd
    from pi.base.host import Host
    from pi.cli.parse import Parsed
    from pi.cli.settings import Settings
    from pi.runtime.turns import Sink
    from pi.sessions.store import SessionStore


def compact_session(
    parsed: Parsed, settings: Settings, host: Host, store: SessionStore, focus: str
) -> AutoCompactionEnd:
    """Summarise the older part of the session's conversation and store that.

    Raises PiError: no key, no model, or a summary that could not be stored.
    """
    from pi.base.text import plain_text

    asked = build_model(parsed, settings, host)
    cancel = Cancel()
    printer = Printer(None, host.stderr, cancel, clean=plain_text, quiet=settings.output.quiet)
    agent = build_agent(settings, host, asked, system_prompt(settings.prompt), store, printer.alarm)
    recorder = Recorder(store, lambda error: warn(printer, error), printer.alarm)
    secrets = asked.wires.secrets
    sinks: list[Sink] = [redacting(recorder, lambda text: redact(text, secrets)), printer]
    try:
        with CancelOnSignals(cancel, settings.turn_timeout_ms):
            end = compact_now(
                agent, focus, cancel, sinks, lambda exc: printer.note(f"output failed: {exc}")
            )
    finally:
        asked.model.close()
        unfinished = asked.wires.finish()
    failure = recorder.failure or unfinished
    if failure is not None:
        raise failure
    return end
