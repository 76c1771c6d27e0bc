"""The plain view of a run: the answer on stdout, everything about the run on stderr.

Every text is printed exactly once: as it arrives, or when its message is final if
streaming is off. A line break separates the texts of consecutive turns. The part of an
answer that broke off has been printed if streaming is on, and a note on stderr stands
between it and the next attempt; otherwise it is printed only if no attempt follows. What
is the last of a run is called partial on stderr.
"""

from __future__ import annotations

import errno
import json

from pi.agent.events import (
    AgentEnd,
    AutoCompactionEnd,
    AutoCompactionStart,
    AutoRetry,
    MessageAdded,
    ToolEnd,
    ToolStart,
    ToolUpdate,
)
from pi.ai.events import Fallback, Retrying, TextDelta, ThinkingDelta, Warned
from pi.base.errors import Interrupted, PiError
from pi.base.text import visible
from pi.runtime.report import PARTIAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from pi.agent.events import AgentEvent
    from pi.agent.tool import ToolResult
    from pi.base.cancel import Cancel

SHOWN_ARGUMENT = 100
SHOWN_NOTE = 500
UPDATE_SECONDS = 1.0
PARTIAL_NOTE = "the answer above is partial: it did not come to its end"


class Printer:
    """A sink that prints.

    ``clean`` makes foreign text safe for a terminal; it is applied to what goes to one.
    A stdout that was closed sets ``cancel`` (code "stdout-closed") and ends the printing,
    and so does one that cannot be written ("output-failed"). Thinking goes to stderr.
    With ``monotonic`` the last line of what a running tool shows is noted, at most once
    in ``UPDATE_SECONDS``; without it not at all.
    """

    def __init__(
        self,
        stdout: TextIO | None,
        stderr: TextIO | None,
        cancel: Cancel,
        *,
        clean: Callable[[str], str],
        stream: bool = True,
        quiet: bool = False,
        pause: Callable[[], None] | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        self._stdout = stdout
        self._stderr = None if quiet else stderr
        self._alarms = stderr
        self._cancel = cancel
        self._clean = clean
        self._clean_stdout = stdout is not None and stdout.isatty()
        self._stream = stream
        self._pause = pause
        self._monotonic = monotonic
        self._next_update = 0.0
        self._open_line = False  # stdout ended without a line break
        self._streamed = False  # text of the current message was already printed
        self._partial = ""  # of an answer that broke off, not printed yet
        self._broke_off = False  # what was printed last did not come to its end
        self._thinking = False  # the last thing on stderr is thinking, its line open

    def __call__(self, event: AgentEvent) -> None:
        if isinstance(event, ThinkingDelta):
            self._think(event.text)
            return
        if self._thinking:
            self._thinking = False
            self._progress("]\n")
        show = SHOW.get(type(event))
        if show is not None:
            show(self, event)

    def note(self, text: str) -> None:
        """One line about the run, whatever the text: a model must not forge other lines."""
        line = visible(" ".join(self._clean(text).split()))
        line = line if len(line) <= SHOWN_NOTE else line[: SHOWN_NOTE - 3] + "..."
        self._progress(f"[{line}]\n")

    def alarm(self, text: str) -> None:
        """One line that is shown also where notes are not."""
        quiet, self._stderr = self._stderr, self._alarms
        self.note(text)
        self._stderr = quiet

    def _begun(self, event: ToolStart) -> None:
        self.note(f"{event.call.name}: {summary(event.call.arguments)}")
        if self._monotonic is not None:  # what ends within a moment needs no progress
            self._next_update = self._monotonic() + UPDATE_SECONDS

    def _update(self, event: ToolUpdate) -> None:
        if self._monotonic is None or self._stderr is None:
            return
        now = self._monotonic()
        line = event.text.rstrip().rpartition("\n")[2]
        if line and now >= self._next_update:
            self._next_update = now + UPDATE_SECONDS
            self.note(f"{event.call.name}: {line}")

    def _text(self, event: TextDelta) -> None:
        if self._stream:
            self._streamed = True
            self._say(event.text)

    def _failed_call(self, event: ToolEnd) -> None:
        if event.result.is_error:
            self.note(f"{event.call.name}: {error_line(event.result)}")

    def _again(self, event: AutoRetry | Fallback) -> None:
        self._forget()
        self.note(again(event))

    def _forget(self) -> None:
        """What broke off and was not printed yet never will be."""
        self._partial = ""
        self._broke_off = self._broke_off and self._stream

    def _compacting(self, event: AutoCompactionStart) -> None:
        self._forget()  # an answer that was refused as too long
        self.note(f"making room: the older part becomes a summary ({event.reason})")

    def _compacted(self, event: AutoCompactionEnd) -> None:
        if event.result is not None:
            done = event.result
            self.note(f"about {done.tokens_before} tokens became {done.tokens_after}")
        elif event.aborted:
            self.note("cancelled: the conversation is as it was")

    def _end(self, event: AgentEnd) -> None:
        self._say(self._partial)
        self._partial = ""
        self._end_line()
        if self._broke_off and self._stdout is not None:
            self.note(PARTIAL_NOTE)
        self._broke_off = False

    def _think(self, text: str) -> None:
        self._progress(("" if self._thinking else "[thinking: ") + self._clean(text))
        self._thinking = True

    def _progress(self, text: str) -> None:
        if self._stderr is None:
            return
        self._end_line()
        try:
            self._stderr.write(text)
            self._stderr.flush()
        except (OSError, ValueError):
            self._stderr = None

    def _message(self, event: MessageAdded) -> None:
        if event.message.role != "assistant":
            return
        text = "" if self._streamed else event.message.text()
        is_partial = event.message.stop_reason in PARTIAL
        self._broke_off = is_partial and bool(event.message.text().strip())
        if event.message.stop_reason == "error":
            self._partial = text
        else:
            self._say(text)
        self._end_line()
        self._streamed = False
        for sentence in event.reply.warnings if event.reply is not None else ():
            self.note(sentence)

    def _say(self, text: str) -> None:
        if self._stdout is None or not text:
            return
        try:
            self._stdout.write(self._clean(text) if self._clean_stdout else text)
            self._stdout.flush()
        except (OSError, ValueError) as exc:
            self._stdout = None
            self._cancel.set(output_failure(exc))
            return
        self._open_line = not text.endswith("\n")
        if self._pause is not None:
            self._pause()

    def _end_line(self) -> None:
        if self._open_line:
            self._open_line = False
            self._say("\n")


# What is done with an event; what is not here is not shown.
SHOW: dict[type, Callable[[Printer, Any], None]] = {
    TextDelta: Printer._text,
    MessageAdded: Printer._message,
    ToolStart: Printer._begun,
    ToolUpdate: Printer._update,
    ToolEnd: Printer._failed_call,
    Retrying: lambda printer, event: printer.note(
        f"retry {event.attempt} in {event.delay_ms} ms: {event.why}"
    ),
    AutoRetry: Printer._again,
    Fallback: Printer._again,
    AutoCompactionStart: Printer._compacting,
    AutoCompactionEnd: Printer._compacted,
    Warned: lambda printer, event: printer.note(event.text),
    AgentEnd: Printer._end,
}


def error_line(result: ToolResult) -> str:
    """What went wrong with a call, in one line."""
    error = result.content.get("error") if isinstance(result.content, dict) else None
    text = f"error: {error}" if isinstance(error, str) and error else result.text
    return text.split("\n", 1)[0]


def output_failure(exc: OSError | ValueError) -> PiError:
    """Why stdout takes no more: its reader went away, or writing it failed."""
    if isinstance(exc, ValueError) or exc.errno == errno.EPIPE:
        return Interrupted("stdout was closed", cause=str(exc), code="stdout-closed")
    return PiError(
        "stdout cannot be written",
        cause=exc.strerror or str(exc),
        hint="is the disk full? what was finished is kept in the session",
        code="output-failed",
    )


def again(event: AutoRetry | Fallback) -> str:
    """Why what was printed of the answer does not count, and what comes next."""
    if isinstance(event, Fallback):
        status = "" if event.status is None else f" {event.status}"
        why = f"{event.from_model} failed ({event.error_kind}{status})"
        return f"{why}: {event.to_model} answers instead"
    wait = f" in {event.delay_ms / 1000:g} s" if event.delay_ms else ""
    return f"{event.error}: asking again{wait} ({event.attempt} of {event.max_attempts})"


def summary(arguments: object) -> str:
    """A call's arguments in one short line."""
    text = json.dumps(arguments, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_ARGUMENT else text[: SHOWN_ARGUMENT - 3] + "..."
