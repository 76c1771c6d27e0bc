"""The flags about skills as one checked value. Read only by runs that have to do with them."""

from __future__ import annotations

import os
import re

from pi.base.errors import UsageError
from pi.skills.lockfile import NAME as LOCK_NAME
from pi.skills.stage_settings import SkillSettings
from pi.skills.trust_store import Changes, parse_expiry, parse_key_spec, parse_rotation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pi.cli.parse import Parsed

# A comma parts two addresses only where another one begins.
BETWEEN_URLS = re.compile(r",(?=\s*[A-Za-z][A-Za-z0-9+.-]*://)")


def build_skill_settings(parsed: Parsed) -> SkillSettings:
    """Check what a type cannot. Raises UsageError; touches nothing outside."""
    value: dict[str, Any] = parsed.values
    directory = value["--skills-dir"]
    signed = value["--require-signed-skills"]
    changes = Changes(
        tuple(parse_key_spec(text, "--skill-trust-add") for text in value["--skill-trust-add"]),
        tuple(value["--skill-trust-revoke"]),
        tuple(map(parse_rotation, value["--skill-trust-rotate"])),
        tuple(map(parse_expiry, value["--skill-trust-expires"])),
        value["--skill-trust-replace"],
    )
    trust_file = value["--skill-trust-root-file"] or ""
    if not changes.is_empty() and not trust_file:
        raise UsageError(
            "--skill-trust-root-file is required to change trusted keys",
            hint="--skill-trust-root-file FILE; --skill-trust-add makes it",
        )
    if value["--install-skill-from-registry"] and not value["--skill-registry-url"]:
        raise UsageError(
            "--skill-registry-url is required", cause="--install-skill-from-registry was given"
        )
    return SkillSettings(
        directory=directory,
        lock_path=value["--skills-lock-file"] or os.path.join(directory, LOCK_NAME),
        cache_dir=value["--skills-cache-dir"] or os.path.join(directory, ".cache"),
        cache_is_chosen=bool(value["--skills-cache-dir"]) or parsed.given("--skills-dir"),
        paths=value["--install-skill"],
        urls=_urls(value),
        registry_url=(value["--skill-registry-url"] or "").strip(),
        registry_sha256=(value["--skill-registry-sha256"] or "").strip(),
        names=value["--install-skill-from-registry"],
        overwrite=value["--skills-overwrite"],
        allow_http=value["--skills-allow-http"],
        offline=value["--skills-offline"],
        cache_export=value["--skills-cache-export"] or "",
        cache_import=value["--skills-cache-import"] or "",
        roots=tuple(
            parse_key_spec(text, "--skill-trust-root") for text in value["--skill-trust-root"]
        ),
        trust_file=trust_file,
        changes=changes,
        signed="strict" if signed == "strict" else "signed" if signed else "",
        signed_registry=value["--require-signed-registry"],
        lock_write=value["--skills-lock-write"],
        lock_accept=value["--skills-lock-accept"],
        sync=value["--skills-sync"],
        install_missing=value["--install-missing"],
        verify=value["--skills-verify"],
        strict=value["--strict"],
    )


def _urls(value: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Addresses with their digests, "" where none were given at all."""
    urls = [
        url.strip()
        for given in value["--install-skill-url"]
        for url in BETWEEN_URLS.split(given)
        if url.strip()
    ]
    digests = value["--install-skill-sha256"]
    if digests and len(digests) != len(urls):
        raise UsageError(
            f"--install-skill-url was given {len(urls)} times and --install-skill-sha256 "
            f"{len(digests)} times",
            hint="give a digest for each address, in the same order, or none at all",
        )
    return tuple(zip(urls, digests or [""] * len(urls)))
