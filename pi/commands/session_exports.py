"""Commands that write a session, or a branch of it, for others: people and programs."""

from __future__ import annotations

import os

from pi.base.errors import PiError
from pi.base.typing import Any, NamedTuple
from pi.commands.positions import names, resolve, session, shown_path, write_new
from pi.commands.result import Result
from pi.sessions import export as exporting
from pi.sessions.labels import KINDS, LabelError, fold, record
from pi.sessions.load_rows import load_rows, raw_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pi.base.credentials import Credentials
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.sessions.rows import Row
    from pi.sessions.store import SessionStore

# What a session's header says about where it began; whoever imports it begins elsewhere.
_ABOUT = ("created_ms", "cwd", "parent_session")


class Chosen(NamedTuple):
    """What an export is made of. ``path`` is the session's file, "" if there is none yet;
    ``redact`` is None where the records go as they are."""

    path: str
    title: str
    header: Mapping[str, Any]
    rows: tuple[Row, ...]
    notes: tuple[Mapping[str, Any], ...]
    head: int | None
    redact: Credentials | None


def session_export(arguments: Arguments, context: CommandContext) -> Result:
    """A branch, or the whole tree, as a new file."""
    path = arguments.word()
    report, data = _made(arguments, context, path)
    if path == "-":
        return _printed(report, data)
    write_new(path, data, context, force="force" in arguments.options)
    return Result((exporting.text_line(path, report["entries"], report["head"]),), report)


def export(arguments: Arguments, context: CommandContext) -> Result:
    """The same, in words, and with a page beside the user if no file is named."""
    path = arguments.word()
    if not path:
        name = os.path.basename(shown_path(context))
        path = f"{os.path.splitext(name)[0] or 'session'}.html"
        if "redact" in arguments.options:
            path = _credentials(context).hidden(path)
    report, data = _made(arguments, context, path)
    if path == "-":
        return _printed(report, data)
    write_new(path, data, context, force="force" in arguments.options)
    redacted = ", redacted" if report.get("redacted") else ""
    line = f"exported {report['entries']} entries to {path} ({report['format']}{redacted})"
    return Result((line,), report)


def _printed(report: Mapping[str, Any], data: bytes) -> Result:
    text = data.decode("utf-8", "replace")
    # Whoever prints the lines ends each, so what is printed is the data to the byte.
    return Result(tuple(text.split("\n")[:-1]), {**report, "text": text}, verbatim=True)


def _made(arguments: Arguments, context: CommandContext, path: str) -> tuple[dict[str, Any], bytes]:
    """The report and the file's content. Raises PiError, with nothing written."""
    store = session(context)
    options = arguments.options
    target = os.path.realpath(os.path.join(context.cwd, os.path.expanduser(path)))
    if path != "-" and target == store.path:
        raise PiError(
            "the session cannot be exported onto itself", hint="/session-compact prunes it"
        )
    chosen_format = options.get("format") or exporting.format_of(path)
    head = resolve(options["from"], store) if "from" in options else store.head
    chosen = _chosen(store, head, shown_path(context), whole="all" in options)
    if "redact" in options:
        chosen = _redacted(chosen, context)
    try:
        data = _MAKERS[chosen_format](chosen)
    except ValueError as exc:
        raise PiError(f"the session cannot be written as {chosen_format}", cause=str(exc)) from exc
    entries = sum(row.is_entry for row in chosen.rows)
    report = {"path": path, "entries": entries, "head": head, "format": chosen_format}
    return (report if chosen.redact is None else {**report, "redacted": True}), data


def _chosen(store: SessionStore, head: int | None, title: str, *, whole: bool) -> Chosen:
    header = {
        "record_type": "meta",
        "schema_version": 2,
        "session_id": store.session_id,
        "next_id": store.next_id,
    }
    if not os.path.exists(store.path):
        return Chosen("", title, header, (), (), head, None)
    loaded = load_rows(store.path)
    for row in loaded.rows:
        if row.record is not None and row.record.get("record_type") == "meta":
            header.update((name, row.record[name]) for name in _ABOUT if name in row.record)
    rows = exporting.chosen(loaded.rows, head, whole=whole)
    ids = {row.record["id"] for row in rows if row.record is not None and row.is_entry}
    notes = tuple(_old_names(store, ids))
    return Chosen(loaded.path, title, header, rows, notes, head, None)


def _redacted(chosen: Chosen, context: CommandContext) -> Chosen:
    """``chosen`` without what the run knows to be secret, and what looks as if it were."""
    from pi.sessions.export_redact import redacted

    hide = _credentials(context)
    return chosen._replace(
        title=hide.hidden(chosen.title),
        header={**redacted(chosen.header, hide), "redacted": True},
        rows=tuple(
            row if row.record is None else row._replace(record=redacted(row.record, hide))
            for row in chosen.rows
        ),
        notes=tuple(redacted(note, hide) for note in chosen.notes),
        redact=hide,
    )


def _credentials(context: CommandContext) -> Credentials:
    """What hides what the run knows to be secret."""
    from pi.base.credentials import Credentials  # nobody else needs the patterns
    from pi.base.text import secret_values

    known = context.services.get("secrets")
    values = (*secret_values(context.environ), *(known() if known is not None else ()))
    return Credentials(values)


def _old_names(store: SessionStore, ids: Collection[int]) -> list[dict[str, Any]]:
    """Records of names that are only in the older program's files beside the session."""
    found = []
    for kind in KINDS:
        try:
            standing = names(store, kind)
        except LabelError:
            continue  # a broken file of names is no reason to export nothing
        noted = fold(store.notes, kind)
        found += [
            record(kind, name, entry_id)
            for name, entry_id in standing.items()
            if entry_id in ids and name not in noted
        ]
    return found


def _jsonl(chosen: Chosen) -> bytes:
    header = {name: value for name, value in chosen.header.items() if name not in _ABOUT}
    if not chosen.path:
        return exporting.to_sealed_jsonl(header, (), lambda row: b"")
    if chosen.redact is not None:
        # Not the bytes of the file: what JSON reads of a line need not be all there is in it.
        rows, notes = chosen.rows, chosen.notes
        return exporting.to_sealed_jsonl(header, rows, exporting.encoded, notes)
    with open(chosen.path, "rb") as file:
        return exporting.to_sealed_jsonl(header, chosen.rows, raw_of(file), chosen.notes)


def _json(chosen: Chosen) -> bytes:
    return exporting.to_json(chosen.title, chosen.header, chosen.rows, chosen.notes)


def _markdown(chosen: Chosen) -> bytes:
    from pi.sessions.export_markdown import to_markdown

    return to_markdown(chosen.title, chosen.rows)


def _html(chosen: Chosen) -> bytes:
    from pi.sessions.export_html import to_html
    from pi.tools.images import picture_mime

    return to_html(chosen.title, chosen.rows, picture_mime)


def _pimono(chosen: Chosen) -> bytes:
    from pi.sessions.export_pimono import to_pimono

    return to_pimono(chosen.header, chosen.rows, chosen.head, chosen.notes)


_MAKERS: dict[str, Callable[[Chosen], bytes]] = {
    "jsonl": _jsonl,
    "md": _markdown,
    "html": _html,
    "json": _json,
    "pi-mono": _pimono,
}
