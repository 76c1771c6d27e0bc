"""Services for commands that look into a run: catalog, logs, policy, doctor."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.ai.catalog_store import Loaded
    from pi.cli.conversation import Conversation


def catalog(run: Conversation) -> Callable[[], Loaded]:
    """What is known about models, from files only. Read once; a file that could not be is told."""
    made: list[Loaded] = []

    def load() -> Loaded:
        if not made:
            from pi.ai.catalog_store import load_catalog
            from pi.base.cancel import Cancel
            from pi.cli.list_models import catalog_settings, world

            wanted = catalog_settings(run.parsed)._replace(offline=True)
            made.append(load_catalog(wanted, world(run.parsed, run.host), Cancel()))
            for note in made[0].notes:
                run.printer.note(note)
        return made[0]

    return load


def logs(run: Conversation) -> Callable[[], tuple[str, ...]]:
    """The logs that this run writes, as they were named."""
    tools = run.settings.tools
    return lambda: tuple(filter(None, (tools.audit_log, tools.telemetry_log)))


def policy_sources(run: Conversation) -> Callable[[], dict[str, str]]:
    """Where each value of the policy came from, by its name in the report."""

    def sources() -> dict[str, str]:
        from pi.cli.tool_settings import KNOBS

        parsed = run.parsed
        preset = f"preset {run.settings.tools.policy.preset}"

        def of(flag: str, otherwise: str) -> str:
            if flag in run.loaded:
                return run.loaded[flag]
            source = parsed.sources[flag]
            if source == "default":
                return otherwise
            return flag if source == "flag" else parsed.where.get(flag, source)

        found = {field: of(flag, preset) for flag, field in KNOBS.items()}
        found["preset"] = of("--tool-policy-preset", "default")
        found["os_sandbox_command"] = of("--os-sandbox-command", preset)
        found["tools"] = of("--no-tools", of("--tools", "default"))
        more = of("--allow-path", "")
        found["allowed_roots"] = "working directory" + (f", {more}" if more else "")
        more = of("--allow-command", "")
        found["allowed_commands"] = f"bash_profile ({found['bash_profile']})" + (
            f", {more}" if more else ""
        )
        found["allowed_here"] = "your answers"
        return found

    return sources


def policy_check(run: Conversation) -> Callable[[str, str], dict[str, Any]]:
    """``check(tool, argument)``: what the policy says of a command or a path."""

    def check(tool: str, argument: str) -> dict[str, Any]:
        from pi.cli.policy_check import check_call  # with it come the tools

        return check_call(run.settings.tools, run.host, run.cwd, tool, argument)

    return check


def forget_command(run: Conversation) -> Callable[[str], bool]:
    """``forget(name)``: ask again about a command that was let through in this project.
    Returns whether it was. Raises ConfigError."""

    def forget(name: str) -> bool:
        from pi.cli.kept_commands import forget

        known = forget(name, run.cwd, run.host.environ, run.host.random_bytes)
        if known:
            run.configure(run.settings)  # the next prompt gets tools that know of it
        return known

    return forget


def doctor(run: Conversation) -> Callable[..., list[Any]]:
    """``doctor(online=False)``: every check of this machine and this configuration."""

    def examine(*, online: bool = False) -> list[Any]:
        from pi.cli.doctor import examine  # with it comes nearly everything

        return examine(run.parsed, run.host, online=online)

    return examine
