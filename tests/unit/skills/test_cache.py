"""The download cache: names of its files, what stands beside them, and whom it believes."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, PiError
from pi.skills.cache import (
    REGISTRY,
    SKILL,
    Cache,
    Meta,
    decode_meta,
    encode_meta,
    side_file,
)

URL = "https://example.com/skills/review.md"
NAME = "e8dd95982e27d3f41c8c4d4d515d01aad7ac3d8fa95cfda2e9f6fd79d6b811d9"
BODY = b"# Review\n"
META = Meta(URL, hashlib.sha256(BODY).hexdigest(), len(BODY), 1_700_000_000, '"tag"', None)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(
        str(tmp_path / "cache"), random_bytes=os.urandom, now_unix=lambda: META.fetched_unix
    )


def test_a_body_is_kept_under_the_digest_of_its_address_as_it_was_written(cache: Cache) -> None:
    assert cache.file(SKILL, URL) == os.path.join(cache.path, "artifacts", f"{NAME}.bin")
    assert cache.file(REGISTRY, URL) == os.path.join(cache.path, "manifests", f"{NAME}.json")
    names = {cache.file(SKILL, URL + more) for more in ("", "?a", "#a", "/")}
    assert len(names) == 4


def test_the_side_file_says_where_a_body_came_from_when_and_what_it_is(cache: Cache) -> None:
    cache.put(SKILL, URL, BODY, {"etag": '"tag"', "last-modified": ""})
    path = Path(cache.file(SKILL, URL))
    assert path.read_bytes() == BODY
    side = (path.parent / f"{NAME}.meta.json").read_bytes()
    assert list(json.loads(side)) == [
        *("url", "sha256", "bytes", "fetched_unix", "etag", "last_modified", "meta_sha256")
    ]
    assert decode_meta(side) == META
    kept = cache.get(SKILL, URL)
    assert kept is not None
    assert (kept.body, kept.meta, kept.problem) == (BODY, META, "")
    assert sorted(os.listdir(path.parent)) == [f"{NAME}.bin", f"{NAME}.meta.json"]
    assert cache.get(REGISTRY, URL) is None


def test_no_secret_of_an_address_and_no_odd_header_is_written_down(cache: Cache) -> None:
    url = "https://me:pa55word@example.com/a.md?token=0123456789abcdefghij"
    cache.put(SKILL, url, BODY, {"etag": "x" * 1001, "last-modified": "\u00e9"})
    side = Path(side_file(cache.file(SKILL, url))).read_text("utf-8")
    assert "pa55word" not in side
    assert "0123456789" not in side
    assert decode_meta(side.encode())[-2:] == (None, None)


@pytest.mark.parametrize("mask", [0o022, 0o000, 0o077])
def test_nobody_else_can_write_what_is_kept_whatever_the_mask(cache: Cache, mask: int) -> None:
    before = os.umask(mask)
    try:
        cache.put(SKILL, URL, BODY, {})
    finally:
        os.umask(before)
    path = Path(cache.file(SKILL, URL))
    for made in (path, Path(side_file(str(path))), path.parent, Path(cache.path)):
        assert made.stat().st_mode & 0o022 == 0
    assert cache.get(SKILL, URL) is not None


@pytest.mark.parametrize("now", [0, -5])
def test_a_clock_that_was_never_set_does_no_harm(tmp_path: Path, now: int) -> None:
    cache = Cache(str(tmp_path / "cache"), random_bytes=os.urandom, now_unix=lambda: now)
    cache.put(SKILL, URL, BODY, {})
    kept = cache.get(SKILL, URL)
    assert kept is not None
    assert kept.problem == ""


def test_a_body_that_changed_has_a_problem(cache: Cache) -> None:
    cache.put(SKILL, URL, BODY, {})
    path = Path(cache.file(SKILL, URL))
    for body in (b"# review\n", BODY + b"\n", b""):
        path.write_bytes(body)
        kept = cache.get(SKILL, URL)
        assert kept is not None
        actual = hashlib.sha256(body).hexdigest()
        assert kept.problem == f"sha256 mismatch: expected {META.sha256}, actual {actual}"


def changed(**fields: object) -> bytes:
    return json.dumps({**json.loads(encode_meta(META)), **fields}, indent=2).encode() + b"\n"


@pytest.mark.parametrize(
    "side",
    [
        *(b"", b"{", b"[]", b"null", b"\xff", b"x" * 70_000, encode_meta(META)[:-1]),
        *(changed(bytes=-1), changed(bytes="9"), changed(sha256=None), changed(url=1)),
        *(changed(etag=1), changed(etag='"other"'), changed(fetched_unix=5), changed(more=1)),
    ],
)
def test_a_damaged_side_file_is_a_problem_that_names_it(cache: Cache, side: bytes) -> None:
    cache.put(SKILL, URL, BODY, {})
    path = Path(side_file(cache.file(SKILL, URL)))
    path.write_bytes(side)
    kept = cache.get(SKILL, URL)
    assert kept is not None
    assert kept.problem.startswith(f"its side file {path} cannot be read: ")


def test_a_body_without_a_side_file_is_taken_as_it_is(cache: Cache) -> None:
    cache.put(SKILL, URL, BODY, {})
    os.unlink(side_file(cache.file(SKILL, URL)))
    assert cache.get(SKILL, URL) == (BODY, None, "")


def test_a_file_that_others_may_write_has_a_problem(cache: Cache) -> None:
    cache.put(SKILL, URL, BODY, {})
    path = Path(cache.file(SKILL, URL))
    path.chmod(0o666)
    kept = cache.get(SKILL, URL)
    assert kept is not None
    assert kept.problem == "somebody else may write the cached file"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_somebody_else_is_not_believed(cache: Cache) -> None:
    cache.put(SKILL, URL, BODY, {})
    os.chown(cache.file(SKILL, URL), 12345, 12345)
    kept = cache.get(SKILL, URL)
    assert kept is not None
    assert kept.problem == "somebody else may write the cached file"
    os.chown(cache.path, 12345, 12345)
    with pytest.raises(ConfigError, match="is not used"):
        cache.get(SKILL, URL)


def test_a_directory_that_others_may_write_is_not_used(cache: Cache) -> None:
    cache.put(SKILL, URL, BODY, {})
    os.chmod(cache.path, 0o777)
    for use in (lambda: cache.get(SKILL, URL), lambda: cache.put(SKILL, URL, BODY, {})):
        with pytest.raises(ConfigError, match=re.escape(cache.path)) as caught:
            use()
        assert caught.value.cause == "somebody else may write it"
        assert "chmod go-w" in caught.value.hint


@pytest.mark.parametrize("what", ["folder", "fifo"])
def test_what_is_no_file_is_an_error_and_nothing_hangs(cache: Cache, what: str) -> None:
    path = Path(cache.file(SKILL, URL))
    path.parent.mkdir(parents=True)
    path.mkdir() if what == "folder" else os.mkfifo(path)
    with pytest.raises(PiError, match="failed to read") as caught:
        cache.get(SKILL, URL)
    assert str(path) in caught.value.message


def test_a_link_in_the_place_of_a_body_is_replaced_not_followed(
    cache: Cache, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text("mine", encoding="utf-8")
    path = Path(cache.file(SKILL, URL))
    path.parent.mkdir(parents=True)
    path.symlink_to(other)
    cache.put(SKILL, URL, BODY, {})
    assert other.read_text("utf-8") == "mine"
    assert path.read_bytes() == BODY


def test_a_cache_nobody_chose_gives_no_reason_to_ask_whether_it_is_still_right(
    cache: Cache,
) -> None:
    """Who brings a body along could bring the server's tag for another one too."""
    cache.put(SKILL, URL, BODY, {"etag": '"tag"'})
    kept = cache.get(SKILL, URL)
    assert kept is not None
    assert kept.meta is not None
    assert kept.meta.etag == '"tag"'
    found = Cache(cache.path, random_bytes=os.urandom, now_unix=lambda: 0, is_chosen=False).get(
        SKILL, URL
    )
    assert found is not None
    assert found.meta is not None
    assert (found.body, found.meta.etag, found.problem) == (BODY, None, "")
