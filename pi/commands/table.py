"""Every slash command, one row each: help, completion, checks and dispatch read this table.

A row names its handler as text; importing the table imports no handler. A handler is
``handler(arguments: Arguments, context: CommandContext) -> Result``; it never prints.
"""

from __future__ import annotations

from typing import NamedTuple


class Option(NamedTuple):
    """``--name``; ``kind`` is "switch", "text" or "int" (with ``minimum`` and ``maximum``)."""

    name: str
    kind: str = "switch"
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 2**63 - 1


class CommandSpec(NamedTuple):
    """``words`` says how many plain words it takes, least and most; ``whole`` that all of
    them are one path or name, which may hold blanks without quotes. ``--json`` is
    understood by every command.
    """

    name: str
    usage: str
    summary: str
    handler: str
    topic: str = "General"
    details: str = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    words: tuple[int, int] = (0, 0)
    whole: bool = False
    needs_session: bool = False


_DRY = (Option("dry-run"), Option("yes"))
_ROLES = ("system", "user", "assistant", "tool")
_SESSIONS = "pi.commands.session_views"
_CHANGES = "pi.commands.session_changes"
_PLACES = "pi.commands.places"

COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec("/help", "/help [command]", "Show all commands, or one of them",
                "pi.commands.help:show_help", example="/help branch", words=(0, 3), whole=True),
    CommandSpec("/session", "/session", "Show the session file and where it stands",
                f"{_SESSIONS}:show", "Session"),
    CommandSpec("/sessions", "/sessions [--json]", "List the sessions of this folder",
                f"{_SESSIONS}:sessions", "Session"),
    CommandSpec("/session-search",
                "/session-search <query> [--role <role>] [--tool <name>] [--limit <1-200>]",
                "Find entries by what they say", f"{_SESSIONS}:find", "Session",
                "Also: --regex, --case, --offset <n>, --branch active|all.",
                "/session-search retry budget",
                options=(Option("role", "text", _ROLES), Option("tool", "text"),
                         Option("limit", "int", minimum=1, maximum=200),
                         Option("offset", "int"), Option("regex"), Option("case"),
                         Option("branch", "text", ("active", "all"))),
                words=(0, 1), whole=True, needs_session=True),
    CommandSpec("/session-stats", "/session-stats [--json]",
                "Count entries, branches, roles, tools, tokens", f"{_SESSIONS}:stats", "Session",
                example="/session-stats --json", needs_session=True),
    CommandSpec("/session-diff", "/session-diff [<left-id> <right-id>]",
                "Compare two branches", f"{_SESSIONS}:diff", "Session",
                example="/session-diff 12 24", words=(0, 2), needs_session=True),
    CommandSpec("/session-validate", "/session-validate",
                "Check the session file", f"{_SESSIONS}:validate", "Session", needs_session=True),
    CommandSpec("/session-graph-export", "/session-graph-export <path>",
                "Draw the tree as Mermaid, DOT or JSON", f"{_SESSIONS}:draw", "Session",
                "The ending names the format: .dot, .json, else Mermaid; - is standard output.",
                "/session-graph-export graph.mmd",
                options=(Option("format", "text", ("mermaid", "dot", "json")), Option("force")),
                words=(1, 1), whole=True, needs_session=True),
    CommandSpec("/session-export", "/session-export <path>",
                "Write the active branch to a new file", f"{_SESSIONS}:export", "Session",
                "Also: --all, --from <id>, --format jsonl|md|json, --force to overwrite; "
                "- is standard output.",
                "/session-export snapshot.jsonl",
                options=(Option("all"), Option("force"), Option("from", "text"),
                         Option("format", "text", ("jsonl", "md", "json"))),
                words=(1, 1), whole=True, needs_session=True),
    CommandSpec("/session-import", "/session-import <path> [--mode merge|replace]",
                "Bring in the entries of another session", f"{_CHANGES}:bring_in", "Session",
                "Also: --attach <id>, --dry-run, --yes; - is standard input.",
                "/session-import snapshot.jsonl",
                options=(Option("mode", "text", ("merge", "replace")),
                         Option("attach", "text"), *_DRY),
                words=(1, 1), whole=True, needs_session=True),
    CommandSpec("/session-repair", "/session-repair [--dry-run] [--remove]",
                "Mend the session's tree, keeping a backup", f"{_CHANGES}:repair", "Session",
                "--remove drops what hangs on nothing, instead of making it a root.",
                options=(Option("remove"), *_DRY), needs_session=True),
    CommandSpec("/session-compact", "/session-compact [--dry-run] [--all]",
                "Remove all branches but the active one, keeping a backup",
                f"{_CHANGES}:prune", "Session",
                "Branches that a name stands on stay, unless --all.",
                options=(Option("all"), *_DRY), needs_session=True),
    CommandSpec("/session-undo", "/session-undo",
                "Take the last repair, import or compaction back", f"{_CHANGES}:undo", "Session",
                options=(Option("yes"),), needs_session=True),
    CommandSpec("/compact", "/compact [focus]",
                "Summarise the older part of the conversation to make room",
                "pi.commands.compact:compact", "Session",
                "The file keeps everything; /session-compact removes branches from it.",
                "/compact the failing tests", words=(0, 1), whole=True),
    CommandSpec("/branches", "/branches", "List the tips of all branches",
                f"{_PLACES}:branches", "Branches", needs_session=True),
    CommandSpec("/branch", "/branch <id>", "Go on from an older entry",
                f"{_PLACES}:branch", "Branches", "An id, a name, active, latest or ~2.",
                "/branch 12", words=(1, 1), whole=True, needs_session=True),
    CommandSpec("/resume", "/resume", "Go on from the latest entry",
                f"{_PLACES}:resume", "Branches", needs_session=True),
    CommandSpec("/undo", "/undo [n]", "Go back before the last n prompts; nothing is deleted",
                f"{_PLACES}:undo", "Branches", words=(0, 1), needs_session=True),
    CommandSpec("/branch-alias", "/branch-alias <set|list|use|delete|rename> ...",
                "Names for branches", f"{_PLACES}:alias", "Branches",
                example="/branch-alias set hotfix 12", options=(Option("force"),),
                words=(0, 3), needs_session=True),
    CommandSpec("/session-bookmark", "/session-bookmark <set|list|use|delete|rename> ...",
                "Names for single entries", f"{_PLACES}:bookmark", "Branches",
                example="/session-bookmark set start 3", options=(Option("force"),),
                words=(0, 3), needs_session=True),
    CommandSpec("/quit", "/quit", "Leave", "pi.commands.basics:leave", aliases=("/exit",),
                words=(0, 99)),
)  # fmt: skip

BY_NAME: dict[str, CommandSpec] = {spec.name: spec for spec in COMMANDS}
BY_NAME.update({alias: spec for spec in COMMANDS for alias in spec.aliases})
