"""A whole session file as rows, good and bad, for the operations that look at all of it.

A row keeps its place in the file, so that what is kept by a rewrite is copied byte for
byte: unknown fields, unknown records, the order of keys.
"""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


# The kind of record that ends an export: what all before it comes to.
DIGEST = "digest"


class Row(NamedTuple):
    """One line. ``number`` counts from 1; ``offset`` and ``size`` are in bytes, without
    the newline. ``record`` is None, and ``reason`` says why, for a line that is no record
    of a session; such lines are data too and are never dropped silently.
    """

    number: int
    offset: int
    size: int
    record: Mapping[str, Any] | None
    reason: str = ""

    @property
    def is_entry(self) -> bool:
        """Whether it has a place in the tree: an id and a parent."""
        return self.record is not None and is_entry(self.record)


def is_entry(record: Mapping[str, Any]) -> bool:
    """Whether a record of a session is an entry, of the oldest form too."""
    kind = record.get("record_type")
    return kind == "entry" or (kind is None and "message" in record)
