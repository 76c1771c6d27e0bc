from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.errors import PiError
from pi.skills.base64_strict import NotBase64, decode, encode, trim
from pi.skills.registry import Manifest, RegistryError, is_name, parse_registry
from pi.skills.resolving import resolve_names
from pi.skills.strict_json import BadJson, parse
from pi.skills.trust_set import trusted_keys, trusted_roots
from pi.skills.urls import check_url, resolve_url, shown_url
from tests.fakes.examples import few
from tests.fakes.skill_keys import NOW, ROOT, URL, manifest, publisher, skill

ROOTS = trusted_roots([ROOT], [], NOW).keys

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
FIELDS = (
    *("id", "name", "public_key", "signed_by", "signature", "revoked", "expires_unix"),
    *("url", "sha256", "signing_key", "statement_signature"),
)
signs = st.text(alphabet='{}[]",:1e.-\\ud8 truefalsn', max_size=40).map(str.encode)
changes = st.dictionaries(st.sampled_from(FIELDS), junk | st.just(...), max_size=2)


@st.composite
def manifests(draw: st.DrawFn) -> bytes:
    """Nearly right ones: a few fields of a good one put wrong."""
    keys = [publisher(**each) for each in draw(st.lists(changes, max_size=3))]
    skills = [skill(**each) for each in draw(st.lists(changes, max_size=3))]
    tops = draw(st.dictionaries(st.sampled_from(["version", "keys", "skills"]), junk, max_size=1))
    return manifest(**{"keys": keys, "skills": skills, **tops})


def read(data: bytes) -> Manifest | None:
    try:
        return parse_registry(data, URL)
    except RegistryError:
        return None


@given(data=manifests() | st.binary(max_size=60))
@settings(max_examples=few(120), deadline=None)
def test_a_manifest_is_read_or_refused(data: bytes) -> None:
    """Any bytes give a manifest with unique, well-formed names, or a RegistryError."""
    found = read(data)
    if found is not None:
        names = [entry.name for entry in found.skills]
        ids = [entry.id for entry in found.keys]
        assert all(map(is_name, names + ids))
        assert len(set(names)) == len(names)
        assert len(set(ids)) == len(ids)


@given(data=manifests(), require=st.sampled_from(["", "signed", "strict"]))
@settings(max_examples=few(80), deadline=None)
def test_a_name_is_resolved_or_refused_and_never_weaker(data: bytes, require: str) -> None:
    """Whatever a manifest says, resolving gives a usable skill or a PiError; what is
    resolved where signatures are required has a signer."""
    found = read(data)
    for entry in found.skills if found else ():
        try:
            (resolved,) = resolve_names(found, [entry.name], ROOTS, NOW, require).skills  # type: ignore[arg-type]
        except PiError:
            continue
        assert not entry.revoked
        assert entry.signature is None or resolved.signer is not None
        assert not require or resolved.signer is not None
        check_url(resolved.url, "skill")


@given(data=manifests(), order=st.randoms(use_true_random=False))
@settings(max_examples=few(60), deadline=None)
def test_the_order_of_keys_plays_no_part(data: bytes, order: Any) -> None:
    """The same keys are trusted in whatever order a manifest lists them."""
    found = read(data)
    if found is None or any(key.id == "root" for key in found.keys):
        return
    shuffled = list(found.keys)
    order.shuffle(shuffled)
    other = found._replace(keys=tuple(shuffled))
    one, two = (trusted_keys(ROOTS, each, NOW) for each in (found, other))
    assert (one.keys, one.broken) == (two.keys, two.broken)


@given(data=st.binary(max_size=40))
@settings(max_examples=few(80), deadline=None)
def test_base64_comes_back_and_has_one_spelling(data: bytes) -> None:
    """decode(encode(x)) == x; no other text of that length decodes to x."""
    text = encode(data)
    assert decode(f" {text}\n", len(data)) == data
    for last in "ABQgw":
        other = text[:-3] + last + text[-2:] if len(text) > 3 else ""
        if other and other != text:
            try:
                assert decode(other, len(data)) != data
            except NotBase64:
                pass


@given(text=st.text(alphabet="AQYgw=+/-_ \n\u00e9", max_size=12), size=st.integers(0, 9))
@settings(max_examples=few(80), deadline=None)
def test_base64_is_decoded_canonically_or_refused(text: str, size: int) -> None:
    """encode(decode(t)) == trim(t), or NotBase64."""
    try:
        assert encode(decode(text, size)) == trim(text)
    except NotBase64:
        pass


@given(value=junk)
@settings(max_examples=few(80), deadline=None)
def test_json_that_we_read_is_the_json_that_was_written(value: Any) -> None:
    """parse(dumps(x)) == x, or BadJson for NaN, Infinity and half characters."""
    text = json.dumps(value)
    try:
        assert parse(text.encode()) == value
    except BadJson:
        assert "NaN" in text or "Infinity" in text or "\\ud" in text


@given(data=st.binary(max_size=60) | signs)
@settings(max_examples=few(120), deadline=None)
def test_any_bytes_are_json_or_bad_json(data: bytes) -> None:
    """parse() gives what json gives, or BadJson, and nothing else."""
    try:
        value = parse(data)
    except BadJson:
        return
    assert value == json.loads(data)


@given(base=st.text(max_size=20), url=st.text(max_size=30))
@settings(max_examples=few(80), deadline=None)
def test_any_address_is_taken_or_refused_and_can_be_shown(base: str, url: str) -> None:
    """check_url raises PiError or nothing; shown_url gives printable text without user
    information."""
    for each in (url, "https://" + url, resolve_url(URL, url), f"https://user:word@{base}/x"):
        assert "user:word" not in shown_url(each)
        assert shown_url(each).isprintable()
        try:
            check_url(each, "skill")
            said = ""
        except PiError as exc:
            said = "".join(exc.lines())
        assert "user:word" not in said
