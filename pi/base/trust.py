"""Whose certificates are believed: one choice per run, and the TLS context made from it.

Order: the bundle given to pi; SSL_CERT_FILE and SSL_CERT_DIR; REQUESTS_CA_BUNDLE;
CURL_CA_BUNDLE; the system's store; the bundle inside this build, if the system has none.
A given bundle replaces the system's store. Verification is never off.
"""

from __future__ import annotations

import os

from pi.base.errors import ConfigError
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

CA_HINT = (
    "if a company proxy inspects TLS, or the server has a private CA, add that CA: "
    "--ca-bundle FILE or PI_CA_BUNDLE=FILE"
)

# Where distributions keep their bundle. Interpreters not built by the distribution look
# into directories of their own, which are often empty.
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS, BSD
)


class Trust(NamedTuple):
    """Where the trusted certificates come from. ``label`` names it in messages."""

    label: str
    file: str = ""
    folder: str = ""
    pem: str = ""
    windows: bool = False  # the store that only OpenSSL's Windows glue can read


def given_trust(ca_bundle: str, environ: Mapping[str, str]) -> Trust | None:
    """The trust somebody asked for, or None for the system's. Raises ConfigError."""
    if ca_bundle:
        return _named("--ca-bundle / PI_CA_BUNDLE", ca_bundle)
    file, folder = environ.get("SSL_CERT_FILE", ""), environ.get("SSL_CERT_DIR", "")
    if file:
        both = folder if any(map(os.path.isdir, folder.split(os.pathsep))) else ""
        return _named("SSL_CERT_FILE", file)._replace(folder=both)
    if folder:
        if not any(map(os.path.isdir, folder.split(os.pathsep))):
            raise ConfigError(f"SSL_CERT_DIR names no directory: {folder}")
        return Trust(f"SSL_CERT_DIR ({folder})", folder=folder)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if environ.get(name):
            return _named(name, environ[name])
    return None


def _named(source: str, path: str) -> Trust:
    label = f"{source} ({path})"
    if os.path.isdir(path):
        return Trust(label, folder=path)
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as exc:
        raise ConfigError(
            f"cannot read the CA bundle {path} named by {source}", cause=exc.strerror or str(exc)
        ) from exc
    return Trust(label, file=path)


def system_trust(
    file: str | None,
    folder: str | None,
    built_in: Callable[[], bytes | None],
    bundles: tuple[str, ...] = SYSTEM_BUNDLES,
) -> Trust:
    """The system's store (``file`` and ``folder`` are OpenSSL's own), else what we bring."""
    file = file if file and os.path.isfile(file) else ""
    folder = folder if folder and _has_hashed(folder) else ""
    if not file and not folder:
        file = next((path for path in bundles if os.path.isfile(path)), "")
    if file or folder:
        return Trust(f"the system's store ({file or folder})", file, folder)
    pem = built_in()
    if pem is None:
        return Trust("nothing: this system has no certificates and this build brings none")
    return Trust("the certificates built into pi", pem=pem.decode("ascii", "ignore"))


def _has_hashed(folder: str) -> bool:
    """Whether OpenSSL would find anything there: it opens only names like 9b5697b0.0."""
    try:
        with os.scandir(folder) as entries:
            return any(len(entry.name) > 9 and entry.name[8] == "." for entry in entries)
    except OSError:
        return False


def make_context(
    ca_bundle: str,
    environ: Mapping[str, str],
    built_in: Callable[[], bytes | None],
    client_cert: str = "",
    client_key: str = "",
) -> tuple[ssl.SSLContext, Trust]:
    """Build the context for all connections of a run. Raises ConfigError.

    Costs up to 20 ms, mostly for reading the bundle, so it is made at first use.
    """
    import ssl  # with http:// only, the context is never made

    trust = given_trust(ca_bundle, environ)
    if trust is None:
        paths = ssl.get_default_verify_paths()
        if os.name == "nt":
            trust = Trust("the system's store", windows=True)
        else:
            trust = system_trust(paths.openssl_cafile, paths.openssl_capath, built_in)
    # Not create_default_context: from 3.13 on it refuses many private CAs (X509_STRICT),
    # and it would read SSL_CERT_FILE behind the back of the order above.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0)
    try:
        _load(context, trust)
    except (OSError, ValueError) as exc:
        raise ConfigError(
            f"cannot use the CA bundle of {trust.label}",
            cause=f"{getattr(exc, 'reason', None) or exc}".lower().replace("_", " "),
            hint="it must be a file of PEM certificates (-----BEGIN CERTIFICATE-----)",
        ) from exc
    if client_cert:
        _load_client_cert(context, client_cert, client_key)
    return context, trust


def _load(context: ssl.SSLContext, trust: Trust) -> None:
    if trust.windows:
        context.load_default_certs()
    if trust.file or trust.folder or trust.pem:
        context.load_verify_locations(trust.file or None, trust.folder or None, trust.pem or None)
    if trust.file and not context.cert_store_stats()["x509"]:
        raise ValueError("there is no certificate in it")


def _load_client_cert(context: ssl.SSLContext, cert: str, key: str) -> None:
    try:
        # The password is given empty so that OpenSSL does not ask for it on the terminal.
        context.load_cert_chain(cert, key or None, password=lambda: "")
    except (OSError, ValueError) as exc:
        raise ConfigError(
            f"cannot use the client certificate {cert}",
            cause=f"{getattr(exc, 'reason', None) or exc}".lower().replace("_", " "),
            hint="--client-cert and --client-key name PEM files; the key must have no password",
        ) from exc
