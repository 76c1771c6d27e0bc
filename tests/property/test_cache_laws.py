"""Laws of the download cache: no byte of it changes unseen, carried or where it lies."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.errors import PiError, VerificationFailed
from pi.skills.cache import REGISTRY, SKILL, Cache, Meta, decode_meta, encode_meta
from pi.skills.cache_transfer import export_cache, import_cache
from tests.fakes.examples import few

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
METAS = st.builds(
    Meta,
    TEXTS,
    st.binary(min_size=32, max_size=32).map(bytes.hex),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.none() | TEXTS,
    st.none() | TEXTS,
)
BODIES = st.dictionaries(
    st.tuples(st.sampled_from([SKILL, REGISTRY]), st.sampled_from(["https://h/a", "https://h/b"])),
    st.binary(max_size=700),
    min_size=1,
    max_size=3,
)
KINDS = {(SKILL, "https://h/a"): b"# A\n", (REGISTRY, "https://h/r"): b"{}"}


def filled(path: str, bodies: dict[tuple[str, str], bytes]) -> Cache:
    cache = Cache(path, random_bytes=os.urandom, now_unix=lambda: 1_700_000_000)
    for (kind, url), body in bodies.items():
        cache.put(kind, url, body, {"etag": '"x"'})
    return cache


@given(METAS)
@settings(max_examples=few(100), deadline=None)
def test_a_side_file_is_read_back(meta: Meta) -> None:
    """decode(encode(meta)) == meta."""
    assert decode_meta(encode_meta(meta)) == meta


@given(METAS, st.data())
@settings(max_examples=few(200), deadline=None)
def test_no_byte_of_a_side_file_changes_unseen(meta: Meta, data: st.DataObject) -> None:
    """Any other byte anywhere, or a missing end, is a ValueError."""
    whole = encode_meta(meta)
    position = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[position] ^ data.draw(st.integers(1, 255))
    for damaged in (whole[:position] + bytes([flipped]) + whole[position + 1 :], whole[:position]):
        try:
            decode_meta(damaged)
        except ValueError:
            continue
        raise AssertionError(damaged)


@given(BODIES)
@settings(max_examples=few(30), deadline=None)
def test_what_is_carried_arrives(bodies: dict[tuple[str, str], bytes]) -> None:
    """Exported and imported, every body is there as it was; exported again, the file is
    the same."""
    with tempfile.TemporaryDirectory() as name:
        first, second = os.path.join(name, "1.tar"), os.path.join(name, "2.tar")
        filled(f"{name}/from", bodies)
        moved = export_cache(f"{name}/from", first, random_bytes=os.urandom)
        assert import_cache(first, f"{name}/to", random_bytes=os.urandom) == moved
        cache = filled(f"{name}/to", {})
        for (kind, url), body in bodies.items():
            kept = cache.get(kind, url)
            assert kept is not None
            assert (kept.body, kept.problem) == (body, "")
        export_cache(f"{name}/to", second, random_bytes=os.urandom)
        assert Path(first).read_bytes() == Path(second).read_bytes()


@given(st.integers(0, 10239), st.integers(1, 255))
@settings(max_examples=few(150), deadline=None)
def test_no_byte_of_what_is_carried_changes_unseen(position: int, mask: int) -> None:
    """Any other byte anywhere is refused, an entry is named, and nothing is written."""
    with tempfile.TemporaryDirectory() as name:
        filled(f"{name}/from", KINDS)
        target = os.path.join(name, "x.tar")
        export_cache(f"{name}/from", target, random_bytes=os.urandom)
        data = bytearray(Path(target).read_bytes())
        assert len(data) == 10240
        data[position] ^= mask
        Path(target).write_bytes(data)
        try:
            import_cache(target, f"{name}/to", random_bytes=os.urandom)
        except VerificationFailed as exc:
            told = exc.message + exc.cause
            assert any(part in told for part in ("'artifacts/", "'manifests/", "the entry '"))
        else:
            raise AssertionError(position)
        assert not os.path.exists(f"{name}/to")


@given(st.binary(max_size=2000))
@settings(max_examples=few(60), deadline=None)
def test_whatever_the_file_nothing_but_a_refusal_comes_of_it(data: bytes) -> None:
    """Bytes that are no export are refused as such."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "x.tar").write_bytes(data)
        try:
            import_cache(f"{name}/x.tar", f"{name}/to", random_bytes=os.urandom)
        except PiError:
            assert os.listdir(name) == ["x.tar"]
        else:
            raise AssertionError(data)


@given(st.data())
@settings(max_examples=few(80), deadline=None)
def test_no_byte_of_a_cache_changes_unseen(data: st.DataObject) -> None:
    """A body or a side file with another byte has a problem, and is not exported."""
    with tempfile.TemporaryDirectory() as name:
        cache = filled(f"{name}/c", KINDS)
        path = data.draw(st.sampled_from(sorted(Path(name, "c").rglob("*.*"))))
        content = bytearray(path.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        kept = [cache.get(kind, url) for kind, url in KINDS]
        assert sum(1 for one in kept if one is not None and one.problem) == 1
        with pytest.raises(VerificationFailed, match=path.name.partition(".")[0]):
            export_cache(cache.path, f"{name}/x.tar", random_bytes=os.urandom)
