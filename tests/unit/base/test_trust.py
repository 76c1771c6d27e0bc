"""Which certificates are believed."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
import trustme

from pi.base.errors import ConfigError
from pi.base.trust import given_trust, make_context, system_trust


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def bundle(tmp_path: Path, authority: trustme.CA) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def nothing() -> bytes | None:
    return None


def test_the_order_is_flag_then_variables(tmp_path: Path, bundle: str) -> None:
    folder = str(tmp_path)
    environ = {"CURL_CA_BUNDLE": bundle}
    for name, place, given in (
        ("CURL_CA_BUNDLE", bundle, {}),
        ("REQUESTS_CA_BUNDLE", bundle, {"REQUESTS_CA_BUNDLE": bundle}),
        ("SSL_CERT_DIR", folder, {"SSL_CERT_DIR": folder}),
        ("SSL_CERT_FILE", bundle, {"SSL_CERT_FILE": bundle}),
    ):
        environ.update(given)
        trust = given_trust("", environ)
        assert trust is not None
        assert trust.label == f"{name} ({place})"
    trust = given_trust(bundle, environ)
    assert trust is not None
    assert trust.label == f"--ca-bundle / PI_CA_BUNDLE ({bundle})"
    assert given_trust("", {"SSL_CERT_FILE": ""}) is None


def test_file_and_directory_variables_count_together(tmp_path: Path, bundle: str) -> None:
    both = given_trust("", {"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": str(tmp_path)})
    assert both is not None
    assert (both.file, both.folder) == (bundle, str(tmp_path))
    gone = given_trust("", {"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": str(tmp_path / "gone")})
    assert gone is not None
    assert (gone.file, gone.folder) == (bundle, "")


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.pem")
    for ca_bundle, environ, source in (
        (gone, {}, "--ca-bundle"),
        ("", {"SSL_CERT_FILE": gone}, "SSL_CERT_FILE"),
        ("", {"SSL_CERT_DIR": gone}, "SSL_CERT_DIR"),
        ("", {"REQUESTS_CA_BUNDLE": gone}, "REQUESTS_CA_BUNDLE"),
    ):
        with pytest.raises(ConfigError) as caught:
            given_trust(ca_bundle, environ)
        assert source in caught.value.message
        assert gone in caught.value.message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a certificate",
        b"\xff" * 1000,
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_garbage_bundle_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.pem"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.pem"):
        make_context(str(path), {}, nothing)


def test_a_bundle_replaces_the_system_store_and_verification_is_on(bundle: str) -> None:
    context, trust = make_context(bundle, {}, nothing)
    assert context.cert_store_stats()["x509"] == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert bundle in trust.label


def test_the_system_store_is_what_openssl_names(tmp_path: Path, bundle: str) -> None:
    trust = system_trust(bundle, None, nothing, ())
    assert (trust.file, trust.folder) == (bundle, "")
    (tmp_path / "9b5697b0.0").touch()
    trust = system_trust(None, str(tmp_path), nothing, ())
    assert (trust.file, trust.folder) == ("", str(tmp_path))


def test_distributions_bundles_are_found_where_openssl_does_not_look(bundle: str) -> None:
    trust = system_trust("/nowhere/cert.pem", "/nowhere/certs", nothing, ("/nowhere/x", bundle))
    assert trust.file == bundle


def test_the_built_in_bundle_serves_where_the_system_has_none(
    tmp_path: Path, authority: trustme.CA
) -> None:
    (tmp_path / "README").touch()  # a directory without hashed certificates is an empty store
    pem = authority.cert_pem.bytes()
    trust = system_trust(None, str(tmp_path), lambda: pem, ())
    assert trust.label == "the certificates built into pi"
    assert trust.pem == pem.decode()
    trust = system_trust(None, None, nothing, ())
    assert "no certificates" in trust.label


@pytest.mark.skipif(os.name == "nt", reason="the store is not a file there")
def test_without_any_setting_a_context_is_made() -> None:
    context, trust = make_context("", {}, nothing)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert trust.label


def test_a_client_certificate_is_loaded_or_named(
    tmp_path: Path, bundle: str, authority: trustme.CA
) -> None:
    leaf = authority.issue_cert("client@example.org", key_type=trustme.KeyType.ECDSA)
    both = tmp_path / "client.pem"
    leaf.private_key_and_cert_chain_pem.write_to_path(both)
    make_context(bundle, {}, nothing, str(both))
    with pytest.raises(ConfigError, match=r"gone\.pem"):
        make_context(bundle, {}, nothing, str(tmp_path / "gone.pem"))
