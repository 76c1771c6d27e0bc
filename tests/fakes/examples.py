"""How many examples the laws get that take long.

Their generators make whole conversations, schemas or files, at milliseconds each. What an
ordinary run leaves out a run with ``PI_SLOW=1`` makes up for: other examples are drawn in
every run, and before a release there are thirty times as many.
"""

from __future__ import annotations

import os

FEWEST = 25
_SLOW = os.environ.get("PI_SLOW", "") not in ("", "0")  # asked for before a test clears it


def few(count: int) -> int:
    """A third of ``count``, ten times as many with PI_SLOW=1."""
    return count * 10 if _SLOW else max(min(count, FEWEST), count // 3)
