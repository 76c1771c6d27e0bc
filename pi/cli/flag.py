"""One row of the flag table."""

from __future__ import annotations

from pi.base.typing import NamedTuple


class Flag(NamedTuple):
    """One flag.

    ``kind`` is "text", "path", "secret", "int", "bool", "list" (comma-separated),
    "repeat" (taken whole each time) or "choice". A bool may be given bare; its ``choices``
    are what it may be set to beside true and false. ``variable`` is the environment variable
    read when the flag is not given.
    ``needs`` and ``clashes`` name other flags and are judged on the command line only.
    """

    name: str
    help: str
    group: str
    kind: str = "text"
    default: object = None
    variable: str = ""
    metavar: str = ""
    short: str = ""
    minimum: int = 0
    choices: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    clashes: tuple[str, ...] = ()
