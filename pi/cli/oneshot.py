"""One prompt, one answer, one exit code."""

from __future__ import annotations

import os
import stat

from pi.base.cancel import Cancel
from pi.base.errors import PiError, UsageError, report
from pi.base.text import redact
from pi.cli.observers import Observers
from pi.cli.settings import build_settings
from pi.cli.signals import CancelOnSignals, raise_on_signals
from pi.cli.startup import build_agent, build_model, open_session, working_directory
from pi.runtime.output import Printer
from pi.runtime.recorder import Recorder
from pi.runtime.redacting import CALLS, redacting
from pi.runtime.turns import run_prompt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.base.host import Host
    from pi.cli.parse import Parsed
    from pi.cli.settings import PromptSettings, Settings
    from pi.runtime.json_events import JsonEvents
    from pi.runtime.turns import Sink
    from pi.sessions.store import SessionStore

STDIN_NOTE_AFTER_S = 2.0
# Failures to save that leave a conversation behind which was being kept.
LOST = ("unknown-session-id", "not-a-session", "session-full")
MAX_PROMPT_BYTES = 64 * 1024 * 1024


def one_shot(parsed: Parsed, host: Host) -> int:
    """Run one prompt and return the exit code. Raises PiError for what fails before it."""
    settings = build_settings(parsed)
    raise_on_signals()
    if settings.tools.show_policy and print_policy(settings, host):
        return 0
    if settings.session.which == "picked":
        from pi.cli.session_choice import is_list_only, show_sessions

        if is_list_only(settings.session, host):
            return show_sessions(host)
    # The cheap checks first: a mistake must not cost a request, or a wait for stdin.
    given = given_prompt(settings.prompt, host)
    asked = build_model(parsed, settings, host)
    system = system_prompt(settings.prompt)
    store = open_session(settings, host)
    prompt = whole_prompt(settings.prompt, given, host)
    cancel = Cancel()
    printer = make_printer(settings, host, cancel)
    for sentence in (*asked.notes, *session_warnings(store)):
        printer.note(sentence)
    cwd = working_directory(host)
    observers = Observers(settings, host, cwd, asked.wires.secrets, printer.alarm)
    agent = build_agent(settings, host, asked, system, store, printer.alarm)
    recorder = None
    if store is not None:
        recorder = Recorder(store, lambda error: warn(printer, error), printer.alarm)
    events = None
    if settings.output.json_events:
        from pi.runtime.json_events import JsonEvents  # only when asked for

        full = settings.output.json_events == "full"
        events = JsonEvents(host.stdout, cancel, asked.totals, full=full)
    sinks = hiding_sinks(asked.wires.secrets, recorder, printer, events)
    sinks[1:1] = observers.sinks  # they tell sizes only
    with CancelOnSignals(cancel, settings.turn_timeout_ms):
        end = run_prompt(
            agent, prompt, cancel, sinks, lambda exc: printer.note(f"output failed: {exc}")
        )
    observers.close()
    asked.model.close()
    if end.error is None or end.error.code != "stdout-closed":
        printer.note(spent(asked.totals()))
    unsaved = recorder.failure if recorder is not None else None
    if unsaved is not None and not (settings.session.asked_for or unsaved.code in LOST):
        unsaved = None  # nobody asked for the default session; it could not be written at all
    unfinished = asked.wires.finish()
    return exit_code(end.error or unfinished or unsaved, settings, host)


def hiding_sinks(
    secrets: Sequence[str],
    recorder: Recorder | None,
    printer: Printer,
    events: JsonEvents | None,
) -> list[Sink]:
    """Who gets the events of a run, without secrets in what is kept or told about it. The
    answer itself is the user's."""

    def hide(text: str) -> str:
        return redact(text, secrets)

    kept = [redacting(sink, hide) for sink in (recorder, events) if sink is not None]
    return [*kept, redacting(printer, hide, CALLS)]


def print_policy(settings: Settings, host: Host) -> bool:
    """Print the policy in force. Returns whether that was all that was asked for.

    With a prompt the line goes to stderr: stdout is for the answer.
    """
    import json  # loaded anyway by what follows

    from pi.cli.toolbox import policy_report

    alone = not settings.prompt.wanted and not stdin_is_data(host)
    report = policy_report(settings.tools, host, working_directory(host))
    line = json.dumps(report, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    print(line, file=host.stdout if alone else host.stderr)
    return alone


def spent(totals: Mapping[str, object]) -> str:
    """The totals of a run in words."""
    cost = totals["cost_usd"]
    price = "unknown" if cost is None else f"${cost:.6f}"
    return f"requests: {totals['requests']}, tokens: {totals['total_tokens']}, cost: {price}"


def exit_code(error: PiError | None, settings: Settings, host: Host) -> int:
    """Report the failure of a run, if any, and name its exit code."""
    if error is None:
        return 0
    if error.code == "stdout-closed":
        return error.exit_code  # the reader went away: no words
    return report(error, host.stderr, settings.output.debug)


def warn(printer: Printer, error: PiError) -> None:
    cause = f" ({error.cause})" if error.cause else ""
    printer.alarm(f"not saved: {error.message}{cause}")


def session_warnings(store: SessionStore | None) -> tuple[str, ...]:
    if store is None:
        return ()
    from pi.sessions.warnings import warnings  # here: loaded with a session only

    return warnings(store)


def make_printer(settings: Settings, host: Host, cancel: Cancel) -> Printer:
    from pi.base.text import plain_text

    output = settings.output

    def pause() -> None:
        try:
            host.pause(output.delay_ms, cancel)
        except PiError:
            pass  # the run is over; the loop will notice by itself

    return Printer(
        None if output.json_events else host.stdout,
        host.stderr,
        cancel,
        clean=plain_text,
        stream=output.stream,
        quiet=output.quiet,
        pause=pause if output.delay_ms else None,
        monotonic=host.monotonic,
    )


def system_prompt(prompt: PromptSettings) -> str:
    """The text that tells the model how to work. Raises UsageError for an unusable file."""
    if prompt.system_file is None:
        return prompt.system
    text = read_text(prompt.system_file, "system prompt file")
    if not text.strip():
        raise UsageError(f"system prompt file {prompt.system_file} is empty")
    return text


def given_prompt(prompt: PromptSettings, host: Host) -> str | None:
    """The prompt as far as it is there without reading standard input.

    None if all of it will come from there. Raises UsageError if there is none.
    """
    if prompt.file is not None and prompt.file != "-":
        text = read_text(prompt.file, "prompt file")
        if not text.strip():
            raise UsageError(f"prompt file {prompt.file} is empty")
        return text
    if prompt.text is None and prompt.file != "-" and not stdin_is_data(host):
        raise UsageError("no prompt given", hint='pi -p "Summarize README.md", or pi --help')
    return prompt.text


def whole_prompt(prompt: PromptSettings, given: str | None, host: Host) -> str:
    """What was given, with what is piped in before it. Raises UsageError if both are blank."""
    if prompt.file is not None and prompt.file != "-":
        return given or ""
    piped = read_stdin(host) if prompt.file == "-" or stdin_is_data(host) else ""
    if given is None:
        if not piped.strip():
            raise UsageError("stdin prompt is empty")
        return piped
    return f"{piped.rstrip()}\n\n{given}" if piped.strip() else given


def stdin_is_data(host: Host) -> bool:
    """Whether something may be piped in: not a terminal, not the null device, not closed."""
    if host.stdin is None or host.stdin.closed or host.stdin.isatty():
        return False
    try:
        kind = os.fstat(host.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISCHR(kind)


def read_stdin(host: Host) -> str:
    """All of standard input. Says so if it has to wait, because a pipe may never close."""
    if host.stdin is None:
        return ""
    import threading  # loaded anyway by what follows

    note = "pi: reading standard input; end it with Ctrl+D, or start pi with < /dev/null\n"
    told = threading.Timer(
        STDIN_NOTE_AFTER_S, lambda: host.stderr.write(note) if host.stderr else None
    )
    told.daemon = True
    told.start()
    try:
        data = host.stdin.buffer.read(MAX_PROMPT_BYTES + 1)
    except OSError as exc:
        raise UsageError("standard input cannot be read", cause=str(exc)) from exc
    finally:
        told.cancel()
    return decode_prompt(data, "standard input")


def read_text(path: str, what: str) -> str:
    """A small UTF-8 file. Raises UsageError naming it."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_PROMPT_BYTES + 1)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise UsageError(f"{what} {path} cannot be read", cause=reason) from exc
    return decode_prompt(data, f"{what} {path}")


def decode_prompt(data: bytes, what: str) -> str:
    if len(data) > MAX_PROMPT_BYTES:
        raise UsageError(f"{what} is larger than {MAX_PROMPT_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UsageError(
            f"{what} is not UTF-8 text", cause=f"{exc.reason} at byte {exc.start}"
        ) from exc
