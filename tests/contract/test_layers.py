"""Who may import whom inside pi/, who may touch the outside world, and what nobody imports."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALL = {"base", "ai", "tui", "skills", "sessions", "auth", "agent", "tools", "runtime"}
ALL |= {"transports", "commands", "cli", "audit", "compaction"}
MAY_IMPORT: dict[str, set[str]] = {
    "base": set(),
    "ai": {"base"},
    "tui": {"base"},
    "skills": {"base"},
    "sessions": {"base", "ai"},
    "auth": {"base", "ai"},
    "agent": {"base", "ai"},
    "tools": {"base", "ai", "agent"},
    "audit": {"base", "ai", "agent"},
    "compaction": {"base", "ai", "agent"},
    "runtime": {"base", "ai", "agent", "sessions"},
    "transports": {"base", "ai", "agent", "sessions", "runtime"},
    "commands": {
        *("base", "ai", "agent", "tools", "sessions", "skills", "auth", "runtime", "tui"),
        *("audit", "compaction"),
    },
    "cli": ALL,
}

# Sockets, processes, terminals, signal handlers, the clock: tests of everything else need none.
WORLD = {
    *("socket", "ssl", "select", "selectors", "subprocess", "pty", "tty", "termios", "fcntl"),
    *("time", "http.client", "urllib.request", "os.urandom", "signal.signal"),
    *("os.fork", "os.kill", "os.killpg", "os.system", "os.popen", "os.posix_spawn"),
}
MAY_TOUCH_WORLD = {
    "pi/base/host.py",
    "pi/base/files.py",
    "pi/base/filelock.py",
    "pi/base/urllib_http.py",
    "pi/base/dial.py",
    "pi/base/exchange.py",
    "pi/base/keepalive.py",
    "pi/base/trust.py",
    "pi/base/watch.py",
    "pi/tools/process.py",
    "pi/tools/orphans.py",
    "pi/tools/pipes.py",
    "pi/tools/sandbox/probe.py",
    "pi/tools/sandbox/launcher.py",
    "pi/sessions/lock.py",
    "pi/tui/terminal.py",
    "pi/transports/websocket/client.py",
    "pi/cli/main.py",
    "pi/cli/line_reader.py",
    "pi/cli/signals.py",
    "pi/cli/interactive.py",
}

# Each costs 8 to 40 ms at a start, and there is a lighter way (see docs/architecture.md).
NEVER = {
    *("asyncio", "concurrent", "multiprocessing", "importlib.metadata", "importlib.resources"),
    *("logging", "uuid", "secrets", "pkg_resources", "dataclasses", "pathlib", "argparse"),
    "typing",  # pi.base.typing
}
OPTIONAL = {"nacl": {"pi/skills/ed25519.py", "pi/auth/cipher.py"}}  # used where it is installed
ELSEWHERE = {"msvcrt", "winreg", "_winapi"}  # standard library of another system
LAZY_REFERENCE = re.compile(r"pi(?:\.\w+)+:\w+")


class Use(NamedTuple):
    line: int
    name: str  # "os.path", "pi.base.errors.PiError", "os.kill"
    only_typing: bool
    at_start: bool  # runs when the module is imported
    is_import: bool  # else a dotted use, perhaps of a variable with a module's name


def uses(tree: ast.Module, package: tuple[str, ...]) -> list[Use]:
    """Every import in the file, also of names one by one, and every dotted use of a module."""
    found: list[Use] = []

    def walk(node: ast.AST, only_typing: bool, at_start: bool) -> None:
        def add(name: str, is_import: bool = True) -> None:
            line = getattr(node, "lineno", 0)
            found.append(Use(line, name, only_typing, at_start, is_import))

        if isinstance(node, ast.Import):
            for alias in node.names:
                add(alias.name)
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*up, node.module or "")).strip(".")
            add(module)
            for alias in node.names:
                add(f"{module}.{alias.name}")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            add(f"{node.value.id}.{node.attr}", is_import=False)
        elif isinstance(node, ast.Constant) and LAZY_REFERENCE.fullmatch(str(node.value)):
            add(str(node.value))
        in_typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        in_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            walk(child, only_typing or in_typing, at_start and not in_function)

    walk(tree, only_typing=False, at_start=True)
    return found


@lru_cache(maxsize=1)  # several tests ask, and reading all of pi takes seconds
def files() -> tuple[tuple[str, ast.Module], ...]:
    names = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "pi").rglob("*.py"))]
    texts = [(ROOT / where).read_text(encoding="utf-8") for where in names]
    return tuple((where, ast.parse(text, where)) for where, text in zip(names, texts))


@lru_cache(maxsize=1)
def _all_uses() -> tuple[tuple[str, Use], ...]:
    return tuple(
        (where, use) for where, tree in files() for use in uses(tree, tuple(where.split("/")[:-1]))
    )


def all_uses() -> Iterator[tuple[str, Use]]:
    return iter(_all_uses())


def layer_complaints(found: Iterator[tuple[str, Use]]) -> Iterator[str]:
    for where, use in found:
        layer = where.split("/")[1]
        parts = use.name.partition(":")[0].split(".")
        target = parts[1] if parts[0] == "pi" and len(parts) > 1 else ""
        known = layer in MAY_IMPORT and target in ALL and target != layer
        if known and target not in MAY_IMPORT[layer]:
            yield f"{where}:{use.line}: {layer} must not import {target}"


def world_complaints(found: Iterator[tuple[str, Use]]) -> Iterator[str]:
    for where, use in found:
        if use.name in WORLD and not use.only_typing and where not in MAY_TOUCH_WORLD:
            yield f"{where}:{use.line}: only the listed modules use {use.name}"


def heavy_complaints(found: Iterator[tuple[str, Use]]) -> Iterator[str]:
    for where, use in found:
        top = use.name.partition(".")[0]
        is_real = use.is_import and not use.only_typing
        if (top in NEVER or use.name in NEVER) and is_real:
            yield f"{where}:{use.line}: pi does without {use.name}"


def in_standard_library(top: str) -> bool:
    if hasattr(sys, "stdlib_module_names"):
        return top in sys.stdlib_module_names
    spec = importlib.util.find_spec(top)  # 3.9 keeps no list
    if spec is None or spec.origin in ("built-in", "frozen"):
        return spec is not None
    inside = Path(sysconfig.get_path("stdlib")) in Path(str(spec.origin)).parents
    return inside and "site-packages" not in str(spec.origin)


def imported_tops(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, (node.module or "").partition(".")[0]


def test_a_package_imports_only_from_the_layers_its_row_allows() -> None:
    assert list(layer_complaints(all_uses())) == []


def test_only_the_listed_modules_touch_the_world() -> None:
    assert list(world_complaints(all_uses())) == []


def test_nothing_imports_what_makes_every_start_slow() -> None:
    assert list(heavy_complaints(all_uses())) == []


def test_every_import_is_pi_or_the_standard_library() -> None:
    foreign = [
        f"{where}:{line}: {top}"
        for where, tree in files()
        for line, top in imported_tops(tree)
        if top not in ("pi", *ELSEWHERE)
        and where not in OPTIONAL.get(top, set())
        and not in_standard_library(top)
    ]
    assert foreign == []


def test_every_package_has_a_row_in_the_table() -> None:
    packages = {path.name for path in (ROOT / "pi").iterdir() if (path / "__init__.py").exists()}
    assert packages <= set(MAY_IMPORT)


def test_every_handler_named_in_a_table_exists() -> None:
    trees = dict(files())
    missing = []
    for where, use in all_uses():
        if LAZY_REFERENCE.fullmatch(use.name):
            module, _, name = use.name.partition(":")
            path = module.replace(".", "/")
            tree = trees.get(f"{path}.py") or trees.get(f"{path}/__init__.py")
            bound = {getattr(node, "name", "") for node in ast.iter_child_nodes(tree or ast.Pass())}
            if name not in bound:
                missing.append(f"{where}:{use.line}: {use.name}")
    assert missing == []


def test_no_module_needs_itself_to_be_imported() -> None:
    trees = dict(files())
    names = {where[: -len(".py")].replace("/", ".").replace(".__init__", "") for where in trees}
    needs: dict[str, set[str]] = {name: set() for name in names}
    for where, use in all_uses():
        me = where[: -len(".py")].replace("/", ".").replace(".__init__", "")
        if use.at_start and not use.only_typing and use.name in names and use.name != me:
            needs[me].add(use.name)
    while True:  # take away what needs nothing that is left; a cycle stays
        free = {name for name, wanted in needs.items() if not wanted & set(needs)}
        if not free:
            break
        needs = {name: wanted for name, wanted in needs.items() if name not in free}
    assert needs == {}


@pytest.mark.parametrize(
    ("where", "source", "check"),
    [
        ("pi/base/x.py", "from pi.ai.types import Text", layer_complaints),
        ("pi/skills/x.py", "from ..sessions import store", layer_complaints),
        ("pi/agent/x.py", "T = ('pi.tools.bash:Bash',)", layer_complaints),
        ("pi/ai/x.py", "def f():\n    import socket", world_complaints),
        ("pi/ai/x.py", "from urllib import request", world_complaints),
        ("pi/ai/x.py", "import os\nos.kill(1, 2)", world_complaints),
        ("pi/base/host.py", "from concurrent.futures import Future", heavy_complaints),
        ("pi/ai/x.py", "from importlib import metadata", heavy_complaints),
    ],
)
def test_the_checks_see_what_they_are_for(where: str, source: str, check: object) -> None:
    found = uses(ast.parse(source), tuple(where.split("/")[:-1]))
    assert callable(check)
    assert list(check((where, use) for use in found))
