"""From what the user named (paths, addresses, names in a registry) to verified skills.

Everything is read, fetched and checked here; nothing is written. A skill that the user
wants signed must come from a registry that signs it: paths and addresses prove nothing.
"""

from __future__ import annotations

import hashlib
import os

from pi.base.errors import PiError, UsageError, VerificationFailed
from pi.base.text import REDACTED
from pi.base.typing import NamedTuple
from pi.skills.archive import is_archive, read_archive
from pi.skills.base64_strict import trim
from pi.skills.cache import REGISTRY, SKILL
from pi.skills.fetch import Wanted
from pi.skills.items import (
    MAX_ARCHIVE,
    MAX_FLAT,
    Item,
    checked,
    flat,
    from_tree,
    local_item,
    stem,
    text_of,
)
from pi.skills.lock_write import recorded_path
from pi.skills.lockfile import make_source
from pi.skills.names import last_segment, name_from_url, name_problem
from pi.skills.registry import parse_registry
from pi.skills.registry_signature import check_registry, parse_detached
from pi.skills.resolving import check_payload, check_typed_sha256, resolve_names
from pi.skills.skill import judge_folder
from pi.skills.urls import check_url, shown_url, signature_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from pi.skills.fetch import Fetcher
    from pi.skills.lockfile import LockEntry
    from pi.skills.registry import Manifest
    from pi.skills.resolving import ResolvedSkill
    from pi.skills.trust_set import TrustedKey


class Demands(NamedTuple):
    """``signed`` is "", "signed" or "strict"; ``now`` is Unix time in seconds."""

    roots: Mapping[str, TrustedKey]
    now: int
    signed: str = ""
    signed_registry: bool = False


def local_items(paths: Sequence[str], lock_path: str, project: str, demands: Demands) -> list[Item]:
    """The skills at paths. Raises PiError for the first that cannot be installed."""
    found = []
    for path in paths:
        if demands.signed:
            raise _unsigned(path)
        found.append(local_item(path, recorded_path(path, lock_path, project)))
    return found


def remote_items(
    wanted: Sequence[tuple[str, str]], fetcher: Fetcher, demands: Demands
) -> list[Item]:
    """The skills at addresses, each with its digest or "". Raises PiError."""
    for url, sha256 in wanted:  # all that can be known before the first download
        check_url(url, "skill")
        if demands.signed:
            raise _unsigned(shown_url(url))
        if sha256:
            check_typed_sha256(sha256, "--install-skill-sha256")
    return [
        _remote(url, sha256, position, fetcher)
        for position, (url, sha256) in enumerate(wanted, start=1)
    ]


def registry_items(
    url: str, sha256: str, names: Sequence[str], fetcher: Fetcher, demands: Demands
) -> tuple[list[Item], tuple[str, ...]]:
    """The skills of these names in the registry at ``url``, and warnings. Raises PiError."""
    if not url:
        raise UsageError(
            "--skill-registry-url is required", cause="--install-skill-from-registry was given"
        )
    if sha256:
        check_typed_sha256(sha256, "--skill-registry-sha256")
    manifest = read_registry(url, sha256, fetcher, demands)
    resolved = resolve_names(manifest, names, demands.roots, demands.now, demands.signed)
    for skill in resolved.skills:
        why = name_problem(skill.name)
        if why:
            raise UsageError(f"a skill cannot be installed as {skill.name!r}", cause=why)
    return [_from_registry(skill, url, fetcher) for skill in resolved.skills], resolved.warnings


def read_registry(url: str, sha256: str, fetcher: Fetcher, demands: Demands) -> Manifest:
    """The manifest at ``url``, its signature checked if that is demanded. Raises PiError."""
    signed = demands.signed_registry
    wanted = Wanted(REGISTRY, url, sha256, lambda data: "", bool(sha256), is_proven=signed)
    data = fetcher.get(wanted)
    if signed:
        where = signature_url(url)
        beside = Wanted(REGISTRY, where, "", lambda data: "", False, is_proven=True)
        detached = parse_detached(fetcher.get(beside), where)
        check_registry(data, detached, demands.roots, url)
    return parse_registry(data, url)


def items_from_lock(
    entries: Iterable[LockEntry], lock_path: str, fetcher: Fetcher, demands: Demands
) -> list[Item]:
    """The skills of lock entries, from where they came; their bytes must be the locked ones.

    Raises PiError naming the first that cannot be had again.
    """
    found = []
    for entry in entries:
        item, data = _again(entry, lock_path, fetcher)
        name = entry.file.partition("/")[0] if item.is_folder else entry.file[: -len(".md")]
        item = checked(item._replace(name=name))
        _check_signature(entry, data, demands)
        if item.entry().sha256 != entry.sha256:
            raise VerificationFailed(
                f"{item.label} is not what the lockfile has for '{entry.file}'",
                cause=f"expected sha256 {entry.sha256}, actual {item.entry().sha256}",
                hint="nothing was installed",
                code="sha256-mismatch",
            )
        found.append(item._replace(source=entry.source))
    return found


def _check_signature(entry: LockEntry, data: bytes, demands: Demands) -> None:
    """Where signatures are demanded, a lock entry needs one that holds."""
    if not demands.signed:
        return
    from pi.skills.verify import PASS, Trust, signature

    trust = Trust(None, demands.roots, demands.now)
    told, status = signature(entry, trust, lambda entry: data, demands.signed)
    if status != PASS:
        refused = _unsigned(f"'{entry.file}' of the lockfile")
        refused.cause = told
        raise refused


def _remote(url: str, sha256: str, position: int, fetcher: Fetcher) -> Item:
    shown = shown_url(url)
    try:
        name, segment = name_from_url(url, position), last_segment(url, position)
    except UnicodeDecodeError as exc:
        raise UsageError(f"invalid skill URL '{shown}'", cause=str(exc)) from None
    archive = is_archive(segment)
    if not archive and segment != "SKILL.md" and name_problem(name):
        raise UsageError(f"'{shown}': a skill cannot be named {name!r}", cause=name_problem(name))
    limit = MAX_ARCHIVE if archive else MAX_FLAT
    data = fetcher.get(Wanted(SKILL, url, sha256, lambda data: "", bool(sha256), limit))
    source = make_source("remote", {"url": shown, "expected_sha256": sha256 or None})
    return _item(data, segment, name, source, shown, "remote")


def _from_registry(skill: ResolvedSkill, registry_url: str, fetcher: Fetcher) -> Item:
    shown = shown_url(skill.url)
    segment = last_segment(skill.url, 1)
    limit = MAX_ARCHIVE if is_archive(segment) else MAX_FLAT

    def check(data: bytes) -> str:
        try:
            check_payload(skill._replace(sha256=""), data)
        except VerificationFailed as exc:
            return exc.message
        return ""

    pinned = bool(skill.sha256) or skill.signer is not None
    data = fetcher.get(Wanted(SKILL, skill.url, skill.sha256, check, pinned, limit))
    signer = skill.signer
    known: dict[str, Any] = {
        "registry_url": shown_url(registry_url),
        "name": skill.name,
        "url": shown,
        "expected_sha256": skill.sha256 or None,
    }
    if signer is not None:
        signature = trim(skill.signature)
        known.update(
            signing_key_id=signer.id,
            signature=skill.signature,
            signer_public_key=signer.public_key,
            signature_sha256=hashlib.sha256(signature.encode()).hexdigest(),
            signer_chain=[link._asdict() for link in signer.chain] or None,
        )
    if skill.statement_signature:
        known.update(statement_signature=skill.statement_signature, expires_unix=skill.expires_unix)
    source = make_source("registry", known)
    return _item(data, segment, skill.name, source, shown, "registry", fixed_name=True)


def _item(
    data: bytes,
    segment: str,
    name: str,
    source: dict[str, Any],
    label: str,
    step: str,
    *,
    fixed_name: bool = False,
) -> Item:
    """Bytes that came under the name ``segment``, as a skill to install."""
    if is_archive(segment):
        source["artifact_sha256"] = hashlib.sha256(data).hexdigest()
        tree = read_archive(data, label)
        _check_own_name(tree.files["SKILL.md"].data, name if fixed_name else "", label)
        given = name if fixed_name else ""
        return checked(from_tree(tree, source, label, step, given, last=stem(segment)))
    one = flat(name, data, source, label, step)
    if segment != "SKILL.md":
        return checked(one)
    _check_own_name(data, name if fixed_name else "", label)
    found = from_tree_of_text(one)
    return checked(found._replace(name=name) if fixed_name else found)


def _check_own_name(data: bytes, name: str, label: str) -> None:
    """A folder goes by the name in its head: one that a registry serves under another
    name (``name``, "" for no registry) would pass for a skill that nobody asked for."""
    if not name:
        return
    judged = judge_folder(text_of(data, label), f"{name}/SKILL.md", "project").skill
    if judged is not None and judged.name != name:
        raise VerificationFailed(
            f"{label}: the skill calls itself {judged.name!r}, the registry calls it '{name}'",
            hint="nothing was installed",
            code="skill-refused",
        )


def from_tree_of_text(one: Item) -> Item:
    """A folder skill that is nothing but its SKILL.md; named by its head, else as it is."""
    from pi.skills.archive import Tree  # with what it needs, loaded by now

    tree = Tree("", {"SKILL.md": one.files[""]})
    named = from_tree(tree, one.source, one.label, one.step)
    return named if named.name else named._replace(name=one.name)


def _again(entry: LockEntry, lock_path: str, fetcher: Fetcher) -> tuple[Item, bytes]:
    """The skill of an entry, and the bytes it came in (b"" for a local one)."""
    source = entry.source
    kind = source["kind"]
    if kind == "local" and source.get("path"):
        path = os.path.join(os.path.dirname(os.path.abspath(lock_path)), source["path"])
        given = path if os.path.lexists(path) else source["path"]
        return local_item(given, source["path"]), b""
    url = source.get("url")
    if kind in ("remote", "registry") and url:
        if REDACTED in url:
            raise PiError(
                f"'{entry.file}' cannot be installed again",
                cause=f"a secret was part of its address, which the lockfile has as {url}",
                hint="install it once more from its address",
                code="unknown-source",
            )
        check_url(url, "skill", VerificationFailed)
        digest = entry.came_sha256
        segment = last_segment(url, 1)
        limit = MAX_ARCHIVE if is_archive(segment) else MAX_FLAT
        data = fetcher.get(Wanted(SKILL, url, digest, lambda data: "", bool(digest), limit))
        return _item(data, segment, entry.name, dict(source), shown_url(url), kind), data
    raise PiError(
        f"'{entry.file}' cannot be installed again",
        cause="the lockfile does not say where it came from",
        code="unknown-source",
    )


def _unsigned(label: str) -> VerificationFailed:
    return VerificationFailed(
        f"{label} is unsigned but signatures are required",
        hint="install it from a registry that signs it",
        code="skill-refused",
    )
