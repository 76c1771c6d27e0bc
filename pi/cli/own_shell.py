"""``!command``: a command of the user's own, on the user's own terms.

It runs in the working directory, with the user's variables, and without the policy and
the sandbox that hold the model. Its output is shown as it comes; its last part can be told
to the model.
"""

from __future__ import annotations

import codecs

from pi.base.cancel import Cancel
from pi.base.errors import PiError
from pi.base.typing import NamedTuple
from pi.cli.signals import CancelOnSignals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.base.host import Host

MAX_TOLD_BYTES = 30_000
NO_LIMIT_MS = 10**12


class Ran(NamedTuple):
    """``output`` is the last part of it, ``cut`` how many bytes came before. ``code`` is
    None if the command would not end."""

    command: str
    output: str
    cut: int
    code: int | None
    cancelled: bool


class Tail:
    """Keeps the last ``limit`` bytes of what it is fed."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self.cut = 0

    def feed(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > 2 * self._limit:
            self._shorten()

    def text(self) -> str:
        """What is kept, from the beginning of a line where something came before."""
        self._shorten()
        data = bytes(self._data)
        if self.cut and b"\n" in data[:-1]:
            before, _, data = data.partition(b"\n")
            self.cut += len(before) + 1
            self._data = bytearray(data)
        return data.decode("utf-8", "replace")

    def _shorten(self) -> None:
        over = len(self._data) - self._limit
        if over > 0:
            del self._data[:over]
            self.cut += over


def run_own(command: str, host: Host, cwd: str, show: Callable[[str], None]) -> Ran:
    """Run ``command`` to its end, or until Ctrl+C; ``show`` gets its output as it comes.

    Raises PiError if it cannot be started.
    """
    from pi.tools.environment import choose_shell  # with it comes what runs processes
    from pi.tools.process import CANCELLED, run_command

    tail = Tail(MAX_TOLD_BYTES)
    decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in STREAMS}

    def take(stream: str, data: bytes) -> None:
        tail.feed(data)
        show(decoders[stream].decode(data))

    cancel = Cancel()
    try:
        with CancelOnSignals(cancel, 0):
            ended = run_command(
                [choose_shell(host.environ), "-c", command],
                cwd=cwd,
                environ=host.environ,
                timeout_ms=NO_LIMIT_MS,
                cancel=cancel,
                monotonic=host.monotonic,
                on_output=take,
                on_pause=lambda: None,
            )
    except (OSError, ValueError) as exc:
        raise PiError("the command cannot be started", cause=str(exc)) from exc
    for decoder in decoders.values():
        show(decoder.decode(b"", final=True))
    output = tail.text()
    return Ran(command, output, tail.cut, ended.code, ended.stopped == CANCELLED)


def told(ran: Ran) -> str:
    """The command and what came of it, for the model."""
    from pi.base.text import plain_text

    output = plain_text(ran.output).strip("\n")
    lines = (
        [f"Ran `{ran.command}`", "```", output, "```"]
        if output
        else [f"Ran `{ran.command}`", "(no output)"]
    )
    if ran.cut:
        lines.append(f"[output cut: {ran.cut} bytes came before]")
    if ran.cancelled:
        lines.append("(command cancelled)")
    elif ran.code != 0:
        lines.append(f"Command exited with code {ran.code}")
    return "\n".join(lines)


STREAMS = ("stdout", "stderr")
