"""Services about profiles: what is in force, what was given, and taking a profile up."""

from __future__ import annotations

from pi.base.homes import find_project
from pi.base.typing import Any
from pi.cli.loosening import loosened
from pi.cli.profile_layer import JUDGED, flag_values, given_flags, refuse
from pi.cli.settings import build_settings
from pi.cli.tool_settings import build_tool_settings
from pi.commands.profile_fields import FIELDS, PRESET
from pi.commands.profiles import Change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.cli.conversation import Conversation
    from pi.cli.parse import Parsed
    from pi.cli.settings import ModelSettings, Settings
    from pi.commands.profile_shelf import Found

MODEL = ("--model", "--fallback-model", "--thinking", "--cache-retention")
TURNS = (
    *("--max-turns", "--turn-timeout-ms", "--compaction", "--compact-reserve-tokens"),
    *("--compact-keep-tokens", "--compact-fallback"),
)
TOOLS = (*JUDGED, "--tool-execution", "--tool-result-format", "--max-tool-calls")
_FIELD_OF = {field.flag: field.name for field in FIELDS}
NOW = frozenset((*MODEL, *TURNS, *TOOLS))  # what a run can take up without a new start


def values_in_force(settings: Settings, parsed: Parsed) -> dict[str, Any]:
    """The value in force of each field of a profile, in their order. Pure."""
    session, model = settings.session, settings.model
    found: dict[str, Any] = {
        "model": str(model.ref),
        "fallback_models": tuple(str(ref) for ref in model.fallbacks),
        "session.enabled": session.path is not None,
        "session.path": session.path,
        "session.import_mode": parsed.values["--session-import-mode"],
    }
    for field in FIELDS:
        if field.name == PRESET:
            found[field.name] = settings.tools.policy.preset
        elif field.policy:
            found[field.name] = getattr(settings.tools.policy, field.policy)
        elif field.name.startswith("auth."):
            mode = parsed.values.get(field.flag) or field.default
            found[field.name] = str(mode).replace("-", "_")
    return found


def profile_values(run: Conversation) -> Callable[[], dict[str, Any]]:
    """``profile_values()``: the value in force of each field."""
    return lambda: values_in_force(run.settings, run.parsed)


def profile_given(
    run: Conversation,
) -> Callable[[], tuple[tuple[str, ...], dict[str, Any], tuple[str, ...]]]:
    """``profile_given()``: the fields that were given or changed, other flags that were
    given, sentences about what is not kept."""

    def given() -> tuple[tuple[str, ...], dict[str, Any], tuple[str, ...]]:
        parsed = run.parsed
        began_with = values_in_force(build_settings(parsed), parsed)
        now = values_in_force(run.settings, parsed)
        sets = [
            field.name
            for field in FIELDS
            if field.name == PRESET
            or (field.flag in parsed.values and parsed.given(field.flag))
            or now[field.name] != began_with[field.name]
        ]
        return (tuple(sets), *given_flags(parsed))

    return given


def apply_profile(run: Conversation) -> Callable[..., list[Change]]:
    """``apply_profile(found, allow, trusted)``: take a profile up, and say what became of
    each thing it sets. ``allow(names)`` is asked before tools are allowed more.

    Raises PolicyRefused for what nobody has approved, ConfigError and UsageError for values
    that cannot be, MissingKey for a model without one; then nothing has changed.
    """
    taken_before: dict[str, object] = {}  # by profiles loaded earlier in this run

    def apply(
        found: Found, allow: Callable[[tuple[str, ...]], bool], trusted: bool
    ) -> list[Change]:
        values, unknown = flag_values(found.profile)
        base = over(run.parsed, taken_before)
        now = values_in_force(run.settings, base)
        new = {name: value for name, value in values.items() if _held(name, now, base) != value}
        if not found.approved and not (trusted and find_project(run.cwd, run.host.environ) is None):
            refuse(found.name, base, over(base, new), trusted=trusted)
        wanted = {name: value for name, value in new.items() if name in NOW}
        taken = _allowed(run.settings, base, wanted, allow)
        if taken:
            _take(run, build_settings(over(base, taken)), taken)
            where = f"{found.place.path} ({found.name})"
            run.loaded.update({name: where for name in taken if name in TOOLS})
        taken_before.update(taken)
        changes = [_change(name, new, taken) for name in new]
        return changes + [
            Change("ignored", name, found.profile.flags.get(name), "unknown to this version")
            for name in unknown
        ]

    return apply


def over(parsed: Parsed, values: Mapping[str, object]) -> Parsed:
    """``parsed`` with a profile's values on top, the command line's too: what is loaded in a
    run is the user's last word."""
    return parsed._replace(
        values={**parsed.values, **values},
        sources={**parsed.sources, **dict.fromkeys(values, "profile")},
    )


def _held(name: str, now: Mapping[str, Any], parsed: Parsed) -> object:
    """The value in force of a flag."""
    field = _FIELD_OF.get(name)
    if field is None:
        return parsed.values[name]
    return not now[field] if name == "--no-session" else now[field]


def _allowed(
    settings: Settings,
    base: Parsed,
    wanted: Mapping[str, object],
    allow: Callable[[tuple[str, ...]], bool],
) -> dict[str, object]:
    """What of ``wanted`` may be taken up: all that tightens, and what loosens if allowed."""

    def lost(values: Mapping[str, object]) -> tuple[str, ...]:
        if not any(name in TOOLS for name in values):
            return ()
        return loosened(settings.tools, build_tool_settings(over(base, values)))

    more = lost(wanted)
    if not more or allow(more):
        return dict(wanted)
    taken = {name: value for name, value in wanted.items() if name not in TOOLS}
    for name, value in wanted.items():
        if name in TOOLS and not lost({**taken, name: value}):
            taken[name] = value
    return taken


def _take(run: Conversation, wanted: Settings, taken: Mapping[str, object]) -> None:
    """Go on with what was taken up. The model comes first, because that can fail."""
    old = run.settings
    settings = old._replace(
        tools=wanted.tools if any(name in TOOLS for name in taken) else old.tools,
        model=_model(old.model, wanted.model, taken),
    )
    if any(name in TURNS for name in taken):
        settings = settings._replace(
            max_turns=wanted.max_turns,
            turn_timeout_ms=wanted.turn_timeout_ms,
            compaction=wanted.compaction,
        )
    if settings.model != old.model and run.totals():
        run.switch_model(settings)
    else:  # no model was needed yet; it is made of these settings when it is
        run.configure(settings)


def _model(
    before: ModelSettings, wanted: ModelSettings, taken: Mapping[str, object]
) -> ModelSettings:
    model = before
    if "--model" in taken:
        from pi.cli.conversation_services import model_settings  # what /model does

        model = model_settings(before, wanted.ref)
    parts = {"--fallback-model": "fallbacks", "--thinking": "thinking"}
    parts["--cache-retention"] = "cache_retention"
    return model._replace(
        **{part: getattr(wanted, part) for name, part in parts.items() if name in taken}
    )


def _change(name: str, new: Mapping[str, object], taken: Mapping[str, object]) -> Change:
    value = not new[name] if name == "--no-session" else new[name]
    shown = _FIELD_OF.get(name, name)
    if name in taken:
        return Change("applied", shown, value)
    if name in NOW:
        return Change("refused", shown, value, "it allows tools more, and nobody agreed")
    return Change("restart", shown, value)
