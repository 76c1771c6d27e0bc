"""What a start does: the first row whose condition holds is run."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from pi.cli.parse import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.base.host import Host
    from pi.cli.parse import Parsed


class Mode(NamedTuple):
    """``handler`` is "module:function", imported when the mode is taken."""

    name: str
    condition: Callable[[Parsed], bool]
    handler: str


MODES: tuple[Mode, ...] = (
    Mode("help", lambda parsed: bool(parsed.values["--help"]), "pi.cli.modes:show_help"),
    Mode("version", lambda parsed: bool(parsed.values["--version"]), "pi.cli.modes:show_version"),
    Mode(
        "list-models",
        lambda parsed: bool(parsed.values["--list-models"]),
        "pi.cli.list_models:list_models",
    ),
    Mode(
        "audit-verify",
        lambda parsed: bool(parsed.values["--audit-verify"]),
        "pi.cli.observers:verify_audit",
    ),
    Mode(
        "session-validate",
        lambda parsed: bool(parsed.values["--session-validate"]),
        "pi.cli.command_mode:validate_session",
    ),
    Mode(
        "command-file",
        lambda parsed: bool(parsed.values["--command-file"]),
        "pi.cli.command_mode:run_file",
    ),
    Mode("one-shot", lambda parsed: True, "pi.cli.oneshot:one_shot"),
)


def start(arguments: Sequence[str]) -> int:
    """Parse, pick a mode, run it. Returns the exit code; raises PiError for main to report."""
    from pi.base.host import Host

    host = Host()
    parsed = parse(arguments, host.environ)
    mode = next(mode for mode in MODES if mode.condition(parsed))
    module, _, name = mode.handler.partition(":")
    handler: Callable[[Parsed, Host], int] = getattr(import_module(module), name)
    return handler(parsed, host)


def show_help(parsed: Parsed, host: Host) -> int:
    from pi.cli.help import help_text

    print(help_text(), file=host.stdout)
    return 0


def show_version(parsed: Parsed, host: Host) -> int:
    from pi import __version__

    print(f"pi {__version__}", file=host.stdout)
    return 0
