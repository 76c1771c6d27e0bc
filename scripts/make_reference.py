#!/usr/bin/env python3
"""Write docs/reference/*.md from the tables of flags, commands and errors.

scripts/make_reference.py            write the pages
scripts/make_reference.py --check    write nothing; exit 1 and say which page is not as it would be

Standard library only. The pages hold nothing but what the tables and the sources say.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pi.cli.flag import Flag  # noqa: E402
from pi.cli.flags import FLAGS, GROUPS  # noqa: E402
from pi.commands.help import topics  # noqa: E402
from pi.commands.spec import CommandSpec, Option  # noqa: E402
from pi.commands.subcommands import SUBCOMMANDS, usage  # noqa: E402
from pi.commands.table import COMMANDS  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Made by scripts/make_reference.py from the sources; changes here are lost. -->\n"
KINDS = {
    "text": "text",
    "path": "path",
    "secret": "secret",
    "int": "whole number",
    "bool": "true or false",
    "list": "list",
    "repeat": "text, repeatable",
    "choice": "one word",
}
EXITS = {
    0: "Done.",
    1: "Failed for a reason not below.",
    2: "The command line or a configuration file is wrong.",
    3: "No credential, or the provider refused it.",
    4: "The provider cannot be reached: name, route, TLS or proxy.",
    5: "The provider failed, after retries.",
    6: "A cap was reached: turns, tokens, cost or tool calls.",
    7: "Verification failed: checksum, signature, session, audit log or replay.",
    8: "Refused by policy.",
    9: "The provider refused the answer or cut it short.",
    70: "A bug in pi.",
    124: "The time limit passed.",
    130: "Interrupted, or nobody reads the output any more.",
}
ERROR_ROOT = "PiError"
# Files that pi reads or writes: which, what, and the page under docs/ that says more.
FILES = (
    ("`.pi/sessions/*.jsonl`", "Conversations, one JSON record a line", "sessions.md"),
    ("`.pi/settings.json`, and the user's own", "Values of flags, as JSON", "configuration.md"),
    ("`AGENTS.md`, `CLAUDE.md`", "Instructions for the model", "configuration.md"),
    ("`.pi/prompts/*.md`", "Prompt templates", "configuration.md"),
    ("`.pi/macros.json`", "Lists of commands: `/macro`", "reference/commands.md"),
    ("`.pi/profiles.json`", "What runs were started with: `/profile`", "reference/commands.md"),
    ("`.pi/skills/`", "Skills, their lockfile and trusted keys", "air-gap.md"),
    ("what `--tool-audit-log` names", "Starts and ends of tools, hash-chained", "audit.md"),
    ("what `--telemetry-log` names", "One line of figures for each prompt", "audit.md"),
    ("what `--record` names", "Recorded exchanges with providers", "cassettes.md"),
    ("what `--command-file` names", "Slash commands, one a line", "reference/commands.md"),
    ("what a program reads of pi's output", "JSON objects and lines", "machine-output.md"),
)


class ErrorClass(NamedTuple):
    base: str
    code: str
    exit_code: int | None  # None: the base's


def flags_page() -> str:
    """Every flag by group."""
    parts = [
        MADE,
        "# Flags\n",
        "A flag beats its variable, which beats the default. `--flag value` and `--flag=value` "
        "are the same; a list is comma-separated and may be given again; an empty variable "
        "counts as unset. Words without a flag are the prompt.\n",
    ]
    for group in GROUPS:
        rows = [flag for flag in FLAGS if flag.group == group]
        if rows:
            lines = ["| flag | value | default | variable | |", "| --- | --- | --- | --- | --- |"]
            lines += [_flag_row(flag) for flag in rows]
            parts.append(f"## {group}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _flag_row(flag: Flag) -> str:
    name = f"`{flag.name}`" + (f" `{flag.short}`" if flag.short else "")
    value = KINDS[flag.kind] + (f" `{flag.metavar}`" if flag.metavar else "")
    if flag.choices:
        more = "also " if flag.kind == "bool" else ""
        value += f": {more}" + ", ".join(f"`{choice}`" for choice in flag.choices)
    if flag.minimum:
        value += f", at least {flag.minimum}"
    shown = str(flag.default).lower() if flag.kind == "bool" else str(flag.default)
    default = "" if flag.default in (None, ()) else f"`{shown}`"
    told = [flag.help + "."]
    if flag.needs:
        told.append("Needs " + ", ".join(f"`{name}`" for name in flag.needs) + ".")
    if flag.clashes:
        told.append("Not with " + ", ".join(f"`{name}`" for name in flag.clashes) + ".")
    variable = f"`{flag.variable}`" if flag.variable else ""
    return _row(name, value, default, variable, " ".join(told))


def commands_page() -> str:
    """Every slash command by topic."""
    parts = [
        MADE,
        "# Slash commands\n",
        "Typed in a conversation, or one a line in a command file (`--command-file`). All take "
        "`--json`: one line with `command`, `ok`, and `data` or `error`. Words are quoted as "
        "in a shell; `--` ends the flags.\n",
    ]
    for topic in topics():
        parts.append(f"## {topic}\n")
        parts += [_command(spec) for spec in COMMANDS if spec.topic == topic]
    return "\n".join(parts)


def _command(spec: CommandSpec) -> str:
    lines = [
        f"### {spec.name}",
        "",
        f"    {spec.usage}",
        "",
        f"{spec.summary}. {spec.details}".strip(),
    ]
    rows = SUBCOMMANDS.get(spec.name, ())
    if rows:
        lines += ["", "| | |", "| --- | --- |"]
        lines += [_row(f"`{usage(spec.name, each)}`", each.summary) for each in rows]
    if spec.options:
        lines += ["", "Flags: " + ", ".join(_option(option) for option in spec.options) + "."]
    notes = []
    if spec.aliases:
        notes.append("Also " + ", ".join(f"`{name}`" for name in spec.aliases) + ".")
    if spec.needs_session:
        notes.append("Needs a session.")
    if spec.example:
        notes.append(f"Example: `{spec.example}`")
    if notes:
        lines += ["", " ".join(notes)]
    return "\n".join(lines) + "\n"


def _option(option: Option) -> str:
    value = {"switch": "", "int": " <n>"}.get(option.kind, " <text>")
    if option.choices:
        value = " " + "|".join(option.choices)
    return f"`--{option.name}{value}`"


def exit_codes_page() -> str:
    """Exit codes, and the codes of errors."""
    known = error_classes()
    lines = ["| exit | | error codes of that kind |", "| --- | --- | --- |"]
    by_exit: dict[int, list[str]] = {}
    for code, exits in error_codes(known).items():
        for number in sorted(exits):
            by_exit.setdefault(number, []).append(f"`{code}`")
    lines += [
        _row(f"**{number}**", told, ", ".join(sorted(by_exit.get(number, ()))))
        for number, told in EXITS.items()
    ]
    unlisted = set(by_exit) - set(EXITS)
    assert not unlisted, f"exit codes without a description: {unlisted}"
    return "\n".join(
        [
            MADE,
            "# Exit codes and error codes\n",
            "The exit codes are the same in text, JSON and script modes. The error codes are the "
            "`code` of an `error` in JSON; they are stable, and new ones may be added; "
            "`*` stands for a name.\n",
            "\n".join(lines) + "\n",
        ]
    )


@functools.lru_cache(maxsize=1)
def sources() -> tuple[ast.Module, ...]:
    paths = sorted((ROOT / "pi").rglob("*.py"))
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in paths)


def error_classes() -> dict[str, ErrorClass]:
    """Every class of the sources that descends from PiError, by name."""
    found: dict[str, ErrorClass] = {}
    for tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                values = _constants(node)
                code, number = values.get("code", ""), values.get("exit_code")
                found[node.name] = ErrorClass(
                    bases[0] if bases else "",
                    str(code),
                    number if isinstance(number, int) else None,
                )
    return {name: row for name, row in found.items() if _descends(name, found)}


def _constants(node: ast.ClassDef) -> dict[str, object]:
    return {
        target.id: each.value.value
        for each in node.body
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
        for target in each.targets
        if isinstance(target, ast.Name)
    }


def _descends(name: str, classes: Mapping[str, ErrorClass]) -> bool:
    return name == ERROR_ROOT or (name in classes and _descends(classes[name].base, classes))


def exit_of(name: str, classes: Mapping[str, ErrorClass]) -> int:
    """The exit code of a class: its own or the nearest ancestor's."""
    row = classes[name]
    return exit_of(row.base, classes) if row.exit_code is None else row.exit_code


def error_codes(classes: Mapping[str, ErrorClass]) -> dict[str, set[int]]:
    """Every error code of the sources, with the exit codes it comes with."""
    found: dict[str, set[int]] = {}
    for name, row in classes.items():
        if row.code:
            found.setdefault(row.code, set()).add(exit_of(name, classes))
    for tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                for code in _literal_codes(node) if node.func.id in classes else ():
                    found.setdefault(code, set()).add(exit_of(node.func.id, classes))
    return found


def _literal_codes(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "code":
            yield from _texts(keyword.value)


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts an expression may be; ``*`` stands for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values
        )
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def files_page() -> str:
    """The files pi reads and writes, and where each is described."""
    lines = ["| file | holds | described in |", "| --- | --- | --- |"]
    for name, told, page in FILES:
        assert (ROOT / "docs" / page).is_file(), f"docs/{page} is not there"
        link = page[len("reference/") :] if page.startswith("reference/") else f"../{page}"
        lines.append(_row(name, told, f"[{page}]({link})"))
    return "\n".join([MADE, "# Files\n", "\n".join(lines) + "\n"])


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


PAGES = {
    "flags.md": flags_page,
    "commands.md": commands_page,
    "exit-codes.md": exit_codes_page,
    "files.md": files_page,
}


def main(argv: Sequence[str]) -> int:
    """Write or check; the exit code."""
    if argv not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    differing = []
    for name, make in PAGES.items():
        path, page = FOLDER / name, make()
        if path.is_file() and path.read_text(encoding="utf-8") == page:
            continue
        differing.append(name)
        if not argv:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8")
    for name in differing:
        print(f"docs/reference/{name} " + ("is not up to date" if argv else "written"))
    if argv and differing:
        print("run: python3 scripts/make_reference.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
