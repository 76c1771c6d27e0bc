"""What a profile holds, field by field: reading, effective values, differences. Pure.

The fields are those of the older program, in its places and order, so that it can read what
is saved here: all of them, with the values in force. Two members more, which it ignores:
``set`` names the fields the profile sets (the others only tell what was in force), ``flags``
holds other flags that were given. Without ``set``, in a profile of the older program, the
fields count that differ from its defaults; the model always does.

Invariants (each has a property test):
  * any JSON is a profile or a BadProfile, never another exception;
  * what is written is read back equal, and members nobody knows stay.
"""

from __future__ import annotations

from pi.base.errors import ConfigError
from pi.base.text import visible
from pi.base.typing import Any, NamedTuple
from pi.tools.policy import PRESETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MAX_INT = 2**63 - 1
AUTH_MODES = ("api_key", "oauth_token", "adc", "session_token")
PRESET = "policy.tool_policy_preset"


class Field(NamedTuple):
    """``flag`` is what the field sets; ``policy`` names the part of the policy that the
    preset decides where the profile does not."""

    name: str
    kind: str
    flag: str
    default: Any
    choices: tuple[str, ...] = ()
    policy: str = ""


def _knob(name: str, kind: str, flag: str, default: Any, *choices: str, part: str = "") -> Field:
    return Field(f"policy.{name}", kind, flag, default, choices, part or name)


def _auth(provider: str) -> Field:
    flag = f"--{provider}-auth-mode"
    return Field(f"auth.{provider}", "choice", flag, "api_key", AUTH_MODES)


FIELDS: tuple[Field, ...] = (
    Field("model", "text", "--model", "openai/gpt-4o-mini"),
    Field("fallback_models", "list", "--fallback-model", ()),
    Field("session.enabled", "bool", "--no-session", True),
    Field("session.path", "path", "--session", ".pi/sessions/default.jsonl"),
    Field("session.import_mode", "choice", "--session-import-mode", "merge", ("merge", "replace")),
    Field(PRESET, "choice", "--tool-policy-preset", "balanced", tuple(PRESETS)),
    _knob("bash_profile", "choice", "--bash-profile", "balanced", "permissive", "balanced",
          "strict"),
    _knob("bash_dry_run", "bool", "--bash-dry-run", False),
    _knob("os_sandbox_mode", "choice", "--os-sandbox-mode", "off", "off", "auto", "force"),
    _knob("enforce_regular_files", "bool", "--enforce-regular-files", True),
    _knob("bash_timeout_ms", "int", "--bash-timeout-ms", 120_000),
    _knob("max_command_length", "int", "--max-command-length", 4096),
    _knob("max_tool_output_bytes", "int", "--max-tool-output-bytes", 16_000,
          part="max_command_output_bytes"),
    _knob("max_file_read_bytes", "int", "--max-file-read-bytes", 1_000_000),
    _knob("max_file_write_bytes", "int", "--max-file-write-bytes", 1_000_000),
    _knob("allow_command_newlines", "bool", "--allow-command-newlines", False),
    _auth("openai"), _auth("anthropic"), _auth("google"),
)  # fmt: skip
BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}
_PLACES = ("session", "policy", "auth")
ALWAYS = ("model", "fallback_models", PRESET)  # count in a profile of the older program


class BadProfile(ConfigError):
    """Why something stored is no profile."""

    code = "bad-profile"


class Profile(NamedTuple):
    """``values`` are the fields that are stored, ``sets`` those of them that count; ``flags``
    are other flags with their values as JSON."""

    values: Mapping[str, Any]
    sets: tuple[str, ...]
    flags: Mapping[str, Any]

    def effective(self) -> dict[str, Any]:
        """Every field with the value it has when the profile is in force, in order."""
        preset = PRESETS[str(self._of(BY_NAME[PRESET]))]
        return {
            field.name: getattr(preset, field.policy)
            if field.policy and field.name not in self.sets
            else self._of(field)
            for field in FIELDS
        }

    def _of(self, field: Field) -> Any:
        return self.values.get(field.name, field.default)


def read_profile(raw: object) -> Profile:
    """The profile that is stored as ``raw``. Raises BadProfile naming what is wrong."""
    if not isinstance(raw, dict):
        raise BadProfile("it is no object")
    values: dict[str, Any] = {}
    for field in FIELDS:
        held, there = _stored(raw, field.name)
        if there:
            values[field.name] = _CHECKS[field.kind](field, held)
    flags = raw.get("flags", {})
    if not isinstance(flags, dict):
        raise BadProfile("flags is no object")
    return Profile(values, _sets(raw, values), flags)


def write_profile(
    values: Mapping[str, Any], sets: Iterable[str], flags: Mapping[str, Any], before: object
) -> dict[str, Any]:
    """What to store: the fields in their places, then what is new, then whatever ``before``
    held that nobody knows. Raises BadProfile for a ``before`` that is no object."""
    if before is not None and not isinstance(before, dict):
        raise BadProfile("what is stored under this name is no object; delete it first")
    made: dict[str, Any] = {}
    for field in FIELDS:
        value = values[field.name]
        place, _, name = field.name.rpartition(".")
        stored = list(value) if isinstance(value, tuple) else value
        (made.setdefault(place, {}) if place else made)[name] = stored
    wanted = set(sets)
    made["set"] = [field.name for field in FIELDS if field.name in wanted]
    made["flags"] = dict(sorted(flags.items()))
    for name, old in (before or {}).items():
        if name not in made:
            made[name] = old
        elif name in _PLACES and isinstance(old, dict):
            made[name].update({key: old[key] for key in old if key not in made[name]})
    return made


def differences(
    current: Mapping[str, Any], loaded: Mapping[str, Any]
) -> list[tuple[str, Any, Any]]:
    """(field, current, loaded) for each that differs, in order."""
    return [
        (field.name, current[field.name], loaded[field.name])
        for field in FIELDS
        if current[field.name] != loaded[field.name]
    ]


def worded(value: Any) -> str:
    """A value as it is printed."""
    if value is None or value == () or value == []:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return visible(",".join(map(str, value)))
    return visible(str(value))


def _stored(raw: Mapping[str, Any], name: str) -> tuple[Any, bool]:
    place, _, last = name.rpartition(".")
    holder: Any = raw.get(place, {}) if place else raw
    if not isinstance(holder, dict):
        raise BadProfile(f"{place} is no object")
    return holder.get(last), last in holder


def _sets(raw: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[str, ...]:
    if "set" not in raw:
        return tuple(
            field.name
            for field in FIELDS
            if field.name in values
            and (field.name in ALWAYS or values[field.name] != field.default)
        )
    wanted = raw["set"]
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        raise BadProfile("set is no list of field names")
    missing = [name for name in wanted if name in BY_NAME and name not in values]
    if missing:
        raise BadProfile(f"{missing[0]} is set, but has no value")
    return tuple(field.name for field in FIELDS if field.name in wanted)


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise BadProfile(f"{field.name} must be a text that is not empty")
    return value


def _path(field: Field, value: object) -> str | None:
    return None if value is None else _text(field, value)


def _list(field: Field, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BadProfile(f"{field.name} must be a list of texts")
    return tuple(_text(field, item) for item in value)


def _bool(field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadProfile(f"{field.name} must be true or false")
    return value


def _int(field: Field, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INT:
        raise BadProfile(f"{field.name} must be a whole number")
    return value


def _choice(field: Field, value: object) -> str:
    if value not in field.choices or not isinstance(value, str):
        raise BadProfile(f"{field.name} must be one of {', '.join(field.choices)}")
    return value


_CHECKS: dict[str, Callable[[Field, object], Any]] = {
    "text": _text,
    "path": _path,
    "list": _list,
    "bool": _bool,
    "int": _int,
    "choice": _choice,
}
