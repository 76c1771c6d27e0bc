"""Archives that are skills, and archives that mean harm."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from typing import Any

import pytest

from pi.base.errors import PiError
from pi.skills.archive import MAX_MEMBERS, File, is_archive, read_archive

HEAD = b"---\nname: x\ndescription: d\n---\n"


def make_zip(*members: tuple[str, bytes], mode: int = 0o644) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def make_tar(*members: tuple[str, bytes], mode: str = "w:gz", **fields: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for field, value in fields.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_the_one_folder_with_a_skill_is_read(make: Any) -> None:
    data = make(("x/SKILL.md", HEAD), ("x/scripts/run.sh", b"#!"), ("x/.DS_Store", b""))
    found = read_archive(data, "a")
    assert found.name == "x"
    assert sorted(found.files) == ["SKILL.md", "scripts/run.sh"]
    assert found.files["SKILL.md"].data == HEAD


def test_a_skill_may_lie_at_the_top_or_deeper() -> None:
    assert read_archive(make_zip(("SKILL.md", HEAD)), "a").name == ""
    deep = read_archive(make_tar(("./repo/skills/x/SKILL.md", HEAD), ("./repo/README", b"")), "a")
    assert (deep.name, list(deep.files)) == ("x", ["SKILL.md"])


def test_a_skill_inside_a_skill_belongs_to_it() -> None:
    data = make_zip(("x/SKILL.md", HEAD), ("x/y/SKILL.md", HEAD))
    assert sorted(read_archive(data, "a").files) == ["SKILL.md", "y/SKILL.md"]


def test_only_the_owners_right_to_execute_is_kept() -> None:
    data = make_zip(("x/SKILL.md", HEAD), mode=0o4711)
    assert read_archive(data, "a").files["SKILL.md"] == File(HEAD, True)


def link(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


SKILL = ("x/SKILL.md", HEAD)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (make_zip(SKILL, ("../up", b"")), "leads elsewhere"),
        (make_zip(SKILL, ("/abs", b"")), "an absolute path"),
        (make_zip(SKILL, ("c:/abs", b"")), "an absolute path"),
        (make_zip(SKILL, ("x\\..\\up", b"")), "a backslash"),
        (make_zip(SKILL, ("x/skill.MD", b"")), "clashes with 'x/SKILL.md'"),
        (make_zip(SKILL, ("X/other", b""), ("x", b"")), "clashes with 'x'"),
        (make_zip(SKILL, ("x/ﬁle", b""), ("x/file", b"")), "clashes with 'x/ﬁle'"),
        (make_zip(SKILL, ("x/a\nb", b"")), "cannot be printed"),
        (make_zip(SKILL, ("x/" + "n" * 300, b"")), "too long"),
        (make_zip(SKILL, ("y/SKILL.md", HEAD)), "it holds 2 skills"),
        (make_zip(("x/README.md", b"")), "there is no SKILL.md"),
        (link("x/SKILL.md"), "is a link"),
        (make_tar(SKILL, type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link"),
        (make_tar(SKILL, type=tarfile.LNKTYPE, linkname="/etc/passwd"), "is a link"),
        (make_tar(SKILL, type=tarfile.CHRTYPE), "is a special file"),
        (make_tar(SKILL, type=tarfile.FIFOTYPE), "is a special file"),
        (make_tar(SKILL, ("../up", b"")), "leads elsewhere"),
        (make_tar(SKILL, ("/abs", b"")), "an absolute path"),
        (make_tar(SKILL, ("X/SKILL.md", b"")), "clashes"),
        (make_tar(SKILL, SKILL), "clashes"),
        (make_zip(SKILL, ("x/big", bytes(51 << 20))), "unpacks to more than"),
        (make_tar(SKILL, ("x/big", bytes(80 << 20))), "unpacks to more than"),
        (make_zip(*[(f"x/{n}", b"") for n in range(1002)]), "unpacks to more than 1000 files"),
        (make_zip(*[(f"d{n}/", b"") for n in range(MAX_MEMBERS + 1)]), "more than 20000 members"),
        (make_tar(SKILL)[:-30], "no archive that can be read"),
        (make_zip(SKILL)[:-30], "no archive that can be read"),
        (b"", "no archive that can be read"),
        (b"PK\x03\x04" + bytes(100), "no archive that can be read"),
        (b"hello" * 300, "no archive that can be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_means_harm_is_refused_with_its_reason(data: bytes, words: str) -> None:
    with pytest.raises(PiError) as caught:
        read_archive(data, "evil")
    assert words in caught.value.message
    assert caught.value.hint == "nothing was installed"


def test_a_zip_that_lies_about_a_size_is_refused() -> None:
    data = bytearray(make_zip(SKILL, ("x/a", b"A" * 1000)))
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"x/a"))
    data[place + 24 : place + 28] = (10).to_bytes(4, "little")
    with pytest.raises(PiError):
        read_archive(bytes(data), "evil")


@pytest.mark.parametrize("name", ["a.skill", "a.zip", "a.tar.gz", "a.TGZ"])
def test_archives_are_known_by_their_ending(name: str) -> None:
    assert is_archive(name)
    assert not is_archive("a.md")
