"""The lockfile: which skills are installed, from where, with which digests.

Made of equal inputs it has equal bytes: no times, members in a fixed order, entries in the
order of their files. With flat skills only it is schema 1, which the older program reads;
a folder makes it schema 2.
"""

from __future__ import annotations

import json
import re

from pi.base.errors import VerificationFailed
from pi.base.typing import Any, NamedTuple
from pi.skills.strict_json import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = "skills.lock.json"
SCHEMAS = (1, 2)
# Nothing writes over a lockfile that cannot be read: it may be all that is known of the skills.
WAY_OUT = (
    "restore it, or move it away: pi --skills-lock-write then makes a new one of what is "
    "installed, which does not know where that came from"
)
MAX_BYTES = 32 * 1024 * 1024
DIGEST = re.compile(r"[0-9a-fA-F]{64}")
SIGNED = ("expected_sha256", "signing_key_id", "signature", "signer_public_key",
          "signature_sha256")  # fmt: skip
# What is recorded of each kind of source, in this order; null where it is not known.
SOURCES: dict[str, tuple[str, ...]] = {
    "unknown": (),
    "local": ("path",),
    "remote": ("url", *SIGNED),
    "registry": ("registry_url", "name", "url", *SIGNED),
}
# Recorded only where there is something to record.
MORE: dict[str, type] = {
    "statement_signature": str,
    "expires_unix": int,
    "signer_chain": list,
    "artifact_sha256": str,
}


class LockEntry(NamedTuple):
    """``file`` is ``NAME.md`` or ``FOLDER/SKILL.md``; ``sha256`` that of the bytes, or of the
    tree of a folder, whose ``files`` are pairs of path and digest."""

    name: str
    file: str
    sha256: str
    source: Mapping[str, Any]
    files: tuple[tuple[str, str], ...] = ()

    @property
    def is_folder(self) -> bool:
        return "/" in self.file

    @property
    def came_sha256(self) -> str:
        """The digest of the bytes it came as, those of an archive or of its one file; "" if
        that is not known."""
        artifact: str | None = self.source.get("artifact_sha256")
        if artifact or not self.is_folder:
            return (artifact or self.sha256).lower()
        return self.files[0][1] if len(self.files) == 1 else ""


class Lock(NamedTuple):
    entries: tuple[LockEntry, ...]

    def by_file(self) -> dict[str, LockEntry]:
        return {entry.file: entry for entry in self.entries}


def make_lock(entries: Iterable[LockEntry]) -> Lock:
    """A lock with its entries in their order: by the bytes of the file's name."""
    return Lock(tuple(sorted(entries, key=lambda entry: entry.file.encode())))


def render(lock: Lock) -> bytes:
    """The bytes of the file."""
    schema = 2 if any(entry.is_folder for entry in lock.entries) else 1
    document = {"schema_version": schema, "entries": [_entry(one) for one in lock.entries]}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def make_source(kind: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """A source with its members in order."""
    source: dict[str, Any] = {"kind": kind}
    source.update({field: known.get(field) for field in SOURCES[kind]})
    source.update({field: known[field] for field in MORE if known.get(field) is not None})
    return source


def parse_lock(data: bytes, path: str) -> Lock:
    """Read a lockfile. Raises VerificationFailed saying which entry is wrong and how."""

    def wrong(why: str) -> VerificationFailed:
        return VerificationFailed(
            f"skills lockfile {path}: {why}", hint=WAY_OUT, code="bad-lockfile"
        )

    document = _document(data, path)
    if not isinstance(document, dict) or not isinstance(document.get("entries"), list):
        raise wrong("expected an object with 'schema_version' and 'entries'")
    version = document.get("schema_version")
    if version not in SCHEMAS or isinstance(version, bool):
        raise VerificationFailed(
            f"unsupported skills lockfile schema_version {version!r} in {path} "
            f"(expected {' or '.join(map(str, SCHEMAS))})",
            hint=f"use a newer pi, or {WAY_OUT}",
            code="bad-lockfile",
        )
    found: dict[str, LockEntry] = {}
    for number, item in enumerate(document["entries"]):
        entry = _read_entry(item, number, wrong)
        if entry.file in found:
            raise wrong(f"duplicate entry '{entry.file}'")
        found[entry.file] = entry
    return make_lock(found.values())


def unsafe(file: str) -> str:
    """Why ``file`` cannot be the file of an installed skill; "" if it can."""
    if "\\" in file:
        return "a backslash"
    if file.startswith("/") or file[1:2] == ":":
        return "an absolute path"
    parts = file.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in file:
        return "not a plain name"
    if len(parts) > 2 or (len(parts) == 2 and parts[1] != "SKILL.md"):
        return "more than one part"
    if not file.endswith(".md"):
        return "not a .md file"
    return ""


def _document(data: bytes, path: str) -> Any:
    try:
        if len(data) > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES} bytes")
        return parse(data)
    except ValueError as exc:
        raise VerificationFailed(
            f"failed to parse skills lockfile {path}",
            cause=str(exc),
            hint=WAY_OUT,
            code="bad-lockfile",
        ) from exc


def _read_entry(item: Any, number: int, wrong: Any) -> LockEntry:
    if not isinstance(item, dict):
        raise wrong(f"entry {number} is no object")
    texts: dict[str, str] = {}
    for field in ("name", "file", "sha256"):
        value = item.get(field)
        if not isinstance(value, str):
            raise wrong(f"entry {number}: '{field}' must be a text")
        texts[field] = value
    file = texts["file"]
    if not file:
        raise wrong(f"empty file name in entry {number}")
    if not file.endswith(".md"):
        raise wrong(f"non-markdown entry '{file}'")
    if unsafe(file):
        raise wrong(f"unsafe lockfile entry '{file}': {unsafe(file)}")
    if not texts["sha256"]:
        raise wrong(f"empty sha256 of '{file}'")
    if not DIGEST.fullmatch(texts["sha256"]):
        raise wrong(f"sha256 of '{file}' is not 64 hex digits")
    source = item.get("source")
    if not isinstance(source, dict) or source.get("kind") not in SOURCES:
        known = ", ".join(SOURCES)
        raise wrong(f"source of '{file}' must be an object whose 'kind' is one of {known}")
    for field in SOURCES[source["kind"]]:
        if not isinstance(source.get(field), (str, type(None))):
            raise wrong(f"source of '{file}': '{field}' must be a text or null")
    for field, kind in MORE.items():
        value = source.get(field)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise wrong(f"source of '{file}': '{field}' is not what it must be")
    files = item.get("files", [])
    if not isinstance(files, list) or not all(map(_is_file, files)):
        raise wrong(f"files of '{file}' must be a list of path and sha256")
    pairs = tuple((one["path"], one["sha256"].lower()) for one in files)
    return LockEntry(texts["name"], file, texts["sha256"].lower(), source, pairs)


def _is_file(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("path"), str)
        and isinstance(item.get("sha256"), str)
        and DIGEST.fullmatch(item["sha256"]) is not None
    )


def _entry(entry: LockEntry) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": entry.name,
        "file": entry.file,
        "sha256": entry.sha256,
        "source": entry.source,
    }
    if entry.is_folder:
        data["files"] = [{"path": path, "sha256": digest} for path, digest in entry.files]
    return data
