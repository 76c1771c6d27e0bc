"""The publisher's flags: make a key, sign a skill, certify a key, build a registry.

Needs no model and no key of a provider. Results go to stdout as ``name=value`` fields, one a
line, or as one JSON object; a private key never does.
"""

from __future__ import annotations

from pi.base.errors import ConfigError, UsageError
from pi.base.text import visible
from pi.base.typing import Any
from pi.skills.keyfiles import read_key_file, write_key_file
from pi.skills.plain_files import read_plain
from pi.skills.signing import Signer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.base.host import Host
    from pi.cli.parse import Parsed


def keygen(parsed: Parsed, host: Host) -> int:
    """``--skill-keygen FILE``: a new private key, its public half on stdout."""
    from pi.skills import base64_strict, ed25519

    _refuse_words(parsed, "--skill-keygen")
    path = str(parsed.values["--skill-keygen"])
    ed25519.public_key_of(bytes(32))  # without PyNaCl nothing is written
    seed = write_key_file(path, host.random_bytes)
    public_key = base64_strict.encode(ed25519.public_key_of(seed))
    return _say(parsed, host, "skill-keygen", {"path": path, "public_key": public_key})


def sign(parsed: Parsed, host: Host) -> int:
    """``--skill-sign FILE --skill-key FILE``: the fields of the skill's registry entry."""
    import hashlib

    from pi.skills.registry_build import source

    _refuse_words(parsed, "--skill-sign")
    path = str(parsed.values["--skill-sign"])
    signer = _signer(parsed, host, "--skill-sign")
    skill = source(path, _content(path))
    until = _until(parsed)
    fields: dict[str, object] = {
        "name": skill.name,
        "sha256": hashlib.sha256(skill.data).hexdigest(),
        "signing_key": signer.id,
        "signature": signer.sign(skill.data),
        "expires_unix": until,
        "statement_signature": signer.sign_statement(skill.name, skill.data, until),
    }
    return _say(parsed, host, "skill-sign", fields)


def certify(parsed: Parsed, host: Host) -> int:
    """``--skill-certify ID=KEY --skill-key FILE``: the key's entry for a manifest."""
    from pi.skills.trust_store import parse_key_spec

    _refuse_words(parsed, "--skill-certify")
    spec = parse_key_spec(str(parsed.values["--skill-certify"]), "--skill-certify")
    link = _signer(parsed, host, "--skill-certify").certify(spec.id, spec.public_key)
    return _say(parsed, host, "skill-certify", link._asdict())


def build(parsed: Parsed, host: Host) -> int:
    """``--registry-build DIR FILE...``: the registry's files, ready to be served."""
    from pi.skills import registry_build

    folder = str(parsed.values["--registry-build"])
    publisher = _signer(parsed, host, "--registry-build")
    plan = registry_build.plan_registry(
        [registry_build.source(path, _content(path)) for path in parsed.words],
        publisher,
        root=_root(parsed, host),
        previous=registry_build.read_previous(folder),
        expires_unix=_until(parsed),
        now=host.now_ms() // 1000,
    )
    done = registry_build.apply_plan(folder, plan, host.random_bytes)
    for name in plan.dropped:
        _note(parsed, host, f"skill '{name}' is no longer in the registry")
    signed = dict(plan.files)[registry_build.SIGNATURE] is not None
    if not signed:
        _note(parsed, host, "the manifest is not signed: that takes --registry-root")
    fields = {"path": folder, "skills": len(parsed.words), **done._asdict(), "signed": signed}
    return _say(parsed, host, "registry-build", fields)


def _refuse_words(parsed: Parsed, flag: str) -> None:
    if parsed.words:
        raise UsageError(f"{flag} takes one value, and {parsed.words[0]!r} is another word")


def _signer(parsed: Parsed, host: Host, flag: str) -> Signer:
    """The key of --skill-key under the id of --skill-key-id."""
    path, key_id = parsed.values["--skill-key"], parsed.values["--skill-key-id"]
    if not (path and key_id):
        raise UsageError(
            f"{flag} needs --skill-key FILE and --skill-key-id ID",
            hint="pi --skill-keygen FILE makes a key; the id is the name it is trusted under",
        )
    return _read_signer(parsed, host, str(key_id), str(path))


def _root(parsed: Parsed, host: Host) -> Signer | None:
    text = parsed.values["--registry-root"]
    if not text:
        return None
    key_id, equals, path = str(text).partition("=")
    if not (key_id and equals and path):
        raise UsageError("--registry-root: expected key_id=key_file")
    return _read_signer(parsed, host, key_id, path)


def _read_signer(parsed: Parsed, host: Host, key_id: str, path: str) -> Signer:
    key = read_key_file(path)
    if key.warning:
        _note(parsed, host, key.warning)
    return Signer(key_id, key.seed)


def _until(parsed: Parsed) -> int | None:
    value: Any = parsed.values["--skill-expires"]
    return value if value is None else int(value)


def _content(path: str) -> bytes:
    from pi.skills.registry_build import MAX_SOURCE_BYTES

    try:
        return read_plain(path, MAX_SOURCE_BYTES)[0]
    except OSError as exc:
        raise ConfigError(
            f"failed to read skill source '{path}'", cause=exc.strerror or str(exc)
        ) from exc


def _note(parsed: Parsed, host: Host, text: str) -> None:
    if not parsed.values["--quiet"]:
        print(f"[{visible(text)}]", file=host.stderr)


def _say(parsed: Parsed, host: Host, command: str, fields: Mapping[str, object]) -> int:
    from pi.commands.result import Result, render_json

    if parsed.values["--json"]:
        print(render_json(command, Result(data=fields)), file=host.stdout)
        return 0
    for name, value in fields.items():
        if value is not None:
            shown = str(value).lower() if isinstance(value, bool) else value
            print(f"{name}={visible(str(shown))}", file=host.stdout)
    return 0
