"""What a command may use: handed in, so that a test can hand in its own."""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.sessions.store import SessionStore


class CommandContext(NamedTuple):
    """``store`` is None when the run keeps no session.

    confirm:  asks a person before something is destroyed; in scripts it says what
              ``--yes`` said
    reload:   the conversation must be taken anew from the store: its head or lineage changed
    settings: values of flags that commands look at, by flag name without dashes
              ("session-import-mode": "merge")
    services: functions of other parts, by name ("policy": () -> dict), present only when
              the run has them
    """

    store: SessionStore | None
    cwd: str
    environ: Mapping[str, str]
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]
    confirm: Callable[[str], bool]
    reload: Callable[[], None]
    settings: Mapping[str, Any]
    services: Mapping[str, Callable[..., Any]]
    interactive: bool = False
