"""What stands behind the commands that have commands of their own: for help and reference.

The handlers judge the words; these rows tell people what may be written.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple


class Subcommand(NamedTuple):
    """``arguments`` is what follows the name."""

    name: str
    arguments: str
    summary: str


SUBCOMMANDS: dict[str, tuple[Subcommand, ...]] = {
    "/branch-alias": (
        Subcommand("set", "<name> [id] [--force]", "Name a branch; without an id the active one"),
        Subcommand("list", "", "List the names"),
        Subcommand("use", "<name>", "Go on from the named branch"),
        Subcommand("delete", "<name>", "Forget a name"),
        Subcommand("rename", "<name> <new-name> [--force]", "Give a branch another name"),
    ),
    "/session-bookmark": (
        Subcommand("set", "<name> [id] [--force]", "Name an entry; without an id the active one"),
        Subcommand("list", "", "List the names"),
        Subcommand("use", "<name>", "Go on from the named entry"),
        Subcommand("delete", "<name>", "Forget a name"),
        Subcommand("rename", "<name> <new-name> [--force]", "Give an entry another name"),
    ),
    "/macro": (
        Subcommand(
            "save",
            "<name> <commands_file> [--user] [--description <text>]",
            "Keep the commands of a file under a name",
        ),
        Subcommand(
            "run",
            "<name> [--dry-run] [--keep-going] [--trust-project] [-- <arguments>]",
            "Run the commands; stops at the first that fails",
        ),
        Subcommand("list", "[--user]", "List the macros"),
        Subcommand("show", "<name>", "Show the commands of a macro"),
        Subcommand("delete", "<name> [--user]", "Forget a macro"),
        Subcommand(
            "edit",
            "<name> <index> [--insert|--remove] [-- <command>]",
            "Change one command of a macro",
        ),
    ),
    "/profile": (
        Subcommand("save", "<name> [--user]", "Keep what this run was started with"),
        Subcommand(
            "load",
            "<name> [--user] [--yes]",
            "Take it up, and say what holds from the next start on",
        ),
        Subcommand("list", "[--user]", "List the profiles"),
        Subcommand("show", "<name> [--user]", "Show what a profile says"),
        Subcommand("delete", "<name> [--user]", "Forget a profile"),
        Subcommand("diff", "<name> [--user]", "Compare it with what is in force"),
    ),
    "/auth": (
        Subcommand("login", "<provider> [--mode <mode>]", "Keep a credential for a provider"),
        Subcommand("status", "[provider]", "Say which providers have a credential"),
        Subcommand("logout", "<provider>", "Forget a provider's credential"),
    ),
    "/integration-auth": (
        Subcommand("set", "<id>", "Keep the secret of an integration"),
        Subcommand("status", "[id]", "Say which integrations have a secret"),
        Subcommand("rotate", "<id>", "Put a new secret in place of the old one"),
        Subcommand("revoke", "<id>", "Forget the secret of an integration"),
    ),
}


def usages(command: str) -> list[str]:
    """The usage of each subcommand of ``command``, [] if it has none."""
    return [usage(command, row) for row in SUBCOMMANDS.get(command, ())]


def usage(command: str, row: Subcommand) -> str:
    """How a subcommand is written."""
    return f"{command} {row.name} {row.arguments}".rstrip()
