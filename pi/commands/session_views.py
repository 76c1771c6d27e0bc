"""Commands that look at a session and change nothing in it."""

from __future__ import annotations

import os

from pi.base.errors import PiError, VerificationFailed
from pi.commands.arguments import ArgumentError
from pi.commands.positions import names, resolve, session, shown_path, write_new
from pi.commands.result import Result
from pi.sessions import difference, drawing, search
from pi.sessions import stats as figures
from pi.sessions import validate as checking
from pi.sessions.backups import stamp
from pi.sessions.labels import KINDS, LabelError
from pi.sessions.load_rows import load_rows
from pi.sessions.shelf import FOLDER, cards
from pi.sessions.shelf import text_lines as list_lines
from pi.sessions.snapshot import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.sessions.store import SessionStore


def show(arguments: Arguments, context: CommandContext) -> Result:
    """The file and where the conversation stands."""
    if context.store is None:
        return Result(("session: disabled",), {"enabled": False})
    store = session(context)
    path = shown_path(context)
    line = f"session: path={path} entries={len(store)} active_head={shown(store.head)}"
    data = {"enabled": True, "path": path, "entries": len(store), "active_head": store.head}
    return Result((line,), {**data, "session_id": store.session_id})


def sessions(arguments: Arguments, context: CommandContext) -> Result:
    """The sessions of this folder, the latest first."""
    found = cards(os.path.join(context.cwd, FOLDER))
    times = {card.path: stamp(card.modified_ms) for card in found}
    rows = [
        {
            "name": card.name,
            "path": card.path,
            "modified": times[card.path],
            "modified_ms": card.modified_ms,
            "size": card.size,
            "first_prompt": card.first,
            "last_message": card.last,
        }
        for card in found
    ]
    return Result(list_lines(found, times), {"sessions": rows})


def find(arguments: Arguments, context: CommandContext) -> Result:
    """Entries that say something."""
    if not arguments.words:
        raise ArgumentError("query is required", is_count=True)
    store = session(context)
    snapshot = store.snapshot()
    options = arguments.options
    query = search.Query(
        arguments.word(),
        options.get("role", ""),
        options.get("tool", ""),
        "regex" in options,
        "case" in options,
        options.get("limit", search.DEFAULT_LIMIT),
        options.get("offset", 0),
        snapshot.lineage_ids() if options.get("branch") == "active" else None,
    )
    try:
        if query.regex and _is_risky(query):
            from pi.commands.slow_search import search_in_child

            clock = context.services.get("monotonic", lambda: context.now_ms() / 1000)
            found = search_in_child(store.path, snapshot, query, monotonic=clock)
        else:
            found = search.search(snapshot, query)
    except PiError as exc:
        return _failed("session search error: error=", exc)
    return Result(search.text_lines(found), search.json_data(found))


def _is_risky(query: search.Query) -> bool:
    """Whether looking for a pattern may take for ever. Raises SearchError for a bad one."""
    from pi.tools.outcome import ToolFailure
    from pi.tools.search.pattern import make_pattern  # only for a pattern

    try:
        return make_pattern(query.text, literal=False, ignore_case=not query.case).risky
    except ToolFailure as failure:
        # The words are of the tool grep, which has another way out.
        why = failure.error.partition("; set literal")[0]
        hint = "without --regex the text is searched for as it is"
        raise search.SearchError(why, hint=hint) from None


def stats(arguments: Arguments, context: CommandContext) -> Result:
    """The session in figures."""
    store = session(context)
    found = figures.count(store.snapshot())
    size = os.stat(store.path).st_size if os.path.exists(store.path) else 0
    data = {**figures.json_data(found), "bytes": size, "damaged_lines": len(store.damage)}
    return Result((*figures.text_lines(found), f"file: bytes={size}"), data, legacy=data)


def diff(arguments: Arguments, context: CommandContext) -> Result:
    """Two branches side by side."""
    store = session(context)
    left = right = None
    if arguments.words:
        if len(arguments.words) != 2:
            raise ArgumentError("two ids, or none", is_count=True)
        left, right = (_position(word, store) for word in arguments.words)
    try:
        found = difference.compare(store.snapshot(), left, right)
    except difference.DiffError as exc:
        return _failed("session diff error: ", exc)
    return Result(difference.text_lines(found), difference.json_data(found))


def _position(word: str, store: SessionStore) -> int:
    """A number as it is, so that the comparison can say which side is unknown."""
    is_id = word.isascii() and word.isdigit() and len(word) <= 19
    return int(word) if is_id else resolve(word, store, "session")


def validate(arguments: Arguments, context: CommandContext) -> Result:
    """Is the file sound."""
    store = session(context)
    loaded = load_rows(store.path)
    report = checking.validate(shown_path(context), loaded.rows, loaded.torn)
    lines = checking.text_lines(report)
    if report.valid:
        return Result(lines, checking.json_data(report))
    error = VerificationFailed(
        f"session validation failed: {checking.counts(report)}", code="invalid-session"
    )
    return Result(lines, checking.json_data(report), error)


def draw(arguments: Arguments, context: CommandContext) -> Result:
    """The tree as a picture in a file."""
    store = session(context)
    snapshot = store.snapshot()
    path = arguments.word()
    chosen = arguments.options.get("format") or drawing.format_of(path)
    marks: dict[int, list[str]] = {}
    for kind in KINDS:
        try:
            standing = names(store, kind)
        except LabelError:
            continue  # a broken file of names is no reason to draw nothing
        for name, entry_id in standing.items():
            marks.setdefault(entry_id, []).append(name)
    text = drawing.FORMATS[chosen](snapshot, marks)
    nodes, edges = len(snapshot.entries), len(drawing.edges(snapshot))
    data = {"path": path, "format": chosen, "nodes": nodes, "edges": edges}
    if path == "-":
        return Result(tuple(text.split("\n")), {**data, "text": text}, verbatim=True)
    try:
        force = bool(arguments.options.get("force"))
        write_new(path, text.encode("utf-8", "replace"), context, force=force)
    except PiError as exc:
        cause = f": {exc.cause}" if exc.cause else ""
        line = f"session graph export error: path={path} error={exc.message}{cause}"
        return Result((line,), error=exc)
    line = f"session graph export: path={path} format={chosen} nodes={nodes} edges={edges}"
    return Result((line,), data)


def _failed(what: str, error: PiError) -> Result:
    return Result((what + error.message,), error=error)
