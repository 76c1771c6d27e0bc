"""From paths, addresses, registries and lockfiles to installed skills, with real downloads."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.base.errors import UsageError, VerificationFailed
from tests.fakes import skill_keys as known
from tests.fakes.skill_keys import OTHER_SEED, PUBLISHER_SEED, ROOT_KEY, ROOT_SEED
from tests.fakes.skill_runs import SkillRuns, told
from tests.fakes.skill_signer import key_entry, public_key, registry_signature, skill_entry
from tests.fakes.skill_site import Page, Site

BODY = b"# Review\n"
DIGEST = hashlib.sha256(BODY).hexdigest()
HEAD = "---\nname: {}\ndescription: Does it.\n---\nbody\n"
TRUST = ("--skill-trust-root", f"root={ROOT_KEY}")
PUBLISHER = key_entry("publisher", PUBLISHER_SEED, "root", ROOT_SEED)


@pytest.fixture
def runs(tmp_path: Path) -> SkillRuns:
    return SkillRuns(tmp_path)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", "/")), text)
    return out.getvalue()


def serve(site: Site, *skills: dict[str, Any], **more: Any) -> tuple[str, ...]:
    """Put a registry on the site; the flags that name it."""
    document = {"version": 1, "keys": [PUBLISHER], "skills": list(skills), **more}
    site.pages["/r.json"] = json.dumps(document).encode()
    return ("--skill-registry-url", site.url + "/r.json")


def signed(site: Site, name: str = "review", data: bytes = BODY, **more: Any) -> dict[str, Any]:
    """Put a skill on the site that the publisher signed; its entry."""
    site.pages[f"/{name}.md"] = data
    url = more.pop("url", f"{site.url}/{name}.md")
    return skill_entry(name, url, data, "publisher", PUBLISHER_SEED, **more)


def take(*names: str) -> tuple[str, ...]:
    return ("--install-skill-from-registry", ",".join(names))


def test_keys_are_trusted_only_if_the_skills_could_be_written(runs: SkillRuns) -> None:
    """A folder in the way is found when everything is written; then nothing has changed."""
    path = str(runs.folder / "trust.json")
    flags = ("--skill-trust-root-file", path, "--skill-trust-add", f"root={ROOT_KEY}")
    source = runs.file("review.md", BODY)
    runs.skills.mkdir()
    (runs.skills / "review.md").mkdir()
    assert "failed to install skill" in runs.refused("--install-skill", source, *flags).message
    assert not (runs.folder / "trust.json").exists()
    (runs.skills / "review.md").rmdir()
    assert any("update: added=1" in line for line in runs("--install-skill", source, *flags))
    assert (runs.folder / "trust.json").exists()


# Addresses.


def test_addresses_are_installed_under_their_last_part(runs: SkillRuns, site: Site) -> None:
    site.pages.update({"/x/review/": BODY, "/b.md?v=1,2": b"b", "/d/SKILL.md": b""})
    site.pages["/d/SKILL.md"] = HEAD.format("deploy").encode()
    site.pages["/e/tools.zip"] = zipped(tools__SKILL=".md")
    site.pages["/e/tools.zip"] = zipped(**{"tools__SKILL.md": HEAD.format("tools")})
    urls = [site.url + path for path in ("/x/review/", "/b.md?v=1,2", "/d/SKILL.md")]
    said = runs(
        *("--install-skill-url", urls[0]),
        *("--install-skill-url", f"{urls[1]},{urls[2]}"),
        *("--install-skill-url", site.url + "/e/tools.zip", "--skills-lock-write"),
    )
    assert said == [
        "remote skills install: installed=4 updated=0 skipped=0",
        f"skills lock write: path={runs.lock} entries=4",
    ]
    assert sorted(runs.tree()) == [
        *("b.md", "deploy/SKILL.md", "review.md", "skills.lock.json", "tools/SKILL.md")
    ]
    entries = {one["file"]: one["source"] for one in json.loads(runs.lock.read_bytes())["entries"]}
    assert entries["review.md"]["url"] == urls[0]
    assert entries["review.md"]["expected_sha256"] is None
    assert "artifact_sha256" in entries["tools/SKILL.md"]
    assert "artifact_sha256" not in entries["deploy/SKILL.md"]


@pytest.mark.parametrize(
    "path", ["/%2e%2e%2fx.md", "/.hidden.md", "/con.md", "/a%00.md", "/%ff.md"]
)
def test_addresses_with_no_proper_name_are_refused_unasked(
    runs: SkillRuns, site: Site, path: str
) -> None:
    error = runs.refused("--install-skill-url", site.url + path)
    assert site.url + path in told(error) or site.url in told(error)
    assert (error.exit_code, site.asked()) == (2, 0)


def test_digests_belong_to_addresses_by_position(runs: SkillRuns, site: Site) -> None:
    site.pages.update({"/a.md": BODY, "/b.md": b"b"})
    urls = ("--install-skill-url", site.url + "/a.md", "--install-skill-url", site.url + "/b.md")
    error = runs.refused(*urls, "--install-skill-sha256", DIGEST)
    assert error.message == (
        "--install-skill-url was given 2 times and --install-skill-sha256 1 times"
    )
    error = runs.refused(*urls, "--install-skill-sha256", f"{DIGEST},123")
    assert "--install-skill-sha256: sha256 must be 64 hexadecimal digits" in error.message
    assert error.exit_code == 2
    assert site.asked() == 0
    error = runs.refused(*urls, "--install-skill-sha256", f"{DIGEST},{'0' * 64}")
    actual = hashlib.sha256(b"b").hexdigest()
    assert error.message == (
        f"sha256 mismatch for '{site.url}/b.md': expected {'0' * 64}, actual {actual}"
    )
    assert error.exit_code == 7
    assert not runs.skills.exists()  # neither a skill nor the cache


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a\0", "is not UTF-8 text"),
        (Page(BODY, claim=100), "failed to read skill response"),
        (Page(status=404), "with status 404"),
        (Page(b"x" * (5 * 1024 * 1024 + 1)), "is larger than 5242880 bytes"),
    ],
)
def test_one_bad_download_keeps_everything_as_it_was(
    runs: SkillRuns, site: Site, page: bytes | Page, says: str
) -> None:
    local = runs.file("local.md", "text")
    site.pages.update({"/a.md": BODY, "/b.md": page})
    error = runs.refused(
        *("--install-skill", local, "--skills-lock-write"),
        *("--install-skill-url", site.url + "/a.md", "--install-skill-url", site.url + "/b.md"),
    )
    assert says in told(error)
    assert f"{site.url}/b.md" in error.message
    assert not runs.skills.exists()


def test_secrets_of_an_address_stay_out_of_the_lockfile_and_the_cache(
    runs: SkillRuns, site: Site
) -> None:
    site.pages["/a.md?token=0123456789abcdefghij"] = BODY
    runs(
        "--install-skill-url", f"{site.url}/a.md?token=0123456789abcdefghij", "--skills-lock-write"
    )
    for path in runs.skills.rglob("*"):
        assert path.is_dir() or b"0123456789abcdefghij" not in path.read_bytes()
    (runs.skills / "a.md").unlink()
    error = runs.refused("--skills-sync", "--install-missing")
    assert error.message == "'a.md' cannot be installed again"
    assert "a secret was part of its address" in error.cause


# Registries.


def test_a_signed_skill_is_installed_with_all_that_is_known_of_it(
    runs: SkillRuns, site: Site
) -> None:
    """The known answers of the format, from the registry to the lockfile."""
    site.pages["/secure.md"] = known.SKILL
    entry = known.skill(name="secure-skill", url=f"{site.url}/secure.md")
    registry = serve(site, entry)
    said = runs(
        *(*registry, *TRUST, *take("secure-skill")),
        *("--require-signed-skills", "--skills-lock-write", "--skills-sync"),
    )
    assert said == [
        "registry skills install: installed=1 updated=0 skipped=0",
        f"skills lock write: path={runs.lock} entries=1",
        f"skills sync: in-sync path={runs.lock} expected_entries=1 actual_entries=1",
    ]
    assert runs.tree()["secure-skill.md"] == known.SKILL
    (locked,) = json.loads(runs.lock.read_bytes())["entries"]
    assert locked["source"] == {
        "kind": "registry",
        "registry_url": f"{site.url}/r.json",
        "name": "secure-skill",
        "url": f"{site.url}/secure.md",
        "expected_sha256": known.SKILL_SHA256,
        "signing_key_id": "publisher",
        "signature": known.SKILL_SIGNATURE,
        "signer_public_key": known.PUBLISHER_KEY,
        "signature_sha256": known.SIGNATURE_SHA256,
        "signer_chain": [
            {
                "id": "publisher",
                "public_key": known.PUBLISHER_KEY,
                "signed_by": "root",
                "signature": known.CERTIFICATE,
            }
        ],
    }


def test_a_registry_is_asked_for_once_where_a_digest_pins_it(runs: SkillRuns, site: Site) -> None:
    registry = serve(site, signed(site))
    data = site.pages["/r.json"]
    assert isinstance(data, bytes)
    pinned = (*registry, "--skill-registry-sha256", hashlib.sha256(data).hexdigest(), *TRUST)
    runs(*pinned, *take("review"))
    runs(*pinned, *take("review"))
    assert runs.said == ["registry skills install: installed=0 updated=0 skipped=1"]
    assert (site.asked("/r.json"), site.asked("/review.md")) == (1, 1)
    error = runs.refused(*registry, "--skill-registry-sha256", "0" * 64, *take("review"))
    assert error.message.startswith(f"registry sha256 mismatch for '{site.url}/r.json': expected 0")


NOT_SIGNED: dict[str, Any] = {"signing_key": None, "signature": None, "statement_signature": None}


@pytest.mark.parametrize(
    ("change", "more", "says"),
    [
        ({"name": "other"}, (), "registry does not contain skill 'review'"),
        ({"revoked": True}, (), "'review' is revoked"),
        ({"expires_unix": known.NOW}, (), "'review' is expired"),
        (NOT_SIGNED, ("--require-signed-skills",), "is unsigned but signatures are required"),
        ({"statement_signature": None}, ("--require-signed-skills=strict",),
         "has no statement_signature"),
        ({"signature": None}, (), "incomplete signing metadata: signing_key and signature"),
        ({"signing_key": None}, (), "incomplete signing metadata"),
        ({"signing_key": "nobody"}, (), "untrusted signing key 'nobody'"),
        ({"sha256": "12"}, (), "sha256 must be 64 hexadecimal digits"),
        ({"url": "ftp://h/x"}, (), "unsupported skill URL scheme 'ftp'"),
    ],
)  # fmt: skip
def test_what_may_not_be_installed_is_never_asked_for(
    runs: SkillRuns, site: Site, change: dict[str, Any], more: tuple[str, ...], says: str
) -> None:
    registry = serve(site, {**signed(site), **change})
    error = runs.refused(*registry, *TRUST, *take("review"), *more)
    assert says in told(error)
    assert site.asked() == site.asked("/r.json") == 1
    assert not runs.skills.exists()


def keys(**changes: Any) -> list[dict[str, Any]]:
    return [{**PUBLISHER, **changes}]


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (keys(revoked=True), "revoked signing key 'publisher'"),
        (keys(expires_unix=known.NOW - 1), "expired signing key 'publisher'"),
        (keys(signed_by=None, signature=None), "untrusted signing key 'publisher'"),
        (keys(signature=None), "incomplete signing metadata"),
        (keys(signed_by="publisher"), "untrusted signing key 'publisher'"),
        ([key_entry("publisher", PUBLISHER_SEED, "publisher", PUBLISHER_SEED)],
         "untrusted signing key 'publisher'"),
        (keys(signature=known.SKILL_SIGNATURE), "failed to verify registry key 'publisher'"),
        (keys(signature="abc"), "failed to verify registry key 'publisher'"),
        ([key_entry("publisher", OTHER_SEED, "root", ROOT_SEED)],
         "signature verification failed for"),
        ([*keys(), {"id": "root", "public_key": ROOT_KEY, "revoked": True}],
         "trusted root 'root' is revoked in registry manifest"),
        ([*keys(), {"id": "root", "public_key": ROOT_KEY, "expires_unix": 5}],
         "trusted root 'root' is expired in registry manifest"),
        ([*keys(), {"id": "root", "public_key": known.PUBLISHER_KEY}],
         "trusted root 'root' does not match registry key material"),
        ([*keys(), *keys()], "duplicate key id 'publisher'"),
        ([key_entry("middle", OTHER_SEED, "root", ROOT_SEED, revoked=True),
          key_entry("publisher", PUBLISHER_SEED, "middle", OTHER_SEED)],
         "key 'middle' above it is revoked"),
        ([key_entry("middle", OTHER_SEED, "root", ROOT_SEED, expires_unix=1),
          key_entry("publisher", PUBLISHER_SEED, "middle", OTHER_SEED)],
         "key 'middle' above it is expired"),
    ],
)  # fmt: skip
def test_a_key_that_nobody_vouches_for_installs_nothing(
    runs: SkillRuns, site: Site, entries: list[dict[str, Any]], says: str
) -> None:
    registry = serve(site, signed(site), keys=entries)
    error = runs.refused(*registry, *TRUST, *take("review"))
    assert says in told(error)
    assert error.exit_code == (1 if "duplicate" in says else 7)
    assert not runs.skills.exists()


def test_a_rotated_key_that_signs_itself_is_not_believed(runs: SkillRuns, site: Site) -> None:
    """Who took over a host can make a new key and let it vouch for itself under the old id."""
    entry = skill_entry("review", site.url + "/review.md", BODY, "root", OTHER_SEED)
    site.pages["/review.md"] = BODY
    registry = serve(site, entry, keys=[key_entry("root", OTHER_SEED, "root", OTHER_SEED)])
    error = runs.refused(*registry, *TRUST, *take("review"))
    assert "does not match registry key material" in error.message
    rotated = ("--skill-trust-root-file", str(runs.folder / "trust.json"))
    runs(*rotated, "--skill-trust-add", f"root={ROOT_KEY}")
    runs(*rotated, "--skill-trust-rotate", f"root:new={public_key(OTHER_SEED)}")
    signed_by_old = serve(site, signed(site))
    error = runs.refused(*signed_by_old, *rotated, *take("review"))
    assert "untrusted signing key 'publisher'" in error.message


@pytest.mark.parametrize("field", ["signature", "statement_signature"])
def test_a_signature_is_enforced_whatever_was_asked_for(
    runs: SkillRuns, site: Site, field: str
) -> None:
    other = skill_entry("other", "x", b"other", "publisher", PUBLISHER_SEED)
    registry = serve(site, {**signed(site), field: other[field], "sha256": None})
    error = runs.refused(*registry, *TRUST, *take("review"))
    assert error.message.startswith(f"signature verification failed for '{site.url}/review.md'")
    assert not runs.skills.exists()


def test_a_skill_served_under_another_name_is_seen(runs: SkillRuns, site: Site) -> None:
    """Its statement is over its name; and a folder's own name must be the registry's."""
    registry = serve(site, {**signed(site, "review"), "name": "deploy"})
    error = runs.refused(*registry, *TRUST, *take("deploy"))
    assert "statement: the signature does not match" in error.message
    data = zipped(**{"review__SKILL.md": HEAD.format("review")})
    site.pages["/x.zip"] = data
    entry = skill_entry("deploy", site.url + "/x.zip", data, "publisher", PUBLISHER_SEED)
    error = runs.refused(*serve(site, entry), *TRUST, *take("deploy"))
    assert "the skill calls itself 'review', the registry calls it 'deploy'" in error.message


def test_relative_addresses_begin_at_the_registry(runs: SkillRuns, site: Site) -> None:
    runs(*serve(site, signed(site, url="review.md")), *TRUST, *take("review"))
    assert runs.tree()["review.md"] == BODY


def test_a_registry_is_needed_to_take_from_one(runs: SkillRuns) -> None:
    error = runs.refused("--install-skill-from-registry", "x")
    assert "--skill-registry-url is required" in error.message
    assert "--install-skill-from-registry" in error.cause


def test_a_registry_must_be_signed_by_a_root_where_that_is_demanded(
    runs: SkillRuns, site: Site
) -> None:
    registry = (*serve(site, signed(site)), *TRUST, "--require-signed-registry")
    data = site.pages["/r.json"]
    assert isinstance(data, bytes)
    assert "with status 404" in runs.refused(*registry, *take("review")).message
    for bad in (
        registry_signature("publisher", PUBLISHER_SEED, data),
        registry_signature("root", PUBLISHER_SEED, data),
        registry_signature("root", ROOT_SEED, data + b" "),
    ):
        site.pages["/r.json.sig"] = json.dumps(bad).encode()
        assert runs.refused(*registry, *take("review")).exit_code == 7
    assert not runs.skills.exists()
    site.pages["/r.json.sig"] = json.dumps(registry_signature("root", ROOT_SEED, data)).encode()
    assert runs(*registry, *take("review"))
    assert runs(*registry, *take("review"), "--skills-offline")


def test_local_and_remote_skills_are_refused_where_signatures_are_demanded(
    runs: SkillRuns, site: Site
) -> None:
    local = runs.file("a.md", "text")
    for flags in (("--install-skill", local), ("--install-skill-url", site.url + "/a.md")):
        error = runs.refused(*flags, "--require-signed-skills")
        assert isinstance(error, VerificationFailed)
        assert f"{flags[1]} is unsigned but signatures are required" == error.message
    assert site.asked() == 0


# Again, from the lockfile.


def test_all_that_is_missing_or_changed_comes_back_from_where_it_came(
    runs: SkillRuns, site: Site
) -> None:
    data = zipped(**{"tools__SKILL.md": HEAD.format("tools"), "tools__run": "x"})
    site.pages.update({"/tools.zip": data, "/d/SKILL.md": HEAD.format("deploy").encode()})
    local = runs.file("local.md", "text")
    runs(
        *("--install-skill", local, "--install-skill-url", site.url + "/tools.zip"),
        *("--install-skill-url", site.url + "/d/SKILL.md"),
        *(*serve(site, signed(site)), *TRUST, *take("review"), "--skills-lock-write"),
    )
    before, requests = runs.tree(), site.asked()
    (runs.skills / "review.md").write_text("edited", encoding="utf-8")
    (runs.skills / "local.md").unlink()
    (runs.skills / "tools" / "run").unlink()
    (runs.skills / "deploy" / "SKILL.md").unlink()
    assert "skills sync drift detected" in runs.refused("--skills-sync").message
    said = runs("--skills-sync", "--install-missing", "--skills-offline")
    assert said[:3] == [
        "skills install: installed=1 updated=0 skipped=0",
        "remote skills install: installed=1 updated=1 skipped=0",
        "registry skills install: installed=0 updated=1 skipped=0",
    ]
    assert runs.tree() == before
    assert site.asked() == requests


def test_restoring_does_not_let_others_overwrite(runs: SkillRuns) -> None:
    path = runs.file("a.md", "text")
    runs("--install-skill", path, "--skills-lock-write")
    (runs.skills / "a.md").write_text("edited", encoding="utf-8")
    runs.file("a.md", "newer")
    error = runs.refused("--install-skill", path, "--skills-sync", "--install-missing")
    assert error.message == f"{path}: the skill 'a' is not overwritten"


def test_what_came_is_not_what_was_locked(runs: SkillRuns, site: Site) -> None:
    path = runs.file("a.md", "text")
    runs("--install-skill", path, "--skills-lock-write")
    runs.file("a.md", "other")
    (runs.skills / "a.md").unlink()
    error = runs.refused("--skills-sync", "--install-missing")
    assert "is not what the lockfile has for 'a.md'" in error.message
    assert error.exit_code == 7
    assert not (runs.skills / "a.md").exists()


def test_an_unknown_source_cannot_be_asked_again(runs: SkillRuns) -> None:
    runs.file("skills/a.md", "text")
    runs("--skills-lock-write")
    (runs.skills / "a.md").unlink()
    error = runs.refused("--skills-sync", "--install-missing")
    assert error.message == "'a.md' cannot be installed again"
    assert error.code == "unknown-source"


def test_a_lockfile_does_not_let_unsigned_skills_in(runs: SkillRuns, site: Site) -> None:
    path = runs.file("a.md", "text")
    runs("--install-skill", path, "--skills-lock-write")
    (runs.skills / "a.md").unlink()
    demanding = ("--skills-sync", "--install-missing", "--require-signed-skills", *TRUST)
    error = runs.refused(*demanding)
    assert error.message == "'a.md' of the lockfile is unsigned but signatures are required"
    runs.lock.unlink()
    runs(*serve(site, signed(site)), *TRUST, *take("review"), "--skills-lock-write")
    (runs.skills / "review.md").unlink()
    runs(*demanding)
    (runs.skills / "review.md").unlink()
    other = ("--skill-trust-root", f"other={public_key(OTHER_SEED)}")
    error = runs.refused(*demanding[:-2], *other)
    assert error.cause == "signature=untrusted key=publisher"


def lock_of(file: str, path: str, text: str) -> bytes:
    digest = hashlib.sha256(text.encode()).hexdigest()
    item = {"name": "x", "file": file, "sha256": digest, "source": {"kind": "local", "path": path}}
    return json.dumps({"schema_version": 1, "entries": [item]}).encode()


@pytest.mark.parametrize("file", [".cache.md", "con.md", "a b.md", "\u0430.md"])
def test_a_lockfile_edited_by_hand_gives_no_name_that_an_install_would_not(
    runs: SkillRuns, file: str
) -> None:
    path = runs.file("a.md", "text")
    runs.file("skills/skills.lock.json", lock_of(file, path, "text"))
    error = runs.refused("--skills-sync", "--install-missing")
    assert isinstance(error, UsageError)
    assert "a skill cannot be named" in error.message
    assert list(runs.tree()) == ["skills.lock.json"]


def test_a_lockfile_that_is_damaged_stops_the_run_before_it_writes(runs: SkillRuns) -> None:
    path = runs.file("a.md", "text")
    runs.file("skills/skills.lock.json", "{")
    for flags in (("--skills-lock-write",), ("--skills-sync",), ()):
        error = runs.refused("--install-skill", path, *flags)
        assert "failed to parse skills lockfile" in error.message
        assert list(runs.tree()) == ["skills.lock.json"]


# Order, trust, time.


def test_all_steps_in_one_run_in_their_order(runs: SkillRuns, site: Site) -> None:
    site.pages["/remote.md"] = b"remote"
    trust = str(runs.folder / "keys" / "trust.json")
    said = runs(
        *("--install-skill", runs.file("local.md", "local")),
        *("--install-skill-url", site.url + "/remote.md"),
        *("--skill-trust-root-file", trust, "--skill-trust-add", f"root={ROOT_KEY}"),
        *(*serve(site, signed(site)), *take("review")),
        *("--skills-lock-write", "--skills-sync"),
    )
    assert [line.partition(":")[0] for line in said] == [
        *("skills install", "remote skills install", "skill trust store update"),
        *("registry skills install", "skills lock write", "skills sync"),
    ]
    assert said[2] == "skill trust store update: added=1 updated=0 revoked=0 rotated=0"
    assert json.loads(Path(trust).read_bytes())["roots"][0]["id"] == "root"


def test_a_failed_install_changes_no_trusted_key(runs: SkillRuns) -> None:
    trust = str(runs.folder / "trust.json")
    runs.refused(
        *("--skill-trust-root-file", trust, "--skill-trust-add", f"root={ROOT_KEY}"),
        *("--install-skill", "no-such.md"),
    )
    assert not os.path.exists(trust)


def test_an_unwritable_cache_leaves_the_skills_alone(runs: SkillRuns, site: Site) -> None:
    site.pages["/a.md"] = BODY
    cache = runs.folder / "cache"
    cache.symlink_to("nowhere/at/all")
    error = runs.refused(
        *("--install-skill-url", site.url + "/a.md", "--skills-cache-dir", str(cache))
    )
    assert error.message == f"failed to cache skill URL '{site.url}/a.md'"
    assert not runs.skills.exists()


@pytest.mark.parametrize("now", [0, 1, 2**40])
def test_ends_are_judged_by_the_clock_as_it_is(runs: SkillRuns, site: Site, now: int) -> None:
    """Also offline, and with a clock that was never set."""
    runs.now = 5
    entry = signed(site, expires_unix=2**40)
    registry = (*serve(site, entry), *TRUST, *take("review"), "--skills-lock-write")
    runs(*registry)
    runs.now = now
    if now < 2**40:
        assert runs(*registry, "--skills-offline")
        assert runs.stage(*TRUST).verify().status == "pass"
    else:
        assert "is expired" in runs.refused(*registry, "--skills-offline").message


def test_edited_skills_are_accepted_only_by_name(runs: SkillRuns, site: Site) -> None:
    runs(*serve(site, signed(site)), *TRUST, *take("review"), "--skills-lock-write")
    (runs.skills / "review.md").write_text("edited", encoding="utf-8")
    before = runs.lock.read_bytes()
    error = runs.refused("--skills-lock-write")
    assert "'review.md' is not as the lockfile says" in error.message
    assert error.hint == "--skills-lock-accept review.md records it as it is"
    assert runs.lock.read_bytes() == before
    error = runs.refused("--skills-lock-write", "--skills-lock-accept", "revew.md")
    assert "there is no installed skill 'revew.md'" in error.message
    runs("--skills-lock-write", "--skills-lock-accept", "review.md")
    (entry,) = json.loads(runs.lock.read_bytes())["entries"]
    assert entry["source"] == {"kind": "local", "path": None}
