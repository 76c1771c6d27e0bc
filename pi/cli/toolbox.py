"""The tools of a run: their policy, its word on commands, and what holds them."""

from __future__ import annotations

import os

from pi.base.homes import home_folder, user_folder
from pi.base.typing import Any
from pi.tools import load_tools
from pi.tools.policy import as_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.agent.tool import Tool
    from pi.base.host import Host
    from pi.cli.tool_settings import ToolSettings
    from pi.tools.commands.allowing import Allowing
    from pi.tools.decision import Decision
    from pi.tools.toolkit import Launch, Sandbox

ANSWERS = ("commands.json", "trusted.json")  # what the user let through, by folder


def roots(settings: ToolSettings, cwd: str) -> tuple[str, ...]:
    """The folders the tools may touch: the working directory, and what was allowed, each
    once and as it is from the top."""
    allowed = (os.path.realpath(os.path.join(cwd, path)) for path in settings.allow_paths)
    return tuple(dict.fromkeys((cwd, *allowed)))


def private_files(settings: ToolSettings, cwd: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """What is pi's own in the folders: keys it was told to keep, and the logs of the run and
    the answers of the user, which must not be in the hands of those they are about."""
    if settings.policy.preset == "permissive":
        return ()
    logs = [path for path in (settings.audit_log, settings.telemetry_log) if path]
    stores = [os.path.join(root, ".pi", "credentials.json") for root in roots(settings, cwd)]
    # The other place of the user's folder counts as soon as it is made.
    places = (user_folder(environ), os.path.join(home_folder(environ), ".pi", "agent"))
    answers = [os.path.join(folder, name) for folder in places for name in ANSWERS]
    return tuple(os.path.join(cwd, path) for path in (*logs, *stores, *answers))


def build_tools(
    settings: ToolSettings,
    host: Host,
    cwd: str,
    secrets: Sequence[str],
    *,
    judge: Callable[[], Allowing],
    keeps: bool,
    warn: Callable[[str], None],
    readable: Sequence[str] = (),
) -> tuple[Tool, ...]:
    """The tools asked for. ``judge`` gives the word on commands; ``keeps`` says that the run
    leaves a session behind; ``warn`` tells the user something once; ``readable`` are folders
    that ``read`` may look in.

    Raises ConfigError for a launcher that is not there.
    """
    if not settings.names:
        return ()
    policy = settings.policy
    sandbox = None
    if policy.os_sandbox_mode != "off" or policy.os_sandbox_command:
        sandbox = Telling(build_sandbox(settings, host, cwd), warn)

    return load_tools(
        settings.names,
        policy=policy,
        roots=roots(settings, cwd),
        environ=host.environ,
        random_bytes=host.random_bytes,
        monotonic=host.monotonic,
        secrets=secrets,
        make_check=lambda: judge().check,
        sandbox=sandbox,
        bash_env=settings.bash_env,
        bash_login=settings.bash_login,
        private_files=private_files(settings, cwd, host.environ),
        readable=readable,
        keeps_output=keeps,
    )


def command_judge(
    settings: ToolSettings,
    host: Host,
    cwd: str,
    secrets: Sequence[str],
    warn: Callable[[str], None],
) -> Allowing:
    """The word on commands: the rule's, and the user's on what is missing from its list."""
    from pi.tools.commands import command_check
    from pi.tools.commands.allowing import Allowing
    from pi.tools.environment import command_environment

    policy, places = settings.policy, roots(settings, cwd)
    environ = command_environment(
        host.environ, policy.preset, secrets=secrets, more=settings.bash_env
    )

    def make(names: tuple[str, ...]) -> Callable[[str, str], Decision]:
        listed = (*policy.allowed_commands, *names)
        return command_check(policy._replace(allowed_commands=listed), places, environ)

    return Allowing(make, lambda: allowed_here(settings, host, cwd, warn))


def allowed_here(
    settings: ToolSettings, host: Host, cwd: str, warn: Callable[[str], None]
) -> tuple[str, ...]:
    """The commands that the user let through in this project; a damaged list lets none."""
    from pi.base.errors import ConfigError
    from pi.cli.kept_commands import kept

    try:
        return kept(settings, cwd, host.environ)
    except ConfigError as exc:
        warn(f"{exc.message}: {exc.hint}")
        return ()


class Telling:
    """A sandbox that says once when a command runs unheld although it should be held."""

    def __init__(self, sandbox: Sandbox, warn: Callable[[str], None]) -> None:
        self._sandbox = sandbox
        self._warn: Callable[[str], None] | None = warn if sandbox.mode == "auto" else None

    @property
    def mode(self) -> str:
        return self._sandbox.mode

    def launch(self, shell: tuple[str, ...], command: str, cwd: str) -> Launch:
        launch = self._sandbox.launch(shell, command, cwd)
        if self._warn is not None and not launch.sandboxed:
            reason = self.describe().get("reason") or "no launcher works here"
            self._warn(f"commands run without a sandbox: {reason}")
            self._warn = None
        return launch

    def describe(self) -> Mapping[str, Any]:
        return self._sandbox.describe()


def build_sandbox(settings: ToolSettings, host: Host, cwd: str) -> Sandbox:
    """What holds commands. Raises ConfigError for a template whose program is missing."""
    policy = settings.policy
    if policy.os_sandbox_mode == "off" and not policy.os_sandbox_command:
        from pi.tools.toolkit import Unconfined

        return Unconfined()
    from pi.tools.making import temp_dir
    from pi.tools.sandbox.choose import choose_sandbox

    return choose_sandbox(
        policy,
        roots=roots(settings, cwd),
        environ=host.environ,
        temp_dir=temp_dir(host.environ),
        prefer=settings.launcher,
        private_files=private_files(settings, cwd, host.environ),
    )


def policy_report(
    settings: ToolSettings,
    host: Host,
    cwd: str,
    warn: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """The policy in force as data, with what this machine really enforces of it."""
    sandbox = build_sandbox(settings, host, cwd)
    facts = dict(sandbox.describe())
    report = as_json(settings.policy, roots(settings, cwd))
    report["bash_confined"] = bool(facts.get("confined"))
    report["sandbox"] = facts
    report["tools"] = list(settings.names)
    report["allowed_here"] = list(allowed_here(settings, host, cwd, warn))
    return dict(sorted(report.items()))
