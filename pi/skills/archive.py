"""Skills in one file: zip (``.skill``, ``.zip``) and tar (``.tar.gz``, ``.tgz``, ``.tar``).

An archive is read into memory, member by member, and judged before anything is written:
regular files and folders only, no path that leads out, no two names that some file system
would take for one, a bounded number and size. ``extractall`` is never used.
"""

from __future__ import annotations

import io
import stat

from pi.base.errors import PiError, UsageError
from pi.base.typing import NamedTuple
from pi.skills.discovery import SKILL_FILE
from pi.skills.installed import MAX_BYTES, MAX_FILES, is_kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ENDINGS = (".skill", ".zip", ".tar.gz", ".tgz", ".tar")
MAX_MEMBERS = 20 * MAX_FILES
# A tar has headers beside its files.
MAX_TAR = MAX_BYTES + MAX_MEMBERS * 1024
PIECE = 1 << 20


class File(NamedTuple):
    data: bytes
    is_executable: bool = False


class Tree(NamedTuple):
    """A skill folder: ``name`` is that of the folder in the archive, "" if the skill lies
    at its top. ``files`` maps paths below it to what they hold."""

    name: str
    files: Mapping[str, File]


class Member(NamedTuple):
    """``kind`` is "file", "folder", or in words what else it is."""

    path: str
    kind: str
    size: int
    is_executable: bool
    read: Callable[[], bytes]


def is_archive(name: str) -> bool:
    """Whether a file of this name is read as an archive."""
    return name.lower().endswith(ENDINGS)


def read_archive(data: bytes, label: str) -> Tree:
    """The one skill in an archive. ``label`` names it in errors.

    Raises PiError saying which member is wrong and why.
    """

    def refused(why: str) -> PiError:
        return UsageError(f"{label}: {why}", hint="nothing was installed", code="bad-archive")

    try:
        members = _zip(data) if data[:2] == b"PK" else _tar(data)
        files = _files(members, refused)
    except PiError:
        raise
    except RecursionError as exc:
        raise refused("it is no archive that can be read") from exc
    except Exception as exc:  # whatever the readers of damaged archives come up with
        raise UsageError(
            f"{label}: it is no archive that can be read",
            cause=f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__,
            hint="nothing was installed",
            code="bad-archive",
        ) from exc
    return tree(files, refused)


def tree(files: Mapping[str, File], refused: Callable[[str], PiError]) -> Tree:
    """The skill among ``files``: the one folder that has a SKILL.md."""
    heads = sorted((path.count("/"), path) for path in files if is_head(path))
    roots: list[str] = []
    for _, path in heads:
        root = path[: -len(SKILL_FILE)]
        if not any(root.startswith(other) for other in roots):
            roots.append(root)
    if not roots:
        raise refused(f"there is no {SKILL_FILE} in it")
    if len(roots) > 1:
        raise refused(f"it holds {len(roots)} skills; one is expected")
    root = roots[0]
    inside = {
        path[len(root) :]: file
        for path, file in files.items()
        if path.startswith(root) and all(map(is_kept, path[len(root) :].split("/")))
    }
    return Tree(root.rstrip("/").rpartition("/")[2], inside)


def is_head(path: str) -> bool:
    parts = path.split("/")
    return parts[-1] == SKILL_FILE and all(map(is_kept, parts[:-1])) and parts[0] != "__MACOSX"


def path_problem(path: str) -> str:
    """Why a member's path is not to be trusted; "" for a good one."""
    if "\\" in path:
        return "a backslash in its path"
    if path.startswith("/") or path[1:2] == ":":
        return "an absolute path"
    parts = path.rstrip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "a path that leads elsewhere"
    if not path.isprintable():
        return "signs in its path that cannot be printed"
    if any(len(part.encode("utf-8", "surrogateescape")) > 255 for part in parts):
        return "a name that is too long"
    return ""


def _files(members: Iterator[Member], refused: Callable[[str], PiError]) -> dict[str, File]:
    found: dict[str, File] = {}
    taken: dict[str, tuple[str, str]] = {}
    total = count = 0
    for member in members:
        count += 1
        path = member.path[2:] if member.path.startswith("./") else member.path
        if path in ("", "."):
            continue
        shown = repr(path[:100])
        if count > MAX_MEMBERS:
            raise refused(f"it has more than {MAX_MEMBERS} members")
        why = path_problem(path)
        if why:
            raise refused(f"member {shown} has {why}")
        if member.kind not in ("file", "folder"):
            raise refused(f"member {shown} is {member.kind}")
        _claim(path, member.kind, taken, refused)
        if member.kind == "folder":
            continue
        total += member.size
        if len(found) >= MAX_FILES or total > MAX_BYTES:
            raise refused(f"it unpacks to more than {MAX_FILES} files or {MAX_BYTES} bytes")
        data = member.read()
        if len(data) != member.size:
            raise refused(f"member {shown} is not as long as it says")
        found[path] = File(data, member.is_executable)
    return found


def _claim(
    path: str,
    kind: str,
    taken: dict[str, tuple[str, str]],
    refused: Callable[[str], PiError],
) -> None:
    """Note the path and its folders. The same name in other letters, or a file where a
    folder is, would overwrite one another on some file system."""
    import unicodedata  # only for archives

    parts = path.rstrip("/").split("/")
    for end in range(1, len(parts) + 1):
        here = ("/".join(parts[:end]), kind if end == len(parts) else "folder")
        key = unicodedata.normalize("NFKC", here[0]).casefold()
        before = taken.setdefault(key, here)
        if before is not here and (before != here or here[1] == "file"):
            raise refused(f"member {path[:100]!r} clashes with {before[0][:100]!r}")


def _zip(data: bytes) -> Iterator[Member]:
    import zipfile  # only where something is unpacked

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            kind = "folder" if info.is_dir() else "file"
            if info.flag_bits & 1:
                kind = "encrypted"
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                kind = "a link" if stat.S_ISLNK(mode) else "a special file"

            def read(info: zipfile.ZipInfo = info) -> bytes:
                with archive.open(info) as file:
                    return file.read(info.file_size + 1)

            # The name as it is stored: zipfile cuts it at a NUL.
            path = info.filename if "\0" not in info.orig_filename else info.orig_filename
            yield Member(path, kind, info.file_size, bool(mode & stat.S_IXUSR), read)


def _tar(data: bytes) -> Iterator[Member]:
    import tarfile  # only where something is unpacked

    if data[:2] == b"\x1f\x8b":
        data = _unzipped(data)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for info in archive:
            kind = "file" if info.isreg() and not info.issparse() else "a special file"
            if info.isdir():
                kind = "folder"
            elif info.issym() or info.islnk():
                kind = "a link"

            def read(info: tarfile.TarInfo = info) -> bytes:
                file = archive.extractfile(info)
                return b"" if file is None else file.read(info.size + 1)

            yield Member(info.name, kind, info.size, bool(info.mode & stat.S_IXUSR), read)


def _unzipped(data: bytes) -> bytes:
    """The bytes of a gzip file. Raises PiError if they are more than a skill may have."""
    import zlib  # loaded anyway

    reader = zlib.decompressobj(wbits=31)
    whole = reader.decompress(data, MAX_TAR + 1)
    if len(whole) > MAX_TAR:
        raise UsageError(
            f"the archive unpacks to more than {MAX_BYTES} bytes",
            hint="nothing was installed",
            code="bad-archive",
        )
    if not reader.eof:
        raise ValueError("cut off")
    return whole
