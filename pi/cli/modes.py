"""What a start does: the first row whose condition holds is run."""

from __future__ import annotations

from importlib import import_module

from pi.base.errors import PiError
from pi.base.typing import NamedTuple
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


def is_interactive(parsed: Parsed) -> bool:
    """Whether nothing says what to do: then it is typed, line by line."""
    flags = ("--print", "--prompt", "--prompt-file")
    return not parsed.words and all(parsed.values[flag] in (None, False) for flag in flags)


# Each of these is work on skills, to be done before a prompt or instead of one.
SKILL_WORK = (
    *("--install-skill", "--install-skill-url", "--install-skill-from-registry"),
    *("--skill-trust-add", "--skill-trust-revoke", "--skill-trust-rotate"),
    *("--skill-trust-expires", "--skills-lock-write", "--skills-sync", "--skills-verify"),
    *("--skills-cache-export", "--skills-cache-import"),
)


def has_skill_work(parsed: Parsed) -> bool:
    """Whether the run has to install, trust, lock, check or carry skills."""
    return any(parsed.values[flag] for flag in SKILL_WORK)


def is_skill_setup(parsed: Parsed) -> bool:
    """Whether that is all: nothing is to be asked, no command run, no loop to go on with."""
    if parsed.values["--setup-only"]:
        return True
    others = ("--command-file", "--continue", "--resume", "--skill")
    goes_on = any(parsed.values[flag] for flag in others) or not is_interactive(parsed)
    return has_skill_work(parsed) and not goes_on


MODES: tuple[Mode, ...] = (
    Mode("help", lambda parsed: bool(parsed.values["--help"]), "pi.cli.help:show_help"),
    Mode("version", lambda parsed: bool(parsed.values["--version"]), "pi.cli.modes:show_version"),
    Mode(
        "completion",
        lambda parsed: bool(parsed.values["--completion"]),
        "pi.cli.completion:print_completion",
    ),
    Mode("doctor", lambda parsed: bool(parsed.values["--doctor"]), "pi.cli.doctor:run_doctor"),
    Mode(
        "print-config",
        lambda parsed: bool(parsed.values["--print-config"]),
        "pi.cli.config_report:print_config",
    ),
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
        "skill-validate",
        lambda parsed: bool(parsed.values["--skill-validate"]),
        "pi.cli.skills_stage:validate",
    ),
    Mode(
        "skill-keygen",
        lambda parsed: bool(parsed.values["--skill-keygen"]),
        "pi.cli.skill_signing:keygen",
    ),
    Mode(
        "skill-sign",
        lambda parsed: bool(parsed.values["--skill-sign"]),
        "pi.cli.skill_signing:sign",
    ),
    Mode(
        "skill-certify",
        lambda parsed: bool(parsed.values["--skill-certify"]),
        "pi.cli.skill_signing:certify",
    ),
    Mode(
        "registry-build",
        lambda parsed: bool(parsed.values["--registry-build"]),
        "pi.cli.skill_signing:build",
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
    Mode("skills", is_skill_setup, "pi.cli.skills_stage:setup"),
    Mode("interactive", is_interactive, "pi.cli.interactive:interactive"),
    Mode("one-shot", lambda parsed: True, "pi.cli.oneshot:one_shot"),
)


def start(arguments: Sequence[str]) -> int:
    """Parse, pick a mode, run it. Returns the exit code; raises PiError for main to report."""
    from pi.base.host import Host

    host = Host()
    try:
        parsed = parse(arguments, host.environ)
        if not (parsed.values["--help"] or parsed.values["--version"]):
            from pi.cli.config_files import configured  # help works whatever files say

            parsed = configured(parsed, host)
        mode = next(mode for mode in MODES if mode.condition(parsed))
        module, _, name = mode.handler.partition(":")
        handler: Callable[[Parsed, Host], int] = getattr(import_module(module), name)
    except BaseException as exc:
        if "--doctor" in arguments and isinstance(exc, PiError):
            from pi.cli.doctor import run_in_spite  # it is there for what cannot be read

            return run_in_spite(exc, arguments, host)
        from pi.cli.outlet import refused  # only on the way to an error

        refused(exc, arguments, host)
        raise
    return handler(parsed, host)


def show_version(parsed: Parsed, host: Host) -> int:
    from pi import __version__

    print(f"pi {__version__}", file=host.stdout)
    return 0
