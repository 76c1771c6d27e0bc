"""The build: repeatable to the byte, honest about what it left out, never half-written."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

import build_zipapp

ROOT = Path(build_zipapp.__file__).resolve().parent
TAG = "cp{}{}".format(*sys.version_info[:2])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the build reads, so that tests may damage it."""
    copy = tmp_path / "check out"
    copy.mkdir()
    shutil.copy(ROOT / "build_zipapp.py", copy)
    (copy / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "compile_modules.py", copy / "scripts")
    for name in ("__init__.py", "archive.py", "cli/__init__.py", "cli/main.py", "base/errors.py"):
        (copy / "pi" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "pi" / name, copy / "pi" / name)
    (copy / "pi" / "base" / "__init__.py").touch()
    return copy


def build(
    checkout: Path, *argv: str, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Build with no way to a package index: pip, where it is asked, fails at once."""
    env = {"PATH": os.defpath, "PYENV_ROOT": os.devnull, "PIP_NO_INDEX": "1"}
    env.update({"PIP_CONFIG_FILE": os.devnull, **variables})
    return subprocess.run(
        [sys.executable, str(checkout / "build_zipapp.py"), *argv],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd or checkout,
        env=env,
        timeout=120,
        check=False,
    )


def built(checkout: Path, *argv: str) -> zipfile.ZipFile:
    done = build(checkout, *argv)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(checkout / "dist" / "pi.pyz")


def fake_python(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_second_build_gives_the_same_bytes_from_anywhere(checkout: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.pyz", tmp_path / "second.pyz"
    assert build(checkout, "--output", str(first), PYTHONHASHSEED="1").returncode == 0
    for path in (checkout / "pi").rglob("*.py"):
        os.utime(path, (0, 0))
    old = os.umask(0o077)
    try:
        other = build(
            checkout,
            *("--output", str(second)),
            cwd=tmp_path,
            PYTHONHASHSEED="99",
            TZ="Asia/Tokyo",
            SOURCE_DATE_EPOCH="1",
        )
    finally:
        os.umask(old)
    assert other.returncode == 0, other.stderr
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == stat.S_IMODE(second.stat().st_mode) == 0o755


def test_the_summary_tells_size_digest_trees_and_certificates(checkout: Path) -> None:
    done = build(checkout)
    data = (checkout / "dist" / "pi.pyz").read_bytes()
    assert f"{len(data):,} bytes" in done.stdout
    assert hashlib.sha256(data).hexdigest() in done.stdout
    assert TAG in done.stdout
    assert "certificates" in done.stdout


def test_the_list_names_every_member(checkout: Path) -> None:
    done = build(checkout, "--source-only", "--list")
    names = zipfile.ZipFile(checkout / "dist" / "pi.pyz").namelist()
    assert [line.split()[-1] for line in done.stdout.splitlines()[-len(names) :]] == sorted(names)


def test_source_only_has_no_byte_code_and_runs(checkout: Path) -> None:
    names = built(checkout, "--source-only").namelist()
    assert not [name for name in names if name.startswith("cp")]
    command = [sys.executable, "-I", str(checkout / "dist" / "pi.pyz"), "--version"]
    assert subprocess.check_output(command, timeout=60).startswith(b"pi ")


def test_only_modules_and_package_data_go_in(checkout: Path) -> None:
    for name in ("pi/__pycache__/x.py", "pi/.hidden.py", "pi/notes.txt", "pi/.cache/y.py"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("x = 1\n", encoding="utf-8")
    (checkout / "pi" / "data").mkdir()
    (checkout / "pi" / "data" / "table.json").write_text("{}", encoding="utf-8")
    names = built(checkout, "--source-only").namelist()
    assert "pi/data/table.json" in names
    assert not [name for name in names if "__pycache__" in name or "/." in name or "notes" in name]


def test_a_shim_without_an_interpreter_is_left_out(checkout: Path, tmp_path: Path) -> None:
    minor = 9 if sys.version_info[1] != 9 else 10
    shim = fake_python(tmp_path / "bin", f"python3.{minor}", "echo 'command not found'; exit 127")
    done = build(checkout, PATH=f"{shim.parent}{os.pathsep}{os.defpath}")
    assert done.returncode == 0, done.stderr
    assert f"cp3{minor}" not in done.stdout


def test_an_interpreter_on_path_gets_a_tree(checkout: Path, tmp_path: Path) -> None:
    # Another name for this one, behind a name of the kind that is looked for. The running
    # interpreter is found first, so what shows is that the extra one does no harm.
    name = "python{}.{}".format(*sys.version_info[:2])
    shim = fake_python(tmp_path / "bin", name, f'exec "{sys.executable}" "$@"')
    done = build(checkout, PATH=f"{shim.parent}{os.pathsep}{os.defpath}")
    assert done.stdout.count(TAG) == 1


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 3", "failed: 3"),
        ("echo broken >&2; exit 1", "failed: broken"),
        ("echo pi-probe", "not a released CPython 3.9 or newer"),
        ("echo no", "not a released CPython 3.9 or newer"),
    ],
)
def test_an_interpreter_that_was_asked_for_and_does_not_do_fails_the_build(
    checkout: Path, tmp_path: Path, script: str, words: str
) -> None:
    path = fake_python(tmp_path / "bin", "python-odd", script)
    done = build(checkout, "--python", str(path))
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / "dist").exists()


@pytest.mark.parametrize("argv", [("--python", "/nonexistent/python3"), ("--output", "/proc/x/y")])
def test_a_path_that_cannot_be_used_is_one_line(checkout: Path, argv: Sequence[str]) -> None:
    done = build(checkout, *argv)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")


def test_a_module_that_does_not_compile_fails_and_leaves_the_old_file(checkout: Path) -> None:
    assert build(checkout).returncode == 0
    before = (checkout / "dist" / "pi.pyz").read_bytes()
    (checkout / "pi" / "base" / "errors.py").write_text("def broken(:\n", encoding="utf-8")
    done = build(checkout)
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr
    assert "pi/base/errors.py" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (checkout / "dist" / "pi.pyz").read_bytes() == before
    assert os.listdir(checkout / "dist") == ["pi.pyz"]


def test_what_is_not_a_checkout_is_refused(checkout: Path) -> None:
    shutil.rmtree(checkout / "pi" / "cli")
    done = build(checkout)
    assert done.returncode == 1
    assert "run this from a checkout of pi" in done.stderr


def test_certificates_come_only_from_the_pinned_release(checkout: Path, tmp_path: Path) -> None:
    other = tmp_path / "site" / "certifi"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    (other / "cacert.pem").write_text("another release\n", encoding="utf-8")
    done = build(checkout, PYTHONPATH=str(other.parent))
    assert done.returncode == 0, done.stderr
    assert "left out: pip download failed" in done.stdout
    with zipfile.ZipFile(checkout / "dist" / "pi.pyz") as archive:
        assert "pi/data/cacert.pem" not in archive.namelist()


def test_required_certificates_that_cannot_be_had_fail_the_build(
    checkout: Path, tmp_path: Path
) -> None:
    other = tmp_path / "site" / "certifi"
    other.mkdir(parents=True)
    (other / "__init__.py").touch()
    done = build(checkout, "--require-certifi", PYTHONPATH=str(other.parent))
    assert done.returncode == 1
    assert "no certificates" in done.stderr
    assert not (checkout / "dist").exists()


def test_the_installed_pinned_release_is_taken_without_pip(checkout: Path) -> None:
    pem = build_zipapp.installed_pem()
    if pem is None or not build_zipapp.is_pinned(pem):
        pytest.skip("the pinned certifi is not installed here")
    with built(checkout, "--require-certifi") as archive:
        assert archive.read("pi/data/cacert.pem") == pem
