"""Fetching installed skills anew from where the lockfile says that they came from.

The rules are those of an install: addresses, signatures, cache and edited skills are judged
by the same functions. A lockfile may have come with a repository, so it cannot name a
registry: skills of one are asked only from the registry that the run itself was given.
"""

from __future__ import annotations

from pi.base.errors import PiError, UsageError
from pi.base.text import REDACTED
from pi.base.typing import NamedTuple
from pi.skills.getting import registry_items, remote_items
from pi.skills.install import INSTALLED, SKIPPED, UPDATED, Write, apply, plan
from pi.skills.installed import installed
from pi.skills.items import checked
from pi.skills.lock_write import changed_lock, write_lock
from pi.skills.lockfile import make_source
from pi.skills.picking import pick
from pi.skills.urls import shown_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.skills.fetch import Fetcher
    from pi.skills.items import Item
    from pi.skills.lockfile import LockEntry
    from pi.skills.stage import Stage
    from pi.skills.stage_settings import SkillSettings

# What becomes of a skill. RENEWED: the same bytes, but from elsewhere or signed anew, so
# that only the lockfile changes; LEFT: it was not asked for, and ``why``.
UNCHANGED, RENEWED, LEFT = "unchanged", "renewed", "skipped"
FETCHED = ("remote", "registry")
MAX_TOTAL = 256 << 20  # bytes in memory at once; a lockfile may name any number of archives


class Renewal(NamedTuple):
    """``old`` and ``new`` are digests; ``old`` is that of what is installed, "" for nothing."""

    entry: LockEntry
    action: str
    old: str
    new: str = ""
    address: str = ""
    why: str = ""


def update(
    stage: Stage,
    words: Sequence[str],
    *,
    dry_run: bool,
    may_ask: Callable[[Sequence[str]], bool] = lambda addresses: True,
) -> tuple[Renewal, ...]:
    """Update the skills that ``words`` name, all that can be if there are none.

    Everything is fetched and judged first; then skills and lockfile are written, unless
    ``dry_run``. ``may_ask`` is shown before which addresses the lockfile names. Raises
    PiError; then nothing has changed.
    """
    settings, lock = stage.settings, stage.lock()
    locked = lock.by_file()
    names = {file: entry.name for file, entry in locked.items()}
    files = pick(words, names, f"the lockfile {settings.lock_path}") if words else tuple(locked)
    reasons = {file: obstacle(locked[file], settings) for file in files}
    for file in files if words else ():
        if reasons[file]:
            raise UsageError(f"'{file}' cannot be updated", cause=reasons[file])
    wanted = [locked[file] for file in files if not reasons[file]]
    addresses = [one.source["url"] for one in wanted if one.source["kind"] == "remote"]
    if addresses and not may_ask([shown_url(address) for address in addresses]):
        raise UsageError("not confirmed", hint="nothing was fetched")
    fetcher = stage.fetcher()
    try:
        items = _fetched(wanted, stage, fetcher)
        there = {one.file: one for one in installed(settings.directory)}
        sources = {
            entry.file: entry._replace(source=items[entry.file].source) for entry in wanted
        }  # the same skill from the same place, whatever address it has there by now
        writes = plan(list(items.values()), there, sources, overwrite=settings.overwrite)
        fresh = {write.item.file: write for write in writes}
        told = tuple(
            _judged(locked[file], fresh[file], there[file].sha256 if file in there else "")
            if file in fresh
            else Renewal(
                locked[file],
                LEFT,
                there[file].sha256 if file in there else "",
                why=reasons[file],
            )
            for file in files
        )
        if not dry_run and any(one.action not in (UNCHANGED, LEFT) for one in told):
            fetcher.keep()
            apply(writes, settings.directory, random_bytes=stage.world.random_bytes)
            entries = {file: write.item.entry() for file, write in fresh.items()}
            after = changed_lock(lock, entries)
            write_lock(after, settings.lock_path, random_bytes=stage.world.random_bytes)
            stage.say(f"skills lock write: path={settings.lock_path} entries={len(after.entries)}")
    finally:
        fetcher.close()
    return told


def obstacle(entry: LockEntry, settings: SkillSettings) -> str:
    """Why a skill cannot be fetched again; "" if it can. Pure."""
    source = entry.source
    kind, url = source["kind"], source.get("url") or ""
    if kind not in FETCHED or not url:
        return f"the lockfile says that it came from {kind}, not from an address"
    if kind == "registry":
        registry = source.get("registry_url") or ""
        if not settings.registry_url or shown_url(settings.registry_url) != registry:
            return f"its registry {registry} is not that of this run: --skill-registry-url"
        return "" if source.get("name") else "the lockfile does not say its name there"
    if REDACTED in url:
        return f"a secret was part of its address, which the lockfile has as {url}"
    if source.get("expected_sha256"):
        return "it is pinned to its digest: install it again with another one"
    return ""


def _fetched(entries: Sequence[LockEntry], stage: Stage, fetcher: Fetcher) -> dict[str, Item]:
    """What is at the places of the entries now, by file. Raises PiError."""
    settings, demands = stage.settings, stage.demands(stage.trusted())
    found: dict[str, Item] = {}
    total = 0
    for entry in entries:
        if entry.source["kind"] == "remote":
            (item,) = remote_items([(entry.source["url"], "")], fetcher, demands)
            found[entry.file] = _same(entry, item)
            total += sum(len(file.data) for file in item.files.values())
            if total > MAX_TOTAL:
                raise PiError(
                    "the skills are too large to be updated together",
                    cause=f"up to '{entry.file}' they are more than {MAX_TOTAL} bytes",
                    hint="name some of them",
                )
    listed = [entry for entry in entries if entry.source["kind"] == "registry"]
    if listed:
        names = [entry.source["name"] for entry in listed]
        items, warnings = registry_items(
            settings.registry_url, settings.registry_sha256, names, fetcher, demands
        )
        for sentence in warnings:
            stage.warn(sentence)
        found.update({entry.file: _same(entry, item) for entry, item in zip(listed, items)})
    return found


def _same(entry: LockEntry, item: Item) -> Item:
    """``item`` as the skill of ``entry``. Raises PiError if it is another kind of thing."""
    if item.is_folder != entry.is_folder or (item.step == "registry" and item.file != entry.file):
        raise PiError(
            f"{item.label} is no newer version of '{entry.file}'",
            cause=f"it would be installed as '{item.file}'",
            hint="remove the one and install the other",
            code="another-skill",
        )
    name = entry.file.partition("/")[0] if item.is_folder else entry.file[: -len(".md")]
    return checked(item._replace(name=name))


def _judged(entry: LockEntry, write: Write, old: str) -> Renewal:
    fresh = write.item.entry()
    before = make_source(entry.source["kind"], entry.source)
    action = {INSTALLED: INSTALLED, UPDATED: UPDATED, SKIPPED: UNCHANGED}[write.action]
    if action == UNCHANGED and (entry.sha256 != fresh.sha256 or before != dict(fresh.source)):
        action = RENEWED
    return Renewal(entry, action, old, fresh.sha256, str(fresh.source["url"]))
