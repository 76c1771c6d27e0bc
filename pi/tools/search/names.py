"""Which names of a tree a glob wants."""

from __future__ import annotations

from pi.tools.outcome import ToolFailure
from pi.tools.search.wildcards import Glob, expand_braces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


MAX_GLOB = 4096  # characters; no path is longer


class NameFilter:
    """A glob with braces. Without a slash it is about the name alone, at any depth.

    A leading ``!`` wants everything else. Raises ToolFailure for one that is too long.
    """

    def __init__(self, pattern: str) -> None:
        if len(pattern) > MAX_GLOB:
            raise ToolFailure(f"the glob is too long: {len(pattern)} characters, limit {MAX_GLOB}")
        self._wanted = not pattern.startswith("!")
        text = pattern if self._wanted else pattern[1:]
        self._is_path = "/" in text.rstrip("/")  # "./x" and "/x" are about the top
        self._only_directories = text.endswith("/")
        text = (text[2:] if text.startswith("./") else text).strip("/")
        self._globs = [Glob(each, is_path=self._is_path) for each in expand_braces(text)]
        self._endings = self._only_endings() if self._wanted else None

    def among(self, prefix: str, names: Sequence[str]) -> list[str]:
        """The wanted ones of the ``names`` in the directory ``prefix``.

        A directory has a slash behind; ``prefix`` is "" or has one too.
        """
        if self._endings is not None:
            endings = self._endings
            return [name for name in names if name.endswith(endings)]
        together = "/".join(("", *(name.rstrip("/") for name in names), ""))
        globs = [glob for glob in self._globs if glob.needle in together]
        if not globs and self._wanted:
            return []
        return [name for name in names if self._is_match(globs, prefix, name) == self._wanted]

    def _only_endings(self) -> tuple[str, ...] | None:
        """The endings that decide alone, if every glob is like ``*.py``: the usual case."""
        endings: list[str] = []
        for glob in self._globs:
            if glob.ending is None:
                return None
            endings.append(f"{glob.ending}/")
            if not self._only_directories:
                endings.append(glob.ending)
        return tuple(endings)

    def _is_match(self, globs: Sequence[Glob], prefix: str, name: str) -> bool:
        if name.endswith("/"):
            name = name[:-1]
        elif self._only_directories:
            return False
        subject = prefix + name if self._is_path else name
        return any(glob.matches(subject) for glob in globs)
