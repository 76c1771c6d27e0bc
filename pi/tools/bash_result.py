"""What the model and the logs are told of a command: how it was decided, what came of it."""

from __future__ import annotations

import signal

from pi.agent.tool import ToolResult
from pi.base.text import visible
from pi.base.typing import Any
from pi.tools.decision import ALLOW, DENY, Step
from pi.tools.process import CANCELLED, TIMED_OUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pi.tools.output import Output
    from pi.tools.process import Ended


class Trace:
    """The checks a command went through, in their order, up to the first refusal."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def allow(self, check: str, detail: str) -> None:
        self.steps.append(Step(check, ALLOW, detail))

    def deny(self, check: str, detail: str) -> None:
        self.steps.append(Step(check, DENY, detail))

    def take(self, steps: Iterable[Step]) -> None:
        self.steps += steps

    @property
    def decision(self) -> str:
        return DENY if self.steps and self.steps[-1].outcome == DENY else ALLOW

    def told_in(self, result: ToolResult) -> ToolResult:
        """``result`` with the decision and its steps in the data for events and logs."""
        rows = [step._asdict() for step in self.steps]
        content = {**result.content, "policy_decision": self.decision, "policy_trace": rows}
        return result._replace(content=content)


def run_facts(
    asked: Mapping[str, Any], *, sandboxed: bool, sandbox_mode: str, dry_run: bool
) -> dict[str, Any]:
    """The keys that a command has in common with one that was only checked."""
    return {
        **asked,
        "sandboxed": sandboxed,
        "sandbox_mode": sandbox_mode,
        "dry_run": dry_run,
        "status": None,
        "success": True,
        "stdout": "",
        "stderr": "",
    }


def dry_result(facts: Mapping[str, Any]) -> ToolResult:
    """A command that the policy allows and nobody ran."""
    return ToolResult(
        "[dry run: the policy allows this command; it was not executed]",
        {**facts, "would_execute": True},
    )


def ended_result(output: Output, ended: Ended, error: str, facts: Mapping[str, Any]) -> ToolResult:
    """A command that ran; ``error`` says why it was stopped, if it was."""
    merged = output.shown(output.merged)
    content = {
        **facts,
        "status": ended.code if ended.code is not None and ended.code >= 0 else None,
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
        name = signal_name(ended.code)
        if name:
            content["signal"] = name
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
    # A process may call itself anything, line ends and escapes too.
    names = ", ".join(f"{member.pid} {visible(member.name)}" for member in ended.members)
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
