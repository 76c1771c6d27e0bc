"""Carried to a machine without a network: one file, every byte of it checked."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.cli.conftest import Pi
from tests.fakes.skill_keys import PUBLISHER_SEED, ROOT_KEY, ROOT_SEED
from tests.fakes.skill_signer import key_entry, registry_signature, skill_entry
from tests.fakes.skill_site import Site

BODY = b"# Review\nLook twice.\n"
D = ".pi/skills"


class Offline:
    """Runs in a folder of its own, from which nothing can be reached."""

    def __init__(self, pi: Pi, alone: Sequence[str], folder: Path) -> None:
        self.folder = folder
        self._words = [*alone]
        self._pi = pi
        self._environ = {**pi.environ, "HOME": str(folder)}
        folder.mkdir()

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self._words, *self._pi.command(*arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.folder,
            env=self._environ,
            timeout=60,
            check=False,
            encoding="utf-8",
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done


def flags(site: Site) -> tuple[str, ...]:
    return (
        *("--skill-registry-url", f"{site.url}/r.json", "--skill-trust-root", f"root={ROOT_KEY}"),
        *("--require-signed-skills=strict", "--require-signed-registry"),
    )


TAKE = ("--install-skill-from-registry", "review,tools", "--skills-lock-write", "--skills-verify")


def serve(site: Site) -> None:
    """A registry that a root signed, of two skills that a publisher signed."""
    tools = b"---\nname: tools\ndescription: Tools.\n---\nUse the saw.\n"
    site.pages.update({"/review.md": BODY, "/tools/SKILL.md": tools})
    skills = [
        skill_entry("review", "review.md", BODY, "publisher", PUBLISHER_SEED),
        skill_entry("tools", "tools/SKILL.md", tools, "publisher", PUBLISHER_SEED),
    ]
    keys = [key_entry("publisher", PUBLISHER_SEED, "root", ROOT_SEED)]
    data = json.dumps({"version": 1, "keys": keys, "skills": skills}).encode()
    site.pages["/r.json"] = data
    site.pages["/r.json.sig"] = json.dumps(registry_signature("root", ROOT_SEED, data)).encode()


def test_verified_once_and_replayed_where_there_is_no_network(
    pi: Pi, alone: tuple[str, ...]
) -> None:
    with Site() as site:
        serve(site)
        done = pi(*flags(site), *TAKE, "--skills-cache-export", "carry.tar")
        assert done.returncode == 0, done.stderr
        asked = site.asked()
        far = Offline(pi, alone, pi.folder / "far")
        carried = str(pi.folder / "carry.tar")
        done = far("--skills-cache-import", carried)
        assert done.returncode == 0, done.stderr
        assert done.stdout == (
            f"skills cache import: path={carried} cache={D}/.cache entries=4 "
            f"bytes={sum(len(page) for page in site.pages.values() if isinstance(page, bytes))}\n"
        )
        replay = (*flags(site), *TAKE, "--skills-offline")
        done = far(*replay)
        assert done.returncode == 0, done.stderr
        assert "registry skills install: installed=2 updated=0 skipped=0" in done.stdout
        assert done.stdout.count("signature=trusted key=publisher") == 2
        for name in ("skills.lock.json", "review.md", "tools/SKILL.md"):
            assert (far.folder / D / name).read_bytes() == (pi.folder / D / name).read_bytes()
        (far.folder / D / "review.md").unlink()
        again = ("--skills-sync", "--install-missing", "--skills-offline", *flags(site))
        done = far(*again)
        assert done.returncode == 0, done.stderr
        assert (far.folder / D / "review.md").read_bytes() == BODY
        done = far("--model", "demo/tour", "-p", "hello", "--skill", "review,tools", *flags(site))
        assert done.returncode == 0, done.stderr
        assert done.stdout
        done = far(*flags(site), *TAKE)  # without --skills-offline it says what would help
        assert done.returncode == 4
        assert "a cached copy is there; --skills-offline would use it" in done.stderr
        assert site.asked() == asked


def changed(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def test_one_other_byte_in_what_was_carried_is_refused_by_name(
    pi: Pi, alone: tuple[str, ...]
) -> None:
    with Site() as site:
        serve(site)
        pi(*flags(site), *TAKE, "--skills-cache-export", "carry.tar")
    data = (pi.folder / "carry.tar").read_bytes()
    body = data.index(BODY)
    far = Offline(pi, alone, pi.folder / "far")
    key = hashlib.sha256(f"{site.url}/review.md".encode()).hexdigest()
    for position in (3, body + 5, data.index(b'"fetched_unix": 1') + 17, len(data) - 1):
        (pi.folder / "bad.tar").write_bytes(changed(data, position))
        done = far("--skills-cache-import", str(pi.folder / "bad.tar"))
        assert done.returncode == 7
        assert ".bin" in done.stderr or ".json" in done.stderr  # the entry's name
        if position == body + 5:
            assert f"the entry 'artifacts/{key}.bin' is refused" in done.stderr
        assert "nothing was imported" in done.stderr
        assert not (far.folder / D).exists()
    assert far("--skills-cache-import", str(pi.folder / "carry.tar")).returncode == 0
    for path in sorted((far.folder / D / ".cache").rglob("*.*")):
        whole = path.read_bytes()
        path.write_bytes(changed(whole, len(whole) // 2))
        done = far(*flags(site), *TAKE, "--skills-offline")
        assert done.returncode == 7, path
        assert path.name.partition(".")[0] in done.stderr
        assert not (far.folder / D / "skills.lock.json").exists()
        path.write_bytes(whole)
