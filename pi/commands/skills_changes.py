"""Commands that change what skills there are and whom to trust: lock, prune, trust keys."""

from __future__ import annotations

from pi.base.errors import PiError, UsageError
from pi.commands.result import Result
from pi.commands.skills_told import at_lock, at_trust_file, telling, work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.skills.trust_store import Changes, Counts


TRUST_USAGE = {
    "list": "/skills-trust-list [trust_root_file]",
    "add": "/skills-trust-add <id=base64_key> [trust_root_file]",
    "revoke": "/skills-trust-revoke <id> [trust_root_file]",
    "rotate": "/skills-trust-rotate <old_id:new_id=base64_key> [trust_root_file]",
}
PRUNE_USAGE = "usage: /skills-prune [lockfile_path] [--dry-run|--apply]"


def _pruning(arguments: Arguments, context: CommandContext) -> str:
    return f"{at_lock(arguments, context)} mode={_mode(arguments)}"


def _mode(arguments: Arguments) -> str:
    return "apply" if arguments.options.get("apply") else "dry-run"


@telling("skills lock write", at_lock)
def lock_write(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-lock-write [lockfile]``: record what is installed."""
    from pi.skills.installed import installed
    from pi.skills.lock_write import next_lock, read_lock_if_any, write_lock

    settings = work(context, arguments.word()).settings
    path = settings.lock_path
    lock = next_lock(installed(settings.directory), read_lock_if_any(path), {})
    write_lock(lock, path, random_bytes=context.random_bytes)
    count = len(lock.entries)
    return Result(
        (f"skills lock write: path={path} entries={count}",), {"path": path, "entries": count}
    )


@telling("skills prune", _pruning)
def prune(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-prune [lockfile] [--dry-run|--apply] [--all]``: remove what is not locked."""
    from pi.skills.installed import installed
    from pi.skills.prune import candidates, remove

    options = arguments.options
    if options.get("apply") and options.get("dry-run"):
        raise UsageError(
            "conflicting flags --dry-run and --apply",
            hint=PRUNE_USAGE,
        )
    if len(arguments.words) > 1:
        raise UsageError(f"unexpected argument '{arguments.word(1)}'", hint=PRUNE_USAGE)
    stage = work(context, arguments.word())
    path, directory = stage.settings.lock_path, stage.settings.directory
    lock = stage.lock()
    there = installed(directory)
    files = candidates(lock, there)
    mode = _mode(arguments)
    lines = [
        f"skills prune: mode={mode} lockfile={path} skills_dir={directory} "
        f"tracked_entries={len(lock.entries)} installed_skills={len(there)} "
        f"prune_candidates={len(files)}"
    ]
    data = {"mode": mode, "lockfile": path, "skills_dir": directory, "candidates": list(files),
            "tracked_entries": len(lock.entries), "installed_skills": len(there)}  # fmt: skip
    action = "delete" if mode == "apply" else "would_delete"
    lines += [f"prune: file={file} action={action}" for file in files] or ["prune: none"]
    if mode == "dry-run" or not files:
        return Result(tuple(lines), data)
    if not lock.entries and not options.get("all"):
        raise UsageError(
            "the lockfile is empty: every skill would be deleted", hint="--apply --all does it"
        )
    question = f"delete {len(files)} skills from {directory}?"
    if not ("yes" in options or context.confirm(question)):
        raise UsageError("not confirmed", hint="nothing was deleted")
    done = remove(directory, files)
    lines += [
        f"prune: file={one.file} "
        + (f"status=error error={one.error}" if one.error else "status=deleted")
        for one in done
    ]
    failed = [one for one in done if one.error]
    deleted = len(done) - len(failed)
    lines.append(f"skills prune result: mode=apply deleted={deleted} failed={len(failed)}")
    error = None
    if failed:
        error = PiError(
            f"{len(failed)} skills could not be deleted", cause=failed[0].error, code="prune-failed"
        )
    data = {**data, "deleted": deleted, "failed": len(failed)}
    return Result(tuple(lines), data, error)


@telling("skills trust list", at_trust_file(0))
def trust_list(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-trust-list [file]``: the trusted root keys."""
    from pi.skills.trust_file import read_trust_file

    path = _trust_path(arguments.word(), context, "list")
    found = read_trust_file(path)
    now = context.now_ms() // 1000
    records = sorted(found.records, key=lambda record: record.id)
    lines = [f"skills trust list: path={path} count={len(records)}"]
    lines += [
        f"root: id={one.id} revoked={str(one.revoked).lower()} "
        f"expires_unix={'none' if one.expires_unix is None else one.expires_unix} "
        f"rotated_from={one.rotated_from or 'none'} status={one.status(now)}"
        for one in records
    ] or ["roots: none"]
    lines += [f"warning: {sentence}" for sentence in found.warnings]
    data = {
        "path": path,
        "count": len(records),
        "roots": [{**one._asdict(), "status": one.status(now)} for one in records],
    }
    return Result(tuple(lines), data)


@telling("skills trust add", at_trust_file(1))
def trust_add(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-trust-add <id=base64_key> [file]``."""
    from pi.skills.trust_store import Changes, parse_key_spec

    spec = parse_key_spec(arguments.word())
    replaces = bool(arguments.options.get("replace"))
    path, counts = _change("add", Changes(adds=(spec,), replace=replaces), arguments, context)
    return _changed("add", path, counts, {"id": spec.id})


@telling("skills trust revoke", at_trust_file(1))
def trust_revoke(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-trust-revoke <id> [file]``. Says which installed skills lose their key."""
    from pi.skills.trust_store import Changes

    key_id = arguments.word()
    path, counts = _change("revoke", Changes(revokes=(key_id,)), arguments, context)
    result = _changed("revoke", path, counts, {"id": key_id})
    return result._replace(text=(*result.text, *_broken_by(key_id, context)))


@telling("skills trust rotate", at_trust_file(1))
def trust_rotate(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-trust-rotate <old_id:new_id=base64_key> [file]``."""
    from pi.skills.trust_store import Changes, parse_rotation

    rotation = parse_rotation(arguments.word())
    path, counts = _change("rotate", Changes(rotates=(rotation,)), arguments, context)
    ids = {"old_id": rotation.old_id, "new_id": rotation.new.id}
    result = _changed("rotate", path, counts, ids)
    return result._replace(text=(*result.text, *_broken_by(rotation.old_id, context)))


def _change(
    verb: str, changes: Changes, arguments: Arguments, context: CommandContext
) -> tuple[str, Counts]:
    from pi.skills.trust_file import update_trust_file

    path = _trust_path(arguments.word(1), context, verb)
    _, counts = update_trust_file(
        path, changes, now=context.now_ms() // 1000, random_bytes=context.random_bytes
    )
    return path, counts


def _changed(verb: str, path: str, counts: Counts, ids: dict[str, str]) -> Result:
    named = " ".join(f"{name}={value}" for name, value in ids.items())
    line = f"skills trust {verb}: path={path} {named} {counts.text()}"
    return Result((line,), {"path": path, **ids, **counts._asdict()})


def _trust_path(given: str, context: CommandContext, verb: str) -> str:
    path = given or work(context).settings.trust_file
    if not path:
        raise UsageError(
            "trust root file is required",
            hint=f"usage: {TRUST_USAGE[verb]} (or start pi with --skill-trust-root-file)",
            code="no-trust-file",
        )
    return path


def _broken_by(key_id: str, context: CommandContext) -> list[str]:
    """Which installed skills were signed by a key, or below it."""
    try:
        entries = work(context).lock().entries
    except PiError:
        return []
    found = []
    for entry in entries:
        chain = entry.source.get("signer_chain")
        above = [
            link.get("signed_by")
            for link in (chain if isinstance(chain, list) else ())
            if isinstance(link, dict)
        ]
        if key_id in (entry.source.get("signing_key_id"), *above):
            found.append(entry.name)
    return [f"no longer trusted: {', '.join(sorted(found))}"] if found else []
