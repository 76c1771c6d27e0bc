"""Every failure a user or a script can tell apart, and how it is reported.

    PiError                 1    failed for a reason not below
    ├── UsageError          2    the command line is wrong
    ├── ConfigError         2    a file or variable that configures pi is wrong
    ├── MissingKey          3    no credential
    ├── KeyRefused          3    the provider refused the credential
    ├── Unreachable         4    name, route, TLS or proxy: the provider was not reached
    ├── ProviderFailed      5    the provider answered with a failure, or broke off
    ├── CapReached          6    a limit of the run was reached (turns, tokens, cost, calls)
    ├── VerificationFailed  7    checksum, signature, drift, invalid session
    ├── PolicyRefused       8    the tool policy refuses
    ├── AnswerCut           9    the provider refused to answer or cut the answer short
    ├── Bug                 70   pi failed in a way it should not
    ├── TimeLimit           124  the run's time limit passed
    └── Interrupted         130  Ctrl+C, SIGTERM, SIGHUP

``code`` is stable kebab-case for scripts; a subclass may refine it. No message,
cause or hint may hold a secret: callers redact before they raise.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


class PiError(Exception):
    """A failure the user can act on. Printed without a traceback.

    message: what could not be done, naming the thing ("cannot read skill 'x'")
    cause:   what the world answered, in its own words
    hint:    the next thing to type or check
    code:    overrides the class's code where one class covers several causes
    """

    code = "failed"
    exit_code = 1

    def __init__(self, message: str, *, cause: str = "", hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.hint = hint
        if code:
            self.code = code

    def lines(self) -> list[str]:
        """The failure as lines for a person: what, why, what next.

        What comes from elsewhere may hold line ends: such lines begin further in, so that
        they cannot pass for others.
        """
        rows = (("error: ", self.message), ("  cause: ", self.cause), ("  hint:  ", self.hint))
        return [label + text.replace("\n", "\n         ") for label, text in rows if text]


class UsageError(PiError):
    code = "bad-usage"
    exit_code = 2


class ConfigError(PiError):
    code = "bad-config"
    exit_code = 2


class MissingKey(PiError):
    code = "missing-api-key"
    exit_code = 3


class KeyRefused(PiError):
    code = "api-key-refused"
    exit_code = 3


class Unreachable(PiError):
    code = "unreachable"
    exit_code = 4


class ProviderFailed(PiError):
    code = "provider-failed"
    exit_code = 5


class CapReached(PiError):
    code = "cap-reached"
    exit_code = 6


class VerificationFailed(PiError):
    code = "verification-failed"
    exit_code = 7


class PolicyRefused(PiError):
    code = "policy-refused"
    exit_code = 8


class AnswerCut(PiError):
    code = "answer-cut"
    exit_code = 9


class Bug(PiError):
    code = "bug"
    exit_code = 70


class TimeLimit(PiError):
    code = "time-limit"
    exit_code = 124


class Interrupted(PiError):
    code = "interrupted"
    exit_code = 130


def as_pi_error(exc: BaseException) -> PiError:
    """Name any exception: ours stay, Ctrl+C is an interruption, the rest is a bug in pi."""
    if isinstance(exc, PiError):
        return exc
    if isinstance(exc, KeyboardInterrupt):
        return Interrupted("interrupted")
    bug = Bug(
        "pi failed in a way it should not",
        cause=f"{type(exc).__name__}: {exc}",
        hint="run it again with --debug and report what it prints",
    )
    bug.__cause__ = exc  # whoever reports the bug later can still say where it was
    return bug


def report(exc: BaseException, stderr: TextIO | None, debug: bool = False) -> int:
    """Print ``exc`` for a person and return its exit code.

    The only place where an exception becomes words and a number. Never raises: a
    stderr that is closed or cannot encode the words must not hide the exit code.
    """
    shown = as_pi_error(exc)
    try:
        text = "\n".join(shown.lines()) + "\n"
        if debug:
            import traceback  # 5 ms, and only when asked for

            text += "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
        if stderr is not None:
            stderr.write(_plain(text))
            stderr.flush()
    except (OSError, ValueError):
        sys.stderr = None  # closed: nothing left to tell
    return shown.exit_code


def _plain(text: str) -> str:
    """``text`` without what a terminal would obey: names of files and words of servers are
    in it. What is no character of a name is shown as its number."""
    from pi.base.text import plain_text, visible  # only on the way to an error

    text = text.replace("\r", " ").replace("\t", " ")
    text = plain_text(text.encode("utf-8", "backslashreplace").decode("utf-8"))
    return "\n".join(map(visible, text.split("\n")))
