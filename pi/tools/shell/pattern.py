"""Regular expressions that are compiled when they are first used.

The grammar and the rules hold some forty of them, at 0.1 to 1 ms each; a run that asks
for one plain command needs two.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from re import compile as pattern
    from typing import Any
else:

    class pattern:
        """Stands for ``re.compile(source, flags)``, as far as its methods go."""

        __slots__ = ("_flags", "_source", "findall", "finditer", "fullmatch", "match", "search")

        def __init__(self, source: str, flags: int = 0) -> None:
            self._source = source
            self._flags = flags

        def __getattr__(self, name: str) -> Any:
            # Called only while a slot is empty; from then on the slots hold the methods.
            compiled = re.compile(self._source, self._flags)
            for each in ("findall", "finditer", "fullmatch", "match", "search"):
                setattr(self, each, getattr(compiled, each))
            return getattr(compiled, name)


__all__ = ["pattern"]
