"""One prompt, one answer, one exit code."""

from __future__ import annotations

import os
import stat

from pi.base.cancel import Cancel
from pi.base.errors import UsageError
from pi.cli.conversation import Conversation
from pi.cli.outlet import Outlet
from pi.cli.outputs import exit_code, spent
from pi.cli.settings import build_settings
from pi.cli.signals import CancelOnSignals, raise_on_signals
from pi.cli.startup import working_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.host import Host
    from pi.cli.parse import Parsed
    from pi.cli.settings import PromptSettings, Settings

STDIN_NOTE_AFTER_S = 2.0
MAX_PROMPT_BYTES = 64 * 1024 * 1024


def one_shot(parsed: Parsed, host: Host) -> int:
    """Run one prompt and return the exit code. Raises PiError for what fails before it."""
    with Outlet.of(parsed, host, is_single=True) as outlet:
        return _run(parsed, host, outlet)


def _run(parsed: Parsed, host: Host, outlet: Outlet) -> int:
    settings = build_settings(parsed)
    raise_on_signals()
    if settings.tools.show_policy and print_policy(settings, host):
        return 0
    if settings.session.which == "picked":
        from pi.cli.session_choice import is_list_only, show_sessions

        if is_list_only(settings.session, host):
            return show_sessions(host, is_text=outlet.is_text)
    # The cheap checks first: a mistake must not cost a request, or a wait for stdin.
    given = given_prompt(settings.prompt, host)
    run = Conversation(parsed, settings, host, outlet=outlet)
    run.asked, run.system, run.store  # noqa: B018 - made now, for the order of their mistakes
    prompt = whole_prompt(settings.prompt, given, host)
    cancel = Cancel()
    with CancelOnSignals(cancel, settings.turn_timeout_ms):
        end = run.ask(prompt, cancel)
    if end.error is None or end.error.code != "stdout-closed":
        run.printer.note(spent(run.totals()))
    lost = run.close()
    error = end.error or lost
    untold = outlet.close(error)
    return exit_code(error or untold, settings, host)


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
    from pi.base.given_file import read_given  # not for a prompt that is typed

    try:
        data = read_given(path, MAX_PROMPT_BYTES + 1)
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
