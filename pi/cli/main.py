"""The entry: answers ``--version`` itself, hands the rest on, and owns the way out.

Every exception ends here as words on stderr and an exit code. A reader that went away
(``pi ... | head``) ends the program without a word.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

DEBUG_WORDS = ("1", "true", "yes", "on")
EXIT_INTERRUPTED = 130
EXIT_STDOUT_CLOSED = EXIT_INTERRUPTED  # from outside, before the run was done


def main(argv: Sequence[str] | None = None) -> int:
    """Run pi with ``argv`` (default: the process's) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] in (["--version"], ["-V"]):
            from pi import __version__  # here: nothing else is loaded for it

            print(f"pi {__version__}")
            code = 0
        else:
            from pi.cli.modes import start

            code = start(arguments)
        _flush(code)
        return code
    except BrokenPipeError:
        return EXIT_STDOUT_CLOSED
    except BaseException as exc:
        from pi.base.errors import PiError, report

        if isinstance(exc, OSError) and exc.filename is None and exc.filename2 is None:
            # What is left here with no file's name is the writing of stdout.
            cause = exc.strerror or str(exc)
            exc = PiError("stdout cannot be written", cause=cause, code="output-failed")
        return report(exc, sys.stderr, debug=wants_debug(arguments))
    finally:
        _silence_closed_streams()


def run() -> NoReturn:
    """Be the process: run pi, then leave at once.

    The interpreter's own way out takes every module apart first, 15 ms of work for nothing.
    What must happen at the end (children ended, see ``atexit``) happens; the streams are
    flushed by ``main``, and everything else is written without buffers. One more Ctrl+C
    while pi is leaving is only that.
    """
    code = EXIT_INTERRUPTED
    try:
        code = main()
        import atexit  # built in; here because only this needs it

        atexit._run_exitfuncs()
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    os._exit(code)


def wants_debug(arguments: Sequence[str]) -> bool:
    """Whether tracebacks are asked for, also where the command line could not be read."""
    flags = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return (
        "--debug" in flags or "--debug=true" in flags or os.environ.get("PI_DEBUG") in DEBUG_WORDS
    )


def _flush(code: int) -> None:
    """Write out what is left. After a failure that was told there is no second one."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        if not code:
            raise


def _silence_closed_streams() -> None:
    """Keep the interpreter from complaining about a closed pipe while it shuts down."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            try:
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)
            except (OSError, ValueError):
                setattr(sys, name, None)
