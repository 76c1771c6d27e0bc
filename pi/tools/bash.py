"""The ``bash`` tool: a shell command, within limits, and the end of what it said."""

from __future__ import annotations

import os
import signal
import stat
from typing import Any

from pi.agent.tool import Effect, ToolResult
from pi.ai.types import ToolDefinition
from pi.base.text import well_formed
from pi.tools.outcome import ToolFailure, failed, os_text, text_argument
from pi.tools.output import Output
from pi.tools.places import Folder
from pi.tools.process import CANCELLED, TIMED_OUT, run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.agent.tool import ToolContext
    from pi.tools.process import Ended
    from pi.tools.toolkit import Toolkit

# fmt: off
PASSED_VARIABLES = (
    "PATH", "HOME", "USER", "SHELL", "LANG", "LC_ALL",
    "LC_CTYPE", "TERM", "TMPDIR", "TMP", "TEMP", "TZ",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)
# fmt: on
# Nobody is there to leave a pager or to type a password.
_SET_VARIABLES = {
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "PI_SANDBOXED": "0",
}
# Shells that understand what models write; fish, nu and tcsh do not.
_POSIX_SHELLS = ("bash", "zsh", "dash", "ksh", "mksh", "ash", "sh")
UPDATE_SECONDS = 0.1
UPDATE_BYTES = 4096
UPDATE_LINES = 20

DEFINITION = ToolDefinition(
    "bash",
    "Execute a shell command. Its standard input is empty; long output is cut to its end",
    {
        "type": "object",
        "properties": {
            "command": {"type": "string", "description": "Command to execute"},
            "cwd": {"type": "string", "description": "Directory to run it in"},
            "timeout": {
                "type": "number",
                "minimum": 0,
                "description": "Seconds after which it is ended; may only lower the limit",
            },
        },
        "required": ["command"],
        "additionalProperties": False,
    },
)


class BashTool:
    definition = DEFINITION

    def __init__(self, toolkit: Toolkit) -> None:
        self._kit = toolkit

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return Effect(runs=True)

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        command, cwd = arguments.get("command"), arguments.get("cwd")
        asked = {"command": command, "cwd": cwd if isinstance(cwd, str) else None}
        try:
            command = well_formed(text_argument(arguments, "command"))
            self._check_shape(command)
            wanted = context.cwd if asked["cwd"] is None else asked["cwd"]
            decision = self._kit.check_command(command, os.path.join(context.cwd, wanted))
            if not decision.allowed:
                fields = {**asked, **decision.fields, "policy_rule": decision.rule}
                return failed(decision.error, fields)
            folder = self._folder(asked["cwd"], context.cwd)
            if asked["cwd"] is not None:
                asked["cwd"] = folder
            timeout_ms = self._timeout_ms(arguments.get("timeout"))
            return self._run(command, folder, timeout_ms, asked, context)
        except ToolFailure as failure:
            rule = {"policy_rule": failure.rule} if failure.rule else {}
            return failed(failure.error, {**asked, **rule})
        except OSError as exc:
            return failed(f"the command could not be started: {os_text(exc)}", asked)

    def _check_shape(self, command: str) -> None:
        """What holds under every policy."""
        if os.name != "posix":
            raise ToolFailure("commands need a POSIX system; they cannot be run here")
        most = self._kit.policy.max_command_length
        if len(command) > most:
            raise ToolFailure(
                f"command is too long ({len(command)} chars), limit is {most} chars",
                "max_command_length",
            )
        if "\0" in command:
            raise ToolFailure("the command must not hold a NUL character")

    def _folder(self, cwd: str | None, default: str) -> str:
        """The directory to run in; only one that the model chose has to pass the path rule."""
        if cwd is None:
            if not os.path.isdir(default):
                raise ToolFailure(f"the working directory '{default}' does not exist any more")
            return default
        try:
            place = self._kit.paths.existing(cwd, default)
        except ToolFailure as failure:
            if failure.rule == "enforce_regular_files":
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
        command: str,
        folder: str,
        timeout_ms: int,
        asked: dict[str, Any],
        context: ToolContext,
    ) -> ToolResult:
        if context.cancel.why is not None:
            raise ToolFailure(f"command cancelled: {context.cancel.why.message}")
        output = Output(
            self._kit.policy.max_command_output_bytes,
            self._kit.secrets,
            temp_dir=self._kit.temp_dir,
            random_bytes=self._kit.random_bytes,
        )
        progress = _Progress(output, context.emit, self._kit.monotonic)
        try:
            ended = run_command(
                (choose_shell(self._kit.environ), "-c", command),
                cwd=folder,
                environ=child_environment(self._kit.environ),
                timeout_ms=timeout_ms,
                cancel=context.cancel,
                monotonic=self._kit.monotonic,
                on_output=output.add,
                on_pause=progress.tell,
            )
        finally:
            output.finish()
        if output.full_path:
            self._kit.paths.allow_reading(output.full_path)
        error = _error(ended, timeout_ms, context)
        return _result(output, ended, error, asked)


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


def choose_shell(environ: Mapping[str, str]) -> str:
    """The shell for commands: bash if there is one, whatever the user's own shell is."""
    if os.access("/bin/bash", os.X_OK):
        return "/bin/bash"
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, "bash")
        if os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    shell = environ.get("SHELL", "")
    if os.path.basename(shell) in _POSIX_SHELLS and os.access(shell, os.X_OK):
        return shell
    return "sh"


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a command sees: nothing that may be a key, unless it hides in a proxy address."""
    passed = {name: environ[name] for name in PASSED_VARIABLES if name in environ}
    return {**passed, **_SET_VARIABLES}


def _error(ended: Ended, timeout_ms: int, context: ToolContext) -> str:
    if ended.stopped == TIMED_OUT:
        return f"command timed out after {timeout_ms} ms"
    if ended.stopped == CANCELLED and context.cancel.why is not None:
        return f"command cancelled: {context.cancel.why.message}"
    return ""


def _result(output: Output, ended: Ended, error: str, asked: dict[str, Any]) -> ToolResult:
    merged = output.shown(output.merged)
    status = ended.code if ended.code is not None and ended.code >= 0 else None
    content = {
        **asked,
        "sandboxed": False,
        "sandbox_mode": "off",
        "dry_run": False,
        "status": status,
        "success": ended.code == 0 and not error,
        "stdout": output.shown(output.streams["stdout"]).text,
        "stderr": output.shown(output.streams["stderr"]).text,
        "truncated": merged.cut,
    }
    notes = []
    if merged.cut:
        notes.append(_cut_note(output, merged.text))
        content["full_output"] = output.full_path
    if ended.background:
        content["background_group"] = ended.background
        notes.append(_background_note(ended))
    if error:
        content["error"] = error
        content["timed_out"] = ended.stopped == TIMED_OUT
        content["cancelled"] = ended.stopped == CANCELLED
        notes.append(f"error: {error}")
    elif ended.code:
        content["signal"] = signal_name(ended.code)
        notes.append(_status_note(ended.code))
    text = merged.text
    if notes:
        text += ("" if not text or text.endswith("\n") else "\n") + "\n".join(notes)
    return ToolResult(text or "(no output)", content, is_error=bool(error))


def _cut_note(output: Output, text: str) -> str:
    """What of the output is shown and where all of it is."""
    merged = output.merged
    total = merged.line_ends + (not merged.data().endswith(b"\n"))
    shown = text.count("\n") + (not text.endswith("\n"))
    where = f"full output: {output.full_path}" if output.full_path else "the rest is lost"
    if output.full_path and not output.full_is_complete:
        where += " (its beginning only)"
    first = max(1, total - shown + 1)
    return f"[cut: lines {first}-{total} of {total} shown, of {merged.total} bytes; {where}]"


def _background_note(ended: Ended) -> str:
    names = ", ".join(f"{member.pid} {member.name}" for member in ended.members)
    return (
        f"[still running in the background: {names or 'unknown processes'}; "
        f"stop with: kill -- -{ended.background}]"
    )


def _status_note(code: int) -> str:
    name = signal_name(code)
    if code < 0:
        return f"[killed by {name}]"
    return f"[exit status {code}: killed by {name}]" if name else f"[exit status {code}]"


def signal_name(code: int) -> str:
    """The signal an exit code tells: negative for the shell itself, 128 and up for a child."""
    number = -code if code < 0 else code - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return "" if code >= 0 else f"signal {number}"
