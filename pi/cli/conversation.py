"""What a run holds between two prompts or commands: settings, session, and what they need."""

from __future__ import annotations

from pi.cli.services import Services
from pi.cli.startup import open_session, working_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.base.host import Host
    from pi.cli.parse import Parsed
    from pi.cli.settings import Settings
    from pi.commands.context import CommandContext


class Conversation:
    """Opens the session. What a model or a tool needs is built when it is first used.

    ``stdin_is_free``: no one else reads standard input, so a command may.
    """

    def __init__(
        self, parsed: Parsed, settings: Settings, host: Host, *, stdin_is_free: bool = False
    ) -> None:
        self.parsed = parsed
        self.settings = settings
        self.host = host
        self.stdin_is_free = stdin_is_free
        self.cwd = working_directory(host)
        self.store = open_session(settings, host)
        self.services = Services(self)

    def context(
        self,
        *,
        confirm: Callable[[str], bool] = lambda question: True,
        reload: Callable[[], None] = lambda: None,
        interactive: bool = False,
    ) -> CommandContext:
        """What commands get. Without ``confirm`` nobody is asked: scripts say what they
        mean, and what destroys keeps a backup."""
        from pi.commands.context import CommandContext

        session = self.settings.session
        return CommandContext(
            self.store,
            self.cwd,
            self.host.environ,
            self.host.now_ms,
            self.host.random_bytes,
            confirm=confirm,
            reload=reload,
            settings={
                "session": session.path,
                "session-import-mode": self.parsed.values["--session-import-mode"],
                "session-lock-wait-ms": session.lock_wait_ms,
                "session-lock-stale-ms": session.lock_stale_ms,
            },
            services=self.services,
            interactive=interactive,
        )
