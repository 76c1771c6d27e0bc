"""Commands that rewrite a session file. Each keeps a backup and says where."""

from __future__ import annotations

import os

from pi.base.errors import PiError, UsageError, VerificationFailed
from pi.base.typing import Any
from pi.commands.positions import names, resolve, session, shown_path
from pi.commands.result import Result
from pi.sessions import importing
from pi.sessions import prune as pruning
from pi.sessions import repair as mending
from pi.sessions import validate as checking
from pi.sessions.labels import KINDS, LabelError
from pi.sessions.load_rows import load_rows
from pi.sessions.rewrite import Rewriter
from pi.sessions.sources import load_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.sessions.load_rows import Loaded
    from pi.sessions.plan import Plan
    from pi.sessions.store import SessionStore


def repair(arguments: Arguments, context: CommandContext) -> Result:
    """Mend the tree."""
    store = session(context)
    remove = "remove" in arguments.options

    def make(loaded: Loaded) -> Plan:
        return mending.plan_repair(
            loaded.rows, head=store.head, next_id=loaded.contents.next_id, remove=remove
        )

    return _change(arguments, context, make, mending.text_line, "Repair the session?")


def prune(arguments: Arguments, context: CommandContext) -> Result:
    """Remove all branches but the active one, and those that names stand on."""
    store = session(context)
    keep: list[int] = []
    if "all" not in arguments.options:
        for kind in KINDS:
            try:
                keep += names(store, kind).values()
            except LabelError as exc:
                exc.hint = "repair or remove that file, or use --all"
                raise

    def make(loaded: Loaded) -> Plan:
        head = store.head if store.head is not None else store.file_head
        return pruning.plan_prune(
            loaded.rows, head=head, next_id=loaded.contents.next_id, keep=keep
        )

    return _change(arguments, context, make, pruning.text_line, "Remove all other branches?")


def bring_in(arguments: Arguments, context: CommandContext) -> Result:
    """Import another session's entries."""
    store = session(context)
    given = arguments.word()
    mode = arguments.options.get("mode") or context.settings.get("session-import-mode", "merge")
    place = arguments.options.get("attach")
    attach = None if place is None else resolve(place, store)
    if attach is not None and mode != "merge":
        raise UsageError("--attach is for --mode merge")
    source = _source(given, store, context)
    if not os.path.exists(store.path):
        if "dry-run" in arguments.options:
            found = importing.plan_import((), source.rows, mode=mode, next_id=1).report
            line = importing.text_line(given, found)
            return Result((f"dry run: {line}",), {**found, "dry_run": True})
        store.switch(None)  # makes the file, so that there is something to import into

    def make(loaded: Loaded) -> Plan:
        next_id = loaded.contents.next_id
        return importing.plan_import(
            loaded.rows, source.rows, mode=mode, next_id=next_id, attach=attach
        )

    question = "Replace the whole session?" if mode == "replace" else ""
    return _change(
        arguments, context, make, lambda found: importing.text_line(given, found), question
    )


def _source(given: str, store: SessionStore, context: CommandContext) -> Loaded:
    """What is to be imported, judged before anything is touched."""
    if given == "-":
        read = context.services.get("stdin")
        if read is None:
            raise UsageError(
                "there is no standard input to import from here", hint="name a file instead of -"
            )
        source = load_import(given, read())
    else:
        path = os.path.join(context.cwd, os.path.expanduser(given))
        if os.path.realpath(path) == store.path:
            raise UsageError("a session cannot be imported into itself")
        source = load_import(path)
    report = checking.validate(given, source.rows, source.torn)
    if not report.findings.sound:
        raise VerificationFailed(
            f"import session validation failed: path={given} entries={report.entries} "
            f"{checking.counts(report)}",
            hint="repair that file first: pi --session FILE, then /session-repair",
            code="invalid-session",
        )
    return source


def undo(arguments: Arguments, context: CommandContext) -> Result:
    """Bring back what was there before the last of these commands."""
    store = session(context)
    if not ("yes" in arguments.options or context.confirm("Restore the newest backup?")):
        return Result(("not done",), {"done": False})
    done = _rewriter(store, context).undo()
    _stand(store, context, done.plan.head)
    report = done.plan.report
    line = (
        f"session undo complete: restored={report['restored']} entries={report['entries']} "
        f"entries_before={report['entries_before']} backup={done.backup}"
    )
    return Result((line,), {**report, "backup": done.backup})


def _change(
    arguments: Arguments,
    context: CommandContext,
    make: Callable[[Loaded], Plan],
    text: Callable[[Mapping[str, Any]], str],
    question: str,
) -> Result:
    """Plan, ask if a person is there to be asked, apply, and go on where that leaves off."""
    store = session(context)
    if not os.path.exists(store.path):
        raise PiError(f"there is no session file '{shown_path(context)}'", code="session-missing")
    rewriter = _rewriter(store, context)
    dry_run = "dry-run" in arguments.options
    if question and not dry_run and "yes" not in arguments.options:
        planned = make(load_rows(store.path))
        if planned.changes and not context.confirm(f"{question} {text(planned.report)}"):
            return Result(("not done",), {"done": False})
    done = rewriter.apply(make, dry_run=dry_run)
    report = dict(done.plan.report)
    line = text(report)
    if dry_run:
        return Result((f"dry run: {line}",), {**report, "dry_run": True})
    if done.backup:
        _stand(store, context, done.plan.head)
        line += f" backup={done.backup}"
    elif done.plan.head is not None and done.plan.head != store.head:
        store.switch(done.plan.head)
        context.reload()
    return Result((line,), {**report, "backup": done.backup or None})


def _stand(store: SessionStore, context: CommandContext, head: int | None) -> None:
    """Take the rewritten file anew and go on at ``head``."""
    store.refresh()
    store.switch(head)
    context.reload()


def _rewriter(store: SessionStore, context: CommandContext) -> Rewriter:
    return Rewriter(
        store.path,
        now_ms=context.now_ms,
        random_bytes=context.random_bytes,
        lock_wait_ms=int(context.settings.get("session-lock-wait-ms", 5000)),
        lock_stale_ms=int(context.settings.get("session-lock-stale-ms", 30_000)),
    )
