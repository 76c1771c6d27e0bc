"""The bytes that the signature of an installed skill was made over, where they still are."""

from __future__ import annotations

import hashlib
import os

from pi.skills.cache import SKILL
from pi.skills.installed import MAX_BYTES
from pi.skills.plain_files import read_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.skills.cache import Cache
    from pi.skills.lockfile import LockEntry


def signed_bytes(entry: LockEntry, directory: str, cache: Cache) -> bytes | None:
    """Those of its file, or of the archive that a folder came in, if the cache still has it.
    None if they are not there. Raises ConfigError for a cache that others may write."""
    archive = entry.source.get("artifact_sha256")
    if not (entry.is_folder and archive):
        try:
            return read_plain(os.path.join(directory, entry.file), MAX_BYTES)[0]
        except OSError:
            return None
    kept = cache.get(SKILL, entry.source.get("url") or "")
    if kept is None or hashlib.sha256(kept.body).hexdigest() != archive:
        return None
    return kept.body
