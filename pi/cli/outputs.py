"""Who gets the events of a prompt, and how its end becomes an exit code. The one place."""

from __future__ import annotations

from pi.base.errors import PiError, report
from pi.base.text import redact
from pi.runtime.output import Printer
from pi.runtime.redacting import CALLS, redacting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.base.cancel import Cancel
    from pi.base.host import Host
    from pi.cli.conversation import Conversation
    from pi.cli.settings import OutputSettings, Settings
    from pi.runtime.turns import Sink
    from pi.sessions.store import SessionStore


def make_printer(settings: Settings, host: Host, cancel: Cancel, *, shown: bool = True) -> Printer:
    """The plain view of a prompt. Without ``shown`` the answer is left to who asked for it."""
    from pi.base.text import plain_text

    output = settings.output

    def pause() -> None:
        try:
            host.pause(output.delay_ms, cancel)
        except PiError:
            pass  # the run is over; the loop will notice by itself

    return Printer(
        None if is_for_machines(output) or not shown else host.stdout,
        host.stderr,
        cancel,
        clean=plain_text,
        stream=output.stream,
        quiet=output.quiet,
        pause=pause if output.delay_ms else None,
        monotonic=host.monotonic,
    )


def is_for_machines(output: OutputSettings) -> bool:
    """Whether stdout is JSON only."""
    return bool(output.json_events) or output.form == "json"


def make_sinks(run: Conversation, cancel: Cancel, printer: Printer, *, shown: bool) -> list[Sink]:
    """The sinks of one prompt, without secrets in what is kept or told about it. The answer
    itself is the user's. Without ``shown`` only events go to stdout, if they were asked for."""
    secrets = run.asked.wires.secrets

    def hide(text: str) -> str:
        return redact(text, secrets)

    kept: list[Sink] = [] if run.recorder is None else [run.recorder]
    kept += run.outlet.sinks(run, cancel, shown=shown)
    sinks = [*(redacting(sink, hide) for sink in kept), redacting(printer, hide, CALLS)]
    sinks[1:1] = run.observers.sinks  # they tell sizes only
    return sinks


def exit_code(error: PiError | None, settings: Settings, host: Host) -> int:
    """Report the failure of a run, if any, and name its exit code."""
    if error is None:
        return 0
    if error.code == "stdout-closed":
        return error.exit_code  # the reader went away: no words
    return report(error, host.stderr, settings.output.debug)


def spent(totals: Mapping[str, object]) -> str:
    """The totals of a run in words."""
    cost = totals["cost_usd"]
    price = "unknown" if cost is None else f"${cost:.6f}"
    return f"requests: {totals['requests']}, tokens: {totals['total_tokens']}, cost: {price}"


def session_warnings(store: SessionStore | None) -> tuple[str, ...]:
    """What the user should know of the session before it goes on."""
    if store is None:
        return ()
    from pi.sessions.warnings import warnings  # here: loaded with a session only

    return warnings(store)
