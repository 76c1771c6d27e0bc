"""The signature beside a registry: ``<url>.sig``, made by a root over the whole manifest.

Only a root counts here. A key that the manifest itself vouches for could vouch for a
manifest in which its own revocation is missing. Without this file (or a digest given on the
command line) whoever serves the manifest can leave revocations out of it. Pure.
"""

from __future__ import annotations

import json

from pi.base.errors import VerificationFailed
from pi.base.typing import NamedTuple
from pi.skills import strict_json
from pi.skills.registry import NAME_RULE, RegistryError, is_name
from pi.skills.statements import registry_statement, signature_problem
from pi.skills.urls import shown_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.skills.trust_set import TrustedKey

MAX_BYTES = 64 * 1024


class DetachedSignature(NamedTuple):
    key_id: str
    signature: str


def parse_detached(data: bytes, url: str) -> DetachedSignature:
    """The content of the file at ``url``. Raises RegistryError."""
    try:
        if len(data) > MAX_BYTES:
            raise strict_json.BadJson(f"is larger than {MAX_BYTES} bytes")
        fields = strict_json.typed_object(strict_json.parse(data), "the signature")
        key_id = strict_json.string(fields, "key_id", "the signature")
        if not is_name(key_id):
            raise strict_json.BadJson(f"key_id {key_id[:140]!r} must be {NAME_RULE}")
        return DetachedSignature(key_id, strict_json.string(fields, "signature", "the signature"))
    except strict_json.BadJson as exc:
        raise RegistryError(
            f"failed to parse registry signature '{shown_url(url)}'", cause=str(exc)
        ) from None


def render_detached(detached: DetachedSignature) -> bytes:
    return (json.dumps(detached._asdict(), indent=2) + "\n").encode("utf-8")


def check_registry(
    manifest: bytes, detached: DetachedSignature, roots: Mapping[str, TrustedKey], url: str
) -> None:
    """Refuse a manifest that no trusted root signed. Raises VerificationFailed."""
    root = roots.get(detached.key_id)
    if root is None:
        raise VerificationFailed(
            f"registry '{shown_url(url)}' is signed by '{detached.key_id}', "
            "which is not a trusted root",
            hint="only roots (--skill-trust-root, --skill-trust-root-file) sign registries",
            code="untrusted-registry",
        )
    problem = signature_problem(root.key, registry_statement(manifest), detached.signature)
    if problem:
        raise VerificationFailed(
            f"signature verification failed for registry '{shown_url(url)}': {problem}",
            cause=f"signed by root '{root.id}'",
            code="bad-signature",
        )
