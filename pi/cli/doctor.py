"""``pi --doctor`` and the service behind ``/doctor``: every check, one row each.

A row's ``gather`` asks the world and returns facts; its ``judge`` is pure and turns facts
into checks. A row that fails itself is a failed check and no end of the others: this must
run when nothing else does.
"""

from __future__ import annotations

from pi.base.errors import ConfigError, PiError, UsageError, as_pi_error
from pi.base.typing import Any, NamedTuple
from pi.cli import doctor_checks_files as files
from pi.cli import doctor_checks_machine as machine
from pi.cli import doctor_checks_models as models
from pi.cli import doctor_checks_online as network
from pi.cli import doctor_checks_skills as skills
from pi.cli.doctor_world import CHECKER_FLAGS, World, look
from pi.cli.parse import parse
from pi.commands.doctor import FAIL, Check, report, selected
from pi.commands.result import render_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pi.base.host import Host
    from pi.cli.parse import Parsed


class Row(NamedTuple):
    """``name`` is the key of the check that tells of a row which could not be run."""

    name: str
    gather: Callable[[World], Any]
    judge: Callable[[Any], Iterable[Check]]
    further: bool = True
    online: bool = False


CHECKS: tuple[Row, ...] = (
    Row("model", models.model_facts, models.judge_models, further=False),
    Row("session_path", files.session_path_facts, files.judge_session_path, further=False),
    Row("skills_dir", skills.folder_facts, skills.judge_folder, further=False),
    Row("skills_lock", skills.lock_facts, skills.judge_lock, further=False),
    Row("trust_root", skills.trust_facts, skills.judge_trust, further=False),
    Row("configuration", machine.configuration_facts, machine.judge_configuration),
    Row("settings_file", files.settings_facts, files.judge_settings),
    Row("model_entry", models.entry_facts, models.judge_entries),
    Row("session_content", files.session_content_facts, files.judge_session_content),
    Row("session_folder", files.session_folder_facts, files.judge_session_folder),
    Row("session_lock", files.session_lock_facts, files.judge_session_lock),
    Row("disk_space", files.disk_facts, files.judge_disk),
    Row("credential_file", files.credential_facts, files.judge_credentials),
    Row("skills_lock_content", skills.lock_content_facts, skills.judge_lock_content),
    Row("trust_root_content", skills.trust_content_facts, skills.judge_trust_content),
    Row("python", machine.python_facts, machine.judge_python),
    Row("archive", machine.archive_facts, machine.judge_archive),
    Row("tls", machine.tls_facts, machine.judge_tls),
    Row("ed25519", machine.ed25519_facts, machine.judge_ed25519),
    Row("proxy", machine.proxy_facts, machine.judge_proxy),
    Row("terminal", machine.terminal_facts, machine.judge_terminal),
    Row("stdout_encoding", machine.encoding_facts, machine.judge_encoding),
    Row("programs", machine.program_facts, machine.judge_programs),
    Row("sandbox", machine.sandbox_facts, machine.judge_sandbox),
    Row("online", network.answers, network.judge_answers, online=True),
)


def run_doctor(parsed: Parsed, host: Host, problem: PiError | None = None) -> int:
    """Print every check. Returns 0, or 1 where one failed; strict: or warned."""
    values = parsed.values
    online = bool(values["--doctor-online"])
    checks = examine(parsed, host, online=online, problem=problem)
    found = report(checks, strict=bool(values["--doctor-strict"]))
    lines = (render_json("doctor", found),) if values["--json"] else found.text
    if values["--quiet"] and not values["--json"]:
        bad = report([check for check in selected(checks) if check.status != "pass"])
        lines = (found.text[0], *bad.text[1:])
    print("\n".join(lines), file=host.stdout)
    return 0 if found.error is None else 1


def run_in_spite(problem: PiError, arguments: Sequence[str], host: Host) -> int:
    """The same where the command line, a variable or a settings file could not be read:
    with as much of it as can be, and the problem as a failed check."""
    plain = [word for word in arguments if word in CHECKER_FLAGS or word == "--quiet"]
    # Without the settings files, then without the variables, then without the arguments.
    for argv in (arguments, plain):
        for environ in (host.environ, {}):
            try:
                parsed = parse(argv, environ)
            except (UsageError, ConfigError):
                continue
            return run_doctor(parsed, host, problem)
    raise problem


def examine(
    parsed: Parsed, host: Host, *, online: bool = False, problem: PiError | None = None
) -> list[Check]:
    """Every check; those that go out to the network only if asked for."""
    world = look(parsed, host, problem)
    found: list[Check] = []
    for row in CHECKS:
        if row.online and not online:
            continue
        found += [check._replace(further=row.further) for check in run_row(row, world)]
    return found


def run_row(row: Row, world: World) -> list[Check]:
    """The checks of one row. Whatever it raises is a check too."""
    try:
        return list(row.judge(row.gather(world)))
    except (KeyboardInterrupt, SystemExit):
        raise
    except PiError as exc:
        return [Check(row.name, FAIL, f"{exc.code}:{exc.message}", action=exc.hint)]
    except OSError as exc:
        path = exc.filename if isinstance(exc.filename, str) else ""
        return [Check(row.name, FAIL, f"unreadable:{exc.strerror or exc}", path)]
    except Exception as exc:  # the border to the checks: a bug in one must not hide the others
        return [Check(row.name, FAIL, f"bug:{as_pi_error(exc).cause}")]
