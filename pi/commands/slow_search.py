"""A search whose pattern could run for ever, in a process that can be ended.

The child is the same interpreter and the same code, in isolated mode. It gets the job as
one JSON argument, reads the session itself, and answers with one JSON object.
"""

from __future__ import annotations

import json
import os
import sys

import pi
from pi.base.cancel import Cancel
from pi.base.errors import PiError
from pi.sessions.load_rows import load_rows
from pi.sessions.search import Found, Hit, Query, search
from pi.sessions.snapshot import Snapshot
from pi.tools.process import TIMED_OUT, run_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from pi.commands.slow_search import main; main()"
)


def search_in_child(
    path: str,
    snapshot: Snapshot,
    query: Query,
    *,
    monotonic: Callable[[], float],
    seconds: float = SECONDS,
) -> Found:
    """``search`` of the session at ``path``, as far as its entries are in ``snapshot``.

    Raises PiError if it takes longer than ``seconds``, or there is no child to be had.
    """
    if not sys.executable:
        raise PiError("this pattern could run for ever, and no process can be started for it")
    code = os.path.dirname(os.path.abspath(next(iter(pi.__path__))))
    # A branch is as long as the session; the child finds it by its end.
    on_branch = query.ids is not None
    job = json.dumps([path, snapshot.active if on_branch else None, on_branch, query[:-1]])
    flags = ("-I", "-S", "-B", "-X", "utf8")
    output: list[bytes] = []
    try:
        ended = run_command(
            [sys.executable, *flags, "-c", _START, code, job],
            cwd=os.sep,
            environ={},
            timeout_ms=int(seconds * 1000),
            cancel=Cancel(),
            monotonic=monotonic,
            on_output=lambda stream, piece: output.append(piece) if stream == "stdout" else None,
            on_pause=lambda: None,
        )
    except OSError as exc:
        raise PiError(
            "cannot start a process for this pattern", cause=exc.strerror or str(exc)
        ) from exc
    if ended.stopped == TIMED_OUT:
        raise PiError(
            f"the pattern took longer than {seconds:g} s",
            hint="avoid a repetition within a repetition",
            code="pattern-too-slow",
        )
    try:
        answer = json.loads(b"".join(output))
    except ValueError:
        raise PiError(f"the search ended badly (exit status {ended.code})") from None
    if "error" in answer:
        raise PiError(answer["error"])
    by_id = {entry.id: entry for entry in snapshot.entries}
    hits = tuple(
        Hit(by_id[entry_id], snippet) for entry_id, snippet in answer["hits"] if entry_id in by_id
    )
    return Found(query, len(snapshot.entries), answer["matches"], hits)


def main() -> None:
    """The child's side."""
    path, head, on_branch, fields = json.loads(sys.argv[2])
    try:
        contents = load_rows(path).contents
        parents = contents.parents
        snapshot = Snapshot(contents.entries, parents, head, None)
        ids = snapshot.lineage_ids() if on_branch else None
        found = search(snapshot, Query(*fields)._replace(ids=ids))
    except PiError as exc:
        print(json.dumps({"error": exc.message}))
        return
    hits = [(hit.entry.id, hit.snippet) for hit in found.hits]
    print(json.dumps({"matches": found.matches, "hits": hits}))
