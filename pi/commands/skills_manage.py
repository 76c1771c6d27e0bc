"""Commands that install, update and remove skills while a run goes on. The rules are those
of the flags that do the same at a start, and so are the functions."""

from __future__ import annotations

import os

from pi.base.errors import PiError, UsageError
from pi.base.text import visible
from pi.commands.result import Result
from pi.commands.skills_told import catalogue, in_directory, service, telling, work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.skills.install import Write
    from pi.skills.installed import Installed
    from pi.skills.lockfile import Lock
    from pi.skills.prune import Removed
    from pi.skills.stage import Stage
    from pi.skills.stage_settings import SkillSettings
    from pi.skills.updating import Renewal

REGISTRY = "registry:"
MAX_WORD = 4096
REMOVE_USAGE = "usage: /skills-remove <name...> [--dry-run|--apply]"


@telling("skills install", in_directory)
def install(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-install <file|url|registry:NAME>...``: what the flags do at a start."""
    sources = _sources(arguments, context)
    settings = work(context).settings
    if sources["names"] and not settings.registry_url:
        raise UsageError(
            "--skill-registry-url is required",
            cause=f"{REGISTRY}NAME was given",
            hint="start pi with --skill-registry-url URL",
        )
    told: list[str] = []
    lock_write = settings.lock_write or bool(arguments.options.get("lock-write"))
    alone = _install_only(lock_write)

    def do(stage: Stage) -> tuple[Write, ...]:
        return stage.run()

    writes: tuple[Write, ...] = service(context, "skills_do")(do, told.append, **alone, **sources)
    rows = [
        {
            "name": write.item.name,
            "file": write.item.file,
            "action": write.action,
            "sha256": write.item.entry().sha256,
            "source": write.item.label,
        }
        for write in writes
    ]
    if any(row["action"] != "skipped" for row in rows):
        service(context, "skills_changed")()
    lines = [f"skills install: path={settings.directory} count={len(rows)}"]
    lines += [
        f"install: name={row['name']} file={row['file']} action={row['action']} "
        f"sha256={row['sha256']}"
        for row in rows
    ]
    data = {"path": settings.directory, "skills": rows, "lock_written": lock_write, "steps": told}
    return Result((*lines, *told), data)


def _install_only(lock_write: bool) -> dict[str, Any]:
    """What of a start's work is not to be done again."""
    from pi.skills.trust_store import Changes

    return {
        "changes": Changes(),
        "cache_export": "",
        "cache_import": "",
        "lock_write": lock_write,
        "lock_accept": (),
        "sync": False,
        "install_missing": False,
    }


def _sources(arguments: Arguments, context: CommandContext) -> dict[str, Any]:
    """The words as the flags would have them: paths, addresses with digests, names."""
    from pi.skills.picking import shown
    from pi.skills.resolving import check_typed_sha256

    paths: list[str] = []
    urls: list[str] = []
    names: list[str] = []
    for word in arguments.words:
        if len(word) > MAX_WORD:
            raise UsageError(f"{shown(word)} is too long", cause=f"{len(word)} characters")
        if word.startswith(REGISTRY):
            names.append(_registry_name(word))
        elif "://" in word:
            urls.append(word)
        else:
            paths.append(_at_home(word, context))
    sha256 = str(arguments.options.get("sha256") or "").strip()
    if "sha256" in arguments.options:
        if len(urls) != 1 or paths or names:
            raise UsageError(
                "--sha256 is the digest of what is at one address",
                hint="name that address alone; a registry says the digests of its skills",
            )
        check_typed_sha256(sha256, "--sha256")
    return {
        "paths": tuple(paths),
        "urls": tuple((url, sha256) for url in urls),
        "names": tuple(names),
    }


def _registry_name(word: str) -> str:
    name, mark, _ = word[len(REGISTRY) :].partition("@")
    if mark:
        raise UsageError(
            f"no version can be asked of a registry: {word}",
            cause="it has one version of each skill, which it names by its digest",
            hint=f"{REGISTRY}{name}; --skill-registry-sha256 pins the whole registry",
        )
    if not name:
        raise UsageError(f"{REGISTRY} needs a name", hint=f"{REGISTRY}NAME")
    return name


def _at_home(path: str, context: CommandContext) -> str:
    """No shell has read the line: ``~/`` is the user's home here as there."""
    home = context.environ.get("HOME") or ""
    return os.path.join(home, path[2:]) if home and path.startswith("~/") else path


@telling("skills update", in_directory)
def update(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-update [name...] [--dry-run]``: fetch again what came from an address."""
    from pi.skills.updating import update as renew

    dry_run = bool(arguments.options.get("dry-run"))
    told: list[str] = []

    def may_ask(addresses: Sequence[str]) -> bool:
        trusted = context.services.get("trusted")
        if "yes" in arguments.options or trusted is None or trusted():
            return True
        listed = ", ".join(map(visible, addresses[:10])) + (
            f" and {len(addresses) - 10} more" if len(addresses) > 10 else ""
        )
        return context.confirm(f"this folder is not trusted; fetch what it names: {listed}?")

    def do(stage: Stage) -> tuple[Renewal, ...]:
        return renew(stage, arguments.words, dry_run=dry_run, may_ask=may_ask)

    found: tuple[Renewal, ...] = service(context, "skills_do")(do, told.append)
    if told:
        service(context, "skills_changed")()
    path = work(context).settings.lock_path
    words = ("updated", "installed", "renewed", "unchanged", "skipped")
    counts = {word: sum(1 for one in found if one.action == word) for word in words}
    mode = "dry-run" if dry_run else "apply"
    counted = " ".join(f"{word}={count}" for word, count in counts.items())
    lines = [f"skills update: mode={mode} lockfile={path} {counted}"]
    lines += [_update_line(one, dry_run) for one in found] or ["update: none"]
    data = {
        "mode": mode,
        "lockfile": path,
        **counts,
        "skills": [
            {
                "name": one.entry.name,
                "file": one.entry.file,
                "action": one.action,
                "old_sha256": one.old or None,
                "new_sha256": one.new or None,
                "source": one.address or None,
                "reason": one.why or None,
            }
            for one in found
        ],
    }
    return Result((*lines, *told), data)


def _update_line(one: Renewal, dry_run: bool) -> str:
    head = f"update: name={one.entry.name} file={one.entry.file}"
    if one.why:
        return f"{head} action={one.action} reason={one.why}"
    would = "would_be_" if dry_run and one.action != "unchanged" else ""
    return (
        f"{head} action={would}{one.action} old_sha256={one.old or 'none'} "
        f"new_sha256={one.new} source={one.address}"
    )


@telling("skills remove", in_directory)
def remove(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-remove <name...> [--dry-run|--apply]``: shows only, unless ``--apply``."""
    from pi.skills.installed import installed
    from pi.skills.lock_write import read_lock_if_any

    options = arguments.options
    apply = bool(options.get("apply"))
    if apply and options.get("dry-run"):
        raise UsageError("conflicting flags --dry-run and --apply", hint=REMOVE_USAGE)
    settings = work(context).settings
    directory = settings.directory
    files = _to_remove(arguments.words, installed(directory), directory, context)
    lock = read_lock_if_any(settings.lock_path)
    mode, action = ("apply", "delete") if apply else ("dry-run", "would_delete")
    data = {"mode": mode, "skills_dir": directory, "files": list(files), "deleted": 0,
            "failed": 0, "lockfile": settings.lock_path, "lock_written": False}  # fmt: skip
    lines = [f"skills remove: mode={mode} skills_dir={directory} count={len(files)}"]
    lines += [f"remove: file={file} action={action}" for file in files]
    if not apply:
        return Result(tuple(lines), data)
    more = f" and {len(files) - 10} more" if len(files) > 10 else ""
    question = f"delete {', '.join(map(visible, files[:10]))}{more} from {directory}?"
    if not ("yes" in options or context.confirm(question)):
        raise UsageError("not confirmed", hint="nothing was deleted")
    lock_write = settings.lock_write or bool(options.get("lock-write"))
    done, told, written = _delete(files, lock, settings, context, lock_write=lock_write)
    failed = [one for one in done if one.error]
    data = {**data, "deleted": len(done) - len(failed), "failed": len(failed),
            "lock_written": written}  # fmt: skip
    error = None
    if failed:
        why = f"{len(failed)} skills could not be deleted"
        error = PiError(why, cause=failed[0].error, code="remove-failed")
    return Result((*lines, *told), data, error)


def _delete(
    files: Sequence[str],
    lock: Lock | None,
    settings: SkillSettings,
    context: CommandContext,
    *,
    lock_write: bool,
) -> tuple[Sequence[Removed], list[str], bool]:
    """Delete skills, and what the lockfile has of them if it is to be written. Returns what
    became of each, the lines about it, and whether the lockfile was written."""
    from pi.skills.lock_write import changed_lock, write_lock
    from pi.skills.prune import remove as delete

    done = delete(settings.directory, files)
    lines = [
        f"remove: file={one.file} "
        + (f"status=error error={one.error}" if one.error else "status=deleted")
        for one in done
    ]
    gone = [one.file for one in done if not one.error]
    lines.append(
        f"skills remove result: mode=apply deleted={len(gone)} failed={len(done) - len(gone)}"
    )
    if gone:
        service(context, "skills_changed")()
    dropped = [file for file in gone if lock is not None and file in lock.by_file()]
    if lock is None or not dropped:
        return done, lines, False
    if not lock_write:
        names = ", ".join(dropped)
        return done, [*lines, f"lockfile: path={settings.lock_path} still_has={names}"], False
    after = changed_lock(lock, {}, dropped)
    write_lock(after, settings.lock_path, random_bytes=context.random_bytes)
    lines.append(f"skills lock write: path={settings.lock_path} entries={len(after.entries)}")
    return done, lines, True


def _to_remove(
    words: Sequence[str], there: Sequence[Installed], directory: str, context: CommandContext
) -> tuple[str, ...]:
    """The files of the skills that are meant. Raises UsageError for a name that is none of
    them, and for a skill that is in use."""
    from pi.skills.picking import pick
    from pi.skills.prune import safe

    names = {one.file: one.name for one in there}
    own = {os.path.realpath(os.path.join(directory, one.file)): one.file for one in there}
    found = catalogue(context)
    for skill in found.skills:  # a folder's own name may be another
        file = own.get(os.path.realpath(skill.file))
        if file is not None and skill.name in words and skill.name not in names.values():
            names[file] = skill.name
    files = safe(pick(words, names, directory))
    selected = service(context, "skills_selected")(found)
    used = [os.path.realpath(skill.file) for skill in selected]
    for path in used:
        if own.get(path) in files:
            raise UsageError(
                f"'{own[path]}' is in the system prompt",
                hint="/skills-use --none takes all out; /skills-use shows which are in it",
                code="skill-in-use",
            )
    return files
