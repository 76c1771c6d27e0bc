"""A publisher's day with the built file: keys, a certificate, a registry to be served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pi.base.errors import PiError
from pi.skills.registry import parse_registry
from pi.skills.registry_signature import check_registry, parse_detached
from pi.skills.resolving import check_payload, resolve_names
from pi.skills.trust_set import trusted_roots
from pi.skills.trust_store import KeySpec
from tests.cli.conftest import Pi

pytest.importorskip("nacl")

URL = "https://registry.example/manifest.json"
KEY = ("--skill-key", "pub.key", "--skill-key-id", "acme-skills")


def test_a_registry_is_built_that_an_installer_believes(pi: Pi) -> None:
    root = json.loads(pi("--skill-keygen", "root.key", "--json").stdout)["data"]["public_key"]
    assert pi("--skill-keygen", "pub.key").stdout.startswith("path=pub.key\npublic_key=")
    (pi.folder / "review.md").write_text("# Review\n", encoding="utf-8")
    built = pi("--registry-build", "site", "review.md", *KEY, "--registry-root", "acme=root.key")
    assert built.stdout == "path=site\nskills=1\nwritten=3\nunchanged=0\nremoved=0\nsigned=true\n"
    assert built.stderr == ""
    site = pi.folder / "site"
    data = (site / "manifest.json").read_bytes()
    roots = trusted_roots([KeySpec("acme", root)], [], 0).keys
    check_registry(data, parse_detached((site / "manifest.json.sig").read_bytes(), ""), roots, URL)
    (skill,) = resolve_names(parse_registry(data, URL), ["review"], roots, 0, "strict").skills
    check_payload(skill, (site / "skills" / "review.md").read_bytes())
    with pytest.raises(PiError):
        check_payload(skill, b"# Review")
    signed = json.loads(pi("--skill-sign", "review.md", *KEY, "--json").stdout)["data"]
    entry = json.loads(data)["skills"][0]
    assert {**signed, "url": entry["url"]} == {**entry, "expires_unix": None}
    seeds = [(pi.folder / name).read_text(encoding="utf-8").strip() for name in KEY[1:2]]
    assert not any(seed in path.read_text("utf-8") for seed in seeds for path in files(site))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_certificate_is_made_where_the_root_key_is(pi: Pi) -> None:
    pi("--skill-keygen", "root.key")
    spec = "pub=C1E62bSSQBXKCQLtB5BE06xdvsIwbwaUjBDajrbjny0="
    done = pi("--skill-certify", spec, "--skill-key", "root.key", "--skill-key-id", "acme")
    fields = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert list(fields) == ["id", "public_key", "signed_by", "signature"]
    assert fields["signed_by"] == "acme"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--skill-sign", "a.md"), "--skill-sign needs --skill-key FILE and --skill-key-id ID"),
        (("--skill-sign", "a.md", "b.md"), "'b.md' is another word"),
        (("--skill-keygen", "a.key", "--skill-sign", "a.md"), "cannot be combined"),
        (("--registry-root", "a=b"), "--registry-root needs --registry-build"),
        (("--skill-sign", "a.md", *KEY), "failed to read key file 'pub.key'"),
        (("--skill-certify", "x", *KEY), "expected key_id=base64_key"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(pi: Pi, arguments: tuple[str, ...], says: str) -> None:
    done = pi(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_without_pynacl_nothing_is_written_and_the_way_is_said(pi: Pi) -> None:
    (pi.folder / "nacl").mkdir()
    (pi.folder / "nacl" / "__init__.py").write_text("raise ImportError('none here')\n", "utf-8")
    done = pi("--skill-keygen", "a.key", PYTHONPATH=str(pi.folder))
    assert (done.returncode, done.stdout) == (1, "")
    assert "signing needs PyNaCl" in done.stderr
    assert "pip install pynacl" in done.stderr
    assert not (pi.folder / "a.key").exists()
