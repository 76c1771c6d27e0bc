"""Asks the person at the terminal about a command that is missing from the list.

What a strict policy, or a rule with a reason of its own, refuses is not asked about. The
answer lets the command through once, or its name in this project from now on.
"""

from __future__ import annotations

from pi.base.errors import PiError
from pi.base.text import visible
from pi.cli.signals import EndOnSignal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pi.ai.types import ToolCall
    from pi.cli.conversation import Conversation
    from pi.cli.line_reader import Lines
    from pi.tools.commands.allowing import Allowing

ONCE, PROJECT = ("o", "once"), ("p", "project")


class Question:
    """Made once for a run at a terminal; ``hook`` is for each of its agents."""

    def __init__(self, run: Conversation, lines: Lines) -> None:
        self._run = run
        self._lines = lines

    def hook(
        self, judge: Callable[[], Allowing]
    ) -> Callable[[ToolCall, Mapping[str, Any]], str | None]:
        """What looks at calls before they run; it refuses none, the rule does that."""

        def before(call: ToolCall, arguments: Mapping[str, Any]) -> None:
            command, cwd = arguments.get("command"), arguments.get("cwd")
            if call.name != "bash" or not isinstance(command, str):
                return
            from pi.cli.kept_commands import may_add

            if may_add(self._run.settings.tools):
                self._judge(judge(), command, cwd if isinstance(cwd, str) else "")

        return before

    def _judge(self, allowing: Allowing, command: str, folder: str) -> None:
        from pi.base.text import well_formed
        from pi.tools.paths import touched

        here = self._run.cwd
        command = well_formed(command)
        cwd = (touched({"path": folder}, here) if folder else here) or here  # as bash does
        names = allowing.wanted(command, cwd)
        if not names:
            return
        answer = self._ask(command, names, "" if cwd == here else cwd)
        if answer in PROJECT:
            self._keep(names)
            allowing.allow(names)
        elif answer in ONCE:
            allowing.allow_once(command, cwd, names)

    def _ask(self, command: str, names: tuple[str, ...], elsewhere: str) -> str:
        """The answer in small letters, "" for none. The whole command is shown, and the
        directory it is to run in if that is not the run's own."""
        run = self._run
        run.printer.note("bash asks to run a command that is not on the list:")
        if run.host.stderr is not None:
            place = f"\n  in {visible(elsewhere)}" if elsewhere else ""
            print(f"  {visible(command)}{place}", file=run.host.stderr, flush=True)
        listed = " and ".join(f"'{name}'" for name in names)
        question = f"Allow {listed}? [o]nce, always in this [p]roject, [N]o: "
        self._lines.forget_typed()
        answer: str | None = None
        received = EndOnSignal()
        with received:
            answer = self._lines.read(question)
        if received.number and run.host.stderr is not None:
            print(file=run.host.stderr)  # what follows is no answer
        received.hand_on()
        return (answer or "").strip().lower() if not received.number else ""

    def _keep(self, names: tuple[str, ...]) -> None:
        from pi.cli.kept_commands import keep

        host = self._run.host
        try:
            keep(names, self._run.cwd, host.environ, host.now_ms(), host.random_bytes)
        except PiError as exc:  # they count for this run only
            self._run.printer.alarm(f"{exc.message}: {exc.cause or exc.hint}")
