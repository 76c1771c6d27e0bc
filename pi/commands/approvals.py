"""What the user has approved of folders that may be somebody else's work.

``approvals.json`` in the user's own folder, mode 0600:

    {"schema_version": 1, "approvals": {"<folder>": {"macro:<name>": "<SHA-256>"}}}

One digest for each thing, so that the file does not grow with every change. What was
approved in one folder is not approved in another.
"""

from __future__ import annotations

import os

from pi.base.errors import PiError
from pi.base.typing import Any
from pi.commands.store_files import read_store, update_store, user_place
from pi.commands.store_text import APPROVALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def digest(thing: Any) -> str:
    """The SHA-256 of JSON data, whatever is in it."""
    import hashlib  # only where something is approved or asked for
    import json

    return hashlib.sha256(json.dumps(thing, sort_keys=True).encode("ascii")).hexdigest()


class Answers:
    """The approvals file of one user."""

    def __init__(self, environ: Mapping[str, str], random_bytes: Callable[[int], bytes]) -> None:
        self._place = user_place(APPROVALS, environ)
        self._random_bytes = random_bytes

    def is_approved(self, file: str, thing: str, value: str) -> bool:
        """Whether ``thing`` of the project's ``file`` was approved with this digest. An
        approvals file that cannot be read approves nothing."""
        try:
            folders = read_store(self._place, APPROVALS)[APPROVALS.member]
        except PiError:
            return False
        of_folder = folders.get(_folder(file))
        return isinstance(of_folder, dict) and of_folder.get(thing) == value

    def approve(self, file: str, digests: Mapping[str, str | None]) -> None:
        """Remember the digests of things; None forgets one. Raises PiError."""

        def change(content: dict[str, Any]) -> dict[str, Any]:
            folders = dict(content[APPROVALS.member])
            before = folders.pop(_folder(file), None)
            merged = {**before, **digests} if isinstance(before, dict) else dict(digests)
            kept = {thing: value for thing, value in sorted(merged.items()) if value is not None}
            if kept:
                folders[_folder(file)] = kept
            return {**content, APPROVALS.member: folders}

        update_store(self._place, APPROVALS, change, self._random_bytes)


def _folder(file: str) -> str:
    """The project's folder, by its true name."""
    return os.path.dirname(os.path.dirname(os.path.realpath(file)))
