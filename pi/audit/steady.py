"""A log that fails must not end the run: it is told once, and what was lost is counted."""

from __future__ import annotations

from pi.base.text import cut_head, redact, well_formed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

# A model may call a tool anything; five such texts, all escapes, still fit a record.
MAX_TEXT_BYTES = 1000


class Steady:
    """Writes records by ``append`` and never raises what it raises.

    The first failure goes to ``warn`` as one line that begins with ``name``. Every record
    is tried anew, since a full disk may be freed; the next one that can be written says in
    ``lost_records`` how many before it could not. Secrets (longest first) are taken out of
    every text, and then what is too long is cut.
    """

    def __init__(
        self,
        append: Callable[[Mapping[str, Any]], object],
        warn: Callable[[str], None],
        name: str,
        secrets: Sequence[str] = (),
    ) -> None:
        self._append = append
        self._warn = warn
        self._name = name
        self._secrets = secrets
        self._told = False
        self._lost = 0

    def write(self, record: Mapping[str, Any]) -> None:
        fields = {
            key: self._shown(value) if isinstance(value, str) else value
            for key, value in record.items()
        }
        if self._lost:
            fields["lost_records"] = self._lost
        try:
            self._append(fields)
        except (OSError, ValueError) as exc:
            self._lost += 1
            if not self._told:
                self._told = True
                self._warn(f"{self._name} error: {getattr(exc, 'strerror', None) or exc}")
        else:
            self._lost = 0

    def _shown(self, text: str) -> str:
        return cut_head(redact(well_formed(text), self._secrets), MAX_TEXT_BYTES)
