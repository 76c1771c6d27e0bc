"""A registry as static files: planned from values, then written. Any web server can serve it.

    manifest.json        the manifest, with relative addresses
    manifest.json.sig    the signature of a root over it
    skills/<file>        what was given, byte for byte

Equal input makes equal files. What an earlier build revoked stays revoked: its manifest is
read, and its other keys and its revoked entries are carried over.
"""

from __future__ import annotations

import hashlib
import json
import os

from pi.base.errors import ConfigError, UsageError, VerificationFailed
from pi.base.files import replace_file
from pi.base.typing import NamedTuple
from pi.skills import base64_strict, registry
from pi.skills.archive import ENDINGS, read_archive
from pi.skills.discovery import SKILL_FILE
from pi.skills.names import name_problem
from pi.skills.plain_files import read_plain
from pi.skills.registry import KeyEntry, Manifest, SkillEntry
from pi.skills.registry_signature import render_detached
from pi.skills.resolving import check_payload, resolve_names
from pi.skills.statements import decode_public_key
from pi.skills.trust_set import TrustedKey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.skills.signing import Signer

MANIFEST = "manifest.json"
SIGNATURE = MANIFEST + ".sig"
SUFFIXES = (".md", *ENDINGS)
MAX_SOURCE_BYTES = 50 * 1024 * 1024
_CHECKED_AT = "https://registry.invalid/manifest.json"  # for the look back at the plan


class Source(NamedTuple):
    """One skill: ``file`` is its name in the registry, ending as its kind demands."""

    name: str
    file: str
    data: bytes


class Plan(NamedTuple):
    """``files`` maps relative paths to contents, None for what has to go; skills come first.
    ``dropped`` are skills of the earlier manifest that the new one does not have."""

    files: tuple[tuple[str, bytes | None], ...]
    dropped: tuple[str, ...]


class Written(NamedTuple):
    written: int
    unchanged: int
    removed: int


def source(path: str, data: bytes) -> Source:
    """The skill of a file. Raises UsageError for a name no installer would take, and PiError
    for what is no skill that can be installed."""
    file = os.path.basename(path)
    suffix = next((suffix for suffix in SUFFIXES if file.endswith(suffix)), "")
    name = file[: len(file) - len(suffix)]
    if not suffix:
        raise UsageError(f"'{path}' is no skill: it must end in {', '.join(SUFFIXES)}")
    problem = name_problem(name)
    if problem:
        raise UsageError(f"'{path}': no skill can be named '{name}'", cause=problem)
    own = _own_name(name, suffix, data, path)
    if own and own != name:
        raise UsageError(
            f"'{path}': the skill calls itself {own!r}, its file calls it '{name}'",
            hint="give both the same name: who installs it by one must not get the other",
            code="other-name",
        )
    return Source(name, file, data)


def _own_name(name: str, suffix: str, data: bytes, path: str) -> str:
    """What the skill's head says it is called, "" for nothing. Raises PiError for a folder
    that no installer would take and for a head that cannot be read."""
    from pi.skills.frontmatter import parse
    from pi.skills.items import checked, flat, from_tree
    from pi.skills.yaml_lines import FrontmatterError

    if suffix == ".md":
        text = flat(name, data, {}, path, "registry").files[""].data
    else:
        item = checked(from_tree(read_archive(data, path), {}, path, "registry", name))
        text = item.files[SKILL_FILE].data
    try:
        own = (parse(text.decode("utf-8-sig")).fields or {}).get("name")
    except FrontmatterError as exc:
        raise UsageError(f"'{path}' is no skill that can be used", cause=str(exc)) from None
    return own.strip() if isinstance(own, str) else ""


def plan_registry(
    sources: Sequence[Source],
    publisher: Signer,
    *,
    root: Signer | None = None,
    previous: Manifest | None = None,
    expires_unix: int | None = None,
    now: int,
) -> Plan:
    """What to write for these skills.

    ``root`` certifies the publisher's key and signs the manifest. Without it an earlier
    certificate stays; a publisher that has none is taken for a root itself.
    Raises UsageError, and VerificationFailed for a key that is revoked or has ended.
    """
    _refuse_same_names(sources)
    old_keys = {entry.id: entry for entry in previous.keys} if previous else {}
    old_skills = {entry.name: entry for entry in previous.skills} if previous else {}
    key = _publisher_entry(publisher, root, old_keys.pop(publisher.id, None), now)
    skills = [_skill_entry(each, publisher, old_skills, expires_unix) for each in sources]
    new_names = {each.name for each in sources}
    left = [entry for entry in old_skills.values() if entry.name not in new_names]
    skills += [entry for entry in left if entry.revoked]
    skills.sort()
    manifest = _render([key, *old_keys.values()], skills)
    signer = root or (publisher if key.signed_by is None else None)
    signature = render_detached(signer.sign_registry(manifest)) if signer else None
    _look_back(manifest, sources, signer or publisher, key, now)
    files: list[tuple[str, bytes | None]] = [
        (f"skills/{each.file}", each.data) for each in sorted(sources)
    ]
    files += [(MANIFEST, manifest), (SIGNATURE, signature)]
    return Plan(tuple(files), tuple(entry.name for entry in left if not entry.revoked))


def read_previous(folder: str) -> Manifest | None:
    """The manifest of an earlier build, if there is one. Raises RegistryError, ConfigError."""
    path = os.path.join(folder, MANIFEST)
    try:
        data, _ = read_plain(path, registry.MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ConfigError(f"failed to read '{path}'", cause=exc.strerror or str(exc)) from exc
    return registry.parse_registry(data, path)


def apply_plan(folder: str, plan: Plan, random_bytes: Callable[[int], bytes]) -> Written:
    """Make ``folder`` hold what was planned; equal files are left alone. Raises ConfigError."""
    written = unchanged = removed = 0
    path = folder
    try:
        os.makedirs(os.path.join(folder, "skills"), exist_ok=True)
        for name, data in plan.files:
            path = os.path.join(folder, *name.split("/"))
            if data is None:
                if os.path.lexists(path):
                    os.unlink(path)
                    removed += 1
            elif _holds(path, data):
                unchanged += 1
            else:
                replace_file(path, data, random_bytes=random_bytes, mode=0o644)
                written += 1
    except OSError as exc:
        raise ConfigError(f"failed to write '{path}'", cause=exc.strerror or str(exc)) from exc
    return Written(written, unchanged, removed)


def _publisher_entry(
    publisher: Signer, root: Signer | None, old: KeyEntry | None, now: int
) -> KeyEntry:
    if old is not None and base64_strict.trim(old.public_key) != publisher.public_key:
        raise UsageError(
            f"the registry knows another key under the id '{publisher.id}'",
            hint="a new key needs a new id",
        )
    if old is not None and (old.revoked or registry.is_expired(old.expires_unix, now)):
        word = "is revoked" if old.revoked else "is expired"
        raise VerificationFailed(f"key '{publisher.id}' {word} in this registry: it cannot sign")
    entry = old or KeyEntry(publisher.id, publisher.public_key)
    if root is None or root.id == publisher.id:
        return entry
    link = root.certify(publisher.id, publisher.public_key)
    return entry._replace(signed_by=link.signed_by, signature=link.signature)


def _skill_entry(
    each: Source,
    publisher: Signer,
    old_skills: Mapping[str, SkillEntry],
    expires_unix: int | None,
) -> SkillEntry:
    digest = hashlib.sha256(each.data).hexdigest()
    old = old_skills.get(each.name)
    return SkillEntry(
        each.name,
        f"skills/{each.file}",
        digest,
        publisher.id,
        publisher.sign(each.data),
        old is not None and old.revoked and old.sha256 == digest,  # other bytes are a new start
        expires_unix,
        publisher.sign_statement(each.name, each.data, expires_unix),
    )


def _render(keys: Sequence[KeyEntry], skills: Sequence[SkillEntry]) -> bytes:
    def plain(entry: KeyEntry | SkillEntry) -> dict[str, object]:
        fields = entry._asdict()
        return {
            name: value
            for name, value in fields.items()
            if value is not None and value is not False
        }

    tree = {"version": 1, "keys": [plain(key) for key in keys], "skills": list(map(plain, skills))}
    return (json.dumps(tree, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _look_back(
    data: bytes, sources: Sequence[Source], top: Signer, key: KeyEntry, now: int
) -> None:
    """Read the manifest as an installer will. Raises what the installer would."""
    manifest = registry.parse_registry(data, _CHECKED_AT)
    top_id = top.id if key.signed_by in (None, top.id) else key.id
    public_key = top.public_key if top_id == top.id else key.public_key
    roots = {top_id: TrustedKey(top_id, public_key, decode_public_key(public_key))}
    usable = {entry.name for entry in manifest.skills if not entry.revoked}
    for each in sources:
        if each.name in usable:
            found = resolve_names(manifest, [each.name], roots, now, "strict")
            check_payload(found.skills[0], each.data)


def _refuse_same_names(sources: Sequence[Source]) -> None:
    seen: set[str] = set()
    for each in sources:
        # Some file systems do not tell "A" from "a".
        if each.name.lower() in seen:
            raise UsageError(f"two sources make a skill named '{each.name}'")
        seen.add(each.name.lower())


def _holds(path: str, data: bytes) -> bool:
    if os.path.islink(path):
        return False
    try:
        return read_plain(path, len(data))[0] == data
    except OSError:
        return False
