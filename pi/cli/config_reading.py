"""One settings file as a layer. Every mistake is told with file, line and column."""

from __future__ import annotations

from pi.base.errors import ConfigError
from pi.base.json_members import BadJson, read_members
from pi.base.smallfile import Unreadable, read_small_text
from pi.cli.config_files import MAX_BYTES
from pi.cli.config_rules import anchored, checked, known_name, nearest_name, refusal
from pi.cli.parse import Layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.json_members import Member

SCHEMA = "$schema"  # editors look for it
HINT = "correct it, or start pi with --no-config"


def read_layer(path: str, level: str, folder: str, home: str) -> tuple[Layer, tuple[str, ...]]:
    """What the file says, and a sentence for each name nobody knows. Raises ConfigError."""
    try:
        text = read_small_text(path, MAX_BYTES)
    except Unreadable as exc:
        raise ConfigError(f"settings file {path} {exc.why}", hint=HINT) from exc
    return layer_of(text, path, level, folder, home)


def layer_of(
    text: str, path: str, level: str, folder: str = "", home: str = ""
) -> tuple[Layer, tuple[str, ...]]:
    """``read_layer`` for a text that was read. Raises ConfigError."""
    if not text.strip():
        return Layer(level, path, {}), ()
    try:
        members = read_members(text)
    except BadJson as exc:
        raise ConfigError(f"{path}:{exc.line}:{exc.column}: {exc.why}", hint=HINT) from exc
    values: dict[str, object] = {}
    notes: list[str] = []
    for member in members:
        flag = known_name(member.name)
        if flag is None:
            if member.name != SCHEMA:
                notes.append(_unknown(member, path))
            continue
        why = refusal(flag, level)
        if why:
            raise _bad(member, path, why)
        try:
            value = checked(flag, member.value)
        except ValueError as exc:
            raise _bad(member, path, str(exc)) from None
        for other in values:
            if value is not False and _excludes(flag.name, other, flag.clashes, values):
                raise _bad(member, path, f"cannot be combined with {other[2:]!r}")
        values[flag.name] = anchored(flag, value, folder, home)
    return Layer(level, path, values), tuple(notes)


def _excludes(name: str, other: str, clashes: tuple[str, ...], values: dict[str, object]) -> bool:
    from pi.cli.flags import BY_NAME

    return values[other] is not False and (other in clashes or name in BY_NAME[other].clashes)


def _bad(member: Member, path: str, why: str) -> ConfigError:
    where = f"{path}:{member.line}:{member.column}"
    return ConfigError(f"{where}: {member.name!r}: {why}", hint=HINT)


def _unknown(member: Member, path: str) -> str:
    close = nearest_name(member.name)
    meant = f"; did you mean {close!r}?" if close else ""
    return f"{path}:{member.line}:{member.column}: unknown setting {member.name[:80]!r}{meant}"
