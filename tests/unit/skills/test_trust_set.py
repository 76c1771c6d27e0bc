from __future__ import annotations

from typing import Any

import pytest

from pi.base.errors import ConfigError, VerificationFailed
from pi.skills.registry import Manifest, parse_registry
from pi.skills.trust_set import (
    Link,
    TrustedKey,
    TrustSet,
    recorded_key,
    trusted_keys,
    trusted_roots,
)
from pi.skills.trust_store import KeySpec, TrustRecord
from tests.fakes.skill_keys import (
    CERTIFICATE,
    NOW,
    OFF_CURVE_KEY,
    PUBLISHER_KEY,
    ROOT,
    ROOT_KEY,
    ROOT_SEED,
    SMALL_ORDER_KEY,
    URL,
    manifest,
    publisher,
)

ROOT_ENTRY = {"id": "root", "public_key": ROOT_KEY}


def parsed(*keys: dict[str, Any]) -> Manifest:
    return parse_registry(manifest(keys=list(keys), skills=[]), URL)


def trust(*keys: dict[str, Any]) -> TrustSet:
    return trusted_keys(trusted_roots([ROOT], [], NOW).keys, parsed(*keys), NOW)


# Roots


def test_roots_are_the_inline_ones_and_the_active_ones_of_the_file() -> None:
    records = [
        TrustRecord("a", PUBLISHER_KEY),
        TrustRecord("b", PUBLISHER_KEY, revoked=True),
        TrustRecord("c", PUBLISHER_KEY, expires_unix=NOW),
        TrustRecord("root", f" {ROOT_KEY} "),
    ]
    roots = trusted_roots([ROOT, ROOT], records, NOW)
    assert list(roots.keys) == ["root", "a"]
    assert roots.keys["root"].public_key == ROOT_KEY
    assert roots.warnings == ()


def test_one_id_with_two_keys_is_an_error() -> None:
    other = TrustRecord("root", PUBLISHER_KEY)
    for inline, records in (([ROOT], [other]), ([ROOT, KeySpec("root", PUBLISHER_KEY)], [])):
        with pytest.raises(ConfigError, match="duplicate trusted root id 'root'") as caught:
            trusted_roots(inline, records, NOW)
        assert "conflicting keys" in caught.value.message


def test_what_the_file_revokes_is_not_trusted_inline() -> None:
    roots = trusted_roots([ROOT], [TrustRecord("root", ROOT_KEY, revoked=True)], NOW)
    assert roots.keys == {}
    assert "'root' is revoked in the trust file" in roots.warnings[0]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("YQ==", ("trusted root public key", "32 bytes")),
        ("?", ("trusted root public key", "base64")),
        (OFF_CURVE_KEY, ("invalid trusted root key 'x'", "curve")),
        (SMALL_ORDER_KEY, ("invalid trusted root key 'x'", "small order")),
    ],
)
def test_a_root_that_can_be_none_is_an_error(key: str, says: tuple[str, str]) -> None:
    for inline, records in (([KeySpec("x", key)], []), ([], [TrustRecord("x", key)])):
        with pytest.raises(ConfigError) as caught:
            trusted_roots(inline, records, NOW)
        assert all(words in caught.value.message for words in says)


def test_a_bad_key_that_is_not_active_does_no_harm() -> None:
    assert trusted_roots([], [TrustRecord("x", "YQ==", revoked=True)], NOW).keys == {}


# Keys of a manifest


def test_a_certified_key_is_trusted_with_its_chain() -> None:
    key = trust(publisher()).keys["publisher"]
    assert key.public_key == PUBLISHER_KEY
    assert key.chain == (Link("publisher", PUBLISHER_KEY, "root", CERTIFICATE),)


@pytest.mark.parametrize(
    "changes",
    [
        {"signed_by": ..., "signature": ...},
        {"signed_by": "nobody"},
        {"signed_by": "publisher"},
        {"revoked": True},
        {"expires_unix": NOW},
    ],
)
def test_a_key_without_a_trusted_signer_or_at_its_end_is_simply_not_trusted(
    changes: dict[str, Any],
) -> None:
    found = trust(publisher(**changes))
    assert list(found.keys) == ["root"]
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"signature": ...}, ("publisher", "incomplete signing metadata")),
        ({"signed_by": None}, ("publisher", "incomplete signing metadata")),
        ({"signature": "YQ=="}, ("signature", "must decode to 64 bytes")),
        ({"signature": "?"}, ("signature", "base64")),
        ({"public_key": "YQ=="}, ("public_key", "must decode to 32 bytes")),
        ({"public_key": SMALL_ORDER_KEY}, ("public_key", "small order")),
        ({"public_key": ROOT_KEY}, ("failed to verify registry key 'publisher'", "not match")),
        ({"id": "mallory"}, ("failed to verify registry key 'mallory' signed by 'root'", "not")),
    ],
)
def test_what_is_wrong_with_a_key_is_a_warning(
    changes: dict[str, Any], says: tuple[str, str]
) -> None:
    found = trust(publisher(**changes))
    assert list(found.keys) == ["root"]
    (why,) = found.broken.values()
    assert all(words in why for words in says)
    assert found.warnings == (f"{why}: left out",)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"revoked": True}, "is revoked in registry manifest"),
        ({"expires_unix": NOW}, "is expired in registry manifest"),
        ({"public_key": PUBLISHER_KEY}, "does not match registry key material"),
    ],
)
def test_a_manifest_that_contradicts_a_root_fails_as_a_whole(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(VerificationFailed, match=f"trusted root 'root' {says}"):
        trust({**ROOT_ENTRY, **changes}, publisher())


def test_a_root_in_the_manifest_stays_a_root() -> None:
    assert trust({**ROOT_ENTRY, "public_key": f" {ROOT_KEY} "}).keys["root"].chain == ()
    assert trust({**ROOT_ENTRY, "signed_by": "x", "signature": "bad"}).broken == {}


def chain(length: int) -> list[dict[str, Any]]:
    """Keys k1, k2, ... each certified by the one before, the first by the root."""
    pytest.importorskip("nacl")
    from pi.skills.signing import Signer

    signer, entries = Signer("root", ROOT_SEED), []
    for number in range(1, length + 1):
        below = Signer(f"k{number}", bytes([100 + number]) * 32)
        entries.append(signer.certify(below.id, below.public_key)._asdict())
        signer = below
    return entries


def test_chains_of_any_length_are_followed_in_any_order() -> None:
    for keys in (chain(6), chain(6)[::-1]):
        found = trust(*keys)
        assert sorted(found.keys) == ["k1", "k2", "k3", "k4", "k5", "k6", "root"]
        assert [link.id for link in found.keys["k6"].chain] == ["k6", "k5", "k4", "k3", "k2", "k1"]


@pytest.mark.parametrize("end", [{"revoked": True}, {"expires_unix": 5}])
def test_a_revoked_or_expired_key_cuts_what_is_below_it(end: dict[str, Any]) -> None:
    keys = chain(4)
    keys[1].update(end)
    assert sorted(trust(*keys).keys) == ["k1", "root"]


def test_a_circle_of_keys_is_not_trusted() -> None:
    keys = chain(3)
    keys[0]["signed_by"] = "k3"
    assert list(trust(*keys).keys) == ["root"]


# Keys of a lockfile


def recorded(key: TrustedKey, **roots: str) -> TrustedKey | str:
    known = trusted_roots([KeySpec(name, text) for name, text in roots.items()], [], NOW).keys
    return recorded_key(key.id, key.public_key, key.chain, known)


def test_a_recorded_chain_is_verified_again_without_the_registry() -> None:
    keys = trust(*chain(3)).keys
    assert recorded(keys["k3"], root=ROOT_KEY) == keys["k3"]
    assert recorded(keys["root"], root=ROOT_KEY) == keys["root"]
    assert recorded(keys["k3"], k2=keys["k2"].public_key) == TrustedKey(
        "k3", keys["k3"].public_key, keys["k3"].key, keys["k3"].chain[:1]
    )


def test_a_recorded_chain_that_leads_nowhere_says_where_it_ends() -> None:
    keys = trust(*chain(3)).keys
    assert recorded(keys["k3"], other=PUBLISHER_KEY) == "key 'root' is not a trusted root"
    assert recorded(keys["root"]) == "key 'root' is not a trusted root"
    assert "another key" in str(recorded(keys["root"], root=PUBLISHER_KEY))
    gap = keys["k3"]._replace(chain=(keys["k3"].chain[0], keys["k3"].chain[2]))
    assert "does not hang together" in str(recorded(gap, root=ROOT_KEY))
    other = keys["k3"]._replace(public_key=PUBLISHER_KEY)
    assert "does not hang together" in str(recorded(other, root=ROOT_KEY))
    assert "failed to verify" in str(recorded(keys["k3"], root=PUBLISHER_KEY))
