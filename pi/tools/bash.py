"""The ``bash`` tool: a shell command, within limits, and the end of what it said."""

from __future__ import annotations

import os
import stat

from pi.agent.tool import Effect, ToolResult
from pi.base.text import well_formed
from pi.base.typing import Any
from pi.tools.bash_result import Trace, dry_result, ended_result, run_facts
from pi.tools.decision import DENY
from pi.tools.definitions import BASH
from pi.tools.environment import choose_shell
from pi.tools.outcome import Missing, ToolFailure, failed, failure_of, os_text, text_argument
from pi.tools.output import Output, remove_at_exit
from pi.tools.paths import touched
from pi.tools.places import Folder
from pi.tools.process import CANCELLED, TIMED_OUT, run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.agent.tool import ToolContext
    from pi.tools.process import Ended
    from pi.tools.toolkit import Launch, Toolkit

UPDATE_SECONDS = 0.1
UPDATE_BYTES = 4096
UPDATE_LINES = 20


class BashTool:
    definition = BASH

    def __init__(self, toolkit: Toolkit) -> None:
        self._kit = toolkit

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return Effect(runs=True)

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        cwd = arguments.get("cwd")
        asked = {"command": arguments.get("command"), "cwd": cwd if isinstance(cwd, str) else None}
        try:
            command = well_formed(text_argument(arguments, "command"))
            timeout_ms = self._timeout_ms(arguments.get("timeout"))
            if os.name != "posix":
                raise ToolFailure("commands need a POSIX system; they cannot be run here")
            if "\0" in command:
                raise ToolFailure("the command must not hold a NUL character")
        except ToolFailure as failure:
            return failed(failure.error, asked)
        trace = Trace()
        result = self._decide_and_run(command, timeout_ms, asked, trace, context)
        return trace.told_in(result) if self._kit.policy.tool_policy_trace else result

    def _decide_and_run(
        self,
        command: str,
        timeout_ms: int,
        asked: dict[str, Any],
        trace: Trace,
        context: ToolContext,
    ) -> ToolResult:
        try:
            folder, launch = self._permit(command, asked, trace, context.cwd)
            policy = self._kit.policy
            facts = run_facts(
                asked,
                sandboxed=launch.sandboxed,
                sandbox_mode=self._kit.sandbox.mode,
                dry_run=policy.bash_dry_run,
            )
            if policy.bash_dry_run:
                return dry_result(facts)
            return self._run(launch, folder, timeout_ms, facts, context)
        except ToolFailure as failure:
            return failure_of(failure, asked)
        except OSError as exc:
            return failed(f"the command could not be started: {os_text(exc)}", asked)

    def _permit(
        self, command: str, asked: dict[str, Any], trace: Trace, default: str
    ) -> tuple[str, Launch]:
        """Every rule in its order: the directory to run in, and how to start.

        Raises ToolFailure for the first that refuses. ``asked["cwd"]`` becomes the
        directory that was meant, once that is known.
        """
        kit, cwd = self._kit, asked["cwd"]
        wanted = touched({"path": cwd}, default) if cwd else default
        decision = kit.check_command(command, wanted or default)
        trace.take(decision.steps)
        if not decision.allowed:
            if trace.decision != DENY:
                trace.deny(decision.rule, decision.error)
            raise ToolFailure(decision.error, decision.rule, decision.fields)
        try:
            if cwd is None:
                folder = default
                trace.allow("cwd_validation", "cwd not provided; using process current directory")
            else:
                folder = asked["cwd"] = self._folder(cwd, default)
                trace.allow("cwd_validation", f"cwd '{folder}' accepted")
            shell = (choose_shell(kit.environ), "-lc" if kit.bash_login else "-c")
            # A shell takes what begins with a sign for options: a blank makes it a command.
            text = f" {command}" if command[:1] in ("-", "+") else command
            launch = kit.sandbox.launch(shell, text, folder)
        except ToolFailure as failure:
            trace.deny(failure.rule, failure.error)
            raise
        held = "true" if launch.sandboxed else "false"
        mode = kit.sandbox.mode
        trace.allow("os_sandbox_mode", f"resolved sandbox mode '{mode}' (sandboxed={held})")
        trace.allow(
            "execution_mode",
            "bash dry-run enabled; command not executed"
            if kit.policy.bash_dry_run
            else "bash command execution permitted",
        )
        return folder, launch

    def _folder(self, cwd: str, default: str) -> str:
        """The directory that the model chose, which has to pass the path rule."""
        try:
            place = self._kit.paths.existing(cwd, default)
        except Missing as failure:
            failure.rule = "allowed_roots"
            raise
        except ToolFailure as failure:
            if failure.rule != "allowed_roots":
                failure.rule = "cwd_validation"
            raise
        with Folder(place) as folder:
            info = folder.info()
        if info is None or not stat.S_ISDIR(info.st_mode):
            raise ToolFailure(
                f"path '{cwd}' must be a directory for this operation", "cwd_validation"
            )
        return place.resolved

    def _timeout_ms(self, seconds: object) -> int:
        most = self._kit.policy.bash_timeout_ms
        if seconds is None:
            return most
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 0:
            raise ToolFailure("'timeout' must be a number of seconds")
        return max(1, int(seconds * 1000)) if 0 < seconds < most / 1000 else most

    def _run(
        self,
        launch: Launch,
        folder: str,
        timeout_ms: int,
        facts: Mapping[str, Any],
        context: ToolContext,
    ) -> ToolResult:
        kit = self._kit
        if context.cancel.why is not None:
            raise ToolFailure(f"command cancelled: {context.cancel.why.message}")
        if not os.path.isdir(folder):
            raise ToolFailure(f"the working directory '{folder}' does not exist any more")
        output = Output(
            kit.policy.max_command_output_bytes,
            kit.secrets,
            temp_dir=kit.temp_dir,
            random_bytes=kit.random_bytes,
        )
        progress = _Progress(output, context.emit, kit.monotonic)
        held = "1" if launch.sandboxed else "0"
        try:
            ended = run_command(
                launch.argv,
                cwd=folder,
                environ={**kit.command_environ, "PI_SANDBOXED": held, **launch.environ},
                timeout_ms=timeout_ms,
                cancel=context.cancel,
                monotonic=kit.monotonic,
                on_output=output.add,
                on_pause=progress.tell,
            )
        finally:
            output.finish()
        if output.full_path:
            kit.paths.allow_reading(output.full_path)
            if not kit.keeps_output:
                remove_at_exit(output.full_path)
        return ended_result(output, ended, _error(ended, timeout_ms, context), facts)


class _Progress:
    """The latest lines for whoever watches, not more often than ``UPDATE_SECONDS``."""

    def __init__(
        self, output: Output, emit: Callable[[str], None], monotonic: Callable[[], float]
    ) -> None:
        self._output = output
        self._emit = emit
        self._monotonic = monotonic
        self._told = 0
        self._next = monotonic() + UPDATE_SECONDS

    def tell(self) -> None:
        merged = self._output.merged
        if merged.total == self._told or self._monotonic() < self._next:
            return
        self._told = merged.total
        self._emit(self._output.shown(merged, UPDATE_BYTES, UPDATE_LINES).text)
        self._next = self._monotonic() + UPDATE_SECONDS


def _error(ended: Ended, timeout_ms: int, context: ToolContext) -> str:
    if ended.stopped == TIMED_OUT:
        return f"command timed out after {timeout_ms} ms"
    if ended.stopped == CANCELLED and context.cancel.why is not None:
        return f"command cancelled: {context.cancel.why.message}"
    return ""
