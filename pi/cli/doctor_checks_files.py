"""Checks of pi's own files: session, settings, credentials, and room on the disk."""

from __future__ import annotations

import os

from pi.base.errors import PiError
from pi.base.typing import NamedTuple
from pi.cli.doctor_world import Found, find, nearest_folder
from pi.commands.doctor import FAIL, PASS, WARN, Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pi.cli.doctor_world import World
    from pi.sessions.validate import Report

# A larger session takes longer to read than anybody waits for a doctor.
MAX_SESSION_BYTES = 64 * 1024 * 1024
LITTLE_BYTES, FEW_BYTES = 1 << 20, 100 << 20
CREDENTIALS = (".pi", "credentials.json")


class SessionPath(NamedTuple):
    """``folder`` is the deepest folder above it that is there, "" if there is none;
    ``error`` says why no session could be chosen."""

    found: Found
    disabled: bool
    folder: str
    writable: bool
    error: str = ""


def session_path_facts(world: World) -> SessionPath:
    if "session" not in world.memo:
        world.memo["session"] = _session_path(world)
    facts: SessionPath = world.memo["session"]
    return facts


def _session_path(world: World) -> SessionPath:
    named = str(world.value("--session", ""))
    if world.value("--no-session"):
        return SessionPath(Found(named, "missing"), True, "", False)
    path = named
    if world.settings is not None:
        from pi.cli.startup import session_path

        if world.settings.session.which == "picked":
            return SessionPath(Found(named, "missing"), False, "", False, "nobody is asked here")
        try:
            path = session_path(world.settings.session, world.host)
        except PiError as exc:
            return SessionPath(Found(named, "missing"), False, "", False, exc.message)
    folder = nearest_folder(path)
    writable = bool(folder) and os.access(folder, os.W_OK | os.X_OK)
    return SessionPath(find(path), False, folder, writable)


def judge_session_path(facts: SessionPath) -> Iterator[Check]:
    """Whether the session's file is there or can be."""
    path, kind = facts.found.path, facts.found.kind
    if facts.disabled:
        verdict = (WARN, "session_disabled", "drop --no-session to keep conversations")
    elif facts.error:
        verdict = (FAIL, f"none_chosen:{facts.error}", "name one with --session")
    elif kind == "file":
        verdict = (PASS, "readable", "")
    elif kind == "error":
        verdict = (FAIL, f"metadata_error:{facts.found.error}", "fix the permissions above it")
    elif kind != "missing":
        verdict = (FAIL, "not_file", "choose a regular file with --session")
    elif not facts.writable:
        where = f" below {facts.folder}" if facts.folder else ""
        verdict = (FAIL, "missing_parent", f"create its folder{where}, or choose another")
    else:
        verdict = (WARN, "missing_will_create", "run a prompt; it is made then")
    yield Check("session_path", verdict[0], verdict[1], path, verdict[2])


class Content(NamedTuple):
    """``report`` None: not read, because there is nothing or too much."""

    path: str
    report: Report | None
    size: int
    is_session: bool = True


def session_content_facts(world: World) -> Content:
    facts = session_path_facts(world)
    path = facts.found.path
    if facts.disabled or facts.found.kind != "file":
        return Content(path, None, 0)
    size = os.stat(path).st_size
    if size > MAX_SESSION_BYTES:
        return Content(path, None, size)
    from pi.sessions.sources import load_source
    from pi.sessions.validate import validate

    loaded = load_source(path)
    is_session = not size or loaded.contents.is_session or any(row.is_entry for row in loaded.rows)
    return Content(path, validate(path, loaded.rows, loaded.torn), size, is_session)


def judge_session_content(facts: Content) -> Iterator[Check]:
    """Whether the session parses and its tree is sound."""
    key, report = "session_content", facts.report
    if report is None:
        code = "not_checked:too_large" if facts.size else "nothing_there"
        yield Check(key, PASS, code, facts.path)
        return
    from pi.sessions.validate import counts

    if not facts.is_session:
        yield Check(key, FAIL, "not_a_session", facts.path, "choose another with --session")
    elif not report.valid:
        code = f"invalid:{counts(report)} bad_lines={len(report.bad_lines)}".replace(" ", ",")
        yield Check(key, FAIL, code, facts.path, "run /session-repair; it keeps a backup")
    elif report.torn:
        action = "nothing: the next prompt goes on behind it"
        yield Check(key, WARN, f"torn_end:line={report.torn}", facts.path, action)
    else:
        yield Check(key, PASS, f"valid:entries={report.entries}", facts.path)


def session_folder_facts(world: World) -> SessionPath:
    return session_path_facts(world)


def judge_session_folder(facts: SessionPath) -> Iterator[Check]:
    """Whether the folder of the session can be written."""
    key = "session_folder"
    if facts.disabled or facts.error:
        yield Check(key, PASS, "not_needed")
    elif facts.writable:
        yield Check(key, PASS, "writable", facts.folder)
    else:
        yield Check(key, FAIL, "not_writable", facts.folder, "fix its permissions")


class Held(NamedTuple):
    path: str
    holder: str  # "" if nobody writes


def session_lock_facts(world: World) -> Held:
    facts = session_path_facts(world)
    path = f"{facts.found.path}.lock"
    if facts.disabled or facts.error or facts.found.kind != "file":
        return Held(path, "")
    from pi.sessions.lock import SessionLock

    try:
        with SessionLock(path, wait_ms=1, now_ms=world.host.now_ms, shared=True):
            return Held(path, "")
    except PiError as exc:
        return Held(path, exc.cause or exc.message)


def judge_session_lock(facts: Held) -> Iterator[Check]:
    """Whether another process writes the session now."""
    if facts.holder:
        action = "wait for it, or end that process"
        yield Check("session_lock", WARN, facts.holder.replace(" ", "_"), facts.path, action)
    else:
        yield Check("session_lock", PASS, "free", facts.path)


class Room(NamedTuple):
    folder: str
    free_bytes: int | None


def disk_facts(world: World) -> Room:
    facts = session_path_facts(world)
    folder = facts.folder or world.cwd or "/"
    if not hasattr(os, "statvfs"):
        return Room(folder, None)
    about = os.statvfs(folder)
    # Some file systems, such as /proc, have no size at all.
    return Room(folder, about.f_bavail * about.f_frsize if about.f_blocks else None)


def judge_disk(facts: Room) -> Iterator[Check]:
    """Whether there is room for what a run keeps."""
    free = facts.free_bytes
    if free is None:
        yield Check("disk_space", PASS, "unknown", facts.folder)
        return
    status = FAIL if free < LITTLE_BYTES else WARN if free < FEW_BYTES else PASS
    action = "" if status == PASS else "make room on that disk"
    yield Check("disk_space", status, f"free_mib:{free >> 20}", facts.folder, action)


class SettingsFile(NamedTuple):
    """``state`` is "read", "missing", "ignored" or "untrusted", as in a run."""

    path: str
    state: str
    error: str = ""
    hint: str = ""


def settings_facts(world: World) -> list[SettingsFile]:
    from pi.base.homes import home_folder
    from pi.cli.config_files import survey
    from pi.cli.config_reading import read_layer

    found = []
    for file in survey(world.parsed, world.host):
        error = hint = ""
        if file.state != "missing":  # one that is left out today may be read tomorrow
            try:
                read_layer(file.path, file.level, file.folder, home_folder(world.host.environ))
            except PiError as exc:
                error, hint = exc.message, exc.hint
        found.append(SettingsFile(file.path, file.state, error, hint))
    return found


def judge_settings(facts: list[SettingsFile]) -> Iterator[Check]:
    """Whether the settings files that are there can be read."""
    for file in facts:
        if not file.error:
            yield Check("settings_file", PASS, file.state, file.path)
            continue
        status = FAIL if file.state == "read" else WARN
        yield Check("settings_file", status, f"invalid:{file.error}", file.path, file.hint)


class Private(NamedTuple):
    found: Found
    user: int


def credential_facts(world: World) -> list[Private]:
    user = os.getuid() if hasattr(os, "getuid") else -1
    named = world.value("--credential-store")
    homes = filter(None, (world.cwd, world.host.environ.get("HOME", "")))
    paths = [os.path.join(home, *CREDENTIALS) for home in homes]
    paths += [os.path.join(world.cwd, str(named))] if named else []
    found = [find(path) for path in dict.fromkeys(paths)]
    return [Private(each, user) for each in found if each.kind != "missing"]


def judge_credentials(facts: list[Private]) -> Iterator[Check]:
    """Whether only their owner can read the files that hold secrets."""
    key = "credential_file"
    if not facts:
        yield Check(key, PASS, "none")
    for found, user in facts:
        if found.kind != "file":
            yield Check(key, FAIL, f"not_file:{found.error or found.kind}", found.path)
        elif user >= 0 and found.owner not in (user, 0):
            yield Check(key, FAIL, f"owner:{found.owner}", found.path, "it should be your own")
        elif user >= 0 and found.mode & 0o077:
            action = f"chmod 600 {found.path}"
            yield Check(key, WARN, f"mode:{found.mode:04o}", found.path, action)
        else:
            yield Check(key, PASS, f"mode:{found.mode:04o}", found.path)
