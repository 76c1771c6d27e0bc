"""The cache as one file: made the same each time, and taken over whole or not at all."""

from __future__ import annotations

import io
import os
import re
import tarfile
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, PiError, VerificationFailed
from pi.skills.cache import REGISTRY, SKILL, Cache, side_file
from pi.skills.cache_transfer import Moved, export_cache, import_cache

BODIES = {
    (SKILL, "https://h/a.md"): b"# A\n",
    (SKILL, "https://h/b.md"): b"x" * 512,
    (SKILL, "https://h/empty"): b"",
    (REGISTRY, "https://h/r.json"): b"{}",
}


def filled(path: Path) -> Cache:
    cache = Cache(str(path), random_bytes=os.urandom, now_unix=lambda: 1_700_000_000)
    for (kind, url), body in BODIES.items():
        cache.put(kind, url, body, {})
    return cache


def exported(folder: Path) -> bytes:
    target = folder / "out.tar"
    export_cache(filled(folder / "from").path, str(target), random_bytes=os.urandom)
    return target.read_bytes()


def imported(folder: Path, data: bytes) -> Moved:
    source = folder / "in.tar"
    source.write_bytes(data)
    return import_cache(str(source), str(folder / "to"), random_bytes=os.urandom)


def refused(folder: Path, data: bytes) -> VerificationFailed:
    """The failure of an import, which writes nothing."""
    with pytest.raises(VerificationFailed) as caught:
        imported(folder, data)
    assert not (folder / "to").exists()
    assert str(folder / "in.tar") in caught.value.message
    assert caught.value.hint == "nothing was imported"
    return caught.value


def test_what_is_exported_comes_back_in_another_place(tmp_path: Path) -> None:
    size = sum(map(len, BODIES.values()))
    data = exported(tmp_path)
    assert imported(tmp_path, data) == Moved(4, size)
    cache = Cache(str(tmp_path / "to"), random_bytes=os.urandom, now_unix=lambda: 0)
    before = Cache(str(tmp_path / "from"), random_bytes=os.urandom, now_unix=lambda: 0)
    for kind, url in BODIES:
        assert cache.get(kind, url) == before.get(kind, url)
    assert imported(tmp_path, data) == Moved(4, size)  # once more does no harm


def test_equal_caches_give_equal_files_that_any_tar_reads(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    data = exported(tmp_path / "one")
    assert data == exported(tmp_path / "two")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
        assert [one.name for one in members] == sorted(one.name for one in members)
        assert len(members) == 8
        assert {(one.mtime, one.uid, one.mode) for one in members} == {(0, 0, 0o644)}


def test_a_body_without_a_side_file_gets_one(tmp_path: Path) -> None:
    cache = filled(tmp_path / "from")
    os.unlink(side_file(cache.file(SKILL, "https://h/a.md")))
    target = tmp_path / "out.tar"
    assert export_cache(cache.path, str(target), random_bytes=os.urandom).entries == 4
    imported(tmp_path, target.read_bytes())
    kept = Cache(str(tmp_path / "to"), random_bytes=os.urandom, now_unix=lambda: 0).get(
        SKILL, "https://h/a.md"
    )
    assert kept is not None
    assert kept.meta is not None


def test_a_damaged_cache_is_not_exported(tmp_path: Path) -> None:
    cache = filled(tmp_path / "from")
    path = Path(cache.file(SKILL, "https://h/a.md"))
    target = str(tmp_path / "out.tar")
    path.write_bytes(b"# B\n")
    with pytest.raises(VerificationFailed, match=re.escape(str(path))):
        export_cache(cache.path, target, random_bytes=os.urandom)
    path.write_bytes(b"# A\n")
    Path(side_file(str(path))).write_text("{", encoding="utf-8")
    with pytest.raises(VerificationFailed, match=re.escape(str(path))):
        export_cache(cache.path, target, random_bytes=os.urandom)
    assert not os.path.lexists(target)


def test_an_export_says_what_it_cannot_do(tmp_path: Path) -> None:
    target = tmp_path / "out.tar"
    with pytest.raises(PiError, match="there is nothing in the skills cache"):
        export_cache(str(tmp_path / "none"), str(target), random_bytes=os.urandom)
    cache = filled(tmp_path / "from")
    target.symlink_to("nowhere")
    with pytest.raises(PiError, match="is already there"):
        export_cache(cache.path, str(target), random_bytes=os.urandom)
    with pytest.raises(PiError, match="failed to write"):
        export_cache(cache.path, str(tmp_path / "no" / "out.tar"), random_bytes=os.urandom)


def test_an_import_says_what_it_cannot_read_or_write(tmp_path: Path) -> None:
    with pytest.raises(PiError, match="failed to read"):
        import_cache(str(tmp_path / "none"), str(tmp_path / "to"), random_bytes=os.urandom)
    data = exported(tmp_path)
    (tmp_path / "to").write_text("a file", encoding="utf-8")
    with pytest.raises(PiError, match="failed to write"):
        imported(tmp_path, data)
    (tmp_path / "to").unlink()
    (tmp_path / "to").mkdir()
    (tmp_path / "to").chmod(0o777)
    with pytest.raises(ConfigError, match="is not used"):
        imported(tmp_path, data)


def member(
    name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> bytes:
    """A tar of one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        info.mode = 0o644
        info.type = kind
        info.linkname = link
        archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


KEY = "a" * 64


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (member("../../etc/passwd"), "'../../etc/passwd' is refused"),
        (member("/etc/passwd"), "'/etc/passwd' is refused"),
        (member(f"artifacts/{KEY}.json"), f"artifacts/{KEY}.json"),
        (member(f"artifacts/{KEY}.BIN"), f"artifacts/{KEY}.BIN"),
        (member(f"artifacts/{KEY}.bin\n"), "is refused"),
        (member(f"artifacts/{KEY}.bin"), "it has no side file"),
        (member(f"artifacts/{KEY}.meta.json"), "the body it tells of is missing"),
        (member(f"artifacts/{KEY}.bin", b"", tarfile.SYMTYPE, "/etc/passwd"), "head is damaged"),
        (member(f"artifacts/{KEY}.bin", b"", tarfile.LNKTYPE, "x"), "its head is damaged"),
        (member(f"artifacts/{KEY}.bin", b"", tarfile.FIFOTYPE), "its head is damaged"),
        (b"", "it is empty"),
        (bytes(10240), "it is empty"),
        (b"\x1f\x8b" + bytes(600), "it is no part of a skills cache"),
        (b"x" * 513, "it is no part of a skills cache"),
    ],
)  # fmt: skip
def test_what_no_export_writes_is_refused_by_name(tmp_path: Path, data: bytes, says: str) -> None:
    error = refused(tmp_path, data)
    assert says in f"{error.message} {error.cause}"


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    data = exported(tmp_path)
    for length in (1, 511, 512, 1024, 3000, len(data) - 1024, len(data) - 1):
        refused(tmp_path, data[:length])
    refused(tmp_path, data + bytes(512))


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    data = exported(tmp_path)
    first = data[:1024]
    assert "it is there twice" in refused(tmp_path, first + data).cause


def test_a_link_in_the_place_of_a_folder_of_the_cache_leads_nowhere_new(tmp_path: Path) -> None:
    """Whoever made the link could have put the files there; but nothing is overwritten."""
    data = exported(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine", encoding="utf-8")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "artifacts").symlink_to(outside)
    imported(tmp_path, data)
    assert (outside / "mine").read_text("utf-8") == "mine"
