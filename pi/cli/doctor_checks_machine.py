"""Checks of the machine: Python, this file, certificates, proxy, terminal, programs, sandbox."""

from __future__ import annotations

import os
import sys

from pi.ai.providers import BY_NAME
from pi.base.errors import PiError
from pi.base.typing import Any, NamedTuple
from pi.cli.doctor_world import base_of
from pi.commands.doctor import FAIL, PASS, WARN, Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pi.cli.doctor_world import World

OLDEST, NEWEST_TRIED = (3, 9), (3, 14)
PROGRAMS = ("git", "rg", "fd", "bwrap")


def configuration_facts(world: World) -> PiError | None:
    return world.problem


def judge_configuration(problem: PiError | None) -> Iterator[Check]:
    """Whether flags, variables and settings make sense together."""
    if problem is None:
        yield Check("configuration", PASS, "consistent")
    else:
        code = f"{problem.code}:{problem.message}"
        yield Check("configuration", FAIL, code, action=problem.hint)


def python_facts(world: World) -> tuple[int, int, int]:
    return sys.version_info[0], sys.version_info[1], sys.version_info[2]


def judge_python(version: tuple[int, int, int]) -> Iterator[Check]:
    """Whether pi was made for this Python."""
    code = ".".join(map(str, version))
    if version[:2] < OLDEST:
        yield Check("python", FAIL, code, sys.executable or "", "use Python 3.9 or newer")
    elif version[:2] > NEWEST_TRIED:
        action = "this pi was tried up to 3.14; a newer pi may be there"
        yield Check("python", WARN, code, sys.executable or "", action)
    else:
        yield Check("python", PASS, code, sys.executable or "")


class Archive(NamedTuple):
    """``path`` "" for a checkout; ``damaged`` is the first member that is."""

    path: str
    members: int = 0
    damaged: str = ""


def archive_facts(world: World) -> Archive:
    import pi

    path = os.path.abspath(next(iter(pi.__path__)))
    while not os.path.lexists(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return examine_archive(path) if os.path.isfile(path) else Archive("")


def examine_archive(path: str) -> Archive:
    """Read every member of a zip file and compare its checksum."""
    from zipfile import BadZipFile, ZipFile  # 10 ms, and only here
    from zlib import error as zlib_error

    try:
        with ZipFile(path) as file:
            names = file.namelist()
            return Archive(path, len(names), file.testzip() or "")
    except (BadZipFile, zlib_error, EOFError, NotImplementedError) as exc:
        return Archive(path, 0, str(exc) or "unreadable")


def judge_archive(facts: Archive) -> Iterator[Check]:
    """Whether pi's own file is whole."""
    if not facts.path:
        yield Check("archive", PASS, "checkout")
    elif facts.damaged:
        action = "get the file again"
        yield Check("archive", FAIL, f"damaged:{facts.damaged}", facts.path, action)
    else:
        yield Check("archive", PASS, f"whole:members={facts.members}", facts.path)


class Store(NamedTuple):
    """Which certificates are believed; ``kind`` is "given", "system", "built_in", "none"."""

    kind: str
    path: str = ""
    certificates: int = 0
    error: str = ""
    hint: str = ""


def tls_facts(world: World) -> Store:
    from pi.base.files import resource
    from pi.base.trust import given_trust, make_context

    bundle = str(world.value("--ca-bundle", ""))
    client = [str(world.value(flag, "")) for flag in ("--client-cert", "--client-key")]
    environ = world.host.environ
    try:
        given = given_trust(bundle, environ) is not None
        context, trust = make_context(bundle, environ, lambda: resource("data/cacert.pem"), *client)
    except PiError as exc:
        return Store("none", "", 0, f"{exc.message} {exc.cause}".strip(), exc.hint)
    except ImportError:
        return Store("none", "", 0, "this Python was built without TLS", "use another Python")
    is_empty = not (trust.file or trust.folder or trust.pem or trust.windows)
    kind = "none" if is_empty else "given" if given else "built_in" if trust.pem else "system"
    count = len(context.get_ca_certs()) if kind != "none" else 0
    return Store(kind, trust.file or trust.folder, count)


def judge_tls(facts: Store) -> Iterator[Check]:
    """Whether any certificate is believed, and whose."""
    if facts.error:
        yield Check("tls", FAIL, f"unusable:{facts.error}", facts.path, facts.hint)
    elif facts.kind == "none":
        action = "install ca-certificates, or give --ca-bundle"
        yield Check("tls", FAIL, "no_certificates", "", action)
    else:
        code = f"{facts.kind}:certificates={facts.certificates or 'on_demand'}"
        yield Check("tls", PASS, code, facts.path)


def ed25519_facts(world: World) -> str:
    from pi.skills.ed25519 import backend

    return backend()


def judge_ed25519(backend: str) -> Iterator[Check]:
    """What verifies signatures; both give the same verdicts."""
    yield Check("ed25519", PASS, "pynacl" if backend == "pynacl" else "pure_python")


class Way(NamedTuple):
    """How the first model's server is reached; ``shown`` has no user name or password."""

    shown: str = ""
    error: str = ""
    hint: str = ""


def proxy_facts(world: World) -> Way:
    first = world.models[0].ref
    if first is None or BY_NAME[first.provider].transport:
        return Way()
    from pi.base.proxies import choose_proxy
    from pi.base.target import parse_target

    try:
        target = parse_target(base_of(first, world))
        proxy = choose_proxy(target, world.host.environ, str(world.value("--proxy", "")))
    except PiError as exc:
        return Way("", exc.message, exc.hint)
    return Way(proxy.shown if proxy is not None else "")


def judge_proxy(facts: Way) -> Iterator[Check]:
    """Whether requests go through a proxy, and whether it can be used."""
    if facts.error:
        yield Check("proxy", FAIL, f"unusable:{facts.error}", "", facts.hint)
    else:
        code = "via:" + facts.shown.replace(" ", "_") if facts.shown else "direct"
        yield Check("proxy", PASS, code)


class Screen(NamedTuple):
    is_terminal: bool
    term: str
    columns: int
    color: bool


def terminal_facts(world: World) -> Screen:
    stdout, environ = world.host.stdout, world.host.environ
    is_terminal = stdout is not None and not stdout.closed and stdout.isatty()
    columns = 0
    if is_terminal and stdout is not None:
        try:
            columns = os.get_terminal_size(stdout.fileno()).columns
        except (OSError, ValueError):
            pass  # a terminal that does not tell
    term = environ.get("TERM", "")
    return Screen(is_terminal, term, columns, term != "dumb" and not environ.get("NO_COLOR"))


def judge_terminal(facts: Screen) -> Iterator[Check]:
    """What the terminal can do."""
    if not facts.is_terminal:
        yield Check("terminal", PASS, "not_a_terminal")
        return
    plain = facts.term in ("", "dumb")
    color = "color" if facts.color and not plain else "no_color"
    code = f"{facts.term or 'unknown'}:columns={facts.columns},{color}"
    yield Check("terminal", PASS, code)


def encoding_facts(world: World) -> str:
    stdout = world.host.stdout
    if stdout is None or stdout.closed:
        return ""
    return str(stdout.encoding or "ascii").lower().replace("_", "-")


def judge_encoding(encoding: str) -> Iterator[Check]:
    """Whether standard output can show every character."""
    if not encoding:
        yield Check("stdout_encoding", WARN, "closed")
    elif encoding.replace("-", "") == "utf8":
        yield Check("stdout_encoding", PASS, "utf-8")
    else:
        action = "set LC_ALL=C.UTF-8, or PYTHONUTF8=1"
        yield Check("stdout_encoding", WARN, encoding, "", action)


def program_facts(world: World) -> dict[str, str]:
    from shutil import which  # 10 ms, and only here

    from pi.tools.environment import absolute_folders

    path = absolute_folders(world.host.environ.get("PATH", os.defpath))
    return {name: which(name, path=path) or "" for name in PROGRAMS}


def judge_programs(facts: Mapping[str, str]) -> Iterator[Check]:
    """Which programs pi uses where they are there. It does without each."""
    code = ",".join(f"{name}={'yes' if path else 'no'}" for name, path in facts.items())
    yield Check("programs", PASS, code)


def sandbox_facts(world: World) -> Mapping[str, Any]:
    """What is asked for, what holds, and, where nothing is asked for, what could."""
    if world.settings is None:
        return {"mode": "unknown"}
    from pi.cli.toolbox import policy_report

    tools = world.settings.tools
    cwd = world.cwd or os.sep
    mode = tools.policy.os_sandbox_mode
    asked = mode != "off" or bool(tools.policy.os_sandbox_command)
    if not asked:
        tools = tools._replace(policy=tools.policy._replace(os_sandbox_mode="auto"))
    found = policy_report(tools, world.host, cwd)["sandbox"]
    return {"mode": mode if asked else "off", **found}


def judge_sandbox(facts: Mapping[str, Any]) -> Iterator[Check]:
    """What really holds commands here."""
    mode, held = facts["mode"], bool(facts.get("confined"))
    launcher, reason = facts.get("launcher", "none"), str(facts.get("reason") or "")
    if mode in ("off", "unknown"):
        yield Check("sandbox", PASS, f"{mode}:available={launcher if held else 'none'}")
    elif held:
        yield Check("sandbox", PASS, f"{mode}:{launcher}")
    else:
        status = FAIL if mode == "force" else WARN
        action = "use a kernel with Landlock, or install bubblewrap"
        yield Check("sandbox", status, f"{mode}:not_confined:{reason}", "", action)
