"""The work on skills that a command line asks for: install, trust, lock, check, carry.

Two phases: everything is read, fetched and judged first; only when all of it stands are
keys, skills, cache and lockfile written. Needs no model and no key.
"""

from __future__ import annotations

from pi.base.cancel import Cancel
from pi.base.errors import UsageError, VerificationFailed
from pi.base.typing import NamedTuple
from pi.skills.getting import Demands, items_from_lock, local_items, registry_items, remote_items
from pi.skills.install import apply, counts, plan
from pi.skills.installed import installed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager

    from pi.base.http import Transport
    from pi.skills.cache import Cache
    from pi.skills.fetch import Fetcher
    from pi.skills.install import Write
    from pi.skills.items import Item
    from pi.skills.lockfile import Lock, LockEntry
    from pi.skills.stage_settings import SkillSettings
    from pi.skills.trust_set import Roots
    from pi.skills.trust_store import TrustRecord
    from pi.skills.verify import Report

STEPS = (("local", "skills install"), ("remote", "remote skills install"),
         ("registry", "registry skills install"))  # fmt: skip


class Trusted(NamedTuple):
    """``records`` is None where no trust file is configured. ``roots`` include changes
    that are planned."""

    records: tuple[TrustRecord, ...] | None
    roots: Roots


class World(NamedTuple):
    """The outside: how the network is reached, the time in Unix seconds, random bytes, and
    the working directory."""

    transport: Callable[[], Transport]
    now_unix: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    cwd: str


class Stage:
    """One run's work on skills. ``say`` prints a result, ``warn`` a warning."""

    def __init__(
        self,
        settings: SkillSettings,
        world: World,
        say: Callable[[str], None],
        warn: Callable[[str], None],
        cancel: Cancel | None = None,
    ) -> None:
        self.settings = settings
        self.world = world
        self.say = say
        self.warn = warn
        self._cancel = cancel or Cancel()
        self.now = world.now_unix()
        self._trusted: Trusted | None = None

    def run(self) -> tuple[Write, ...]:
        """Do all of it; what was installed. Raises PiError for the first thing that fails."""
        settings = self.settings
        if settings.cache_import:
            self._import()
        trusted = self.trusted()
        fetcher = self.fetcher()
        try:
            items = self._items(fetcher, trusted)
            again = self._items_again(fetcher, trusted, {item.file for item in items})
            writes = self._plan(items, again)
            self._check_lock(writes)
            fetcher.keep()
            with self._trust_change() as changed:  # kept only if the skills could be written
                apply(writes, settings.directory, random_bytes=self.world.random_bytes)
        finally:
            fetcher.close()
        self._tell(writes, changed)
        if settings.lock_write:
            self.write_lock(writes)
        if settings.sync:
            self._sync()
        if settings.cache_export:
            self._export()
        return writes

    def trusted(self) -> Trusted:
        """The keys that count, changes of this run included. Raises ConfigError, UsageError."""
        if self._trusted is None:
            self._trusted = self._read_trusted()
        return self._trusted

    def _read_trusted(self) -> Trusted:
        from pi.skills.trust_file import read_trust_file
        from pi.skills.trust_set import trusted_roots
        from pi.skills.trust_store import change

        settings = self.settings
        records: tuple[TrustRecord, ...] | None = None
        if settings.trust_file:
            found = read_trust_file(settings.trust_file, may_be_new=bool(settings.changes.adds))
            for sentence in found.warnings:
                self.warn(sentence)
            records, _ = change(found.records, settings.changes, self.now)
        roots = trusted_roots(settings.roots, records or (), self.now)
        for sentence in roots.warnings:
            self.warn(sentence)
        return Trusted(records, roots)

    def cache(self) -> Cache:
        from pi.skills.cache import Cache

        return Cache(
            self.settings.cache_dir,
            random_bytes=self.world.random_bytes,
            now_unix=self.world.now_unix,
            is_chosen=self.settings.cache_is_chosen,
        )

    def fetcher(self) -> Fetcher:
        """What downloads, or takes from the cache."""
        from pi.skills.fetch import Fetcher

        return Fetcher(
            self.cache(),
            offline=self.settings.offline,
            allow_http=self.settings.allow_http,
            transport=self.world.transport,
            cancel=self._cancel,
            warn=self.warn,
        )

    def lock(self) -> Lock:
        """The lockfile. Raises ConfigError, VerificationFailed."""
        from pi.skills.lock_write import read_lock

        return read_lock(self.settings.lock_path)

    def write_lock(self, writes: Sequence[Write] = ()) -> None:
        """Write the lockfile of what is installed. Raises PiError."""
        from pi.skills.lock_write import next_lock, read_lock_if_any, write_lock

        path = self.settings.lock_path
        lock = next_lock(
            installed(self.settings.directory),
            read_lock_if_any(path),
            {write.item.file: write.item.entry() for write in writes},
            self.settings.lock_accept,
        )
        write_lock(lock, path, random_bytes=self.world.random_bytes)
        self.say(f"skills lock write: path={path} entries={len(lock.entries)}")

    def verify(self) -> Report:
        """Judge what is installed by the lockfile and the trusted keys. Raises PiError."""
        from pi.skills.payloads import signed_bytes
        from pi.skills.verify import Trust, verify

        trusted, cache = self.trusted(), self.cache()

        def payload(entry: LockEntry) -> bytes | None:
            return signed_bytes(entry, self.settings.directory, cache)

        return verify(
            self.lock(),
            installed(self.settings.directory),
            Trust(trusted.records, trusted.roots.keys, self.now),
            payload,
            self.settings.signed,
        )

    def _items(self, fetcher: Fetcher, trusted: Trusted) -> list[Item]:
        settings, demands = self.settings, self.demands(trusted)
        items = local_items(settings.paths, settings.lock_path, self.world.cwd, demands)
        items += remote_items(settings.urls, fetcher, demands)
        if settings.names:
            found, warnings = registry_items(
                settings.registry_url, settings.registry_sha256, settings.names, fetcher, demands
            )
            items += found
            for sentence in warnings:
                self.warn(sentence)
        return items

    def _items_again(
        self, fetcher: Fetcher, trusted: Trusted, taken: Collection[str]
    ) -> list[Item]:
        """With --install-missing, what is not as the lockfile says, but for the files in
        ``taken``."""
        settings = self.settings
        if not settings.install_missing:
            return []
        there = {one.file: one.sha256 for one in installed(settings.directory)}
        wanted = [
            entry
            for entry in self.lock().entries
            if there.get(entry.file) != entry.sha256 and entry.file not in taken
        ]
        return items_from_lock(wanted, settings.lock_path, fetcher, self.demands(trusted))

    def demands(self, trusted: Trusted) -> Demands:
        """What a skill must fulfil in this run."""
        settings = self.settings
        return Demands(trusted.roots.keys, self.now, settings.signed, settings.signed_registry)

    def _plan(self, items: Sequence[Item], again: Sequence[Item]) -> tuple[Write, ...]:
        from pi.skills.lock_write import read_lock_if_any

        if not (items or again):
            return ()
        lock = read_lock_if_any(self.settings.lock_path)
        return plan(
            [*items, *again],
            {one.file: one for one in installed(self.settings.directory)},
            lock.by_file() if lock is not None else {},
            overwrite=self.settings.overwrite,
            restored=[item.file for item in again],
        )

    def _check_lock(self, writes: Sequence[Write]) -> None:
        """Find before anything is written what would keep the lockfile from being so."""
        from pi.skills.lock_write import next_lock, read_lock_if_any

        if not self.settings.lock_write:
            return
        accept, fresh = self.settings.lock_accept, {write.item.file for write in writes}
        there = [one for one in installed(self.settings.directory) if one.file not in fresh]
        for word in accept:
            if not any(word in (one.file, one.name) for one in there):
                raise UsageError(f"--skills-lock-accept: there is no installed skill '{word}'")
        next_lock(there, read_lock_if_any(self.settings.lock_path), {}, accept)

    def _trust_change(self) -> AbstractContextManager[str]:
        """Save what changes of the trusted keys; the line about it, "" for no change."""
        from contextlib import nullcontext

        from pi.skills.trust_file import trust_change

        changes, path = self.settings.changes, self.settings.trust_file
        if changes.is_empty():
            return nullcontext("")
        return trust_change(path, changes, now=self.now, random_bytes=self.world.random_bytes)

    def _tell(self, writes: Sequence[Write], changed: str) -> None:
        asked = {
            "local": self.settings.paths,
            "remote": self.settings.urls,
            "registry": self.settings.names,
        }
        for step, words in STEPS:
            if changed and step == "registry":
                self.say(changed)
            if asked[step] or any(write.item.step == step for write in writes):
                self.say(f"{words}: {counts(writes, step)}")

    def _sync(self) -> None:
        from pi.skills.drift import compare

        path = self.settings.lock_path
        drift = compare(self.lock(), installed(self.settings.directory))
        if not drift.in_sync:
            raise VerificationFailed(
                f"skills sync drift detected: path={path} {drift.detail()}",
                hint="--install-missing installs what is missing or changed anew",
                code="skills-drift",
            )
        self.say(f"skills sync: in-sync path={path} {drift.counts()}")

    def _import(self) -> None:
        from pi.skills.cache_transfer import import_cache

        source, cache = self.settings.cache_import, self.settings.cache_dir
        moved = import_cache(source, cache, random_bytes=self.world.random_bytes)
        self.say(
            f"skills cache import: path={source} cache={cache} "
            f"entries={moved.entries} bytes={moved.size}"
        )

    def _export(self) -> None:
        from pi.skills.cache_transfer import export_cache

        target, cache = self.settings.cache_export, self.settings.cache_dir
        moved = export_cache(cache, target, random_bytes=self.world.random_bytes)
        self.say(
            f"skills cache export: path={target} cache={cache} "
            f"entries={moved.entries} bytes={moved.size}"
        )
