"""What the doctor's checks look at: the configuration, as far as it can be read.

A broken value (a model that is none, a folder that is gone) must not keep the other checks
from running: the flags are there in any case, the settings only if they could be built.
"""

from __future__ import annotations

import os
import stat

from pi.ai.models import parse_model
from pi.ai.providers import BY_NAME as PROVIDERS
from pi.base.errors import PiError, UsageError
from pi.base.smallfile import Unreadable, read_small
from pi.base.typing import NamedTuple
from pi.cli.settings import BASE_FLAGS, KEY_FLAGS, build_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pi.ai.models import ModelRef
    from pi.base.host import Host
    from pi.cli.parse import Parsed
    from pi.cli.settings import Settings

MAX_FILE_BYTES = 8 * 1024 * 1024
CHECKER_FLAGS = ("--json", "--doctor", "--doctor-strict", "--doctor-online")


class Asked(NamedTuple):
    """A model that was asked for; ``ref`` None if its name is none, for reason ``why``."""

    text: str
    ref: ModelRef | None
    why: str = ""


class World(NamedTuple):
    """``settings`` None: they could not be built, for reason ``problem``. ``cwd`` "": it
    was removed. ``memo`` keeps what several checks want to know."""

    parsed: Parsed
    host: Host
    cwd: str
    settings: Settings | None
    problem: PiError | None
    models: tuple[Asked, ...]
    memo: dict[str, Any]

    def value(self, flag: str, otherwise: Any = None) -> Any:
        """A flag's value; ``otherwise`` where this pi has no such flag or it is not set."""
        value = self.parsed.values.get(flag)
        return otherwise if value is None else value

    @property
    def providers(self) -> list[ModelRef]:
        """For each provider of the run the model asked first, in order of their names."""
        firsts = {asked.ref.provider: asked.ref for asked in reversed(self.models) if asked.ref}
        return [firsts[provider] for provider in sorted(firsts)]

    @property
    def keys(self) -> dict[str, str]:
        return {flag: str(self.value(flag)) for flag in KEY_FLAGS if self.value(flag)}


def look(parsed: Parsed, host: Host, problem: PiError | None = None) -> World:
    """The configuration as far as it can be read. Raises nothing for a bad one.

    ``problem`` is what kept the whole of it from being read, if something did.
    """
    # How the doctor itself was called is no part of what it looks at.
    values = {**parsed.values, **{flag: False for flag in CHECKER_FLAGS if flag in parsed.values}}
    looked = parsed._replace(values=values)
    settings = None
    try:
        settings = build_settings(looked)
    except PiError as exc:
        problem = problem or exc
    try:
        cwd = host.cwd()
    except OSError:
        cwd = ""
    asked = [model_of(str(values["--model"]))]
    fallbacks: Any = values["--fallback-model"]
    asked += [model_of(text) for text in fallbacks]
    return World(parsed, host, cwd, settings, problem, tuple(asked), {})


def model_of(text: str) -> Asked:
    """A model's name, taken apart."""
    try:
        ref = parse_model(text)
    except UsageError as exc:
        return Asked(text, None, exc.message.rpartition(": ")[2])
    spec = PROVIDERS.get(ref.provider)
    if spec is None:
        return Asked(text, None, f"unsupported provider '{ref.provider}'")
    if spec.models and ref.model not in spec.models:
        return Asked(text, None, f"provider '{spec.id}' has no such model")
    return Asked(text, ref._replace(provider=spec.id))


def base_of(ref: ModelRef, world: World) -> str:
    """Where requests for a model go. Raises ConfigError where nothing says it."""
    spec = PROVIDERS[ref.provider]
    if world.settings is not None:
        from pi.cli.routes import base_url

        return base_url(ref, world.settings.model, world.host.environ)
    flags = (spec.base_flag, *BASE_FLAGS[:1])
    return next((str(world.value(flag)) for flag in flags if world.value(flag)), spec.base_url)


class Found(NamedTuple):
    """What is at a path. ``kind`` is "file", "folder", "other", "missing" or "error"."""

    path: str
    kind: str
    error: str = ""
    mode: int = 0
    owner: int = -1


def find(path: str) -> Found:
    """What is there, links followed. Raises nothing."""
    try:
        about = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Found(path, "missing")
    except (OSError, ValueError) as exc:
        return Found(path, "error", getattr(exc, "strerror", None) or str(exc))
    is_file, is_folder = stat.S_ISREG(about.st_mode), stat.S_ISDIR(about.st_mode)
    kind = "file" if is_file else "folder" if is_folder else "other"
    return Found(path, kind, "", stat.S_IMODE(about.st_mode), about.st_uid)


def nearest_folder(path: str) -> str:
    """The deepest folder above ``path`` that is there; "" if what is there is none."""
    above = os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(above):
        parent = os.path.dirname(above)
        if parent == above:
            return ""
        above = parent
    return above if os.path.isdir(above) else ""


def read_bytes(path: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """A small regular file. Raises OSError."""
    try:
        data, is_longer = read_small(path, limit)
    except Unreadable as exc:
        raise OSError(0, exc.why, path) from exc
    if is_longer:
        raise OSError(0, f"is larger than {limit} bytes", path)
    return data
