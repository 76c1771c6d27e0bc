"""The operator's own launcher: a template of words, used in every mode, even "off"."""

from __future__ import annotations

import os

from pi.base.errors import ConfigError, UsageError
from pi.tools.toolkit import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any


def parse_template(items: Iterable[str]) -> tuple[str, ...]:
    """The words of the list's items: each is trimmed, blank ones dropped, split as a shell would.

    Raises UsageError for unbalanced quotes.
    """
    words: list[str] = []
    for item in items:
        token = item.strip()
        if token:
            words.extend(_split(token))
    return tuple(words)


def _split(token: str) -> list[str]:
    from shlex import split  # 3 ms, and only when a template was given

    try:
        return split(token)
    except ValueError as exc:
        raise UsageError(f"invalid --os-sandbox-command token '{token}': {exc}") from None


class Template:
    """Starts commands as the template says. What that enforces is the operator's matter."""

    def __init__(self, mode: str, words: Sequence[str]) -> None:
        self.mode = mode
        self._words = tuple(words)

    def launch(self, shell: tuple[str, ...], command: str, cwd: str) -> Launch:
        return Launch(fill(self._words, shell[0], command, cwd), {"PI_SANDBOXED": "1"}, True)

    def describe(self) -> Mapping[str, Any]:
        return {
            "confined": None,
            "launcher": "template",
            "program": self._words[0],
            "reason": "what the given launcher enforces is not known to pi",
        }


def fill(words: Sequence[str], shell: str, command: str, cwd: str) -> tuple[str, ...]:
    """The template with its places filled; shell and command are appended if not named."""
    whole = {"{shell}": shell, "{command}": command}
    filled = [whole[word] if word in whole else word.replace("{cwd}", cwd) for word in words]
    if "{shell}" not in words:
        filled.append(shell)
    if "{command}" not in words:
        filled += ["-lc", command]
    return tuple(filled)


def check_program(words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Raises ConfigError if the template's program is not there: once, not for every command."""
    program = words[0]
    if "{cwd}" in program or program == "{shell}":
        return  # known only when a command is run
    if find_program(program, environ) is None:
        raise ConfigError(
            f"the sandbox launcher '{program}' was not found",
            cause="no executable file of that name on PATH" if "/" not in program else "",
            hint="correct --os-sandbox-command, or leave it out",
        )


def find_program(name: str, environ: Mapping[str, str]) -> str | None:
    """The executable file that ``name`` means on the PATH of ``environ``."""
    if "/" in name:
        return name if _runs(name) else None
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isabs(path) and _runs(path):
            return path
    return None


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
