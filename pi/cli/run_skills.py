"""The skills of a run: which are found, which are put into its system prompt.

What ``--skill`` names is put there whole, wherever it lies: the user named it. The others
are listed for the model by name and description, if it can read their files; those of a
project only where the user trusts the folder.
"""

from __future__ import annotations

import os

from pi.base.errors import UsageError
from pi.base.typing import NamedTuple
from pi.cli.skill_look import searched
from pi.cli.system_prompt import Part
from pi.skills.catalogue import Catalogue, is_path, load
from pi.skills.prompting import listing, with_selected
from pi.skills.skill import FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from pi.base.host import Host
    from pi.cli.parse import Parsed
    from pi.skills.skill import Skill

SHOWN = 10


class RunSkills(NamedTuple):
    """``parts`` are those of the system prompt: what was selected, and the list; ``selected``
    are the skills of the first.
    ``folders`` are those of skills, and the files of flat ones: the read tool may look
    there."""

    parts: tuple[Part, ...] = ()
    folders: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    selected: tuple[Skill, ...] = ()


def catalogue(parsed: Parsed, environ: Mapping[str, str], cwd: str) -> Catalogue:
    """Every skill that can be used. Raises ConfigError, UsageError."""
    named: Any = parsed.values["--skill"]
    explicit = [_full(value, environ, cwd) for value in named if is_path(value)]
    return load(searched(parsed, environ, cwd), explicit)


def run_skills(
    parsed: Parsed, host: Host, cwd: str, *, can_read: bool, found: Catalogue | None = None
) -> RunSkills:
    """What the skills of this run add to its system prompt. Raises ConfigError, UsageError.

    ``can_read``: the model has the read tool, so that a list is of use. ``found`` are the
    skills there are, if they were read already.
    """
    if found is None:
        found = catalogue(parsed, host.environ, cwd)
    selected = select(parsed, host.environ, cwd, found)
    notes = list(found.warnings)
    rest = [one for one in found.skills if one not in selected and one.is_listed]
    rest = [] if parsed.values["--no-skills"] or not can_read else rest
    if parsed.values["--require-signed-skills"] and (selected or rest):
        selected, rest, refused = signed_only(parsed, host, cwd, selected, rest)
        notes += refused
    rest, left_out = trusted_only(parsed, host, cwd, rest)
    notes += left_out
    return RunSkills(
        (Part("skills", with_selected("", selected)), Part("skills listed", listing(rest))),
        tuple(sorted({o.folder if o.kind == FOLDER else o.file for o in (*selected, *rest)})),
        tuple(notes),
        selected,
    )


def select(
    parsed: Parsed, environ: Mapping[str, str], cwd: str, found: Catalogue
) -> tuple[Skill, ...]:
    """The skills that ``--skill`` names, in its order. Raises UsageError."""
    named: Any = parsed.values["--skill"]
    chosen: list[Skill] = []
    for value in named:
        if not is_path(value):
            chosen.append(found.find(value))
            continue
        path = os.path.realpath(_full(value, environ, cwd))
        inside = [
            one
            for one in found.skills
            if os.path.realpath(one.file) == path
            or os.path.realpath(one.file).startswith(path.rstrip(os.sep) + os.sep)
        ]
        if not inside:
            why = found.broken.get(os.path.basename(path), "")
            raise UsageError(f"the skill at {value} cannot be used", cause=why)
        chosen += inside
    return tuple({one.file: one for one in chosen}.values())


def trusted_only(
    parsed: Parsed, host: Host, cwd: str, skills: Sequence[Skill]
) -> tuple[list[Skill], list[str]]:
    """Leave out what a project brings along, unless the user trusts its folder or named it
    with --skills-dir."""
    doubtful = [one for one in skills if one.scope == "project"]
    if parsed.given("--skills-dir"):
        named = os.path.realpath(os.path.join(cwd, str(parsed.values["--skills-dir"])))
        doubtful = [
            one for one in doubtful if not os.path.realpath(one.file).startswith(named + os.sep)
        ]
    if not doubtful:
        return list(skills), []
    from pi.base.homes import find_project
    from pi.cli.folder_trust import trusts_here

    project = find_project(cwd, host.environ)
    if trusts_here(project, cwd, parsed, host.environ):
        roots = [os.path.join(path, "") for path in (cwd, project.root if project else cwd)]
        # Folders above it may be anybody's: nobody was asked about those.
        doubtful = [
            one
            for one in doubtful
            if not any(
                path.startswith(root)
                for root in roots
                for path in (one.file, os.path.realpath(one.file))
            )
        ]
    if not doubtful:
        return list(skills), []
    names = ", ".join(one.name for one in doubtful[:SHOWN])
    more = f" and {len(doubtful) - SHOWN} more" if len(doubtful) > SHOWN else ""
    note = (
        f"skills of this folder are not offered to the model, it is not trusted: {names}{more} "
        "(--trust-project, or /trust once)"
    )
    return [one for one in skills if one not in doubtful], [note]


def signed_only(
    parsed: Parsed, host: Host, cwd: str, selected: Sequence[Skill], rest: Sequence[Skill]
) -> tuple[tuple[Skill, ...], list[Skill], list[str]]:
    """Only skills whose lock entry is signed by a trusted key and holds. Raises
    VerificationFailed for a selected one."""
    from pi.base.errors import ConfigError, VerificationFailed
    from pi.cli.skills_stage import make_stage

    stage = make_stage(parsed, host, cwd, lambda line: None, lambda line: None)
    try:
        verdicts = {one.file: one for one in stage.verify().entries}
    except ConfigError as exc:
        if exc.code != "no-lockfile":
            raise
        verdicts = {}
    directory = os.path.realpath(os.path.join(cwd, stage.settings.directory))

    def problem(skill: Skill) -> str:
        file = os.path.relpath(os.path.realpath(skill.file), directory).replace(os.sep, "/")
        verdict = verdicts.get(file)
        if verdict is None:
            return "it is not in the lockfile"
        return "" if verdict.status == "pass" else "; ".join(verdict.checks)

    for skill in selected:
        why = problem(skill)
        if why:
            raise VerificationFailed(
                f"skill '{skill.name}' is not signed by a trusted key",
                cause=why,
                hint="--require-signed-skills asks for it; /skills-verify tells more",
                code="skill-refused",
            )
    left = [one for one in rest if problem(one)]
    notes = [f"skill '{one.name}' is left out: {problem(one)}" for one in left]
    return tuple(selected), [one for one in rest if one not in left], notes


def _full(value: str, environ: Mapping[str, str], cwd: str) -> str:
    home = environ.get("HOME") or ""
    if home and (value == "~" or value.startswith("~/")):
        value = home + value[1:]
    return os.path.join(cwd, value)
