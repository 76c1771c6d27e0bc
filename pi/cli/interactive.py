"""The line mode: prompts and commands one after the other, from a terminal or a pipe.

No error of a command or of a provider ends it. Ctrl+C cancels what runs; where nothing
runs it clears the line, and a second one within two seconds leaves.
"""

from __future__ import annotations

from pi import __version__
from pi.base.errors import Interrupted, PiError, UsageError
from pi.cli.asking import ask_now
from pi.cli.conversation import Conversation
from pi.cli.line_reader import PipedLines, TerminalLines
from pi.cli.outlet import Outlet
from pi.cli.outputs import exit_code, spent
from pi.cli.settings import build_settings
from pi.cli.signals import is_ending, leave, raise_on_signals
from pi.cli.typed import ASIDE, COMMAND, PROMPT, SHELL, Gathering, meaning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.base.host import Host
    from pi.cli.line_reader import Lines
    from pi.cli.parse import Parsed
    from pi.cli.settings import Settings
    from pi.cli.typed import Entry

SECOND_TIME_S = 2.0
ASKING, GOING_ON = "pi> ", "...> "
ONE_BY_ONE = (
    "reading standard input line by line, each a prompt or a command; "
    "-p takes all of it as one prompt"
)


def interactive(parsed: Parsed, host: Host) -> int:
    """Read and run until the end of the input or /quit. Returns the exit code."""
    with Outlet.of(parsed, host) as outlet:
        run = _prepared(parsed, host, outlet)
        if run is None:
            return 0
        lines = _lines(run)
        if lines.is_terminal and outlet.is_text and _is_seen(host):
            from pi.cli.command_question import Question

            run.question = Question(run, lines)
        loop = Loop(run, lines)
        try:
            code = loop.run()
        finally:
            leave()
            lost = run.close()
        return code or exit_code(lost, run.settings, host)


def _prepared(parsed: Parsed, host: Host, outlet: Outlet) -> Conversation | None:
    """The conversation, its session open; None if something else was asked for."""
    from pi.cli.oneshot import print_policy, stdin_is_data

    settings = build_settings(parsed)
    raise_on_signals()
    if settings.tools.show_policy and print_policy(settings, host):
        return None
    if settings.session.which == "picked":
        from pi.cli.session_choice import is_list_only, show_sessions

        if is_list_only(settings.session, host):
            show_sessions(host, is_text=outlet.is_text)
            return None
    is_terminal = host.stdin is not None and not host.stdin.closed and host.stdin.isatty()
    if not is_terminal and not stdin_is_data(host):
        raise UsageError("no prompt given", hint='pi -p "Summarize README.md", or pi --help')
    if is_terminal and not parsed.given("--max-turns"):
        settings = settings._replace(max_turns=None)  # somebody is there to press Ctrl+C
    run = Conversation(parsed, settings, host, outlet=outlet, interactive=True)
    run.store  # noqa: B018 - a session that is none is told before anything is typed
    run.check_logs()
    run.work_on_skills(_stage_printer(host, settings))
    if is_terminal:
        run.printer.note(f"pi {__version__}, {settings.model.ref}; /help lists the commands")
    else:
        run.printer.note(ONE_BY_ONE)
    run.tell_warnings()
    return run


def _stage_printer(host: Host, settings: Settings) -> Callable[[str], None]:
    """Results of work before the first line go to stdout, where that is not for JSON."""
    from pi.cli.command_mode import line_printer

    if settings.output.json_events:
        return lambda line: print(line, file=host.stderr)
    say: Callable[[str], None] = line_printer(host)
    return say


def _is_seen(host: Host) -> bool:
    """Whether a person sees what is asked about: it is written to stderr."""
    return host.stderr is not None and not host.stderr.closed and host.stderr.isatty()


def _lines(run: Conversation) -> Lines:
    """Where the lines of this run come from."""
    host = run.host
    assert host.stdin is not None
    if not host.stdin.isatty():
        return PipedLines(host.stdin.buffer)
    from pi.cli.line_editing import Memory, completer

    memory = Memory(run)
    return TerminalLines(host, memory.past, completer(run), memory.add)


class Loop:
    """Reads lines and does what they say. ``failed`` is the exit code of the first prompt
    that failed: it is that of a run whose lines came from a pipe."""

    def __init__(self, run: Conversation, lines: Lines) -> None:
        from pi.cli.command_mode import line_printer

        self._run = run
        self._lines = lines
        self._say = line_printer(run.host)
        self._gathering = Gathering()
        self._interrupted_at: float | None = None
        self._over = False
        self.failed = 0

    def run(self) -> int:
        """Returns the exit code."""
        if self._lines.is_terminal:
            from pi.cli.config_services import ask_for_trust

            for sentence in ask_for_trust(self._run, self._confirm):
                self._run.printer.note(sentence)
        while not self._over:
            try:
                entry = self._next()
                if entry is not None:
                    self._do(entry)
                if is_ending():
                    return Interrupted.exit_code
            except KeyboardInterrupt:
                if self._is_last_interrupt():
                    return Interrupted.exit_code
            except PiError as exc:
                self._tell(exc)
                if exc.code in ("input-failed", "interrupted"):
                    return exc.exit_code
                if not self._lines.is_terminal:
                    self.failed = self.failed or exc.exit_code
        return 0 if self._lines.is_terminal else self.failed

    def _next(self) -> Entry | None:
        """The next text that is complete, if this line completes one."""
        line = self._lines.read(GOING_ON if self._gathering.is_open else ASKING)
        self._interrupted_at = None
        if line is not None:
            return self._gathering.feed(line)
        # Ctrl+D within a text of several lines ends that text, not the run.
        self._over = not (self._lines.is_terminal and self._gathering.is_open)
        return self._gathering.finish()

    def _is_last_interrupt(self) -> bool:
        """Whether Ctrl+C, pressed where nothing runs, ends the run."""
        self._gathering.clear()
        now = self._run.host.monotonic()
        before, self._interrupted_at = self._interrupted_at, now
        if self._lines.had_text():
            before = None  # that was for the line
        if not self._lines.is_terminal:
            return True
        stderr = self._run.host.stderr
        if stderr is not None:
            print(file=stderr)
        if before is not None and now - before <= SECOND_TIME_S:
            return True
        self._run.printer.note("Ctrl+C again within two seconds, or Ctrl+D, leaves")
        return False

    def _do(self, entry: Entry) -> None:
        typed = meaning(entry)
        if typed is None:
            return
        self._lines.remember(entry.text)
        DOES[typed.kind](self, typed.text)
        stdout = self._run.host.stdout
        if stdout is not None:
            stdout.flush()

    def _prompt(self, text: str) -> None:
        try:
            end = ask_now(self._run, text, shown=True)
        except KeyboardInterrupt:  # the second Ctrl+C: it would not end
            self._run.reload()
            self._run.printer.note("stopped")
            return
        self._judge(end.error)
        if end.error is None or end.error.code != "stdout-closed":
            self._run.printer.note(spent(self._run.totals()))

    def _judge(self, error: PiError | None, *, is_told: bool = False) -> None:
        """Tell of a prompt's failure, if it failed; the loop goes on."""
        if error is None:
            return
        if not is_told:
            self._tell(error)
        self.failed = self.failed or error.exit_code
        if error.code == "stdout-closed":
            raise BrokenPipeError  # as for any other write: the run ends without a word
        # Nobody is there to go on by hand.
        self._over = self._over or (isinstance(error, Interrupted) and not self._lines.is_terminal)

    def _command(self, text: str) -> None:
        from pi.commands.dispatch import run_line  # with it come the commands
        from pi.commands.result import render_json

        context = self._run.context(confirm=lambda question: self._confirm(question, text))
        outcome = run_line(text, context)
        result = outcome.result
        if self._run.outlet.is_text:
            for line in outcome.lines:
                self._say(line)
        else:
            self._say(render_json(outcome.command, result))
        if outcome.command == "/prompt":
            # What failed before anything was sent is among the lines.
            self._judge(result.error, is_told=result.data is None)
        self._over = self._over or result.leave

    def _shell(self, text: str, *, is_told: bool = True) -> None:
        from pi.ai.types import user_message
        from pi.base.text import redact
        from pi.cli.own_shell import run_own, told

        if not self._lines.is_terminal:
            # What comes through a pipe need not be of the user's own making.
            raise UsageError(
                "!command works on a terminal only",
                hint="run it in your own shell; with -p a text may begin with !",
            )
        if not text:
            raise UsageError("there is no command behind the !", hint="for example !git status")
        ran = run_own(text, self._run.host, self._run.cwd, self._show)
        if ran.cancelled:
            self._run.printer.note("command cancelled")
        elif ran.code != 0:
            self._run.printer.note(f"exit code {ran.code}")
        if is_told:
            message = user_message(redact(told(ran), self._run.secrets))
            self._run.add(message, "shell")

    def _aside(self, text: str) -> None:
        self._shell(text, is_told=False)

    def _show(self, text: str) -> None:
        """A piece of a command's output."""
        stream = self._run.host.stdout if self._run.outlet.is_text else self._run.host.stderr
        if stream is not None and text:
            stream.write(text)
            stream.flush()

    def _confirm(self, question: str, line: str = "") -> bool:
        """Ask a person because of a typed line; where there is none the answer is no."""
        from pi.base.text import plain_text

        if not self._lines.is_terminal:
            words = line.split()
            # What is piped in may be anybody's words: they approve no folder.
            is_no_use = "--yes" in words or words[:1] == ["/trust"]
            advice = "" if is_no_use else ": add --yes"
            self._run.printer.alarm(f"{question} Nobody is there to be asked{advice}")
            return False
        try:
            answer = self._lines.read(f"{plain_text(question)} [y/N] ")
        except KeyboardInterrupt:
            return False
        return (answer or "").strip().lower() in ("y", "yes")

    def _tell(self, error: PiError) -> None:
        exit_code(error, self._run.settings, self._run.host)


DOES: dict[str, Callable[[Loop, str], None]] = {
    PROMPT: Loop._prompt,
    COMMAND: Loop._command,
    SHELL: Loop._shell,
    ASIDE: Loop._aside,
}
