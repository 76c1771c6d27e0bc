"""What stdout is for: the answer, one JSON object about the run, or a JSON line per event.

For machines the last line is a promise: it comes whatever happens, once, and says how it
ended. This is the one place that writes it.
"""

from __future__ import annotations

from pi.base.errors import as_pi_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Any

    from pi.base.cancel import Cancel
    from pi.base.errors import PiError
    from pi.base.host import Host
    from pi.cli.conversation import Conversation
    from pi.cli.parse import Parsed
    from pi.runtime.json_events import JsonEvents
    from pi.runtime.run_report import RunReport
    from pi.runtime.turns import Sink

TEXT, RESULT, EVENTS = "text", "json", "events"
FLAGS = ("--output-format", "--json-events")
NO = ("", "false", "0", "no", "off")


class Outlet:
    """``form`` is "text", "json" or "events"; ``is_full`` asks for every piece of an event.

    As a context it tells what left it as an exception, unless that prompt's end is told.
    ``is_single``: there is one prompt, and who runs it tells its end (``close``), for that
    may be worse than the model knows: an answer that could not be kept.
    """

    def __init__(
        self, form: str, host: Host, *, is_full: bool = False, is_single: bool = False
    ) -> None:
        self.form = form
        self._host = host
        self._is_full = is_full
        self._is_single = is_single
        self._end_is_told = False
        self._events: JsonEvents | None = None
        self._report: RunReport | None = None
        self._totals: Callable[[], dict[str, Any]] = dict

    @classmethod
    def of(cls, parsed: Parsed, host: Host, *, is_single: bool = False) -> Outlet:
        """As the flags say."""
        events = parsed.values["--json-events"]
        form = EVENTS if events else str(parsed.values["--output-format"])
        return cls(form, host, is_full=events == "full", is_single=is_single)

    @property
    def is_text(self) -> bool:
        return self.form == TEXT

    def __enter__(self) -> Outlet:
        """The next prompt begins."""
        self._end_is_told = False
        self._events, self._report, self._totals = None, None, dict
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if exc is not None:
            self.close(as_pi_error(exc))

    def sinks(self, run: Conversation, cancel: Cancel, *, shown: bool) -> list[Sink]:
        """What tells machines of the next prompt. Without ``shown`` its answer is somebody
        else's, and the object about it too; events are told all the same."""
        if self.is_text or not (shown or self.form == EVENTS):
            return []
        before = run.totals()
        self._totals = lambda: since(before, run.totals())
        if self.form == EVENTS:
            from pi.runtime.json_events import JsonEvents  # each only when asked for

            self._events = JsonEvents(
                self._host.stdout, cancel, self._totals, full=self._is_full, is_open=True
            )
            from pi.runtime.hiding_pieces import hiding_pieces

            return [hiding_pieces(self._events, run.secrets), *self._closing()]
        from pi.runtime.run_report import Place, RunReport

        store, model = run.store, str(run.settings.model.ref)
        place = Place(run.cwd, model)
        if store is not None:
            place = Place(run.cwd, model, store.path, lambda: store.head)
        self._report = RunReport(place)
        return [self._report, *self._closing()]

    def _closing(self) -> list[Sink]:
        """The end of one prompt among several is told with it."""
        from pi.agent.events import AgentEnd

        def close(event: object) -> None:
            if isinstance(event, AgentEnd):
                self.close(event.error)

        return [] if self._is_single else [close]

    def close(self, error: PiError | None) -> PiError | None:
        """Tell how the prompt ended, if that is not told. Returns why it cannot be told."""
        if self.is_text or self._end_is_told:
            return None
        self._end_is_told = True
        if error is not None and error.code == "stdout-closed":
            return None
        if self.form == EVENTS:
            return self._end_events(error)
        from pi.runtime.report import LineWriter
        from pi.runtime.run_report import Place, RunReport

        report = self._report or RunReport(Place("", ""))
        writer = LineWriter(self._host.stdout)
        writer.write(report.record(error, self._totals()))
        return writer.failure

    def _end_events(self, error: PiError | None) -> PiError | None:
        if self._events is None:
            from pi.base.cancel import Cancel
            from pi.runtime.json_events import JsonEvents

            self._events = JsonEvents(self._host.stdout, Cancel(), is_open=True)
        self._events.end(error)
        return self._events.failure


def since(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What was used since ``before``; nothing can be said of what is not known now."""
    return {
        name: None if value is None else round(value - (before.get(name) or 0), 6)
        for name, value in now.items()
    }


def refused(exc: BaseException, arguments: Sequence[str], host: Host) -> None:
    """The last line of a start that failed before its flags were known.

    What cannot be read as flags is still looked through for what machines ask with.
    """
    form = asked_form(arguments, host.environ)
    if form == TEXT and "--json" in flags_of(arguments):
        from pi.runtime.report import LineWriter, error_data

        error = error_data(as_pi_error(exc))
        LineWriter(host.stdout).write({"command": None, "ok": False, "error": error})
    Outlet(form, host).close(as_pi_error(exc))


def flags_of(arguments: Sequence[str]) -> Sequence[str]:
    """The words that may be flags."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def asked_form(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Which form a command line asks for, as far as can be seen without reading it whole."""
    flags = flags_of(arguments)
    form = events = ""
    for word, following in zip(flags, [*flags[1:], ""]):
        name, equals, value = word.partition("=")
        if name == "--output-format":
            form = value if equals else following
        elif name == "--json-events":
            events = value if equals else "false" if following == "false" else "true"
    if not (form or events):
        form = environ.get("PI_OUTPUT_FORMAT", "")
        events = environ.get("PI_JSON_EVENTS", "")
    if events.strip().lower() not in NO:
        return EVENTS
    return RESULT if form == RESULT else TEXT
