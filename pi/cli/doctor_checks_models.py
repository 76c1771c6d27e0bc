"""Checks of the models a run would ask: their names, their keys, what the catalog says."""

from __future__ import annotations

from pi.ai.providers import BY_NAME
from pi.auth.resolve import resolve_key
from pi.base.errors import ConfigError, MissingKey
from pi.base.typing import NamedTuple
from pi.cli.doctor_world import base_of
from pi.cli.routes import is_local
from pi.commands.doctor import FAIL, PASS, WARN, Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pi.ai.catalog import Entry
    from pi.ai.models import ModelRef
    from pi.cli.doctor_world import Asked, World

PRESENT, MISSING, NOT_REQUIRED, MALFORMED = "present", "missing", "not_required", "malformed"
API_KEY = "api-key"


class Key(NamedTuple):
    """Whether there is a key for a provider; never the key. ``mode`` is the way in."""

    provider: str
    state: str
    variable: str
    mode: str = API_KEY
    why: str = ""


class Models(NamedTuple):
    asked: tuple[Asked, ...]
    keys: tuple[Key, ...]  # one for each provider, in order of their names


class Known(NamedTuple):
    """What the catalog says of a model; ``is_own`` tells of a server of the user's own,
    whose models are in no catalog."""

    name: str
    entry: Entry | None
    is_own: bool
    today: str


def model_facts(world: World) -> Models:
    return Models(world.models, tuple(key_of(ref, world) for ref in world.providers))


def key_of(ref: ModelRef, world: World) -> Key:
    """Looks for a key where a request would."""
    spec = BY_NAME[ref.provider]
    first = world.models[0].ref
    variable = spec.key_variables[0] if spec.key_variables else ""
    mode = str(world.value(f"--{spec.id}-auth-mode", API_KEY))
    try:
        local = is_local(base_of(ref, world)) or bool(world.value("--replay"))
    except (ConfigError, ValueError):  # ValueError: an address that cannot be taken apart
        local = False
    try:
        key = resolve_key(
            spec,
            world.keys,
            world.host.environ,
            is_primary=first is not None and ref.provider == first.provider,
            is_local=local,
        )
    except MissingKey:
        return Key(spec.id, MISSING, variable, mode)
    except ConfigError as exc:
        return Key(spec.id, MALFORMED, variable, mode, exc.message)
    return Key(spec.id, PRESENT if key else NOT_REQUIRED, variable, mode)


def judge_models(facts: Models) -> Iterator[Check]:
    """Model, then for each provider the way in and the key."""
    first, *others = facts.asked
    yield _judge_name("model", first, "--model")
    for asked in others:
        if asked.ref is None:
            yield _judge_name(f"fallback_model.{asked.text}", asked, "--fallback-model")
    for key in facts.keys:
        yield from _judge_key(key)


def _judge_name(name: str, asked: Asked, flag: str) -> Check:
    if asked.ref is not None:
        return Check(name, PASS, str(asked.ref))
    action = f"give {flag} provider/model; pi --list-models shows them"
    return Check(name, FAIL, f"invalid:{asked.text}: {asked.why}", action=action)


def _judge_key(key: Key) -> Iterator[Check]:
    mode = key.mode.replace("-", "_")
    yield Check(f"provider_auth_mode.{key.provider}", PASS, mode)
    name = f"provider_key.{key.provider}"
    if key.mode != API_KEY:
        yield Check(name, WARN, "not_required_for_mode")
    elif key.state == MISSING:
        yield Check(name, FAIL, MISSING, action=f"set {key.variable or 'PI_API_KEY'}")
    elif key.state == MALFORMED:
        yield Check(name, FAIL, f"{MALFORMED}:{key.why}", action="set it anew")
    else:
        yield Check(name, PASS, key.state)


def entry_facts(world: World) -> list[Known]:
    from pi.ai.catalog_store import load_catalog
    from pi.base.cancel import Cancel
    from pi.cli.list_models import catalog_settings
    from pi.cli.list_models import world as catalog_world

    wanted = catalog_settings(world.parsed)._replace(offline=True)
    catalog = load_catalog(wanted, catalog_world(world.parsed, world.host), Cancel()).catalog
    found = []
    for asked in world.models:
        if asked.ref is None:
            continue
        spec = BY_NAME[asked.ref.provider]
        own = spec.keyless or base_of(asked.ref, world) != spec.base_url
        entry = catalog.find(*asked.ref)
        found.append(Known(str(asked.ref), entry, own, world.host.today()))
    return found


def judge_entries(facts: list[Known]) -> Iterator[Check]:
    """Whether the models are known, take tools, and are still there."""
    for known in facts:
        key, entry = f"model_entry.{known.name}", known.entry
        look = "see pi --list-models"
        if entry is None:
            status = PASS if known.is_own else WARN
            yield Check(key, status, "not_in_catalog", action="" if known.is_own else look)
        elif entry.supports_tools is False:
            yield Check(key, FAIL, "takes_no_tools", action=f"choose another; {look}")
        elif entry.retires and known.today >= entry.retires:
            instead = f"its vendor names {entry.replaced_by}" if entry.replaced_by else look
            yield Check(key, WARN, f"shut_down:{entry.retires}", action=instead)
        else:
            yield Check(key, PASS, "known")
