"""Ripgrep as a second reader: which of many files hold a text at all.

What is ignored, what is a line and what is shown stays ours, so the output is the same
with and without it: ``rg`` gets names of files that are wanted and a plain ASCII text,
and only rules out files that do not hold it. It never sees an expression (its dialect
differs) or an ignore file (it departs from git in places). Source: rg(1), version 13.
"""

from __future__ import annotations

import os

from pi.tools.paths import parts_below
from pi.tools.process import run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.base.cancel import Cancel

# Binary files count (-a), names end with NUL (-0), configuration and ignore files do not
# count, and a file that is gone is no news.
_OPTIONS = ("--no-config", "--no-ignore", "--hidden", "--no-messages", "-alF0")
_NOT_FOUND = 1


class Ripgrep:
    """``program`` is its absolute path."""

    def __init__(
        self,
        program: str,
        cancel: Cancel,
        monotonic: Callable[[], float],
        deadline: float,
    ) -> None:
        self._program = program
        self._cancel = cancel
        self._monotonic = monotonic
        self._deadline = deadline

    def __call__(self, directory: str, paths: Sequence[str], text: str) -> set[str] | None:
        """Which files below ``directory`` hold ``text``; None if that could not be told."""
        output: list[bytes] = []

        def keep(stream: str, piece: bytes) -> None:
            if stream == "stdout":
                output.append(piece)

        names = [f"./{path}" for path in paths]
        try:
            ended = run_command(
                [self._program, *_OPTIONS, "-e", text, "--", *names],
                cwd=directory,
                environ={},  # no key of ours is its business
                timeout_ms=max(1, int((self._deadline - self._monotonic()) * 1000)),
                cancel=self._cancel,
                monotonic=self._monotonic,
                on_output=keep,
                on_pause=lambda: None,
            )
        except OSError:
            return None
        if ended.code not in (0, _NOT_FOUND):
            return None
        return {os.fsdecode(name)[2:] for name in b"".join(output).split(b"\0") if name}


def find_ripgrep(path: str, root: str) -> str | None:
    """The first ``rg`` on the search path, unless it lies in what is being searched.

    A repository could bring a program of that name along.
    """
    for folder in path.split(os.pathsep):
        program = os.path.join(folder, "rg")
        if os.path.isabs(folder) and os.path.isfile(program) and os.access(program, os.X_OK):
            outside = parts_below(root, os.path.realpath(program)) is None
            return program if outside or root == os.sep else None
    return None
