"""The parts of a run, each made when it is first asked for.

A run that sends no prompt so needs no key, no model and no log; who wants a failure early
asks for the part early.
"""

from __future__ import annotations

from pi.base.cancel import Cancel
from pi.cli.outlet import Outlet
from pi.cli.outputs import make_printer
from pi.cli.startup import build_agent, build_model, open_session, working_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.agent.loop import Agent
    from pi.ai.types import Message
    from pi.base.errors import PiError
    from pi.base.host import Host
    from pi.cli.command_question import Question
    from pi.cli.observers import Observers
    from pi.cli.parse import Parsed
    from pi.cli.run_skills import RunSkills
    from pi.cli.settings import Settings
    from pi.cli.skill_look import NoSkills
    from pi.cli.startup import Asked
    from pi.cli.system_prompt import Composed
    from pi.runtime.recorder import Recorder
    from pi.sessions.store import SessionStore

# Failures to save that leave a conversation behind which was being kept.
LOST = ("unknown-session-id", "not-a-session", "session-full")


class Parts:
    """``stdin_is_free``: no one else reads standard input, so a command may.
    ``interactive``: prompts and commands come one by one.
    """

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
        self.parsed = parsed
        self.settings = settings
        self.host = host
        self.stdin_is_free = stdin_is_free
        self.interactive = interactive
        self.outlet = outlet or Outlet.of(parsed, host)
        self.printer = make_printer(settings, host, Cancel())
        self._cwd = ""
        self._system: Composed | None = None
        self._untold: tuple[str, ...] = ()  # notes about the system prompt
        self._skill_folders: tuple[str, ...] = ()  # where the model may read
        self._skill_work_done = False
        self.chosen_skills: tuple[str, ...] | None = None  # by a command, instead of --skill
        self._store: SessionStore | None = None
        self._is_open = False
        self._asked: Asked | None = None
        self._observers: Observers | None = None
        self._logged = 0  # prompts that logs were told of
        self._recorder: Recorder | None = None
        self._unsaved: PiError | None = None  # of a recorder that is gone
        self._agent: Agent | None = None
        self.question: Question | None = None  # asks a person about commands
        self._spare: tuple[Message, ...] = ()  # of a conversation that no session keeps

    @property
    def cwd(self) -> str:
        """The working directory. Raises ConfigError if it was removed."""
        self._cwd = self._cwd or working_directory(self.host)
        return self._cwd

    @property
    def store(self) -> SessionStore | None:
        """The session, None for a run that keeps nothing. Raises SessionError."""
        if not self._is_open:
            self._store = open_session(self.settings, self.host)
            self._is_open = True
        return self._store

    @property
    def asked(self) -> Asked:
        """The model under its caps. Raises MissingKey, ConfigError, UsageError."""
        if self._asked is None:
            self._asked = build_model(self.parsed, self.settings, self.host)
        return self._asked

    @property
    def system(self) -> str:
        """The text that tells the model how to work. Raises UsageError for a bad file."""
        if self._system is None:
            from pi.cli.system_prompt import system_prompt  # only where something is asked

            self.work_on_skills()
            skills = self._look_for_skills()
            prompt = self.settings.prompt
            self._system = system_prompt(prompt, self.parsed, self.host, self.cwd, skills.parts)
            self._untold = (*self._system.notes, *skills.notes)
        return self._system.text

    def work_on_skills(self, say: Callable[[str], None] | None = None) -> None:
        """Do once what the flags ask to be done about skills; ``say`` gets the results.
        Raises PiError for what fails."""
        from pi.cli.modes import has_skill_work

        if self._skill_work_done or not has_skill_work(self.parsed):
            return
        from pi.cli.skills_stage import do_work, make_stage

        self._skill_work_done = True
        stage = make_stage(self.parsed, self.host, self.cwd, say or self._remark, self.alarm)
        result = do_work(stage)
        if result is not None and result.error is not None:
            raise result.error

    def _look_for_skills(self) -> RunSkills | NoSkills:
        """What skills add to the system prompt."""
        from pi.cli.skill_look import NoSkills, may_have_skills, with_chosen

        parsed = with_chosen(self.parsed, self.chosen_skills)
        if not may_have_skills(parsed, self.host.environ, self.cwd):
            self._skill_folders = ()
            return NoSkills()
        from pi.cli.run_skills import run_skills  # only where there are skills

        can_read = "read" in self.settings.tools.names
        found = run_skills(parsed, self.host, self.cwd, can_read=can_read)
        self._skill_folders = found.folders
        return found

    def _remark(self, line: str) -> None:
        """A result that is not the answer."""
        if self.host.stderr is not None and not self.settings.output.quiet:
            from pi.base.text import visible  # loaded anyway

            print(visible(line), file=self.host.stderr)

    @property
    def observers(self) -> Observers:
        """The logs that were asked for. Raises ConfigError for one that cannot be opened."""
        if self._observers is None:
            from pi.cli.observers import Observers

            secrets = self.asked.wires.secrets
            self._observers = Observers(
                self.settings, self.host, self.cwd, secrets, self.alarm, self._logged
            )
        return self._observers

    def check_logs(self) -> None:
        """Open the logs that were asked for, and close them again: one that cannot be opened
        is told at the start, and they are there even if nothing happens. Needs no model."""
        tools = self.settings.tools
        if tools.audit_log or tools.telemetry_log:
            from pi.cli.observers import Observers

            Observers(self.settings, self.host, self.cwd, self.secrets, self.alarm).close()

    @property
    def recorder(self) -> Recorder | None:
        """What writes the conversation into its session."""
        if self._recorder is None and self.store is not None:
            from pi.runtime.recorder import Recorder

            self._recorder = Recorder(self.store, self._not_saved, self.alarm)
        return self._recorder

    @property
    def agent(self) -> Agent:
        """The agent with its tools and the conversation so far."""
        if self._agent is None:
            system = self.system
            self._agent = build_agent(
                self.settings,
                self.host,
                self.asked,
                system,
                self.store,
                self.alarm,
                self._skill_folders,
                self.question,
            )
            if self._spare:
                self._agent.messages[:] = self._spare
                self._spare = ()
        return self._agent

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be written down. Needs no model."""
        if self._asked is not None:
            return self._asked.wires.secrets
        from pi.base.text import longest_first, secret_values
        from pi.cli.wires import typed_secrets

        found = (*secret_values(self.host.environ), *typed_secrets(self.settings))
        return longest_first(found)

    def alarm(self, text: str) -> None:
        """One line that is shown also where notes are not."""
        self.printer.alarm(text)

    def _close_logs(self) -> None:
        if self._observers is not None:
            self._logged = self._observers.prompts
            self._observers.close()
            self._observers = None  # opened again when they are needed

    def _lost(self) -> PiError | None:
        """Why the conversation is not in its session, if that is a failure of the run."""
        recorder = self._recorder
        lost = (recorder.failure if recorder is not None else None) or self._unsaved
        if lost is None or self.settings.session.asked_for or lost.code in LOST:
            return lost
        return None  # nobody asked for the default session; it could not be written at all

    def _not_saved(self, error: PiError) -> None:
        cause = f" ({error.cause})" if error.cause else ""
        self.alarm(f"not saved: {error.message}{cause}")
