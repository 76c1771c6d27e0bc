"""A file somebody wants to read or import, whatever program wrote it."""

from __future__ import annotations

from pi.base.errors import VerificationFailed
from pi.sessions import pimono
from pi.sessions.entry import SCHEMA_VERSION
from pi.sessions.errors import NamedWrong, SessionError
from pi.sessions.load_rows import lines_of, loaded, read_lines, records
from pi.sessions.plan import Plan
from pi.sessions.rows import DIGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.jsonl import Line
    from pi.sessions.load_rows import Lines, Loaded
    from pi.sessions.rewrite import Applied, Rewriter
    from pi.sessions.rows import Row


def load_source(path: str) -> Loaded:
    """The rows of a session of ours or of the TypeScript ancestor's. The rows of the latter
    are new records: they have no place in the file. Raises SessionError."""
    return _understood(read_lines(path))


def load_import(path: str, data: bytes | None = None) -> Loaded:
    """The same of a file, or of ``data``, whose entries are to be taken in.

    Raises SessionError for what is no session or one of a later pi, VerificationFailed
    for an export that did not arrive whole.
    """
    found = read_lines(path) if data is None else lines_of(data)
    _check_digest(path, found, data)
    source = _understood(found)
    if not source.contents.is_session and not any(row.is_entry for row in source.rows):
        raise NamedWrong(
            f"'{path}' is not a session file",
            cause="none of its lines is a record of a session",
            hint="a session's file or what /session-export wrote is",
            code="not-a-session",
        )
    if source.contents.schema_version > SCHEMA_VERSION:
        raise SessionError(
            f"'{path}' cannot be imported",
            cause=f"schema version {source.contents.schema_version}, "
            f"this pi reads up to {SCHEMA_VERSION}",
            hint="use a newer pi",
            code="session-newer-schema",
        )
    return source


def is_other(source: Loaded) -> bool:
    """Whether the file holds something, and nothing of it is a session's: not even the
    beginning of the first line of one."""
    if source.contents.is_session or (source.contents.is_blank and not source.torn):
        return False
    from pi.sessions.journal import SIGNATURE  # whoever imports does not ask

    with open(source.path, "rb") as file:
        return not SIGNATURE.startswith(file.read(len(SIGNATURE)))


def is_foreign(lines: tuple[Line, ...]) -> bool:
    """Whether these are the lines of a session of the ancestor's."""
    found = records(lines)
    return bool(found) and pimono.is_header(found[0].value)


def _understood(found: Lines) -> Loaded:
    ours = loaded(found)
    if not is_foreign(found.lines):
        return ours
    ours.contents.is_session = True
    return ours._replace(rows=pimono.convert(found.lines))


def _check_digest(path: str, found: Lines, data: bytes | None) -> None:
    """An export promises in its header a last line that says what all before it comes to."""
    all_of_them = records(found.lines)
    marks = [line for line in all_of_them if line.value.get("record_type") == DIGEST]
    if not marks:
        if all_of_them and DIGEST in all_of_them[0].value:
            raise _broken(path, "its end is missing")
        return
    from hashlib import sha256  # 2 ms, and only for an export

    end = marks[-1].offset
    if data is None:
        with open(found.path, "rb") as file:
            hashed = sha256()
            while end > 0 and (piece := file.read(min(end, 1 << 20))):
                hashed.update(piece)
                end -= len(piece)
    else:
        hashed = sha256(data[:end])
    if hashed.hexdigest() != marks[-1].value.get("sha256"):
        raise _broken(path, "its digest does not fit what it holds")


def _broken(path: str, why: str) -> VerificationFailed:
    return VerificationFailed(
        f"'{path}' is not as it was exported",
        cause=why,
        hint="carry it over again; nothing was imported",
        code="bad-digest",
    )


def adopt(path: str, rewriter: Rewriter) -> Applied | None:
    """Make a session of the ancestor one of ours, keeping a backup and what could not be
    understood in the quarantine. None if it is no such file. Raises SessionError."""
    if not is_foreign(read_lines(path).lines):
        return None

    def make(file: Loaded) -> Plan:
        # Read again under the lock: another process may have adopted it meanwhile.
        lines = read_lines(file.path).lines
        if not is_foreign(lines):
            return Plan((), None, {}, changes=False)
        return _adopted(pimono.convert(lines))

    return rewriter.apply(make)


def _adopted(rows: tuple[Row, ...]) -> Plan:
    kept = tuple(row.record for row in rows if row.record is not None)
    bad = tuple(row.number for row in rows if row.record is None)
    ids = [record["id"] for record in kept if record["record_type"] == "entry"]
    report = {"entries": len(ids), "quarantined": list(bad)}
    return Plan(kept, ids[-1] if ids else None, report, bool(kept), bad)
