"""What differs between the lockfile and what is installed."""

from __future__ import annotations

import hashlib

from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pi.skills.installed import Installed
    from pi.skills.lockfile import Lock, LockEntry


class Drift(NamedTuple):
    """Names of files, sorted. ``files`` names, for each changed folder, what is not as
    recorded in it."""

    expected: int
    actual: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    changed: tuple[str, ...]
    metadata: tuple[str, ...]
    files: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def in_sync(self) -> bool:
        return not (self.missing or self.extra or self.changed or self.metadata)

    def counts(self) -> str:
        return f"expected_entries={self.expected} actual_entries={self.actual}"

    def detail(self) -> str:
        """The report in one line."""
        return (
            f"{self.counts()} missing={_listed(self.missing)} extra={_listed(self.extra)} "
            f"changed={_listed(self.changed)} metadata={_listed(self.metadata, ';')}"
        )

    def as_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {
            "expected_entries": self.expected,
            "actual_entries": self.actual,
            "missing": list(self.missing),
            "extra": list(self.extra),
            "changed": list(self.changed),
            "metadata_mismatch": list(self.metadata),
        }
        if self.files:
            data["changed_files"] = {file: list(paths) for file, paths in self.files}
        return data


def compare(lock: Lock, installed: Sequence[Installed]) -> Drift:
    """Compare what should be there with what is."""
    expected = lock.by_file()
    actual = {one.file: one for one in installed}
    both = sorted(expected.keys() & actual.keys())
    changed = tuple(file for file in both if expected[file].sha256 != actual[file].sha256)
    differing = ((file, _files(expected[file], actual[file])) for file in changed)
    return Drift(
        len(expected),
        len(actual),
        tuple(sorted(expected.keys() - actual.keys())),
        tuple(sorted(actual.keys() - expected.keys())),
        changed,
        tuple(
            f"{entry.file}: {reason}"
            for entry in lock.entries
            for reason in metadata_problems(entry)
        ),
        tuple((file, paths) for file, paths in differing if paths),
    )


def metadata_problems(entry: LockEntry) -> tuple[str, ...]:
    """Where an entry contradicts itself."""
    source = entry.source
    if source["kind"] not in ("remote", "registry"):
        return ()
    found = []
    expected = (source.get("expected_sha256") or "").strip().lower()
    recorded = entry.came_sha256 or entry.sha256
    if expected and expected != recorded:
        found.append(f"expected_sha256 {expected} does not match lockfile sha256 {recorded}")
    signature, digest = source.get("signature"), source.get("signature_sha256")
    if signature is not None:
        computed = hashlib.sha256(signature.strip().encode("utf-8", "replace")).hexdigest()
        if digest is None:
            found.append("signature_sha256 missing for signed source")
        elif digest.lower() != computed:
            found.append(f"signature_sha256 {digest} does not match computed digest {computed}")
    elif digest is not None:
        found.append("signature_sha256 is present without signature")
    return tuple(found)


def _files(expected: LockEntry, actual: Installed) -> tuple[str, ...]:
    before, now = dict(expected.files), dict(actual.files)
    return tuple(
        path for path in sorted(before.keys() | now.keys()) if before.get(path) != now.get(path)
    )


def _listed(names: Iterable[str], separator: str = ",") -> str:
    return separator.join(names).replace("\n", "\\n") or "none"
