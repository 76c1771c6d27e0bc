"""The download cache as one file, to be carried to a machine without a network.

A plain tar with the names in order and no times, so that equal caches give equal files.
Every body in it has a side file with its digest, and all that lies between is as an export
writes it: a file in which any byte differs is refused, naming the entry, and then nothing
of it is taken over.
"""

from __future__ import annotations

import os
import re

from pi.base.errors import PiError, UsageError, VerificationFailed
from pi.base.files import replace_file
from pi.base.given_file import not_taken
from pi.base.typing import NamedTuple
from pi.skills.cache import (
    FOLDERS,
    MAX_BODY,
    MAX_META,
    META_ENDING,
    Meta,
    check_owner,
    decode_meta,
    encode_meta,
    make_folders,
    mismatch,
    side_file,
)
from pi.skills.plain_files import read_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MAX_ENTRIES = 20_000
MAX_TOTAL = 1 << 30
ENDINGS = dict(FOLDERS.values())
MEMBER = re.compile(r"(artifacts|manifests)/([0-9a-f]{64})(\.bin|\.json|\.meta\.json)")
BLOCK = 512  # of a tar: headers and contents begin at multiples of it
RECORD = 20 * BLOCK  # the whole file is a multiple of this


class Moved(NamedTuple):
    """How many bodies, and their bytes."""

    entries: int
    size: int


def export_cache(cache: str, target: str, *, random_bytes: Callable[[int], bytes]) -> Moved:
    """Write the cache directory ``cache`` to the new file ``target``.

    Raises PiError for a target that is there, VerificationFailed for a body that is not
    as its side file says.
    """
    if os.path.lexists(target):
        raise UsageError(f"{target} is already there", hint="choose another name")
    members: dict[str, bytes] = {}
    count = size = 0
    for name, path in _bodies(cache):
        kind = next(kind for kind, (folder, _) in FOLDERS.items() if name.startswith(folder))
        body = _read(path, MAX_BODY[kind])
        meta = _meta_of(path, body)
        why = mismatch(body, meta)
        if why:
            raise VerificationFailed(f"the cache entry {path} is damaged", cause=why)
        members[name] = body
        members[side_file(name)] = encode_meta(meta)
        count, size = count + 1, size + len(body)
        if size > MAX_TOTAL:
            raise PiError(f"{cache} is too large to carry", cause=f"more than {MAX_TOTAL} bytes")
    if not count:
        raise UsageError(
            f"there is nothing in the skills cache {cache}",
            hint="what is downloaded is kept there; --skills-cache-dir names another",
        )
    try:
        replace_file(target, _tar(members), random_bytes=random_bytes, mode=0o644, sync=True)
    except OSError as exc:
        raise not_taken(f"failed to write {target}", exc) from exc
    return Moved(count, size)


def import_cache(source: str, cache: str, *, random_bytes: Callable[[int], bytes]) -> Moved:
    """Put what the file ``source`` holds into the cache directory ``cache``.

    Raises VerificationFailed naming the entry that is damaged, ConfigError for a directory
    that others may write; then nothing was written.
    """
    check_owner(cache)
    try:
        data, _ = read_plain(source, MAX_TOTAL + (MAX_ENTRIES << 12))
    except OSError as exc:
        raise not_taken(f"failed to read the skills cache {source}", exc) from exc
    members = _members(data, source)
    bodies = [name for name in members if not name.endswith(META_ENDING)]
    for name in members:
        if name.endswith(META_ENDING) and _body_name(name) not in members:
            raise _damaged(source, name, "the body it tells of is missing")
    for name in bodies:
        side = members.get(side_file(name))
        if side is None:
            raise _damaged(source, name, "it has no side file")
        try:
            why = mismatch(members[name], decode_meta(side))
        except ValueError as exc:
            raise _damaged(source, side_file(name), str(exc)) from None
        if why:
            raise _damaged(source, name, why)
    try:
        make_folders(cache)
        for name, content in members.items():
            replace_file(os.path.join(cache, name), content, random_bytes=random_bytes)
    except OSError as exc:
        raise not_taken(f"failed to write the skills cache {cache}", exc) from exc
    return Moved(len(bodies), sum(len(members[name]) for name in bodies))


def _bodies(cache: str) -> Iterator[tuple[str, str]]:
    """The bodies in a cache directory: their names in a tar, and their paths."""
    for folder, ending in sorted(ENDINGS.items()):
        try:
            names = sorted(os.listdir(os.path.join(cache, folder)))
        except FileNotFoundError:
            continue
        except OSError as exc:
            raise not_taken(f"failed to read the skills cache {cache}", exc) from exc
        for name in names:
            whole = f"{folder}/{name}"
            match = MEMBER.fullmatch(whole)
            if match is not None and match.group(3) == ending:
                yield whole, os.path.join(cache, folder, name)


def _meta_of(path: str, body: bytes) -> Meta:
    """What is known of a body; of one without a side file its digest as it is now."""
    import hashlib  # loaded anyway

    try:
        return decode_meta(_read(side_file(path), MAX_META))
    except ValueError as exc:
        raise VerificationFailed(
            f"the cache entry {path} is damaged", cause=f"{side_file(path)}: {exc}"
        ) from None
    except PiError:
        if os.path.lexists(side_file(path)):
            raise
    return Meta("", hashlib.sha256(body).hexdigest(), len(body), 0)


def _tar(members: Mapping[str, bytes]) -> bytes:
    pieces = []
    for name in sorted(members):
        content = members[name]
        pieces += [_header(name, len(content)), content, bytes(-len(content) % BLOCK)]
    size = sum(map(len, pieces))
    return b"".join([*pieces, _end(size)])


def _header(name: str, size: int) -> bytes:
    """The block before a file, the same for every file of this name and size."""
    from tarfile import USTAR_FORMAT, TarInfo  # only for this

    info = TarInfo(name)
    info.size = size
    info.mode = 0o644
    return info.tobuf(USTAR_FORMAT)


def _end(size: int) -> bytes:
    """What ends a tar of ``size`` bytes: two empty blocks at least, and whole records."""
    return bytes(2 * BLOCK + -(size + 2 * BLOCK) % RECORD)


def _members(data: bytes, source: str) -> dict[str, bytes]:
    """The files of a tar. Raises VerificationFailed for whatever no export writes.

    Read by hand: the readers of tars are made to forgive, and pass over a damaged header as
    if the file ended there.
    """
    found: dict[str, bytes] = {}
    at = 0
    name = last = ""
    while data[at : at + BLOCK].strip(b"\0"):
        header = data[at : at + BLOCK]
        name = header[:100].rstrip(b"\0").decode("ascii", "replace")
        match = MEMBER.fullmatch(name)
        size = _size(header)
        if match is None or match.group(3) not in (ENDINGS[match.group(1)], META_ENDING):
            raise _damaged(source, name, f"it is no part of a skills cache (byte {at})")
        if size < 0 or header != _header(name, size):
            raise _damaged(source, name, f"its head is damaged (byte {at})")
        at += BLOCK
        padded = size + -size % BLOCK
        content = data[at : at + padded]
        if len(content) < padded:
            raise _damaged(source, name, "it is cut off")
        if content[size:].strip(b"\0"):
            raise _damaged(source, name, f"something stands behind it (byte {at + size})")
        if name <= last or len(found) >= 2 * MAX_ENTRIES:
            raise _damaged(source, name, "it is there twice or out of order, or there are too many")
        found[name] = content[:size]
        last = name
        at += padded
    if not found or data[at:] != _end(at):
        raise VerificationFailed(
            f"{source} is no whole skills cache",
            cause=f"what follows {name!r} is not the end of one" if found else "it is empty",
            hint="nothing was imported",
            code="bad-cache",
        )
    return found


def _size(header: bytes) -> int:
    """The size in a header, -1 if there is none."""
    digits = header[124:135]
    return int(digits, 8) if len(digits) == 11 and not digits.strip(b"01234567") else -1


def _body_name(side: str) -> str:
    folder = side.partition("/")[0]
    return side[: -len(META_ENDING)] + ENDINGS[folder]


def _damaged(source: str, name: str, why: str) -> VerificationFailed:
    return VerificationFailed(
        f"{source}: the entry {name[:120]!r} is refused",
        cause=why,
        hint="nothing was imported",
        code="bad-cache",
    )


def _read(path: str, limit: int) -> bytes:
    try:
        return read_plain(path, limit)[0]
    except OSError as exc:
        raise PiError(f"failed to read {path}", cause=exc.strerror or str(exc)) from exc
