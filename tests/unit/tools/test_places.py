"""Opening what was checked, and nothing else."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pi.tools.outcome import ToolFailure
from pi.tools.paths import PathRule
from pi.tools.places import HAS_HANDLES, Folder, Place

pytestmark = pytest.mark.skipif(not HAS_HANDLES, reason="needs directory handles")


def put(folder: Folder, data: bytes) -> None:
    folder.replace(data, folder.info(), random_bytes=os.urandom, new_mode=0o640)


def place(root: Path, *parts: str) -> Place:
    return Place("/".join(parts), "/".join((str(root), *parts)), str(root), parts)


def test_a_new_file_is_made_with_its_parents(root: Path) -> None:
    with Folder(place(root, "a", "b", "f"), create=True) as folder:
        put(folder, b"new")
    file = root / "a" / "b" / "f"
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(file.parent) == ["f"]


def test_a_replaced_file_keeps_its_mode(root: Path) -> None:
    (root / "run").write_bytes(b"old")
    (root / "run").chmod(0o751)
    with Folder(place(root, "run")) as folder:
        put(folder, b"new")
    assert (root / "run").read_bytes() == b"new"
    assert stat.S_IMODE((root / "run").stat().st_mode) == 0o751


def test_a_file_with_two_names_keeps_both(root: Path) -> None:
    (root / "one").write_bytes(b"old content")
    os.link(root / "one", root / "two")
    for new in (b"new", b"longer than before", b"same size as before", b""):
        with Folder(place(root, "one")) as folder:
            put(folder, new)
        assert (root / "two").read_bytes() == new
    assert (root / "one").samefile(root / "two")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_file_in_a_directory_we_may_not_write_to_is_written_in_place(root: Path) -> None:
    (root / "d").mkdir()
    (root / "d" / "f").write_bytes(b"long old content")
    (root / "d").chmod(0o555)
    try:
        with Folder(place(root, "d", "f")) as folder:
            put(folder, b"new")
        assert (root / "d" / "f").read_bytes() == b"new"
    finally:
        (root / "d").chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_a_file_of_another_owner_stays_theirs(root: Path) -> None:
    (root / "f").write_bytes(b"old")
    os.chown(root / "f", 1234, 2345)
    with Folder(place(root, "f")) as folder:
        put(folder, b"new content")
    info = (root / "f").stat()
    assert (root / "f").read_bytes() == b"new content"
    assert (info.st_uid, info.st_gid) == (1234, 2345)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_a_file_of_another_group_stays_in_it(root: Path) -> None:
    (root / "f").write_bytes(b"old")
    os.chown(root / "f", -1, 2345)
    with Folder(place(root, "f")) as folder:
        put(folder, b"new content")
    assert (root / "f").stat().st_gid == 2345


@pytest.mark.parametrize("names", [["f"], ["f", "other"]])
def test_a_failed_write_leaves_the_old_content(root: Path, names: list[str]) -> None:
    """A file size limit of the system stands for a full disk; two names mean in place."""
    (root / "f").write_bytes(b"old")
    if "other" in names:
        os.link(root / "f", root / "other")
    script = (
        "import os, resource, signal, sys\n"
        "from pi.tools.places import Folder, Place\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "root = sys.argv[1]\n"
        "with Folder(Place('f', root + '/f', root, ('f',))) as folder:\n"
        "    try:\n"
        "        folder.replace(b'x' * 5000, folder.info(),"
        " random_bytes=os.urandom, new_mode=0o600)\n"
        "    except OSError as exc:\n"
        "        print(exc.strerror)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(root)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "File too large"
    assert (root / "f").read_bytes() == b"old"
    assert sorted(os.listdir(root)) == names


def test_a_parent_that_became_a_link_is_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (root / "d").symlink_to(tmp_path / "outside")
    for create in (False, True):
        with pytest.raises((OSError, ToolFailure)):
            Folder(place(root, "d", "f"), create=create)
    assert os.listdir(tmp_path / "outside") == []


def test_a_file_that_became_a_link_is_not_opened(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "f").symlink_to(tmp_path / "secret")
    with Folder(place(root, "f")) as folder, pytest.raises((OSError, ToolFailure)):
        folder.read(100)


def test_a_file_in_the_way_of_a_directory_is_told(root: Path) -> None:
    (root / "f").write_bytes(b"")
    with pytest.raises(ToolFailure, match="failed to create parent directory: Not a directory"):
        Folder(place(root, "f", "x"), create=True)


def test_a_root_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolFailure, match=r"invalid allowed root '.*gone': No such file"):
        Folder(place(tmp_path / "gone", "f"))


def test_only_regular_files_are_opened(root: Path) -> None:
    os.mkfifo(root / "fifo")
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(root)  # socket paths are short
    try:
        server.bind("socket")
    finally:
        os.chdir(here)
    (root / "folder").mkdir()
    for name in ("fifo", "socket", "folder"):
        with Folder(place(root, name)) as folder, pytest.raises(ToolFailure) as failure:
            folder.open_regular()
        told = f"path '{name}' must be a regular file for this operation"
        assert failure.value.error == told
    server.close()
    with Folder(place(Path("/"), "dev", "null")) as folder, pytest.raises(ToolFailure):
        folder.open_regular()


def test_no_more_is_read_than_asked_for_whatever_the_size_says(root: Path) -> None:
    (root / "f").write_bytes(b"x" * 100)
    with Folder(place(root, "f")) as folder:
        assert folder.read(10) == b"x" * 10
        assert folder.read(1000) == b"x" * 100


def test_a_handle_does_not_leak_when_opening_fails(root: Path) -> None:
    (root / "d").mkdir()
    before = sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else []
    for _ in range(20):
        with pytest.raises(FileNotFoundError):
            Folder(place(root, "d", "missing", "f"))
    after = sorted(os.listdir("/proc/self/fd")) if before else []
    assert len(after) <= len(before)  # less, if something earlier was closed meanwhile


def test_without_handles_files_are_read_made_listed_and_replaced(root: Path) -> None:
    """What systems without directory handles do, as far as it can be seen here."""
    for content in (b"first", b"second"):
        with Folder(place(root, "a", "f"), create=True, use_handles=False) as folder:
            put(folder, content)
            assert folder.read(100) == content
    with Folder(place(root, "a"), use_handles=False) as folder:
        assert folder.entries() == ["f"]
    with pytest.raises(ToolFailure, match="failed to create parent directory"):
        Folder(place(root, "a", "f", "x"), create=True, use_handles=False)


def test_without_handles_a_place_that_leads_elsewhere_is_refused(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f").write_bytes(b"secret")
    (root / "d").symlink_to(tmp_path / "outside")
    with Folder(place(root, "d", "f"), use_handles=False) as folder:
        for attempt in (lambda: folder.read(100), lambda: put(folder, b"x")):
            with pytest.raises(ToolFailure, match="changed while it was being opened"):
                attempt()
    with Folder(place(root, "d"), use_handles=False) as folder, pytest.raises(ToolFailure):
        folder.entries()
    assert (tmp_path / "outside" / "f").read_bytes() == b"secret"


SWAPPER = """
import os, sys
root, outside = sys.argv[1:]
print("ready", flush=True)
while os.path.exists(root + "/go"):
    for name, target in (("d", outside), ("f", outside + "/f")):
        path, kept = root + "/" + name, root + "/kept-" + name
        os.rename(path, kept)
        try:
            os.symlink(target, path)
            os.unlink(path)
        except FileExistsError:
            pass  # the other side has put a file there in between: it is replaced
        except FileNotFoundError:
            pass
        os.rename(kept, path)
"""


def test_a_link_swapped_in_between_check_and_use_never_leads_outside(
    root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_bytes(b"secret")
    (root / "d").mkdir()
    (root / "f").write_bytes(b"mine")
    (root / "go").write_bytes(b"")
    rule = PathRule([str(root)], enforce_regular_files=False)
    written = 0
    argv = [sys.executable, "-c", SWAPPER, str(root), str(outside)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as swapper:
        assert swapper.stdout is not None
        swapper.stdout.readline()
        try:
            for number in range(1000):
                try:
                    with Folder(rule.existing("f", str(root))) as folder:
                        assert folder.read(100) != b"secret"
                except (OSError, ToolFailure):
                    pass
                for given in ("d/new", "f"):
                    try:
                        # Not creating: a new directory in the way would end the swapping.
                        with Folder(rule.writable(given, str(root))) as folder:
                            put(folder, b"written %d" % number)
                            written += 1
                            assert folder.read(100) != b"secret"
                    except (OSError, ToolFailure):
                        pass
        finally:
            (root / "go").unlink()
    assert swapper.returncode == 0
    assert written
    assert os.listdir(outside) == ["f"]
    assert (outside / "f").read_bytes() == b"secret"
