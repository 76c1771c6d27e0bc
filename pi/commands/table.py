"""Every slash command, one row each: help, completion, checks and dispatch read this table.

A row names its handler as text; importing the table imports no handler. A handler is
``handler(arguments: Arguments, context: CommandContext) -> Result``; it never prints.
"""

from __future__ import annotations

from pi.commands.skills_table import MORE_SKILLS, SKILLS
from pi.commands.spec import CommandSpec, Option

_DRY = (Option("dry-run"), Option("yes"))
_ROLES = ("system", "user", "assistant", "tool")
_SESSIONS = "pi.commands.session_views"
_CHANGES = "pi.commands.session_changes"
_PLACES = "pi.commands.places"
_EXPORTS = "pi.commands.session_exports"
_EXPORT = (
    *(Option("all"), Option("force"), Option("from", "text"), Option("redact")),
    Option("format", "text", ("jsonl", "md", "html", "json", "pi-mono")),
)

COMMANDS: tuple[CommandSpec, ...] = (
    # The older program's commands in its order, which suggestions go by; then the others.
    CommandSpec("/help", "/help [command]", "Show all commands, or one of them",
                "pi.commands.help:show_help", example="/help branch", words=(0, 3), whole=True),
    CommandSpec("/session", "/session", "Show the session file and where it stands",
                f"{_SESSIONS}:show", "Session"),
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
    CommandSpec("/doctor", "/doctor [--json]", "Check configuration, files and this machine",
                "pi.commands.doctor:doctor", "Diagnostics",
                "Shows the checks of the configuration, and others only where something is "
                "wrong. Also: --all, --online (asks each provider, costs nothing).",
                "/doctor --all", options=(Option("all"), Option("online"))),
    CommandSpec("/session-graph-export", "/session-graph-export <path>",
                "Draw the tree as Mermaid, DOT or JSON", f"{_SESSIONS}:draw", "Session",
                "The ending names the format: .dot, .json, else Mermaid; - is standard output.",
                "/session-graph-export graph.mmd",
                options=(Option("format", "text", ("mermaid", "dot", "json")), Option("force")),
                words=(1, 1), whole=True, needs_session=True),
    CommandSpec("/session-export", "/session-export <path>",
                "Write the active branch to a new file", f"{_EXPORTS}:session_export", "Session",
                "The ending names the format: .md, .html, .json, else jsonl. Also: --format "
                "jsonl|md|html|json|pi-mono, --all, --from <id>, --redact to blank out "
                "credentials, --force to overwrite; - is standard output.",
                "/session-export snapshot.jsonl", options=_EXPORT,
                words=(1, 1), whole=True, needs_session=True),
    CommandSpec("/session-import", "/session-import <path> [--mode merge|replace]",
                "Bring in the entries of another session", f"{_CHANGES}:bring_in", "Session",
                "Also: --attach <id>, --dry-run, --yes; - is standard input.",
                "/session-import snapshot.jsonl",
                options=(Option("mode", "text", ("merge", "replace")),
                         Option("attach", "text"), *_DRY),
                words=(1, 1), whole=True, needs_session=True),
    CommandSpec("/policy", "/policy [check <tool> <command or path> | forget <command>]",
                "Show what tools may do, and who said so",
                "pi.commands.policy:policy", "Diagnostics",
                "/policy check <tool> <command or path> says what would be allowed, and runs "
                "nothing; /policy forget <command> takes back that you let a command through "
                "in this project.", "/policy check bash rm -rf /", words=(0, 9999), rest=2),
    CommandSpec("/audit-summary", "/audit-summary <path>",
                "Count what the audit and telemetry logs say",
                "pi.commands.audit_summary:audit_summary", "Diagnostics",
                "Several paths may be given; none means the logs of this run. Also: --since, "
                "--until with a date, a time or 90m, 24h, 7d.",
                "/audit-summary audit.jsonl --since 24h",
                options=(Option("since", "text"), Option("until", "text")), words=(0, 99)),
    CommandSpec("/models-list",
                "/models-list [query] [--provider <name>] [--tools <bool>] "
                "[--multimodal <bool>] [--reasoning <bool>] [--limit <n>]",
                "List the models pi knows", "pi.commands.models:models_list", "Models",
                "All words must occur in the name; --limit 0 is all. Also: --sort "
                "name|context|input-cost|output-cost, --min-context <tokens>, "
                "--max-input-cost, --max-output-cost <dollars per million>.",
                "/models-list sonnet --tools true",
                options=(*(Option(name, "text") for name in (
                             "provider", "tools", "multimodal", "reasoning", "limit",
                             "min-context", "max-input-cost", "max-output-cost")),
                         Option("sort", "text",
                                ("name", "context", "input-cost", "output-cost"))),
                words=(0, 99)),
    CommandSpec("/model-show", "/model-show <provider/model>", "Show what is known of a model",
                "pi.commands.models:model_show", "Models",
                example="/model-show openai/gpt-4o-mini", words=(1, 1), whole=True),
    *SKILLS,
    CommandSpec("/branches", "/branches", "List the tips of all branches",
                f"{_PLACES}:branches", "Branches", needs_session=True),
    CommandSpec("/macro", "/macro <save|run|list|show|delete> ...",
                "Lists of commands under a name", "pi.commands.macros:macro", "Scripts",
                "Kept in .pi/macros.json of the project, with --user in your own. $1, $@ and "
                "${name:-default} stand for what is behind -- of run. Also: edit.",
                "/macro run quick-check -- src", words=(0, 999),
                options=(Option("dry-run"), Option("keep-going"), Option("trust-project"),
                         Option("user"), Option("insert"), Option("remove"),
                         Option("description", "text"))),
    CommandSpec("/auth", "/auth <login|status|logout> ...", "Credentials of providers",
                "pi.commands.credentials:auth", "Credentials",
                "This version keeps none: keys come from the environment.",
                "/auth status", words=(0, 1), whole=True, options=(Option("mode", "text"),)),
    CommandSpec("/integration-auth", "/integration-auth <set|status|rotate|revoke> ...",
                "Credentials of integrations", "pi.commands.credentials:integration_auth",
                "Credentials", "This version keeps none: they come from the environment.",
                "/integration-auth status", words=(0, 1), whole=True),
    CommandSpec("/profile", "/profile <save|load|list|show|delete> ...",
                "What a run was started with, under a name", "pi.commands.profiles:profile",
                "Scripts",
                "Kept in .pi/profiles.json of the project, with --user in your own; never "
                "secrets. Also: diff. pi --profile NAME starts with one.",
                "/profile save baseline", words=(0, 99),
                options=(Option("user"), Option("yes"))),
    CommandSpec("/branch-alias", "/branch-alias <set|list|use|delete|rename> ...",
                "Names for branches", f"{_PLACES}:alias", "Branches",
                example="/branch-alias set hotfix 12", options=(Option("force"),),
                words=(0, 3), needs_session=True),
    CommandSpec("/session-bookmark", "/session-bookmark <set|list|use|delete|rename> ...",
                "Names for single entries", f"{_PLACES}:bookmark", "Branches",
                example="/session-bookmark set start 3", options=(Option("force"),),
                words=(0, 3), needs_session=True),
    CommandSpec("/branch", "/branch <id>", "Go on from an older entry",
                f"{_PLACES}:branch", "Branches", "An id, a name, active, latest or ~2.",
                "/branch 12", words=(1, 1), whole=True, needs_session=True),
    CommandSpec("/resume", "/resume", "Go on from the latest entry",
                f"{_PLACES}:resume", "Branches", needs_session=True),
    CommandSpec("/session-repair", "/session-repair [--dry-run] [--remove]",
                "Mend the session's tree, keeping a backup", f"{_CHANGES}:repair", "Session",
                "--remove drops what hangs on nothing, instead of making it a root.",
                options=(Option("remove"), *_DRY), needs_session=True),
    CommandSpec("/session-compact", "/session-compact [--dry-run] [--all]",
                "Remove all branches but the active one, keeping a backup",
                f"{_CHANGES}:prune", "Session",
                "Branches that a name stands on stay, unless --all.",
                options=(Option("all"), *_DRY), needs_session=True),
    CommandSpec("/quit", "/quit", "Leave", "pi.commands.basics:leave", aliases=("/exit",),
                words=(0, 99)),
    CommandSpec("/sessions", "/sessions [--json]", "List the sessions of this folder",
                f"{_SESSIONS}:sessions", "Session"),
    CommandSpec("/export", "/export [file] [--redact] [--force]",
                "Write the conversation as a page to look at",
                f"{_EXPORTS}:export", "Session",
                "Without a file: <session>.html here. The ending names the format (.html, .md, "
                ".json, .jsonl); options as /session-export has them.",
                "/export talk.html --redact", options=_EXPORT,
                words=(0, 1), whole=True, needs_session=True),
    CommandSpec("/session-validate", "/session-validate",
                "Check the session file", f"{_SESSIONS}:validate", "Session", needs_session=True),
    CommandSpec("/session-undo", "/session-undo",
                "Take the last repair, import or compaction back", f"{_CHANGES}:undo", "Session",
                options=(Option("yes"),), needs_session=True),
    CommandSpec("/compact", "/compact [focus]",
                "Summarise the older part of the conversation to make room",
                "pi.commands.compact:compact", "Session",
                "The file keeps everything; /session-compact removes branches from it.",
                "/compact the failing tests", words=(0, 1), whole=True),
    CommandSpec("/prompt", "/prompt <text>", "Ask the model; for command files",
                "pi.commands.conversation_commands:prompt", "Conversation",
                "The text is taken as it stands; the answer is what the command prints.",
                "/prompt List the open questions", words=(1, 99_999_999), rest=0),
    CommandSpec("/new", "/new [name]", "Begin a new session without a past",
                "pi.commands.conversation_commands:new", "Conversation",
                "The old one stays as it is; /sessions lists all.", "/new parser-rewrite",
                words=(0, 1), whole=True),
    CommandSpec("/model", "/model [provider/model]",
                "Show the model that answers, or go on with another",
                "pi.commands.conversation_commands:model", "Models",
                example="/model anthropic/claude-sonnet-4-5", words=(0, 1)),
    CommandSpec("/undo", "/undo [n]", "Go back before the last n prompts; nothing is deleted",
                f"{_PLACES}:undo", "Branches", words=(0, 1), needs_session=True),
    CommandSpec("/cost", "/cost", "Show what this run and its session have used",
                "pi.commands.cost:cost", "Diagnostics"),
    CommandSpec("/reload", "/reload", "Read settings, instructions and templates anew",
                "pi.commands.reload:reload"),
    CommandSpec("/templates", "/templates", "List the prompt templates, /name each",
                "pi.commands.templates:templates", "Conversation",
                "A Markdown file in .pi/prompts or your own prompts folder; $1, $@, $ARGUMENTS "
                "and ${@:2} stand for what is typed behind its name."),
    CommandSpec("/trust", "/trust [--yes|--revoke|--list]",
                "Let this folder's own settings, templates and macros count",
                "pi.commands.trust:trust",
                details="Kept outside of the folder, for its real path. A script needs --yes.",
                options=(Option("revoke"), Option("list"), Option("yes"))),
    *MORE_SKILLS,
)  # fmt: skip

BY_NAME: dict[str, CommandSpec] = {
    name: spec for spec in COMMANDS for name in (spec.name, *spec.aliases)
}
