"""Services about skills: the work on them, the ones of this run, and calling one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.cli.conversation import Conversation
    from pi.skills.catalogue import Catalogue
    from pi.skills.skill import Skill
    from pi.skills.stage import Stage


def skills(run: Conversation) -> Callable[..., Stage]:
    """``skills(**changes)``: the work on skills, as the flags have it but for ``changes``."""

    def make(**changes: Any) -> Stage:
        from pi.cli.skills_stage import make_stage

        stage = make_stage(run.parsed, run.host, run.cwd, lambda line: None, run.alarm)
        stage.settings = stage.settings._replace(**changes)
        return stage

    return make


def skill_catalogue(run: Conversation) -> Callable[[], Catalogue]:
    """``skill_catalogue()``: every skill that can be used here, read anew."""

    def read() -> Catalogue:
        from pi.cli.run_skills import catalogue

        return catalogue(run.parsed, run.host.environ, run.cwd)

    return read


def skill_to_call(run: Conversation) -> Callable[[str], Skill]:
    """``skill_to_call(name)``: the skill of that name, if the run may use it. Raises
    UsageError for an unknown one, VerificationFailed for one that is not signed where
    signatures are demanded."""

    def find(name: str) -> Skill:
        from pi.cli.run_skills import catalogue, signed_only

        skill = catalogue(run.parsed, run.host.environ, run.cwd).find(name)
        if run.parsed.values["--require-signed-skills"]:
            signed_only(run.parsed, run.host, run.cwd, [skill], [])
        return skill

    return find
