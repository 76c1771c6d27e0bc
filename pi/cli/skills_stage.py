"""The work on skills at a start: before a prompt, or instead of one."""

from __future__ import annotations

import os

from pi.base.cancel import Cancel
from pi.base.errors import ConfigError, PiError, UsageError
from pi.base.text import visible
from pi.cli.skill_settings import build_skill_settings
from pi.skills.stage import Stage, World

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.base.host import Host
    from pi.base.http import Transport
    from pi.cli.json_answer import JsonAnswer
    from pi.cli.parse import Parsed
    from pi.commands.result import Result


def make_stage(
    parsed: Parsed,
    host: Host,
    cwd: str,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    cancel: Cancel | None = None,
) -> Stage:
    """The stage of a command line. Raises UsageError for flags that cannot be, ConfigError
    for a skills folder that leads out of a project nobody trusts."""
    if not parsed.given("--skills-dir"):
        refuse_way_out(str(parsed.values["--skills-dir"]), parsed, host, cwd)

    def transport() -> Transport:
        from pi.base.urllib_http import HttpSettings, UrllibTransport  # only to download

        bundle, proxy = (str(parsed.values[name] or "") for name in ("--ca-bundle", "--proxy"))
        certificate, key = (
            str(parsed.values[name] or "") for name in ("--client-cert", "--client-key")
        )
        return UrllibTransport(
            HttpSettings(bundle, proxy, host.environ, client_cert=certificate, client_key=key)
        )

    world = World(transport, lambda: host.now_ms() // 1000, host.random_bytes, cwd)
    return Stage(build_skill_settings(parsed), world, say, warn, cancel)


def refuse_way_out(path: str, parsed: Parsed, host: Host, cwd: str) -> None:
    """Raise ConfigError for a folder of skills that is a link out of the project, where
    nobody trusts it: a repository could have skills written into the user's own folders."""
    here = os.path.realpath(cwd)
    real = os.path.realpath(os.path.join(here, path))
    if real == os.path.normpath(os.path.join(here, path)):
        return
    from pi.base.homes import find_project
    from pi.cli.folder_trust import trusts_here

    project = find_project(cwd, host.environ)
    root = project.root if project is not None else here
    inside = os.path.commonpath((real, root)) == root
    if not inside and not trusts_here(project, cwd, parsed, host.environ):
        raise ConfigError(
            f"the skills folder {path} is a link that leads out of the project",
            cause=f"it leads to {real}",
            hint="--skills-dir DIR names that folder if it is meant; or --trust-project",
            code="untrusted-link",
        )


def setup(parsed: Parsed, host: Host) -> int:
    """The mode that does the work on skills and ends: 0, or the code of what failed."""
    from pi.cli.command_mode import line_printer
    from pi.cli.json_answer import JsonAnswer
    from pi.cli.signals import CancelOnSignals, raise_on_signals
    from pi.cli.startup import working_directory
    from pi.commands.result import Result, render_json

    if parsed.words:
        raise UsageError(f"{parsed.words[0]!r} is no flag, and --setup-only takes no prompt")
    raise_on_signals()
    cancel, as_json = Cancel(), bool(parsed.values["--json"])
    command = "skills-verify" if parsed.values["--skills-verify"] else "skills-setup"
    told: list[str] = []
    out = line_printer(host)

    def say(line: str) -> None:
        told.append(line)
        if not as_json:
            out(visible(line))

    def warn(line: str) -> None:
        print(f"pi: {visible(line)}", file=host.stderr)

    with CancelOnSignals(cancel, 0), JsonAnswer(command, parsed, host) as answer:
        stage = make_stage(parsed, host, working_directory(host), say, warn, cancel)
        result = do_work(stage) or Result(data={"steps": told})
        if as_json:
            out(render_json(command, result))
            answer.is_told = True
        if result.error is not None:
            raise result.error
    return 0


def do_work(stage: Stage) -> Result | None:
    """All that the flags ask for. Returns what was verified, None if nothing was to be; the
    failure of that is in it. Raises PiError for what fails before."""
    stage.run()
    if not stage.settings.verify:
        return None
    from pi.commands.skills_verify import verified  # only where it is asked for

    result = verified(stage)
    for line in result.text:
        stage.say(line)
    return result


def validate(parsed: Parsed, host: Host) -> int:
    """``--skill-validate PATH``: what the standard has against a skill; 1 if anything."""
    from pi.cli.json_answer import JsonAnswer

    with JsonAnswer("skill-validate", parsed, host) as answer:
        return _validate(parsed, host, answer)


def _validate(parsed: Parsed, host: Host, answer: JsonAnswer) -> int:
    from pi.commands.result import Result, render_json
    from pi.skills.catalogue import read_text
    from pi.skills.discovery import SKILL_FILE
    from pi.skills.skill import violations

    path = os.path.abspath(str(parsed.values["--skill-validate"]))
    file = os.path.join(path, SKILL_FILE) if os.path.isdir(path) else path
    try:
        found = violations(read_text(file), file)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        raise UsageError(f"failed to read {file}", cause=why) from exc
    error = None
    if found:
        count = "a rule" if len(found) == 1 else f"{len(found)} rules"
        error = PiError(f"{file} breaks {count}", code="invalid-skill")
    lines = tuple(map(visible, found)) or (f"{visible(file)} is valid",)
    if parsed.values["--json"]:
        data = {"path": file, "valid": not found, "problems": list(found)}
        lines = (render_json("skill-validate", Result(lines, data, error)),)
        answer.is_told = True
    for line in lines:
        print(line, file=host.stdout)
    if error is not None:
        raise error
    return 0
