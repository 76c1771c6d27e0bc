"""Where typed lines come from: a terminal, with editing where there is ``readline``, or a pipe."""

from __future__ import annotations

import sys

from pi.base.errors import PiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, BinaryIO, Protocol

    from pi.base.host import Host

    class Lines(Protocol):
        """``read(prompt)`` gives a line without its break, None at the end of the input.
        Raises KeyboardInterrupt for Ctrl+C, PiError for input that cannot be read.
        ``had_text`` says whether Ctrl+C found something in the line; ``forget_typed`` drops
        what was typed before it was asked for."""

        is_terminal: bool

        def read(self, prompt: str) -> str | None: ...

        def remember(self, text: str) -> None: ...

        def had_text(self) -> bool: ...

        def forget_typed(self) -> None: ...


MAX_LINE_BYTES = 64 << 20


class PipedLines:
    """Lines of what is no terminal. What is not UTF-8 is replaced."""

    is_terminal = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, prompt: str) -> str | None:
        return read_line(self._stream)

    def remember(self, text: str) -> None:
        """A pipe has no history."""

    def had_text(self) -> bool:
        return False

    def forget_typed(self) -> None:
        """What came through a pipe was not typed."""


def read_line(stream: BinaryIO, limit: int = MAX_LINE_BYTES) -> str | None:
    """The next line, None at the end. Raises PiError for one that is longer than ``limit``,
    which is passed over, and for a stream that cannot be read."""
    try:
        data = stream.readline(limit)
        if len(data) == limit and not data.endswith(b"\n"):
            while data and not data.endswith(b"\n"):
                data = stream.readline(limit)
            raise PiError(f"a line is longer than {limit} bytes", hint="use --prompt-file")
    except (OSError, ValueError) as exc:
        raise PiError("standard input cannot be read", cause=str(exc), code="input-failed") from exc
    if not data:
        return None
    return data.decode("utf-8", "replace").lstrip("\ufeff").rstrip("\r\n")


class TerminalLines:
    """Lines typed on a terminal; ``complete`` offers what may stand in place of the last
    word of a line, ``keep`` keeps a text and says whether it may be shown again."""

    is_terminal = True

    def __init__(
        self,
        host: Host,
        past: Sequence[str],
        complete: Callable[[str], Sequence[str]],
        keep: Callable[[str], bool],
    ) -> None:
        self._host = host
        self._keep = keep
        self._readline: Any = None
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        if host.stdout is not None and host.stdout.isatty():  # else nothing could be edited
            self._readline = _prepared(past, complete, host.environ.get("TERM", ""))

    def read(self, prompt: str) -> str | None:
        if self._readline is None:
            return self._read_plain(prompt)
        try:
            return input(prompt)
        except EOFError:
            print(file=self._host.stdout)
            return None
        except ValueError as exc:  # stdin was closed
            raise PiError(
                "standard input cannot be read", cause=str(exc), code="input-failed"
            ) from exc

    def remember(self, text: str) -> None:
        """Keep ``text``, and let the arrow keys bring it back."""
        if self._keep(text) and self._readline is not None and "\0" not in text:
            self._readline.add_history(text)

    def had_text(self) -> bool:
        return self._readline is not None and bool(self._readline.get_line_buffer())

    def forget_typed(self) -> None:
        try:
            import termios
        except ImportError:  # Windows
            return
        try:
            if self._host.stdin is not None:
                termios.tcflush(self._host.stdin.fileno(), termios.TCIFLUSH)
        except (OSError, ValueError, termios.error):
            pass

    def _read_plain(self, prompt: str) -> str | None:
        if self._host.stderr is not None:
            print(prompt, end="", file=self._host.stderr, flush=True)
        assert self._host.stdin is not None
        return read_line(self._host.stdin.buffer)


def _prepared(past: Sequence[str], complete: Callable[[str], Sequence[str]], term: str) -> Any:
    """``readline``, ready for use; None where Python was built without it."""
    try:
        import readline  # 5 ms, and only on a terminal
    except ImportError:
        return None
    found: list[str] = []

    def completer(word: str, number: int) -> str | None:
        if number == 0:
            before = readline.get_line_buffer()[: readline.get_endidx()]
            found[:] = complete(before)
        return found[number] if number < len(found) else None

    readline.set_completer(completer)
    readline.set_completer_delims(" \t\n")
    if "libedit" in (readline.__doc__ or ""):
        readline.parse_and_bind("bind ^I rl_complete")
    else:
        readline.parse_and_bind("tab: complete")
        # A pasted text of several lines arrives as one, and runs nothing by itself. Asking for
        # that takes an escape sequence, which a dumb terminal would show.
        paste = "off" if term == "dumb" else "on"
        readline.parse_and_bind(f"set enable-bracketed-paste {paste}")
    readline.set_auto_history(False)
    readline.clear_history()
    for entry in past:
        readline.add_history(entry)
    return readline
