"""The download cache: bodies by the address they came from, each with what is known of it.

``artifacts/`` holds skills, ``manifests/`` registries; a file is named after the SHA-256 of
the address as it was written. Beside a body lies ``<hash>.meta.json`` with its digest and
with that of its own fields, so that bytes which changed on the way to an offline machine
are seen.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat

from pi.base.errors import ConfigError, PiError
from pi.base.files import replace_file
from pi.base.typing import NamedTuple
from pi.skills import strict_json
from pi.skills.plain_files import read_plain
from pi.skills.urls import shown_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SKILL, REGISTRY = "skill", "registry"
FOLDERS = {SKILL: ("artifacts", ".bin"), REGISTRY: ("manifests", ".json")}
MAX_BODY = {SKILL: 50 * 1024 * 1024, REGISTRY: 16 * 1024 * 1024}
MAX_META = 64 * 1024
META_ENDING = ".meta.json"


class Meta(NamedTuple):
    """``url`` is as it may be shown: without what looks like a secret."""

    url: str
    sha256: str
    size: int
    fetched_unix: int
    etag: str | None = None
    last_modified: str | None = None


class Kept(NamedTuple):
    """A body from the cache. ``problem`` says why it is not what was put there; ``meta``
    is None for one that the older program kept."""

    body: bytes
    meta: Meta | None
    problem: str


class Cache:
    """A cache directory. Made when something is kept; refused when others own it.

    ``is_chosen``: the user named it. One in a project may have come with it: what a server
    says is unchanged must then not be taken from there.
    """

    def __init__(
        self,
        path: str,
        *,
        random_bytes: Callable[[int], bytes],
        now_unix: Callable[[], int],
        is_chosen: bool = True,
    ) -> None:
        self.path = path
        self._is_chosen = is_chosen
        self._random_bytes = random_bytes
        self._now_unix = now_unix

    def get(self, kind: str, url: str) -> Kept | None:
        """What is kept of ``url``, checked against its side file. Raises ConfigError if the
        directory is not to be trusted, PiError if it cannot be read."""
        check_owner(self.path)
        path = self.file(kind, url)
        try:
            body, state = read_plain(path, MAX_BODY[kind])
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise PiError(f"failed to read {path}", cause=exc.strerror or str(exc)) from exc
        if _is_foreign(state):
            return Kept(body, None, "somebody else may write the cached file")
        meta, problem = self._meta(path)
        if meta is not None:
            problem = mismatch(body, meta)
            if not self._is_chosen:
                meta = meta._replace(etag=None, last_modified=None)
        return Kept(body, meta, problem)

    def put(self, kind: str, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Keep a body that was checked. Raises PiError."""
        check_owner(self.path)
        path = self.file(kind, url)
        meta = Meta(
            shown_url(url),
            hashlib.sha256(body).hexdigest(),
            len(body),
            max(self._now_unix(), 0),
            _header(headers, "etag"),
            _header(headers, "last-modified"),
        )
        try:
            make_folders(self.path)
            replace_file(path, body, random_bytes=self._random_bytes)
            replace_file(side_file(path), encode_meta(meta), random_bytes=self._random_bytes)
        except OSError as exc:
            raise PiError(
                f"failed to cache {kind} URL {shown_url(url)!r}"
                if kind == SKILL
                else f"failed to cache registry {shown_url(url)!r}",
                cause=f"{path}: {exc.strerror or exc}",
            ) from exc

    def file(self, kind: str, url: str) -> str:
        """Where the body of ``url`` is kept."""
        folder, ending = FOLDERS[kind]
        key = hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()
        return os.path.join(self.path, folder, key + ending)

    def _meta(self, path: str) -> tuple[Meta | None, str]:
        try:
            data, _ = read_plain(side_file(path), MAX_META)
            return decode_meta(data), ""
        except FileNotFoundError:
            return None, ""
        except (OSError, ValueError) as exc:
            why = getattr(exc, "strerror", None) or exc
            return None, f"its side file {side_file(path)} cannot be read: {why}"


def check_owner(cache: str) -> None:
    """Bytes in a directory that somebody else can fill prove nothing. Raises ConfigError."""
    if not hasattr(os, "getuid"):
        return
    try:
        state = os.stat(cache)
    except OSError:
        return
    mine = state.st_uid == os.getuid()
    of_root = state.st_uid == 0 and not os.access(cache, os.W_OK)
    if not (mine or of_root) or state.st_mode & stat.S_IWOTH:
        raise ConfigError(
            f"the skills cache {cache} is not used",
            cause="somebody else may write it",
            hint="chown it to yourself, chmod go-w, or choose another --skills-cache-dir",
        )


def make_folders(cache: str) -> None:
    """The folders of a cache, nobody else's. Raises OSError."""
    os.makedirs(cache, mode=0o700, exist_ok=True)
    for folder, _ in FOLDERS.values():
        os.makedirs(os.path.join(cache, folder), mode=0o700, exist_ok=True)


def _is_foreign(state: os.stat_result) -> bool:
    """Whether somebody else could have written a file: not we, not the system's owner."""
    if not hasattr(os, "getuid"):
        return False
    return state.st_uid not in (0, os.getuid()) or bool(state.st_mode & stat.S_IWOTH)


def mismatch(body: bytes, meta: Meta) -> str:
    """Why ``body`` is not what ``meta`` was written for; "" if it is."""
    digest = hashlib.sha256(body).hexdigest()
    if len(body) != meta.size or digest != meta.sha256:
        return f"sha256 mismatch: expected {meta.sha256}, actual {digest}"
    return ""


def side_file(path: str) -> str:
    return path.rpartition(".")[0] + META_ENDING


def encode_meta(meta: Meta) -> bytes:
    document: dict[str, object] = {
        "url": meta.url,
        "sha256": meta.sha256,
        "bytes": meta.size,
        "fetched_unix": meta.fetched_unix,
        "etag": meta.etag,
        "last_modified": meta.last_modified,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False)
    document["meta_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def decode_meta(data: bytes) -> Meta:
    """Raises ValueError for what is no side file, byte for byte as it was written."""
    where = "it"
    fields = strict_json.typed_object(strict_json.parse(data), where)
    meta = Meta(
        strict_json.string(fields, "url", where),
        strict_json.string(fields, "sha256", where).lower(),
        strict_json.integer(fields, "bytes", where, strict_json.MAX_U64),
        strict_json.integer(fields, "fetched_unix", where, strict_json.MAX_U64),
        strict_json.optional_string(fields, "etag", where),
        strict_json.optional_string(fields, "last_modified", where),
    )
    if encode_meta(meta) != data:
        raise ValueError("it is not as it was written")
    return meta


def _header(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name, "")
    is_usable = 0 < len(value) <= 1000 and value.isascii() and value.isprintable()
    return value if is_usable else None
