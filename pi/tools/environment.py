"""Which shell runs a command, and which variables it gets to see.

strict, hardened   a fixed list of names
balanced           the same and the addresses of proxies
permissive         everything but secrets and pi's own settings

What the operator names (``NAME``, or ``NAME=VALUE``) is added last, under every preset,
even if it is a secret: that was asked for.
"""

from __future__ import annotations

import os
import re

from pi.base.errors import UsageError
from pi.base.text import SECRET_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# fmt: off
_PASSED = (
    "PATH", "HOME", "USER", "SHELL", "LANG", "LC_ALL",
    "LC_CTYPE", "TERM", "TMPDIR", "TMP", "TEMP", "TZ",
)
# fmt: on
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY")
_WITHOUT_PROXIES = ("strict", "hardened")
# Nobody is there to leave a pager or to type a password.
_SET = {"PAGER": "cat", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0"}
# Shells that understand what models write; fish, nu and tcsh do not.
_POSIX_SHELLS = ("bash", "zsh", "dash", "ksh", "mksh", "ash", "sh")
_NAME = "[A-Za-z_][A-Za-z0-9_]*"


def command_environment(
    environ: Mapping[str, str],
    preset: str,
    *,
    secrets: Iterable[str] = (),
    more: Iterable[str] = (),
) -> dict[str, str]:
    """The variables for commands, out of pi's own.

    ``secrets`` are values that must not get through under another name; ``more`` is what
    the operator adds. Raises UsageError for an entry of ``more`` that names no variable.
    """
    hidden = tuple(secrets)
    passed = {
        name: value
        for name, value in environ.items()
        if _passes(name, preset) and (name in _PASSED or not any(map(value.__contains__, hidden)))
    }
    if preset != "permissive" and "PATH" in passed:
        passed["PATH"] = absolute_folders(passed["PATH"])
    passed.update(_SET)
    for entry in more:
        name, given, value = entry.partition("=")
        if not re.fullmatch(_NAME, name):
            raise UsageError(
                f"'{name}' is not the name of a variable",
                hint="give NAME, or NAME=VALUE, of what commands may see",
            )
        if given or name in environ:
            passed[name] = value if given else environ[name]
    return passed


def absolute_folders(search_path: str) -> str:
    """``search_path`` without entries that mean a place in the working directory.

    There a model can put a program under the name of an allowed one. An empty entry is
    such a place too (POSIX, "Environment Variables").
    """
    folders = [each for each in search_path.split(os.pathsep) if os.path.isabs(each)]
    return os.pathsep.join(folders) or os.defpath


def _passes(name: str, preset: str) -> bool:
    if preset == "permissive":
        # With the underscore in front a bare TOKEN counts like GITHUB_TOKEN.
        return not f"_{name.upper()}".endswith(SECRET_NAMES) and not name.startswith("PI_")
    if name in _PASSED:
        return True
    return name.upper() in _PROXIES and preset not in _WITHOUT_PROXIES


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
