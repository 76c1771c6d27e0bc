"""What two branches share and what each has alone. Pure."""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple
from pi.sessions.errors import NamedWrong, SessionError
from pi.sessions.lineage import path_to
from pi.sessions.snapshot import as_data, row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.sessions.entry import SessionEntry
    from pi.sessions.snapshot import Snapshot


class DiffError(SessionError):
    """Why two entries cannot be compared, in the report's words."""


class UnknownSide(NamedWrong, DiffError):
    """An id that stands in no entry."""


class Difference(NamedTuple):
    """The lineages of two entries: their common beginning, and the rest of each.

    ``depths`` are of the shared part, the left and the right lineage, in entries.
    """

    source: str  # "default" or "explicit"
    left: int
    right: int
    depths: tuple[int, int, int]
    shared: tuple[SessionEntry, ...]
    left_only: tuple[SessionEntry, ...]
    right_only: tuple[SessionEntry, ...]


def compare(snapshot: Snapshot, left: int | None = None, right: int | None = None) -> Difference:
    """Compare the lineages of ``left`` and ``right``; without them the active head's with
    the latest one's. Raises DiffError."""
    source = "default" if left is None and right is None else "explicit"
    if source == "default":
        left, right = snapshot.active, snapshot.latest
        if left is None:
            raise DiffError("active head is not set")
        if left not in snapshot.parent_of:
            raise DiffError(f"active head {left} does not exist in session")
        if right is None:
            raise DiffError("latest head is not set")
    lines = []
    for side, head in (("left", left), ("right", right)):
        if head is None or head not in snapshot.parent_of:
            raise UnknownSide(f"unknown {side} session id {head}", code="unknown-session-id")
        path = path_to(head, snapshot.parent_of.__getitem__)
        if path.problem:
            raise DiffError(path.problem)
        lines.append(path.ids)
    assert left is not None
    assert right is not None
    ours, theirs = lines
    common = 0
    for mine, other in zip(ours, theirs):
        if mine != other:
            break
        common += 1
    return Difference(
        source,
        left,
        right,
        (common, len(ours), len(theirs)),
        snapshot.some(ours[:common]),
        snapshot.some(ours[common:]),
        snapshot.some(theirs[common:]),
    )


def text_lines(found: Difference) -> tuple[str, ...]:
    """The report for a person."""
    shared, left, right = found.depths
    lines = [
        f"session diff: source={found.source} left={found.left} right={found.right}",
        f"summary: shared_depth={shared} left_depth={left} right_depth={right} "
        f"left_only={left - shared} right_only={right - shared}",
    ]
    for label, entries in _parts(found):
        lines += [row(label, entry) for entry in entries] or [f"{label}: none"]
    return tuple(lines)


def json_data(found: Difference) -> dict[str, Any]:
    """The same as JSON data."""
    shared, left, right = found.depths
    data: dict[str, Any] = {
        "source": found.source,
        "left": found.left,
        "right": found.right,
        "shared_depth": shared,
        "left_depth": left,
        "right_depth": right,
    }
    for label, entries in _parts(found):
        data[label.replace("-", "_")] = [as_data(entry) for entry in entries]
    return data


def _parts(found: Difference) -> tuple[tuple[str, tuple[SessionEntry, ...]], ...]:
    return (
        ("shared", found.shared),
        ("left-only", found.left_only),
        ("right-only", found.right_only),
    )
