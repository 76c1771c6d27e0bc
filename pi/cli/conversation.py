"""What a run holds between two prompts or commands, and what can be done with it then."""

from __future__ import annotations

import os

from pi.agent.events import AgentEnd
from pi.base.cancel import Cancel
from pi.base.errors import PiError
from pi.cli.outlet import Outlet
from pi.cli.outputs import make_printer, make_sinks, session_warnings
from pi.cli.parts import Parts
from pi.cli.startup import build_model, open_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.agent.events import AutoCompactionEnd
    from pi.ai.types import Message
    from pi.base.host import Host
    from pi.cli.asking import Deadline
    from pi.cli.parse import Parsed
    from pi.cli.services import Services
    from pi.cli.settings import Settings
    from pi.cli.system_prompt import Composed
    from pi.cli.template_files import Templates
    from pi.commands.context import CommandContext


class Conversation(Parts):
    """A run's parts, and what is done with them: prompts, and changes between prompts."""

    def __init__(
        self,
        parsed: Parsed,
        settings: Settings,
        host: Host,
        *,
        stdin_is_free: bool = False,
        interactive: bool = False,
        outlet: Outlet | None = None,
    ) -> None:
        super().__init__(
            parsed,
            settings,
            host,
            stdin_is_free=stdin_is_free,
            interactive=interactive,
            outlet=outlet,
        )
        self.deadline: Deadline | None = None  # of a command file
        self.templates: Templates | None = None  # see ``config_services.loaded_templates``
        self.loaded: dict[str, str] = {}  # flags of tools: the profile that /profile load took up
        self._recorded: Composed | None = None
        self._services: Services | None = None
        self._requests = 0  # of models that were switched away
        self._told: list[object] = []  # whose notes were told

    @property
    def services(self) -> Services:
        """What commands may ask of the run."""
        if self._services is None:
            from pi.cli.services import Services  # a single prompt runs no command

            self._services = Services(self)
        return self._services

    @property
    def answer(self) -> str:
        """The text that answers the last prompt, "" if there is none."""
        messages = self._agent.messages if self._agent is not None else ()
        for message in reversed(messages):
            if message.role != "tool":
                return message.text() if message.role == "assistant" else ""
        return ""

    def ask(self, prompt: str, cancel: Cancel, *, shown: bool = True) -> AgentEnd:
        """Run one prompt to its end. Without ``shown`` the answer is not printed.

        Raises PiError for what fails before anything is sent; what fails later is in the
        returned event. Signals are the caller's: see ``signals.CancelOnSignals``.
        """
        from pi.runtime.turns import run_prompt

        self.printer = make_printer(self.settings, self.host, cancel, shown=shown)
        with self.outlet:
            self._tell_notes()
            self.observers  # noqa: B018 - a log that cannot be opened is told before it is needed
            agent = self.agent
            self._tell_recorder()
            sinks = make_sinks(self, cancel, self.printer, shown=shown)
            return run_prompt(agent, prompt, cancel, sinks, self._sink_failed)

    def compact(self, focus: str, cancel: Cancel) -> AutoCompactionEnd:
        """Put a summary in the place of the older messages. Raises PiError: no key, no
        model, or a summary that could not be stored."""
        from pi.base.text import redact
        from pi.runtime.compacting import compact_now
        from pi.runtime.redacting import redacting

        self.printer = make_printer(self.settings, self.host, cancel, shown=False)
        agent, recorder = self.agent, self.recorder
        secrets = self.asked.wires.secrets
        kept = [redacting(recorder, lambda text: redact(text, secrets))] if recorder else []
        end = compact_now(agent, focus, cancel, [*kept, self.printer], self._sink_failed)
        if recorder is not None and recorder.failure is not None:
            raise recorder.failure
        return end

    def switch_model(self, settings: Settings) -> None:
        """Ask the model of ``settings`` from the next prompt on; the caps and what was spent
        hold on. Raises as ``asked`` does; then nothing has changed."""
        before = self._asked
        self._asked = build_model(self.parsed, settings, self.host, before)
        self.settings = settings
        if before is not None:
            self._requests += before.model.requests_made
        self._renew_agent()

    def configure(self, settings: Settings) -> None:
        """Go on with other settings, model and session as they are; the instructions and
        templates in files are read anew."""
        self.settings = settings
        self._system = self.templates = None
        self._renew_agent()

    def switch_session(self, settings: Settings) -> None:
        """Go on with the session of ``settings``, which is opened now. Raises SessionError;
        then nothing has changed."""
        store = open_session(settings, self.host)
        self._unsaved = self._lost()
        self.settings = settings
        self._store, self._is_open = store, True
        self._recorder = self._agent = None
        self._spare = ()
        self._close_logs()

    def add(self, message: Message, kind: str) -> None:
        """Let the model read ``message`` with the next prompt. ``kind`` says in the session
        what it is."""
        if self.recorder is not None:
            self.recorder.add(message, kind)
        if self._agent is not None:
            self._agent.messages.append(message)
        elif self.store is None or self._spare:
            self._spare = (*self._spare, message)

    def reload(self) -> None:
        """Take the conversation anew from its session, before the next prompt."""
        if self.store is not None:
            self._spare = ()
        elif self._agent is not None:
            self._spare = tuple(self._agent.messages)
        if self._recorder is not None and self._recorder.failure is not None:
            # What waits to be written is of the place that was left; it is in a rescue file.
            self._unsaved = self._recorder.failure
            self._recorder = None
        self._agent = None

    def _renew_agent(self) -> None:
        """The next prompt gets an agent of its own, which has the conversation so far."""
        self._close_logs()
        if self._agent is not None:
            recorder = self._recorder
            if recorder is None or recorder.failure is not None:
                self._spare = tuple(self._agent.messages)  # no session has all of it
            self._agent = None

    def tell_warnings(self) -> None:
        """Say once what the user should know of the session."""
        if not any(self.store is told for told in self._told):
            self._told.append(self.store)
            for sentence in session_warnings(self.store):
                self.printer.note(sentence)
            self._tell_foreign()

    def totals(self) -> dict[str, object]:
        """What the run has used so far; {} if it asked no model."""
        if self._asked is None:
            return {}
        totals = self._asked.totals()
        return {**totals, "requests": self._asked.model.requests_made + self._requests}

    def close(self) -> PiError | None:
        """End of the run. Returns what is wrong with what it was to leave behind."""
        self._close_logs()
        if self._asked is None:
            return self._lost()
        self._asked.model.close()
        return self._asked.wires.finish() or self._lost()

    def context(self, *, confirm: Callable[[str], bool] = lambda question: True) -> CommandContext:
        """What commands get. Without ``confirm`` nobody is asked: scripts say what they
        mean, and what destroys keeps a backup."""
        from pi.commands.context import CommandContext

        session = self.settings.session
        return CommandContext(
            self.store,
            self.cwd,
            self.host.environ,
            self.host.now_ms,
            self.host.random_bytes,
            confirm=confirm,
            reload=self.reload,
            settings={
                "session": session.path,
                "session-import-mode": self.parsed.values["--session-import-mode"],
                "session-lock-wait-ms": session.lock_wait_ms,
                "session-lock-stale-ms": session.lock_stale_ms,
            },
            services=self.services,
            interactive=self.interactive,
        )

    def _tell_foreign(self) -> None:
        """Say that a conversation nobody named was begun in another folder: a clone may have
        brought it along, with words in it that the user never said."""
        store = self.store
        if store is None or store.head is None or self.settings.session.asked_for:
            return
        if os.path.realpath(store.begun_in or os.sep) != os.path.realpath(self.cwd):
            where = f"in {store.begun_in}" if store.begun_in else "elsewhere"
            self.alarm(
                f"{store.path}: going on with a conversation that was begun {where}; "
                "--session NAME begins one of your own"
            )

    def _tell_notes(self) -> None:
        """What the model and the session have to say, once."""
        if not any(self.asked is told for told in self._told):
            self._told.append(self.asked)
            for sentence in self.asked.notes:
                self.printer.note(sentence)
        self.system  # noqa: B018 - its own notes are told with the others
        for sentence in self._untold:
            self.printer.note(sentence)
        self._untold = ()
        self.tell_warnings()

    def _tell_recorder(self) -> None:
        """With the first prompt, and where it changed, the session says which system prompt
        the model had: its hash and parts, not its text."""
        if self._system is not self._recorded and self._system and self.recorder is not None:
            self.recorder.about_next = {"system_prompt": self._system.record()}
            self._recorded = self._system

    def _sink_failed(self, exc: Exception) -> None:
        self.printer.note(f"output failed: {exc}")
