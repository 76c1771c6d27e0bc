"""Commands that write a session, or a branch of it, for others: people and programs."""

from __future__ import annotations

import os

from pi.base.errors import PiError, UsageError
from pi.base.jsonl import encode
from pi.base.typing import Any, NamedTuple
from pi.commands.positions import names, resolve, session, shown_path, write_new
from pi.commands.result import Result
from pi.sessions import export as exporting
from pi.sessions.export_source import Source
from pi.sessions.labels import KINDS, LabelError, fold, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from pi.base.credentials import Credentials
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.sessions.rows import Row
    from pi.sessions.store import SessionStore

# What a session's header says about where it began; whoever imports it begins elsewhere.
_ABOUT = ("created_ms", "cwd", "parent_session")


class Chosen(NamedTuple):
    """What an export is made of. The ``rows`` are only where things are; ``full`` reads what
    is said there. ``redact`` is None where the records go as they are."""

    source: Source
    title: str
    header: Mapping[str, Any]
    rows: tuple[Row, ...]
    notes: tuple[Mapping[str, Any], ...]
    head: int | None
    redact: Credentials | None = None

    def full(self, row: Row) -> Mapping[str, Any]:
        """The whole record of a row, as it is to be written."""
        record = self.source.record(row)
        if self.redact is None:
            return record
        from pi.sessions.export_redact import redacted

        return redacted(record, self.redact)

    def raw(self, row: Row) -> bytes:
        """The line of a row without its newline, as it is to be written."""
        if self.redact is None:
            return self.source.raw(row)
        # Not the bytes of the file: what JSON reads of a line need not be all there is in it.
        return encode(self.full(row))[:-1]


def session_export(arguments: Arguments, context: CommandContext) -> Result:
    """A branch, or the whole tree, as a new file."""
    path = arguments.word()
    return _exported(
        arguments,
        context,
        path,
        lambda report: exporting.text_line(path, report["entries"], report["head"]),
    )


def export(arguments: Arguments, context: CommandContext) -> Result:
    """The same, in words, and with a page beside the user if no file is named."""
    path = arguments.word()
    if not path:
        name = os.path.basename(shown_path(context))
        path = f"{os.path.splitext(name)[0] or 'session'}.html"
        if "redact" in arguments.options:
            path = _credentials(context).hidden(path)
    return _exported(arguments, context, path, _in_words, _page_format(arguments, path))


def _page_format(arguments: Arguments, path: str) -> str:
    """What ``/export`` makes where no ending says it: a page. Raises UsageError for an ending
    that names no format."""
    if path == "-":
        return "jsonl"
    ending = os.path.splitext(path)[1]
    if ending and "format" not in arguments.options and not exporting.format_of(path, ""):
        raise UsageError(
            f"the ending '{ending}' names no format",
            hint=".html, .md, .json and .jsonl do; --format html|md|json|jsonl for another name",
        )
    return "html"


def _contradiction(path: str, form: str) -> tuple[str, ...]:
    """A line about a name whose ending stands for another format than the file's, or none."""
    named = exporting.format_of(path, form)
    is_same = named == form or (named, form) == ("jsonl", "pi-mono")
    return () if is_same else (f"note: '{path}' is {form}, its ending says {named}",)


def _in_words(report: Mapping[str, Any]) -> str:
    redacted = ", redacted" if report.get("redacted") else ""
    form = f"{report['format']}{redacted}"
    return f"exported {report['entries']} entries to {report['path']} ({form})"


def _printed(report: Mapping[str, Any], data: bytes) -> Result:
    text = data.decode("utf-8", "replace")
    # Whoever prints the lines ends each, so what is printed is the data to the byte.
    return Result(tuple(text.split("\n")[:-1]), {**report, "text": text}, verbatim=True)


def _exported(
    arguments: Arguments,
    context: CommandContext,
    path: str,
    told: Callable[[Mapping[str, Any]], str],
    otherwise: str = "jsonl",
) -> Result:
    """Write the file, piece by piece, or print it. Raises PiError, with nothing written."""
    store = session(context)
    options = arguments.options
    target = os.path.realpath(os.path.join(context.cwd, os.path.expanduser(path)))
    if path != "-" and target == store.path:
        raise UsageError(
            "the session cannot be exported onto itself", hint="/session-compact prunes it"
        )
    chosen_format = options.get("format") or exporting.format_of(path, otherwise)
    head = resolve(options["from"], store) if "from" in options else store.head
    source = Source(store.path)
    try:
        chosen = _chosen(store, source, head, shown_path(context), whole="all" in options)
        if "redact" in options:
            chosen = _redacted(chosen, context)
        entries = sum(row.is_entry for row in chosen.rows)
        report = {"path": path, "entries": entries, "head": head, "format": chosen_format}
        if chosen.redact is not None:
            report["redacted"] = True
        pieces = _pieces(chosen, chosen_format)
        if path == "-":
            return _printed(report, b"".join(pieces))
        write_new(path, pieces, context, force="force" in options)
    finally:
        source.close()
    return Result((told(report), *_contradiction(path, chosen_format)), report)


def _pieces(chosen: Chosen, form: str) -> Iterator[bytes]:
    """The file's content. What cannot be made must not look as if it could not be written."""
    try:
        yield from _MAKERS[form](chosen)
    except ValueError as exc:
        raise PiError(f"the session cannot be written as {form}", cause=str(exc)) from exc


def _chosen(
    store: SessionStore, source: Source, head: int | None, title: str, *, whole: bool
) -> Chosen:
    header = {
        "record_type": "meta",
        "schema_version": 2,
        "session_id": store.session_id,
        "next_id": store.next_id,
    }
    if not source.path:
        return Chosen(source, title, header, (), (), head)
    for row in source.rows:
        if row.record is not None and row.record.get("record_type") == "meta":
            header.update((name, row.record[name]) for name in _ABOUT if name in row.record)
    rows = exporting.chosen(source.rows, head, whole=whole)
    ids = {row.record["id"] for row in rows if row.record is not None and row.is_entry}
    notes = tuple(_old_names(store, ids))
    return Chosen(source, title, header, rows, notes, head)


def _redacted(chosen: Chosen, context: CommandContext) -> Chosen:
    """``chosen`` without what the run knows to be secret, and what looks as if it were."""
    from pi.sessions.export_redact import redacted

    hide = _credentials(context)
    return chosen._replace(
        title=hide.hidden(chosen.title),
        header={**redacted(chosen.header, hide), "redacted": True},
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


def _jsonl(chosen: Chosen) -> Iterable[bytes]:
    header = {name: value for name, value in chosen.header.items() if name not in _ABOUT}
    return exporting.to_sealed_jsonl(header, chosen.rows, chosen.raw, chosen.notes)


def _json(chosen: Chosen) -> Iterable[bytes]:
    return exporting.to_json(chosen.title, chosen.header, chosen.rows, chosen.notes, chosen.full)


def _markdown(chosen: Chosen) -> Iterable[bytes]:
    from pi.sessions.export_markdown import to_markdown

    return to_markdown(chosen.title, chosen.rows, chosen.full)


def _html(chosen: Chosen) -> Iterable[bytes]:
    from pi.sessions.export_html import to_html
    from pi.tools.images import picture_mime

    return to_html(chosen.title, chosen.rows, picture_mime, chosen.full)


def _pimono(chosen: Chosen) -> Iterable[bytes]:
    from pi.sessions.export_pimono import to_pimono

    return to_pimono(chosen.header, chosen.rows, chosen.head, chosen.notes, chosen.full)


_MAKERS: dict[str, Callable[[Chosen], Iterable[bytes]]] = {
    "jsonl": _jsonl,
    "md": _markdown,
    "html": _html,
    "json": _json,
    "pi-mono": _pimono,
}
