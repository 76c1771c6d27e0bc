"""Modules packed into one member are imported as if each were a file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import build_zipapp


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A small ``pi`` in byte code only: sources would hide what the member lacks."""
    modules = {
        "pi/__init__.py": b"__version__ = '1'\n",
        "pi/archive.py": (build_zipapp.ROOT / "pi" / "archive.py").read_bytes(),
        "pi/base/__init__.py": b"",
        "pi/base/files.py": (build_zipapp.ROOT / "pi" / "base" / "files.py").read_bytes(),
        "pi/deep/__init__.py": b"here = __path__\n",
        "pi/deep/inner/__init__.py": b"from pi.deep.inner.leaf import value\n",
        "pi/deep/inner/leaf.py": b"import sys\nvalue = 7\ndef fail():\n    raise KeyError(value)\n",
    }
    members = dict(build_zipapp.byte_code(sys.executable, modules))
    path = tmp_path / "packed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(f"tree/{name}", data)
        out.writestr("pi/data/table.txt", b"data of the package")
    return path


def run(archive: Path, code: str) -> subprocess.CompletedProcess[str]:
    start = f"import sys; sys.path.insert(0, {str(archive / 'tree')!r})\n"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", start + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("import pi; print(pi.__version__, hasattr(pi, 'install'))", "1 False"),
        (
            "import pi.deep.inner.leaf as leaf; print(leaf.value, leaf.__name__)",
            "7 pi.deep.inner.leaf",
        ),
        ("from pi.deep import inner; print(inner.value, inner.__package__)", "7 pi.deep.inner"),
        (
            "import pi.deep; print(pi.deep.here, pi.deep.__spec__.submodule_search_locations)",
            "[] []",
        ),
        (
            "from importlib.util import find_spec as f; print(f('pi.nowhere'), f('pi.base.no'))",
            "None None",
        ),
        ("import pi, json; print(json.dumps([1]))", "[1]"),
        (
            "from pi.base.files import resource as r; print(r('data/table.txt'), r('data/no'))",
            "b'data of the package' None",
        ),
    ],
)
def test_a_packed_module_is_imported_like_a_file(archive: Path, code: str, printed: str) -> None:
    done = run(archive, code)
    assert (done.stdout.strip(), done.stderr) == (printed, "")


def test_a_module_that_is_not_there_fails_as_anywhere(archive: Path) -> None:
    done = run(archive, "import pi.nowhere")
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'pi.nowhere'"


def test_a_traceback_names_the_file_and_the_line(archive: Path) -> None:
    done = run(archive, "from pi.deep.inner.leaf import fail\nfail()")
    assert 'File "pi/deep/inner/leaf.py", line 4, in fail' in done.stderr


def test_the_member_is_not_read_before_a_module_of_it_is_needed(archive: Path) -> None:
    done = run(
        archive, "import pi, json; print('zlib' in sys.modules or sys.meta_path[-1]._members)"
    )
    assert done.stdout.strip() in ("True", "{}")


def test_docstrings_asserts_and_annotations_of_functions_are_left_out(tmp_path: Path) -> None:
    source = (
        b'"""Doc."""\nfrom __future__ import annotations\nfrom typing import NamedTuple\n'
        b"TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import nothing_of_this_name\n"
        b"class Pair(NamedTuple):\n    left: int\n    right: int = 2\n"
        b"def f(a: Unknown, *b: Unknown, c: Unknown = None) -> Unknown:\n"
        b'    """Doc."""\n    assert a\n    return Pair(a)\n'
    )
    entry = (build_zipapp.ROOT / "pi" / "archive.py").read_bytes()
    modules = {"pi/__init__.py": b"", "pi/archive.py": entry, "pi/m.py": source}
    packed = build_zipapp.byte_code(sys.executable, modules)["pi.modules"]
    assert b"Doc." not in packed
    assert b"Unknown" not in packed
    assert b"nothing_of_this_name" not in packed
    path = tmp_path / "packed.zip"
    with zipfile.ZipFile(path, "w") as out:
        for name, data in build_zipapp.byte_code(sys.executable, modules).items():
            out.writestr(f"tree/{name}", data)
    done = run(path, "from pi.m import f; print(f(0), f.__annotations__, f.__doc__)")
    assert done.stdout.strip() == "Pair(left=0, right=2) {} None"
