"""Skills with the built file: found, installed, verified, locked, called. No key is needed
unless a model is asked, and results never mix with the answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.asking import bodies
from tests.cli.conftest import KEY, Pi
from tests.fakes import skill_keys as known
from tests.fakes.chat import answers, delta, finish
from tests.fakes.fault_server import FaultServer
from tests.fakes.skill_keys import OTHER_SEED, PUBLISHER_SEED, ROOT_KEY, ROOT_SEED
from tests.fakes.skill_signer import key_entry, public_key, skill_entry
from tests.fakes.skill_site import Site

D = ".pi/skills"
LOCK = f"{D}/skills.lock.json"
BODY = b"Reviewed text"
DIGEST = hashlib.sha256(BODY).hexdigest()
HEAD = "---\nname: {0}\ndescription: What {0} does.\n---\nThe body of {0}.\n"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def model() -> Iterator[FaultServer]:
    with FaultServer(answers(*[(delta("ok"), finish())] * 9)) as running:
        yield running


def write(pi: Pi, name: str, content: str | bytes) -> Path:
    path = pi.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def system(model: FaultServer, number: int = -1) -> str:
    """The system prompt of a request."""
    message = bodies(model)[number]["messages"][0]
    assert message["role"] == "system"
    return str(message["content"])


def lock(pi: Pi) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((pi.folder / LOCK).read_bytes())["entries"]
    return found


def registry(site: Site, *skills: dict[str, Any], keys: tuple[dict[str, Any], ...] = ()) -> str:
    """Serve a registry; its digest."""
    data = json.dumps({"version": 1, "keys": keys, "skills": skills}).encode()
    site.pages["/r.json"] = data
    return hashlib.sha256(data).hexdigest()


# The system prompt.


def test_c69_a_selected_skill_follows_the_system_prompt(pi: Pi, model: FaultServer) -> None:
    """C69."""
    write(pi, f"{D}/focus.md", "\nAlways use checklist\n\n")
    done = pi.ask(model.url, "--no-session", "--system-prompt", "base", "--skill", "focus")
    assert done.returncode == 0, done.stderr
    assert system(model) == "base\n\n# Skill: focus\nAlways use checklist"
    done = pi.ask(model.url, "--no-session", "--skill", "focs")
    assert done.returncode == 2
    assert "unknown skill 'focs'" in done.stderr
    assert "did you mean focus?" in done.stderr
    assert len(model.requests) == 1


def test_skills_of_a_project_are_offered_only_where_it_is_trusted(
    pi: Pi, model: FaultServer
) -> None:
    write(pi, f"{D}/review/SKILL.md", HEAD.format("review"))
    write(pi, f"{D}/plain.md", "plain text")
    pi.environ["HOME"] = str(pi.folder / "home")
    base = ("--no-session", "--system-prompt", "base")
    done = pi.ask(model.url, *base)
    assert system(model) == "base"
    assert "review" in done.stderr
    assert "--trust-project" in done.stderr
    done = pi.ask(model.url, *base, "--skill", "review,plain")
    folder = pi.folder / D / "review"
    selected = (
        f"base\n\n# Skill: review\nReferences are relative to {folder}.\n\nThe body of review."
        "\n\n# Skill: plain\nplain text"
    )
    assert system(model) == selected
    done = pi.ask(model.url, *base, "--trust-project")
    assert "not offered" not in done.stderr
    assert system(model).startswith("base\n\n")
    assert system(model).endswith(
        "\n\n<available_skills>\n  <skill>\n    <name>review</name>\n"
        "    <description>What review does.</description>\n"
        f"    <location>{folder}/SKILL.md</location>\n  </skill>\n</available_skills>"
    )
    pi.ask(model.url, *base, "--trust-project", "--no-skills")
    assert system(model) == "base"


# Installing.


def test_c70_c71_a_local_skill_is_installed_used_and_locked(pi: Pi, model: FaultServer) -> None:
    """C70, C71."""
    write(pi, "from/installable.md", "Installed text")
    install = ("--install-skill", "from/installable.md", "--skill", "installable")
    done = pi.ask(model.url, "--no-session", *install, "--skills-lock-write")
    assert done.returncode == 0, done.stderr
    assert "skills install: installed=1 updated=0 skipped=0" in done.stderr
    assert f"skills lock write: path={LOCK} entries=1" in done.stderr
    assert "skills" not in done.stdout
    assert (pi.folder / D / "installable.md").read_text("utf-8") == "Installed text"
    assert "# Skill: installable\nInstalled text" in system(model)
    (entry,) = lock(pi)
    assert json.loads((pi.folder / LOCK).read_bytes())["schema_version"] == 1
    assert (entry["file"], entry["source"]["kind"]) == ("installable.md", "local")


def test_work_on_skills_alone_needs_no_key_no_model_and_no_prompt(pi: Pi) -> None:
    write(pi, "a.md", "a")
    done = pi("--install-skill", "a.md", "--skills-lock-write", "--skills-sync", "--skills-verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:4] == [
        "skills install: installed=1 updated=0 skipped=0",
        f"skills lock write: path={LOCK} entries=1",
        f"skills sync: in-sync path={LOCK} expected_entries=1 actual_entries=1",
        f"skills verify: status=pass lock_path={LOCK} trust_root_path=none entries=1 pass=1 "
        "warn=0 fail=0",
    ]
    assert not (pi.folder / ".pi" / "sessions").exists()
    done = pi("--setup-only", "--skill", "a", stdin="ignored")
    assert (done.returncode, done.stdout) == (0, "")
    done = pi("--install-skill", "a.md", "--json")
    assert json.loads(done.stdout) == {
        "command": "skills-setup",
        "ok": True,
        "data": {"steps": ["skills install: installed=0 updated=0 skipped=1"]},
    }


def test_c72_c73_sync_passes_or_ends_with_7(pi: Pi, model: FaultServer) -> None:
    """C72, C73."""
    write(pi, f"{D}/focus.md", "focus")
    pi("--skills-lock-write")
    done = pi("--skills-sync", "--no-session", stdin="/quit\n")
    assert done.returncode == 0
    assert "skills sync: in-sync" in done.stdout
    write(pi, f"{D}/focus.md", "edited")
    for more in ((), ("--json",)):
        done = pi("--skills-sync", *more)
        assert done.returncode == 7
        assert f"skills sync drift detected: path={LOCK} expected_entries=1" in done.stderr
        assert "changed=focus.md" in done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "skills-drift"
    done = pi.ask(model.url, "--no-session", "--skills-verify")
    assert (done.returncode, done.stdout) == (7, "")
    assert "sync=changed" in done.stderr
    assert not model.requests


def test_c83_c84_c85_a_download_is_kept_and_replayed_offline(
    pi: Pi, model: FaultServer, site: Site
) -> None:
    """C83, C84, C85."""
    site.pages["/remote.md"] = BODY
    install = ("--install-skill-url", f"{site.url}/remote.md", "--install-skill-sha256", DIGEST)
    cached = (*install, "--skills-cache-dir", "cache")
    done = pi("--skills-offline", *cached)
    assert done.returncode == 1
    assert f"offline cache miss for skill URL '{site.url}/remote.md'" in done.stderr
    assert not (pi.folder / D).exists()
    done = pi.ask(model.url, "--no-session", *cached, "--skill", "remote")
    assert done.returncode == 0, done.stderr
    assert "remote skills install: installed=1 updated=0 skipped=0" in done.stderr
    assert "# Skill: remote\nReviewed text" in system(model)
    (pi.folder / D / "remote.md").unlink()
    done = pi("--skills-offline", *cached)
    assert (done.returncode, done.stderr) == (0, "")
    assert (pi.folder / D / "remote.md").read_bytes() == BODY
    assert site.asked() == 1


def test_c86_c87_c88_a_registry_is_kept_and_replayed_offline(
    pi: Pi, model: FaultServer, site: Site
) -> None:
    """C86, C87, C88."""
    site.pages["/any.md"] = BODY
    digest = registry(site, {"name": "reg", "url": f"{site.url}/any.md", "sha256": DIGEST})
    flags = ("--skill-registry-url", f"{site.url}/r.json", "--skill-registry-sha256", digest,
             "--install-skill-from-registry", "reg")  # fmt: skip
    done = pi("--skills-offline", *flags)
    assert done.returncode == 1
    assert f"offline cache miss for registry '{site.url}/r.json'" in done.stderr
    done = pi.ask(model.url, "--no-session", *flags, "--skill", "reg")
    assert done.returncode == 0, done.stderr
    assert "registry skills install: installed=1 updated=0 skipped=0" in done.stderr
    assert "# Skill: reg\nReviewed text" in system(model)
    assert (site.asked("/r.json"), site.asked("/any.md")) == (1, 1)
    (pi.folder / D / "reg.md").unlink()
    done = pi("--skills-offline", *flags)
    assert done.stdout == "registry skills install: installed=1 updated=0 skipped=0\n"
    assert site.asked() == 2


def demanding(site: Site, *more: str) -> tuple[str, ...]:
    return (
        *("--skill-registry-url", f"{site.url}/r.json", "--skill-trust-root", f"root={ROOT_KEY}"),
        *("--require-signed-skills", *more),
    )


def test_c89_c90_signed_skills_only_the_known_answers(
    pi: Pi, model: FaultServer, site: Site
) -> None:
    """C89, C90."""
    site.pages["/secure.md"] = known.SKILL
    entry = known.skill(name="secure-skill", url=f"{site.url}/secure.md")
    unsigned = {"name": "loose", "url": f"{site.url}/loose.md"}
    registry(site, entry, unsigned, keys=(known.publisher(),))
    done = pi(*demanding(site, "--install-skill-from-registry", "loose"))
    assert done.returncode == 7
    assert "'loose' is unsigned but signatures are required" in done.stderr
    assert (site.asked("/r.json"), site.asked("/loose.md")) == (1, 0)
    done = pi(*demanding(site, "--install-skill-from-registry", "secure-skill",
                         "--skills-lock-write", "--skills-verify"))  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "registry skills install: installed=1" in done.stdout
    assert "checks=sync=ok;signature=trusted key=publisher" in done.stdout
    (found,) = lock(pi)
    assert found["source"]["kind"] == "registry"
    assert found["source"]["signing_key_id"] == "publisher"
    assert found["source"]["signature_sha256"] == known.SIGNATURE_SHA256
    done = pi.ask(model.url, *demanding(site, "--no-session", "--skill", "secure-skill"))
    assert done.returncode == 0, done.stderr
    assert "# Skill: secure-skill\nsigned registry skill" in system(model)


def test_the_other_doors_are_shut_for_unsigned_skills_too(
    pi: Pi, model: FaultServer, site: Site
) -> None:
    """Installing from a path, selecting what lies there, offering it, and calling it."""
    write(pi, "local.md", "local")
    write(pi, f"{D}/review/SKILL.md", HEAD.format("review"))
    done = pi(*demanding(site, "--install-skill", "local.md"))
    assert done.returncode == 7
    assert "local.md is unsigned but signatures are required" in done.stderr
    done = pi.ask(model.url, *demanding(site, "--no-session", "--skill", "review"))
    assert done.returncode == 7
    assert "skill 'review' is not signed by a trusted key" in done.stderr
    assert not model.requests
    base = ("--no-session", "--trust-project", "--system-prompt", "base")
    done = pi.ask(model.url, *demanding(site, *base))
    assert done.returncode == 0, done.stderr
    assert system(model) == "base"
    assert "skill 'review' is left out: it is not in the lockfile" in done.stderr
    write(pi, "calls", "/skill:review\n")
    done = pi(*demanding(site, "--no-session", "--command-file", "calls"), **KEY)
    assert done.returncode == 7
    assert len(model.requests) == 1


def test_signed_skills_are_offered_and_a_changed_one_is_not(
    pi: Pi, model: FaultServer, site: Site
) -> None:
    text = HEAD.format("review").encode()
    site.pages["/review/SKILL.md"] = text
    entry = skill_entry("review", f"{site.url}/review/SKILL.md", text, "publisher", PUBLISHER_SEED)
    registry(site, entry, keys=(key_entry("publisher", PUBLISHER_SEED, "root", ROOT_SEED),))
    strict = demanding(site, "--require-signed-skills=strict")
    take = ("--install-skill-from-registry", "review", "--skills-lock-write")
    assert pi(*strict, *take).returncode == 0
    base = ("--no-session", "--trust-project", "--system-prompt", "base")
    done = pi.ask(model.url, *strict, *base)
    assert "<name>review</name>" in system(model), done.stderr
    write(pi, f"{D}/review/SKILL.md", text + b"and more\n")
    done = pi.ask(model.url, *strict, *base)
    assert system(model) == "base"
    assert "skill 'review' is left out: sync=changed" in done.stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"revoked": True}, "'review' is revoked"),
        ({"expires_unix": 1_000_000_000}, "'review' is expired"),
        ({"signature": known.CERTIFICATE}, "signature verification failed for"),
        ({"sha256": "0" * 64}, "sha256 mismatch for"),
    ],
)
def test_what_must_not_be_installed_ends_with_7_and_leaves_nothing(
    pi: Pi, site: Site, change: dict[str, Any], says: str
) -> None:
    site.pages["/review.md"] = known.SKILL
    entry = {**known.skill(url=f"{site.url}/review.md"), **change}
    registry(site, entry, keys=(known.publisher(),))
    done = pi(*demanding(site, "--install-skill-from-registry", "review"), "--skills-lock-write")
    assert done.returncode == 7
    assert says in done.stderr
    assert "signed registry skill" not in done.stderr
    assert not (pi.folder / D).exists()


# Commands. Each run is one loop that goes on after every failure.


def loop(pi: Pi, *lines: str, flags: tuple[str, ...] = ()) -> list[str]:
    """What the loop prints for these lines."""
    done = pi("--no-session", *flags, stdin="\n".join([*lines, "/quit"]) + "\n")
    return done.stdout.splitlines()


def test_c74_c75_c76_looking_at_skills(pi: Pi) -> None:
    """C74, C75, C76."""
    write(pi, f"{D}/zeta.md", "the checklist of zeta")
    write(pi, f"{D}/checklist.md", "Always")
    said = loop(
        *(pi, "/skills-list", "/skills-list x", "/skills-show checklist", "/skills-show missing"),
        *("/skills-search checklist", "/skills-search checklist 0"),
    )
    assert said[:4] == [
        f"skills list: path={D} count=2",
        "skill: name=checklist file=checklist.md",
        "skill: name=zeta file=zeta.md",
        "usage: /skills-list",
    ]
    assert said[4:7] == [
        f"skills show: path={D} name=checklist file=checklist.md content_bytes=6",
        "---",
        "Always",
    ]
    text = "\n".join(said)
    assert "error=unknown skill 'missing'" in text
    assert "matched=2 shown=2" in text
    assert text.index("match=name") < text.index("match=content")
    assert "max_results must be greater than zero" in text


def test_c77_c82_comparing_with_the_lockfile(pi: Pi) -> None:
    """C77, C81, C82."""
    write(pi, f"{D}/focus.md", "focus")
    said = loop(
        *(pi, "/skills-lock-write", "/skills-lock-write other.json", f"/skills-lock-write {D}"),
        *("/skills-lock-diff", "/skills-lock-diff other.json --json", "/skills-lock-diff a b"),
        *("/skills-sync", "/skills-sync other.json"),
    )
    assert said[0] == f"skills lock write: path={LOCK} entries=1"
    assert said[1] == "skills lock write: path=other.json entries=1"
    assert said[2].startswith(f"skills lock write error: path={D} error=")
    assert said.pop(3) == "hint: --skills-lock-file names the file"
    counts = "expected_entries=1 actual_entries=1"
    assert said[3] == f"skills lock diff: in-sync path={LOCK} {counts}"
    found = json.loads(said[4])
    assert (found["status"], found["in_sync"]) == ("in_sync", True)
    assert said[5] == "usage: /skills-lock-diff [lockfile_path] [--json]"
    assert said[6:] == [
        f"skills sync: in-sync path={path} {counts}" for path in (LOCK, "other.json")
    ]
    write(pi, f"{D}/focus.md", "edited")
    said = loop(pi, "/skills-sync", "/skills-list")
    assert said[0].startswith("skills sync: drift ")
    assert "changed=focus.md" in said[0]
    assert said[1] == "hint: pi --skills-sync --install-missing installs them anew"
    assert said[2].startswith("skills list:")
    write(pi, "commands", "/skills-sync\n")
    assert pi("--no-session", "--command-file", "commands").returncode == 7


def test_c78_c79_c80_pruning(pi: Pi) -> None:
    """C78, C79, C80."""
    write(pi, f"{D}/tracked.md", "tracked")
    assert "error=failed to read skills lockfile" in loop(pi, "/skills-prune")[0]
    pi("--skills-lock-write")
    stale = write(pi, f"{D}/stale.md", "stale")
    said = loop(pi, "/skills-prune")
    assert "mode=dry-run" in said[0]
    assert said[1] == "prune: file=stale.md action=would_delete"
    text = (pi.folder / LOCK).read_text("utf-8")
    write(pi, LOCK, text.replace("tracked.md", "../escape.md"))
    line, hint = loop(pi, "/skills-prune --apply")
    assert "unsafe lockfile entry '../escape.md'" in line
    assert "move it away: pi --skills-lock-write then makes a new one" in hint
    assert stale.exists()
    write(pi, LOCK, text)
    write(pi, "commands", "/skills-prune --apply --yes\n")
    done = pi("--no-session", "--command-file", "commands")
    assert "prune: file=stale.md action=delete" in done.stdout, done.stderr
    assert "prune: file=stale.md status=deleted" in done.stdout
    assert "skills prune result: mode=apply deleted=1 failed=0" in done.stdout
    assert not stale.exists()
    assert (pi.folder / D / "tracked.md").exists()


def test_c91_c92_c93_c94_trusted_keys(pi: Pi) -> None:
    """C91, C92, C93, C94."""
    flags = ("--skill-trust-root-file", "trust.json")
    other, third = public_key(OTHER_SEED), public_key(b"\x0e" * 32)
    roots = [
        {"id": "zeta", "public_key": ROOT_KEY, "expires_unix": 1},
        {"id": "beta", "public_key": other, "revoked": True, "rotated_from": "alpha"},
        {"id": "alpha", "public_key": known.PUBLISHER_KEY},
    ]
    write(pi, "trust.json", json.dumps(roots))
    said = loop(
        *(pi, "/skills-trust-list", f"/skills-trust-add extra={third}"),
        *("/skills-trust-revoke extra", f"/skills-trust-rotate alpha:new={ROOT_KEY}"),
        *("/skills-trust-revoke missing", "/skills-trust-list"),
        flags=flags,
    )
    assert said[:4] == [
        "skills trust list: path=trust.json count=3",
        "root: id=alpha revoked=false expires_unix=none rotated_from=none status=active",
        "root: id=beta revoked=true expires_unix=none rotated_from=alpha status=revoked",
        "root: id=zeta revoked=false expires_unix=1 rotated_from=none status=expired",
    ]
    assert [line.partition(":")[0] for line in said[4:7]] == [
        *("skills trust add", "skills trust revoke", "skills trust rotate")
    ]
    assert "cannot revoke unknown trust key id 'missing'" in said[7]
    found = {one["id"]: one for one in json.loads((pi.folder / "trust.json").read_bytes())["roots"]}
    assert found["alpha"]["revoked"] is True
    assert found["new"]["rotated_from"] == "alpha"
    write(pi, "trust.json", "{")
    said = loop(pi, "/skills-trust-list", f"/skills-trust-add x={third}", flags=flags)
    assert all("failed to parse trusted root file" in line for line in (said[0], said[2]))
    (line,) = loop(pi, f"/skills-trust-add x={third}")
    assert line.startswith("skills trust add error: path=none ")


def test_trusted_keys_are_changed_by_flags_alone(pi: Pi) -> None:
    flags = ("--skill-trust-root-file", "keys/trust.json")
    done = pi(*flags, "--skill-trust-add", f"root={ROOT_KEY}")
    assert done.stdout == "skill trust store update: added=1 updated=0 revoked=0 rotated=0\n"
    before = (pi.folder / "keys" / "trust.json").read_bytes()
    for bad in (("--skill-trust-add", "x=YQ=="), ("--skill-trust-revoke", "nobody")):
        done = pi(*flags, *bad)
        assert done.returncode == 2
        assert (pi.folder / "keys" / "trust.json").read_bytes() == before
    done = pi("--skill-trust-add", f"root={ROOT_KEY}")
    assert done.returncode == 2
    assert "--skill-trust-root-file is required" in done.stderr


def test_c95_verifying(pi: Pi) -> None:
    """C95."""
    write(pi, f"{D}/focus.md", "focus")
    source = {"kind": "remote", "url": "u", "expected_sha256": None, "signing_key_id": "unknown",
              "signature": "c2ln", "signer_public_key": "YQ==",
              "signature_sha256": hashlib.sha256(b"c2ln").hexdigest()}  # fmt: skip
    entry = {"name": "focus", "file": "focus.md", "source": source,
             "sha256": hashlib.sha256(b"focus").hexdigest()}  # fmt: skip
    write(pi, LOCK, json.dumps({"schema_version": 1, "entries": [entry]}))
    write(pi, f"{D}/extra.md", "extra")
    write(pi, "trust.json", "[]")
    flags = ("--skill-trust-root-file", "trust.json")
    said = loop(pi, "/skills-verify", "/skills-verify --json", "/skills-verify a b c", flags=flags)
    assert said[0].startswith("skills verify: status=fail ")
    assert said[1].startswith("sync: expected_entries=1 actual_entries=2 ")
    assert any("signature=untrusted key=unknown" in line for line in said)
    assert json.loads(said[-2])["summary"]["status"] == "fail"
    assert said[-1] == "usage: /skills-verify [lockfile_path] [trust_root_file] [--json]"
    done = pi("--skills-verify", "--json", *flags)
    assert done.returncode == 7
    assert json.loads(done.stdout)["summary"] == {
        "entries": 2,
        "pass": 0,
        "warn": 0,
        "fail": 2,
        "status": "fail",
    }


def test_a_skill_is_called_by_its_name(pi: Pi, model: FaultServer) -> None:
    write(pi, f"{D}/review/SKILL.md", HEAD.format("review"))
    write(pi, "calls", "/skill:review\n/skill:review with care\n/skill:rview\n")
    flags = ("--api-base", model.url + "/v1", "--no-session", "--command-file", "calls")
    done = pi(*flags, "--command-file-error-mode", "continue-on-error", **KEY)
    folder = pi.folder / D / "review"
    text = (
        f'<skill name="review" location="{folder}/SKILL.md">\n'
        f"References are relative to {folder}.\n\nThe body of review.\n</skill>"
    )
    asked = [body["messages"][-1]["content"] for body in bodies(model)]
    assert asked == [text, f"{text}\n\nwith care"], done.stderr
    assert "unknown skill 'rview'" in done.stdout + done.stderr
    assert done.returncode == 2


def test_a_skill_is_judged_by_the_standard(pi: Pi) -> None:
    write(pi, "good/SKILL.md", HEAD.format("good"))
    write(pi, "bad/SKILL.md", HEAD.format("Not_Good"))
    done = pi("--skill-validate", "good")
    assert (done.returncode, done.stdout) == (0, f"{pi.folder}/good/SKILL.md is valid\n")
    done = pi("--skill-validate", "bad/SKILL.md")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    assert pi("--skill-validate", "none").returncode == 2
