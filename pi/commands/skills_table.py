"""The slash commands about skills, as rows of the command table."""

from __future__ import annotations

from pi.commands.spec import CommandSpec, Option

_VIEWS = "pi.commands.skills_views"
_CHANGES = "pi.commands.skills_changes"
_MANAGE = "pi.commands.skills_manage"

SKILLS: tuple[CommandSpec, ...] = (
    CommandSpec("/skills-search", "/skills-search <query> [max_results]",
                "Find skills by name and content", f"{_VIEWS}:search", "Skills",
                "Also: --limit <n>; without it a number at the end is the limit.",
                "/skills-search checklist 5",
                options=(Option("limit", "int", minimum=1),), words=(0, 99)),
    CommandSpec("/skills-show", "/skills-show <name>", "Show a skill's text and facts",
                f"{_VIEWS}:show", "Skills", example="/skills-show review",
                words=(1, 1), whole=True),
    CommandSpec("/skills-list", "/skills-list", "List the skills that can be used here",
                f"{_VIEWS}:show_list", "Skills"),
    CommandSpec("/skills-lock-diff", "/skills-lock-diff [lockfile_path] [--json]",
                "Show what differs from the lockfile", f"{_VIEWS}:lock_diff", "Skills",
                example="/skills-lock-diff --json", words=(0, 1)),
    CommandSpec("/skills-prune", "/skills-prune [lockfile_path] [--dry-run|--apply]",
                "Remove skills that are not in the lockfile", f"{_CHANGES}:prune", "Skills",
                "Shows only what it would do, unless --apply; --all for an empty lockfile.",
                "/skills-prune --apply",
                options=(Option("dry-run"), Option("apply"), Option("all"), Option("yes")),
                words=(0, 99)),
    CommandSpec("/skills-trust-list", "/skills-trust-list [trust_root_file]",
                "List the trusted root keys", f"{_CHANGES}:trust_list", "Skills", words=(0, 1)),
    CommandSpec("/skills-trust-add", "/skills-trust-add <id=base64_key> [trust_root_file]",
                "Trust a root key", f"{_CHANGES}:trust_add", "Skills",
                "--replace lets it take the place of another key of its id.",
                options=(Option("replace"),), words=(1, 2)),
    CommandSpec("/skills-trust-revoke", "/skills-trust-revoke <id> [trust_root_file]",
                "Trust a root key no longer", f"{_CHANGES}:trust_revoke", "Skills", words=(1, 2)),
    CommandSpec("/skills-trust-rotate",
                "/skills-trust-rotate <old_id:new_id=base64_key> [trust_root_file]",
                "Revoke a root key and trust its successor", f"{_CHANGES}:trust_rotate", "Skills",
                words=(1, 2)),
    CommandSpec("/skills-lock-write", "/skills-lock-write [lockfile_path]",
                "Record what is installed", f"{_CHANGES}:lock_write", "Skills",
                words=(0, 1), whole=True),
    CommandSpec("/skills-sync", "/skills-sync [lockfile_path]",
                "Check what is installed against the lockfile", f"{_VIEWS}:sync", "Skills",
                words=(0, 1), whole=True),
    CommandSpec("/skills-verify", "/skills-verify [lockfile_path] [trust_root_file] [--json]",
                "Check digests and signatures", "pi.commands.skills_verify:verify", "Skills",
                "--strict: warnings fail too.", options=(Option("strict"),), words=(0, 2)),
)  # fmt: skip

# Not of the older program, whose commands come first.
MORE_SKILLS: tuple[CommandSpec, ...] = (
    CommandSpec("/skills-use", "/skills-use [name...] [--none]",
                "Put the text of skills into the system prompt", "pi.commands.skills_use:use",
                "Skills", "Without names: show which are in it, and their size. --none takes out "
                "those that are there. It counts from the next prompt on.",
                "/skills-use review", options=(Option("none"),), words=(0, 99)),
    CommandSpec("/skills-install", "/skills-install <file|url|registry:name...> [--sha256 <hex>]",
                "Install skills", f"{_MANAGE}:install", "Skills",
                "By the rules of --install-skill, --install-skill-url and "
                "--install-skill-from-registry. --lock-write records it in the lockfile, as "
                "--skills-lock-write does.",
                "/skills-install review.md", options=(Option("sha256", "text"),
                                                      Option("lock-write")), words=(1, 99)),
    CommandSpec("/skills-update", "/skills-update [name...] [--dry-run]",
                "Fetch skills again from where they came from", f"{_MANAGE}:update", "Skills",
                "Those that the lockfile has from an address or from the registry of this run.",
                "/skills-update --dry-run", options=(Option("dry-run"), Option("yes")),
                words=(0, 99)),
    CommandSpec("/skills-remove", "/skills-remove <name...> [--dry-run|--apply]",
                "Remove installed skills", f"{_MANAGE}:remove", "Skills",
                "Shows only what it would do, unless --apply. --lock-write drops them from the "
                "lockfile too, as --skills-lock-write does.",
                "/skills-remove review --apply",
                options=(Option("dry-run"), Option("apply"), Option("lock-write"),
                         Option("yes")), words=(1, 99)),
)  # fmt: skip
