"""What a settings file may say: names are those of the flags, values JSON of their kind.

Pure. Refused are secrets, what makes sense for one run only and, in a project's file, what
decides where requests and keys go: whoever trusts a folder trusts what is in it today, and
the next pull may bring other settings.
"""

from __future__ import annotations

import os

from pi.cli.flags import BY_NAME
from pi.cli.parse import MAX_INT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.cli.flag import Flag

# What has no variable is for the command line, except these.
WITHOUT_VARIABLE = frozenset(("--header", "--continue", "--no-session", "--bash-env"))
# What has one because containers are started with variables, and is for one run all the same.
ONCE = frozenset(
    (
        *("--prompt-file", "--command-file", "--session-validate", "--print-tool-policy"),
        *("--no-config", "--trust-project", "--profile", "--install-skill"),
        *("--install-skill-url", "--install-skill-sha256", "--install-skill-from-registry"),
        *("--skills-overwrite", "--skills-lock-write", "--skills-sync", "--skill-trust-add"),
        *("--skill-trust-revoke", "--skill-trust-rotate"),
    )
)
USER_ONLY = frozenset(
    (
        *("--api-base", "--anthropic-api-base", "--google-api-base", "--header", "--proxy"),
        *("--ca-bundle", "--client-cert", "--client-key", "--model-catalog-url"),
        "--model-catalog-cache",  # prices in it decide when a cost limit is reached
        *("--skill-registry-url", "--skill-registry-sha256", "--skills-allow-http"),
        *("--skill-trust-root", "--skill-trust-root-file", "--require-signed-skills"),
        "--require-signed-registry",
    )
)
PATH_LISTS = frozenset(("--allow-path", "--skills-path"))
NAMES_TOO = frozenset(("--session",))  # a bare word is a name and no path


def is_for_one_run(flag: Flag) -> bool:
    """Whether a flag makes sense on the command line only."""
    return flag.name in ONCE or not (flag.variable or flag.name in WITHOUT_VARIABLE)


def refusal(flag: Flag, level: str) -> str:
    """Why this flag cannot stand in the file of this level ("user" or "project"), "" if
    it can."""
    if flag.kind == "secret":
        what = flag.name.strip("-").replace("-", "_").upper()
        return f"a secret has no place in a file: put it in the environment, as {what}"
    if is_for_one_run(flag):
        return "it makes sense for one run only, on the command line"
    if flag.name in USER_ONLY and level == "project":
        return "where requests and keys go is for the user's own settings, not for a project's"
    return ""


def known_name(key: str) -> Flag | None:
    """The flag of a name in a file: the flag's own without its dashes."""
    return None if key.startswith("-") else BY_NAME.get(f"--{key}")


def nearest_name(key: str) -> str:
    """The name that may have been meant, "" for none."""
    from difflib import get_close_matches  # only on the way to a warning

    wanted = key.strip("-").replace("_", "-").lower()
    names = [name.strip("-") for name, flag in BY_NAME.items() if name == flag.name]
    close = get_close_matches(wanted, names, n=1, cutoff=0.6)
    return close[0] if close else ""


def checked(flag: Flag, value: Any) -> object:
    """``value``, as JSON gives it, as the value of this flag. Raises ValueError: why not."""
    return KINDS.get(flag.kind, _text)(flag, value)


def anchored(flag: Flag, value: object, folder: str, home: str) -> object:
    """``value`` with its paths made those that were meant: ``~/`` is the home folder, and in
    a project's file what is relative is below ``folder``, wherever pi was started. Without
    a ``folder`` it stays relative to the working directory."""

    def path(text: str) -> str:
        if text == "~" or text.startswith("~/"):
            return os.path.join(home, text[2:])
        is_name = flag.name in NAMES_TOO and "/" not in text
        if not folder or not text or is_name or text == "-":
            return text
        return os.path.normpath(os.path.join(folder, text))

    if isinstance(value, str) and flag.kind == "path":
        return path(value)
    if isinstance(value, tuple) and flag.name in PATH_LISTS:
        return tuple(map(path, value))
    if isinstance(value, tuple) and flag.name == "--append-system-prompt":
        return tuple(f"@{path(text[1:])}" if is_file_reference(text) else text for text in value)
    return value


def is_file_reference(text: str) -> bool:
    """Whether a text names a file: ``@FILE``; ``@@`` begins a text with one ``@``."""
    return text.startswith("@") and not text.startswith("@@")


def _bool(flag: Flag, value: Any) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and value in flag.choices):
        return value
    more = "".join(f' or "{choice}"' for choice in flag.choices)
    raise ValueError(f"needs true or false{more}{_instead(value)}")


def _int(flag: Flag, value: Any) -> object:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INT:
        raise ValueError(f"needs a whole number{_instead(value)}")
    return max(value, flag.minimum)


def _choice(flag: Flag, value: Any) -> object:
    if value not in flag.choices:
        raise ValueError(f"needs one of {', '.join(flag.choices)}{_instead(value)}")
    return value


def _text(flag: Flag, value: Any) -> object:
    if not isinstance(value, str):
        raise ValueError(f"needs a text in double quotes{_instead(value)}")
    if "\0" in value:
        raise ValueError("holds a NUL character")
    return value


def _list(flag: Flag, value: Any) -> object:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f'needs a list of texts, ["...", "..."]{_instead(value)}')
    if any("\0" in item for item in value):
        raise ValueError("holds a NUL character")
    if flag.kind == "repeat":
        return tuple(value)
    items = (item.strip() for item in value)
    return tuple(item for item in items if item)


KINDS: dict[str, Callable[[Flag, Any], object]] = {
    "bool": _bool,
    "int": _int,
    "choice": _choice,
    "list": _list,
    "repeat": _list,
}
_WORDS = {dict: "an object", list: "a list", str: "a text", bool: "a bool", float: "a fraction"}


def _instead(value: Any) -> str:
    """What stands there, as a person calls it; short, and never a long text."""
    if value is None:
        return ", not null"
    if isinstance(value, str) and len(value) <= 40:
        return f", not {value!r}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f", not {value}"
    return f", not {_WORDS.get(type(value), 'that')}"
