"""A profile as values of flags: a layer between the environment and the settings files.

``--profile NAME`` (``PI_PROFILE``) at the start; ``/profile load`` takes the same values up
in a run. A profile that came with a folder nobody has approved may choose a model and
tighten the policy, and nothing else; it never stands in for one of the user's own.
"""

from __future__ import annotations

from pi.base.errors import PolicyRefused
from pi.base.text import visible
from pi.cli.config_rules import USER_ONLY
from pi.cli.flags import BY_NAME as FLAGS
from pi.cli.parse import Layer, parse
from pi.commands.profile_fields import BY_NAME as FIELDS
from pi.commands.profile_fields import BadProfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pi.base.host import Host
    from pi.cli.parse import Parsed
    from pi.commands.profile_fields import Profile
    from pi.commands.profile_shelf import Found

_OF_FIELDS = frozenset(field.flag for field in FIELDS.values())
NOT_KEPT = ("--header", "--no-config", "--trust-project")  # may be secret; are of one run
# What a folder's own profile may choose although nobody has approved it.
HARMLESS = frozenset(
    (
        *("--model", "--fallback-model", "--thinking", "--cache-retention"),
        *("--stream-output", "--stream-delay-ms", "--tool-execution", "--tool-result-format"),
        *("--session-import-mode",),
    )
)
# Flags about tools: judged by what they come to, see ``loosening``.
JUDGED = frozenset(
    (
        *("--tools", "--no-tools", "--allow-path", "--allow-command", "--bash-env"),
        *("--bash-login", "--os-sandbox-launcher", "--os-sandbox-command"),
        *("--tool-policy-preset", "--bash-profile", "--bash-dry-run", "--os-sandbox-mode"),
        *("--enforce-regular-files", "--bash-timeout-ms", "--max-command-length"),
        *("--max-tool-output-bytes", "--max-file-read-bytes", "--max-file-write-bytes"),
        *("--allow-command-newlines", "--sandbox-net", "--tool-policy-trace"),
    )
)


def is_kept(name: str) -> bool:
    """Whether a profile may hold this flag beside its fields: no secret, nothing of one run
    only, and nothing that a field says."""
    from pi.cli.config_rules import refusal

    flag = FLAGS.get(name)
    return (
        flag is not None
        and flag.name == name
        and name not in NOT_KEPT
        and name not in _OF_FIELDS
        and not refusal(flag, "user")
    )


def flag_values(profile: Profile) -> tuple[dict[str, object], tuple[str, ...]]:
    """What the profile sets, by flag, and the names in it that this version does not know.

    Raises BadProfile for a value that its flag cannot have.
    """
    from pi.cli.config_rules import checked

    given: dict[str, Any] = {}
    for name in profile.sets:
        value = profile.values[name]
        if name == "session.enabled":
            value = not value
        if value is not None:
            given[FIELDS[name].flag] = list(value) if isinstance(value, tuple) else value
    unknown = [name for name in given if name not in FLAGS]
    unknown += [name for name in profile.flags if not is_kept(name)]
    given.update({name: value for name, value in profile.flags.items() if is_kept(name)})
    found: dict[str, object] = {}
    for name, value in given.items():
        if name not in FLAGS:
            continue
        try:
            found[name] = checked(FLAGS[name], value)
        except ValueError as exc:
            raise BadProfile(f"{name} {exc}") from None
    if found.get("--no-session"):
        found.pop("--session", None)
    return found, tuple(sorted(unknown))


def profile_layer(found: Found) -> Layer:
    """The profile as a layer. Raises BadProfile."""
    try:
        values, _ = flag_values(found.profile)
    except BadProfile as exc:
        raise BadProfile(f"profile '{found.name}' is damaged: {exc.message}") from None
    return Layer("profile", f"{found.place.path} ({found.name})", values)


def profile_layers(parsed: Parsed, host: Host) -> tuple[Layer, ...]:
    """The layer of ``--profile``, none if it was not given.

    Raises UsageError for an unknown profile, ConfigError for a damaged one, PolicyRefused
    for one that nobody has approved and that does more than it may: what it changes is
    judged against the settings files.
    """
    name = str(parsed.values["--profile"] or "")
    if not name:
        return ()
    from pi.base.homes import find_project
    from pi.cli.config_files import read_all
    from pi.cli.folder_trust import trusts_here
    from pi.cli.startup import working_directory  # with it comes much that is loaded anyway
    from pi.commands.profile_shelf import Shelf

    cwd = working_directory(host)
    project = find_project(cwd, host.environ)
    trusted = trusts_here(project, cwd, parsed, host.environ)
    found = Shelf(cwd, host.environ, host.random_bytes).find(name, trusted=trusted)
    layer = profile_layer(found)
    if not found.approved and (project is not None or not trusted):
        below = read_all(parsed, host).layers
        base = parse(parsed.argv, host.environ, below)
        refuse(name, base, parse(parsed.argv, host.environ, (layer, *below)), trusted=trusted)
    return (layer,)


def refuse(name: str, base: Parsed, changed: Parsed, *, trusted: bool) -> None:
    """Raise PolicyRefused for a folder's profile that changes more of ``base`` than it may.

    Where requests and keys go it may not even in a trusted folder: the next pull may bring
    another address.
    """
    foreign = forbidden(base, changed)
    if not trusted and foreign:
        raise not_approved(name, foreign)
    elsewhere = ", ".join(flag for flag in foreign if flag in USER_ONLY)
    if elsewhere:
        raise PolicyRefused(
            f"profile '{visible(name)}' came with this folder, and it changes {elsewhere}: where "
            "requests and keys go is for the user's own profiles",
            hint=f"give these flags yourself and keep them: /profile save {visible(name)} --user",
            code="project-not-trusted",
        )


def forbidden(base: Parsed, changed: Parsed) -> tuple[str, ...]:
    """What ``changed`` changes of ``base`` that nobody has approved."""
    from pi.cli.loosening import loosened
    from pi.cli.tool_settings import build_tool_settings

    names = [name for name, value in changed.values.items() if value != base.values[name]]
    found = [name for name in names if name not in HARMLESS and name not in JUDGED]
    if any(name in JUDGED for name in names):
        found += loosened(build_tool_settings(base), build_tool_settings(changed))
    return tuple(sorted(found))


def not_approved(name: str, what: Sequence[str]) -> PolicyRefused:
    """The error for a folder's profile that wants more than a stranger may."""
    return PolicyRefused(
        f"profile '{visible(name)}' came with this folder, nobody has approved it, and it "
        f"changes {', '.join(what)}",
        hint="look at it with /profile show; /trust approves the folder, --trust-project "
        "does for one run",
        code="project-not-trusted",
    )


def given_flags(parsed: Parsed) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The flags that were given and are no field of a profile, as JSON, and sentences about
    those that are not kept because a secret may be in them."""
    flags: dict[str, Any] = {}
    left_out: list[str] = []
    for name, value in parsed.values.items():
        if name in _OF_FIELDS or not parsed.given(name) or value == FLAGS[name].default:
            continue
        if name == "--header" or (is_kept(name) and _may_be_secret(name, value)):
            left_out.append(f"{name} is not kept: there may be a secret in it")
        elif is_kept(name):
            flags[name] = list(value) if isinstance(value, tuple) else value
    return flags, tuple(left_out)


def _may_be_secret(name: str, value: Any) -> bool:
    """Whether a value holds more than it says: an address with a password or a query, a
    variable with its value."""
    if name.endswith(("-base", "-url")) or name == "--proxy":
        return "@" in str(value) or "?" in str(value)
    return name == "--bash-env" and any("=" in item for item in value)
