"""Slash commands without a conversation: a command file, a check of the session, a list.

Needs no model and no key: what a command does not use is not built.
"""

from __future__ import annotations

import os

from pi.base.errors import PiError, UsageError, VerificationFailed
from pi.base.given_file import read_given
from pi.base.typing import Any
from pi.cli.asking import Deadline
from pi.cli.conversation import Conversation
from pi.cli.outputs import exit_code
from pi.cli.settings import build_settings
from pi.cli.startup import session_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.host import Host
    from pi.cli.json_answer import JsonAnswer
    from pi.cli.parse import Parsed
    from pi.cli.script_lines import ScriptLines


def run_file(parsed: Parsed, host: Host) -> int:
    """Run the command file and return the exit code: that of the first failure."""
    from pi.cli.script_lines import ScriptLines

    with ScriptLines(parsed, host, line_printer(host)) as printed:
        return _run_file(parsed, host, printed)


def _run_file(parsed: Parsed, host: Host, printed: ScriptLines) -> int:
    from pi.commands.script import problems, read_script, run_script

    settings = build_settings(parsed)
    path = str(parsed.values["--command-file"])
    lines = read_script(_read(path, host), path)
    if parsed.values["--command-file-check"]:
        from pi.cli.template_files import template_check

        found = problems(lines, template_check(parsed, host))
        printed.problems(path, len(lines), found)
        if found:
            raise UsageError(f"command file check failed: path={path} problems={len(found)}")
        return 0
    conversation = Conversation(parsed, settings, host, stdin_is_free=path != "-")
    mode = str(parsed.values["--command-file-error-mode"])
    conversation.store  # noqa: B018 - a session that is none is told before anything is run
    conversation.check_logs()
    conversation.work_on_skills(None if printed.as_json else printed.say)
    seconds = int(str(parsed.values["--command-file-timeout"]))
    if seconds:
        conversation.deadline = Deadline(conversation, seconds)
    summary = run_script(
        lines,
        path,
        mode,
        conversation.context,
        printed.say,
        as_json=printed.as_json,
        time_is_up=conversation.deadline.passed if conversation.deadline else lambda: None,
    )
    printed.is_ended = True
    lost = conversation.close()
    if summary.failure is None:
        return exit_code(lost, settings, host)
    failure = PiError(
        f"command file execution failed: path={path} failed={summary.failed} mode={mode}",
        cause=summary.failure.message,
        hint=summary.failure.hint,
        code=summary.failure.code,
    )
    failure.exit_code = summary.failure.exit_code
    raise failure


def validate_session(parsed: Parsed, host: Host) -> int:
    """Check the session file and leave: exit 7 if it is not sound, 2 if it is not there."""
    from pi.cli.json_answer import JsonAnswer

    with JsonAnswer("session-validate", parsed, host) as answer:
        return _validate_session(parsed, host, answer)


def _validate_session(parsed: Parsed, host: Host, answer: JsonAnswer) -> int:
    from pi.commands.result import Result, render_json
    from pi.sessions import validate as checking
    from pi.sessions.sources import is_other, load_source

    settings = build_settings(parsed)
    if settings.session.path is None:
        raise UsageError("--session-validate cannot be used together with --no-session")
    path = session_path(settings.session, host)
    if not os.path.exists(path):
        raise UsageError(f"there is no session file '{path}'", hint="check --session")
    loaded = load_source(path)
    report = checking.validate(path, loaded.rows, loaded.torn)
    why, hint = "", "pi --session FILE --command-file - with /session-repair mends it"
    if is_other(loaded):
        report = report.of_no_session()
        why, hint = "none of its lines is a record of a session", "check --session"
    error = None
    if not report.valid:
        error = VerificationFailed(
            f"session validation failed: {checking.counts(report)} "
            f"bad_lines={len(report.bad_lines)}",
            cause=why,
            hint=hint,
            code="invalid-session",
        )
    lines = checking.text_lines(report)
    if parsed.values["--json"]:
        found = Result(lines, checking.json_data(report), error)
        lines = (render_json("session-validate", found),)
    say = line_printer(host)
    for line in lines:
        say(line)
    answer.is_told = True
    if error is not None:
        raise error
    return 0


def _read(path: str, host: Host) -> bytes:
    from pi.commands.script import MAX_BYTES

    try:
        if path == "-":
            return b"" if host.stdin is None else host.stdin.buffer.read(MAX_BYTES + 1)
        return read_given(path, MAX_BYTES + 1)
    except OSError as exc:
        raise UsageError(
            f"failed to read command file {path}", cause=exc.strerror or str(exc)
        ) from exc


def line_printer(host: Host) -> Any:
    """Prints lines on standard output; foreign text is made safe for a terminal."""
    from pi.base.text import plain_text

    stdout = host.stdout
    is_terminal = stdout is not None and stdout.isatty()

    def say(line: str) -> None:
        if stdout is None:
            return
        text = plain_text(line) if is_terminal else line
        stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")

    return say
