#!/usr/bin/env python3
"""Build dist/pi.pyz, the one file that users copy.

What is in it:
  __main__.py        tells an old Python what is needed, else starts ``pi.cli.main``
  pi/**              the sources, read by any Python that has no tree of its own below
  cpXY/              byte code, one tree per CPython found here: what every start needs as
                     files, all other modules in one member (pi/archive.py says why)
  pi/data/cacert.pem certifi's certificates, from the one release that is pinned below

Invariants:
  * the same sources and interpreters give the same bytes, from any directory, under any
    umask, hash seed, clock and locale;
  * the target is replaced in one step: a build that fails leaves the old file alone;
  * an interpreter that was asked for, or runs this, and cannot compile a module fails the
    build; one that is merely on PATH and does not start (a version manager's shim) is left out.

Standard library only, Python 3.9 or newer.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import marshal
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
COMPILER = ROOT / "scripts" / "compile_modules.py"
SHEBANG = b"#!/usr/bin/env python3\n"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time a zip can hold: builds repeat exactly
PEM = "pi/data/cacert.pem"
CERTIFI = "2026.10.18"
CERTIFI_WHEEL_SHA256 = "73191c47aaa79da394e8fee2dbc2ec827432cab56311122c9e47abf79e390f62"
CERTIFI_PEM_SHA256 = "d87887200c9a705dccc937b9b83b5e67e47024c4a4b7f9dd15700c72e0f55453"
PIP_TIMEOUT_S = 120
CHILD_TIMEOUT_S = 300
# What ``--version`` runs. Files of their own, and not compressed, so that it needs no zlib.
EARLY = ("pi/__init__.py", "pi/archive.py", "pi/cli/__init__.py", "pi/cli/main.py")
# Makes ``import pi`` from a tree find the modules that are not files.
INSTALL = b"\nfrom pi.archive import install\ninstall(__loader__)\ndel install\n"

# Must parse on Python 2.7 and 3.6, where its message is the whole point; the exit code is
# the 1 that SystemExit gives a text. A tree is taken only by the implementation it was
# made by; a pre-release may have another byte-code format under the same version number.
MAIN = b"""\
import sys
if sys.version_info < (3, 9):
    raise SystemExit("pi needs Python 3.9 or newer; this is Python %d.%d (%s)"
                     % (sys.version_info[0], sys.version_info[1], sys.executable))
if sys.implementation.name == "cpython" and sys.version_info[3] == "final":
    sys.path.insert(0, "%s/cp%d%d" % ((sys.path[0],) + sys.version_info[:2]))
from pi.cli.main import run
run()
"""

# "Unchecked hash": the loader neither looks for the source nor compares anything with it.
PYC_FLAGS = (1).to_bytes(4, "little")
PROBE = """\
import sys
final = sys.implementation.name == "cpython" and sys.version_info[3] == "final"
print("pi-probe cp%d%d" % sys.version_info[:2] if final and sys.version_info >= (3, 9) else "no")
"""


# Runs a prompt and the help in an empty folder; the last line names what they loaded.
FIRST = """\
import os, sys
sys.dont_write_bytecode = True
sys.path.insert(0, %r)
os.environ.clear()
os.environ.update(PATH="/usr/bin:/bin", HOME=os.getcwd())
from pi.cli.main import main
main(["--model", "demo/tour", "--quiet", "-p", "hi"])
main(["--help"])
print("\\n" + " ".join(sorted(name for name in sys.modules if name.startswith("pi."))), end="")
"""


class BuildError(Exception):
    """The build cannot go on; the text says why and what to do."""


def source_files(root: Path) -> dict[str, bytes]:
    """Read what ships from ``root/pi``: modules, and the data files beside them."""
    found = {}
    for path in sorted((root / "pi").rglob("*")):
        inside = path.relative_to(root)
        name = inside.as_posix()
        wanted = path.suffix == ".py" or name.startswith("pi/data/")
        left_out = any(part[0] == "." or part == "__pycache__" for part in inside.parts)
        if wanted and not left_out and name != PEM and path.is_file():
            found[name] = path.read_bytes()
    if "pi/cli/main.py" not in found:
        raise BuildError(f"no pi/cli/main.py under {root}: run this from a checkout of pi")
    return found


def run_python(python: str, code: str, data: bytes, timeout_s: float) -> bytes:
    """Run ``code`` in ``python`` with a bare environment; return its output.

    Raises BuildError with the interpreter's own words. Not ``-I``: it would also ignore
    PYTHONHASHSEED, on which the order of a set's items in byte code depends. Column
    positions (3.11 and newer) are left out: they are a quarter of the byte code, and show
    only beside source lines, which a traceback out of an archive does not have.
    """
    keep = ("PATH", "HOME", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    env = {name: os.environ[name] for name in keep if name in os.environ}
    env["PYTHONHASHSEED"] = "0"
    try:
        with tempfile.TemporaryDirectory() as empty:  # nothing here can shadow a module
            done = subprocess.run(
                [python, "-s", "-S", "-X", "no_debug_ranges", "-c", code],
                input=data,
                capture_output=True,
                timeout=timeout_s,
                env=env,
                cwd=empty,
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise BuildError(f"cannot run {python}: {exc}") from exc
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").split("\n")
        words = " ".join(line.strip() for line in lines[-5:])  # of a traceback: where and what
        raise BuildError(f"{python} failed: {words.strip() or done.returncode}")
    return done.stdout


def tree_tag(python: str) -> str:
    """Return "cpXY" for a released CPython 3.9 or newer; raise BuildError for the rest."""
    answer = run_python(python, PROBE, b"", 20).decode("utf-8", "replace").split()
    if len(answer) == 2 and answer[0] == "pi-probe":
        return answer[1]
    raise BuildError(f"{python} is not a released CPython 3.9 or newer")


def working_tag(python: str) -> str:
    """Like ``tree_tag``, but "" for a shim without its interpreter, or another Python."""
    try:
        return tree_tag(python)
    except BuildError:
        return ""


def candidates(minor: int) -> list[str]:
    """Where a Python 3.``minor`` may be: on PATH, or in a version manager's folder.

    The names such a manager puts on PATH are shims, often with no interpreter behind them.
    """
    managed = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    on_path = shutil.which(f"python3.{minor}")
    return [*filter(None, [on_path]), *map(str, sorted(managed.glob(f"3.{minor}.*/bin/python")))]


def find_interpreters(asked: Sequence[str]) -> dict[str, str]:
    """Map tree names to interpreters: those asked for, the running one, all others found."""
    found: dict[str, str] = {}
    for python in asked:
        found.setdefault(tree_tag(python), python)
    found.setdefault(working_tag(sys.executable), sys.executable)
    for minor in range(9, 30):  # a version that does not exist yet costs one look along PATH
        for python in candidates(minor):
            if f"cp3{minor}" not in found:
                found.setdefault(working_tag(python), python)
    found.pop("", None)
    return dict(sorted(found.items(), key=lambda item: int(item[0][3:])))


def first_modules() -> frozenset[str]:
    """The modules that one prompt and the help load, found out by running them.

    They are packed apart from the others, so that a start unpacks no more than it needs.
    Every module is found wherever it is: this decides about speed only.
    """
    code = FIRST % (str(ROOT),)
    try:
        answer = run_python(sys.executable, code, b"", CHILD_TIMEOUT_S)
    except BuildError:
        return frozenset()
    return frozenset(answer.decode("utf-8", "replace").rpartition("\n")[2].split())


def byte_code(
    python: str, modules: Mapping[str, bytes], first: Container[str] = ()
) -> dict[str, bytes]:
    """Compile ``modules`` in one process of ``python``; return the members of its tree.
    The modules named in ``first`` are packed apart; without any all are together."""
    changed = {**modules, EARLY[0]: modules[EARLY[0]] + INSTALL}
    compiler = COMPILER.read_text(encoding="utf-8")
    answer = run_python(python, compiler, marshal.dumps(changed, 2), CHILD_TIMEOUT_S)
    magic, compiled = marshal.loads(answer)
    members: dict[str, bytes] = {}
    packages: dict[str, dict[str, tuple[bool, str, bytes]]] = {}
    for name, code in compiled.items():
        if name in EARLY:
            digest = hashlib.sha256(modules[name]).digest()[:8]
            members[f"{name}c"] = magic + PYC_FLAGS + digest + code
        else:
            module = name[: -len(".py")].replace("/", ".")
            package, _, leaf = module.rpartition(".")
            module = package if leaf == "__init__" else module
            member = package if module in first or not first else f"{package}-later"
            packages.setdefault(member, {})[module] = (leaf == "__init__", name, code)
    for package, packed in packages.items():
        members[f"{package}.modules"] = marshal.dumps(packed, 2)
    return members


def is_pinned(pem: bytes) -> bool:
    return hashlib.sha256(pem).hexdigest() == CERTIFI_PEM_SHA256


def installed_pem() -> bytes | None:
    """The PEM of the certifi installed here, whatever its release, without importing it."""
    try:
        spec = importlib.util.find_spec("certifi")
        if spec is None or not spec.origin:
            return None
        return (Path(spec.origin).parent / "cacert.pem").read_bytes()
    except (ImportError, OSError, ValueError):
        return None


def downloaded_pem() -> bytes:
    """Have pip fetch the pinned wheel, checked by its hash, and read the PEM out of it."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = os.path.join(folder, "requirements.txt")
        with open(wanted, "w", encoding="utf-8") as file:
            file.write(f"certifi=={CERTIFI} --hash=sha256:{CERTIFI_WHEEL_SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "--disable-pip-version-check"]
        command += ["--no-input", "--retries=1", "--timeout=20", "-d", folder, "-r", wanted]
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=PIP_TIMEOUT_S, stdin=subprocess.DEVNULL
            )
            if done.returncode:
                words = done.stderr.decode("utf-8", "replace").strip().splitlines()
                raise BuildError(f"pip download failed: {words[-1] if words else 'no reason'}")
            wheel = next(name for name in sorted(os.listdir(folder)) if name.endswith(".whl"))
            with zipfile.ZipFile(os.path.join(folder, wheel)) as archive:
                return archive.read("certifi/cacert.pem")
        except (OSError, KeyError, StopIteration, zipfile.BadZipFile) as exc:
            raise BuildError(f"cannot read the certifi wheel: {exc}") from exc
        except subprocess.TimeoutExpired:
            raise BuildError(f"pip download took more than {PIP_TIMEOUT_S} s") from None


def find_certificates() -> tuple[bytes | None, str]:
    """The pinned PEM, from the installed certifi or else from pip, and its release; or why not."""
    try:
        installed = installed_pem()
        pem = installed if installed and is_pinned(installed) else downloaded_pem()
    except BuildError as exc:
        return None, str(exc)
    if not is_pinned(pem):
        return None, f"the PEM of certifi {CERTIFI} has another SHA-256 than the pinned one"
    return pem, f"certifi {CERTIFI}"


def archive_bytes(members: Iterable[tuple[str, bytes]]) -> bytes:
    """Make the executable zip; member order, times and modes do not depend on this machine."""
    out = io.BytesIO()
    out.write(SHEBANG)
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in sorted(members):
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 3  # "unix", whatever builds it
            info.external_attr = 0o100644 << 16
            stored = name == "__main__.py" or name.endswith(".pyc")
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compresslevel=9)
    return out.getvalue()


def write_executable(target: Path, data: bytes) -> None:
    """Put ``data`` at ``target`` with mode 755 in one step, or leave the old file alone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o755)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def build(options: argparse.Namespace) -> list[str]:
    """Build the file as asked and return the lines that describe it."""
    sources = source_files(ROOT)
    members = dict(sources)
    members["__main__.py"] = MAIN
    modules = {name: text for name, text in sources.items() if name.endswith(".py")}
    interpreters = {} if options.source_only else find_interpreters(options.python)
    first = first_modules() if interpreters else frozenset()
    for tag, python in interpreters.items():
        for name, code in byte_code(python, modules, first).items():
            members[f"{tag}/{name}"] = code
    pem, note = find_certificates()
    if pem is not None:
        members[PEM] = pem
    elif options.require_certifi:
        raise BuildError(f"no certificates: {note}")
    data = archive_bytes(members.items())
    target = Path(options.output)
    write_executable(target, data)
    lines = [
        f"file          {os.path.relpath(target)}",
        f"size          {len(data):,} bytes, {len(members)} members",
        f"sha256        {hashlib.sha256(data).hexdigest()}",
        f"byte code     {' '.join(interpreters) or 'none'} (any other Python reads the sources)",
        f"certificates  {note if pem else 'left out: ' + note}",
    ]
    if options.list:
        lines += [f"{len(members[name]):>10,}  {name}" for name in sorted(members)]
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build pi.pyz, the one file that users copy.")
    add = parser.add_argument
    add("--output", default=str(ROOT / "dist" / "pi.pyz"), metavar="PATH", help="file to write")
    add("--python", action="append", default=[], metavar="PATH", help="add this CPython's tree")
    add("--source-only", action="store_true", help="leave the byte code out")
    add("--require-certifi", action="store_true", help="fail without the certificates")
    add("--list", action="store_true", help="print the members too")
    try:
        print("\n".join(build(parser.parse_args(argv))))
    except (BuildError, OSError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
