"""One row of the command table: what a slash command is called, takes and does."""

from __future__ import annotations

from pi.base.typing import NamedTuple


class Option(NamedTuple):
    """``--name``; ``kind`` is "switch", "text" or "int" (with ``minimum`` and ``maximum``)."""

    name: str
    kind: str = "switch"
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 2**63 - 1


class CommandSpec(NamedTuple):
    """``words`` says how many plain words it takes, least and most; ``whole`` that all of
    them are one path or name, which may hold blanks without quotes. ``--json`` is
    understood by every command.
    """

    name: str
    usage: str
    summary: str
    handler: str
    topic: str = "General"
    details: str = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    words: tuple[int, int] = (0, 0)
    whole: bool = False
    needs_session: bool = False
    rest: int | None = None  # from this plain word on, words are taken whatever they look like
