"""Fixed keys and the known answers made with them, for tests of trust and registries."""

from __future__ import annotations

import json
from typing import Any

from pi.skills.trust_store import KeySpec

NOW = 1_800_000_000

ROOT_SEED, PUBLISHER_SEED, OTHER_SEED = b"\x0b" * 32, b"\x0c" * 32, b"\x0d" * 32
ROOT_KEY = "Zr5+Myx6RTMyvZ0Kf32wVfXF7xoGraZtmLOftoEMRzo="
PUBLISHER_KEY = "C1E62bSSQBXKCQLtB5BE06xdvsIwbwaUjBDajrbjny0="
CERTIFICATE = (
    "m/Em/EqZqzvrB5JY8iDZHvPYlcOOB6IouZ4u2InbTnT8zCKUCe5n7We57p8sxFto+iZoHzQCQPyY09vOxKHPCg=="
)
SKILL = b"signed registry skill"
SKILL_SHA256 = "f3b4d1de61080ddb2b5610db04cf281fd3e64401cf7c9d6f7ff4fde6c8ed213d"
SKILL_SIGNATURE = (
    "R43PwSnE1aOaoCIpJlrZ/9gw4BpTjda+D/YnjiQFkp5Cel6RGCfTN9VbS6EFpAzPS9I0VsTogMqXGyqcdlZJDw=="
)
SIGNATURE_SHA256 = "f9ece6542d1d8e603b9359dc18f45bd2737728246f654b4428f8cb6acc4cf1f5"
SMALL_ORDER_KEY = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
OFF_CURVE_KEY = "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
URL = "https://registry.example/r/manifest.json"

ROOT = KeySpec("root", ROOT_KEY)


def publisher(**changes: Any) -> dict[str, Any]:
    """The publisher's key entry, certified by the root."""
    entry = {
        "id": "publisher",
        "public_key": PUBLISHER_KEY,
        "signed_by": "root",
        "signature": CERTIFICATE,
    }
    return without_absent({**entry, **changes})


def skill(**changes: Any) -> dict[str, Any]:
    """A skill signed by the publisher; ``name=...`` leaves a field out."""
    entry = {
        "name": "review",
        "url": "https://registry.example/review.md",
        "sha256": SKILL_SHA256,
        "signing_key": "publisher",
        "signature": SKILL_SIGNATURE,
    }
    return without_absent({**entry, **changes})


def without_absent(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not ...}


def manifest(**changes: Any) -> bytes:
    """A manifest with the publisher and its skill, but for what ``changes`` say."""
    whole = {"version": 1, "keys": [publisher()], "skills": [skill()]}
    return json.dumps(without_absent({**whole, **changes})).encode()
