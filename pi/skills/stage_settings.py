"""What is wanted of the work on skills, as one value."""

from __future__ import annotations

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.skills.trust_store import Changes, KeySpec


class SkillSettings(NamedTuple):
    """Paths are as they were given; ``signed`` is "", "signed" or "strict"."""

    directory: str
    lock_path: str
    cache_dir: str
    cache_is_chosen: bool
    paths: tuple[str, ...]
    urls: tuple[tuple[str, str], ...]
    registry_url: str
    registry_sha256: str
    names: tuple[str, ...]
    overwrite: bool
    allow_http: bool
    offline: bool
    cache_export: str
    cache_import: str
    roots: tuple[KeySpec, ...]
    trust_file: str
    changes: Changes
    signed: str
    signed_registry: bool
    lock_write: bool
    lock_accept: tuple[str, ...]
    sync: bool
    install_missing: bool
    verify: bool
    strict: bool
