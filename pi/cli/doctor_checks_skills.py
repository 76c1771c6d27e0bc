"""Checks of skills: their folder, the lockfile and how it fits, the trusted keys."""

from __future__ import annotations

import os

from pi.base.errors import PiError
from pi.base.typing import NamedTuple
from pi.cli.doctor_world import Found, find, read_bytes
from pi.commands.doctor import FAIL, PASS, WARN, Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pi.cli.doctor_world import World
    from pi.skills.drift import Drift
    from pi.skills.trust_store import TrustRecord

FOLDER = ".pi/skills"
LOCKFILE = "skills.lock.json"
EMPTY = (b"", b"{}", b"[]")  # a lockfile in which somebody has yet to write something
MAX_SHOWN = 3


def folder_facts(world: World) -> Found:
    return find(str(world.value("--skills-dir", FOLDER)))


def judge_folder(found: Found) -> Iterator[Check]:
    """Whether the folder of skills is one."""
    if found.kind == "folder":
        yield Check("skills_dir", PASS, "readable_dir", found.path)
    elif found.kind == "error":
        action = "fix the permissions above it"
        yield Check("skills_dir", FAIL, f"metadata_error:{found.error}", found.path, action)
    elif found.kind == "missing":
        yield Check("skills_dir", WARN, "missing", found.path, "create it to keep skills there")
    else:
        yield Check("skills_dir", FAIL, "not_dir", found.path, "set --skills-dir to a folder")


class Readable(NamedTuple):
    """A file and why it cannot be read; ``path`` "" if none is configured."""

    path: str
    there: bool = False
    error: str = ""


def _readable(path: str) -> Readable:
    if not os.path.lexists(path):
        return Readable(path)
    try:
        read_bytes(path)
    except OSError as exc:
        return Readable(path, True, exc.strerror or str(exc))
    return Readable(path, True)


def lock_path(world: World) -> str:
    folder = str(world.value("--skills-dir", FOLDER))
    return str(world.value("--skills-lock-file") or os.path.join(folder, LOCKFILE))


def lock_facts(world: World) -> Readable:
    return _readable(lock_path(world))


def judge_lock(facts: Readable) -> Iterator[Check]:
    """Whether the lockfile can be read."""
    key = "skills_lock"
    if facts.error:
        action = "fix it, or write it anew"
        yield Check(key, FAIL, f"read_error:{facts.error}", facts.path, action)
    elif facts.there:
        yield Check(key, PASS, "readable", facts.path)
    else:
        yield Check(key, WARN, "missing", facts.path, f"run /skills-lock-write {facts.path}")


def trust_facts(world: World) -> Readable:
    path = world.value("--skill-trust-root-file")
    return _readable(str(path)) if path else Readable("")


def judge_trust(facts: Readable) -> Iterator[Check]:
    """Whether the file of trusted keys can be read."""
    key = "trust_root"
    if not facts.path:
        action = "configure --skill-trust-root-file for signed skills"
        yield Check(key, WARN, "not_configured", "", action)
    elif facts.error:
        yield Check(key, FAIL, f"read_error:{facts.error}", facts.path, "fix it")
    elif facts.there:
        yield Check(key, PASS, "readable", facts.path)
    else:
        action = "create it, or correct --skill-trust-root-file"
        yield Check(key, WARN, "missing", facts.path, action)


class Content(NamedTuple):
    """How the folder fits the lockfile. ``drift`` None: nothing is locked, or nobody can
    tell, for reason ``error``."""

    path: str
    drift: Drift | None = None
    error: str = ""


def lock_content_facts(world: World) -> Content:
    path = lock_path(world)
    if not os.path.isfile(path):
        return Content(path)
    data = read_bytes(path)
    if data.strip() in EMPTY:
        return Content(path)
    from pi.skills.drift import compare
    from pi.skills.installed import installed
    from pi.skills.lockfile import parse_lock

    try:
        lock = parse_lock(data, path)
    except PiError as exc:
        return Content(path, error=exc.message)
    return Content(path, compare(lock, installed(str(world.value("--skills-dir", FOLDER)))))


def judge_lock_content(facts: Content) -> Iterator[Check]:
    """Whether the lockfile parses and fits the folder."""
    key, drift = "skills_lock_content", facts.drift
    if facts.error:
        action = "write it anew with /skills-lock-write"
        yield Check(key, FAIL, f"invalid:{facts.error}", facts.path, action)
    elif drift is None:
        yield Check(key, PASS, "nothing_locked", facts.path)
    elif drift.in_sync:
        yield Check(key, PASS, f"in_sync:entries={drift.expected}", facts.path)
    else:
        kinds = ("missing", "changed", "extra", "metadata")
        told = [f"{kind}={_few(getattr(drift, kind))}" for kind in kinds if getattr(drift, kind)]
        action = "see /skills-lock-diff"
        yield Check(key, WARN, "drift:" + ";".join(told), facts.path, action)


class Trusted(NamedTuple):
    """How many keys are trusted, which are none (their ids), and who else could change
    the file."""

    path: str
    active: int = 0
    revoked: int = 0
    expired: int = 0
    bad: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""


def trust_content_facts(world: World) -> Trusted:
    path = str(world.value("--skill-trust-root-file", ""))
    if not path or not os.path.isfile(path):
        return Trusted(path)
    from pi.skills.trust_file import read_trust_file

    try:
        found = read_trust_file(path)
    except PiError as exc:
        return Trusted(path, error=f"{exc.message} ({exc.cause})" if exc.cause else exc.message)
    now = world.host.now_ms() // 1000
    return count_keys(path, found.records, now)._replace(warnings=found.warnings)


def count_keys(path: str, records: Sequence[TrustRecord], now: int) -> Trusted:
    """Judge the records of a file of trusted keys at Unix time ``now``."""
    bad = tuple(record.id for record in records if not is_key(record.public_key))
    states = [record.status(now) for record in records if record.id not in bad]
    active, revoked, expired = (states.count(each) for each in ("active", "revoked", "expired"))
    return Trusted(path, active, revoked, expired, bad)


def is_key(text: str) -> bool:
    """Whether signatures can be checked with this key."""
    from pi.skills.base64_strict import NotBase64, decode
    from pi.skills.ed25519 import KEY_BYTES, acceptable_key

    try:
        return not acceptable_key(decode(text, KEY_BYTES))
    except NotBase64:
        return False


def judge_trust_content(facts: Trusted) -> Iterator[Check]:
    """Whether the trusted keys decode, how many still count, and who could change them."""
    key = "trust_root_content"
    counts = f"active={facts.active},revoked={facts.revoked},expired={facts.expired}"
    if facts.error:
        yield Check(key, FAIL, f"invalid:{facts.error}", facts.path, "fix it")
    elif facts.bad:
        action = "replace these keys: base64 of 32 bytes, a point of the curve"
        yield Check(key, FAIL, f"bad_keys:{_few(facts.bad)}", facts.path, action)
    elif facts.warnings:
        yield Check(key, WARN, counts, facts.path, facts.warnings[0])
    elif facts.expired:
        yield Check(key, WARN, counts, facts.path, "rotate the expired: /skills-trust-rotate")
    else:
        yield Check(key, PASS, counts, facts.path)


def _few(names: tuple[str, ...]) -> str:
    more = f",+{len(names) - MAX_SHOWN}" if len(names) > MAX_SHOWN else ""
    return ",".join(names[:MAX_SHOWN]) + more
