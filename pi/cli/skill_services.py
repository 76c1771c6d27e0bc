"""Services about skills: the work on them, the ones of this run, and calling one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.cli.conversation import Conversation
    from pi.cli.run_skills import RunSkills
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
        from pi.cli.skill_look import with_chosen

        parsed = with_chosen(run.parsed, run.chosen_skills)
        return catalogue(parsed, run.host.environ, run.cwd)

    return read


def skills_do(run: Conversation) -> Callable[..., Any]:
    """``skills_do(work, **changes)``: what ``work(stage)`` returns, of a stage as ``skills``
    makes it. Signals and the time limit of a command file end its downloads."""

    def do(work: Callable[[Stage], Any], say: Callable[[str], None], **changes: Any) -> Any:
        from pi.base.cancel import Cancel
        from pi.cli.signals import CancelOnSignals
        from pi.cli.skills_stage import make_stage

        cancel, deadline = Cancel(), run.deadline
        stage = make_stage(run.parsed, run.host, run.cwd, say, run.alarm, cancel)
        stage.settings = stage.settings._replace(**changes)
        limit = (0,) if deadline is None else (deadline.left_ms(), deadline.limit())
        with CancelOnSignals(cancel, *limit):
            return work(stage)

    return do


def skills_changed(run: Conversation) -> Callable[[], None]:
    """``skills_changed()``: other skills are installed; the next prompt looks anew."""
    return lambda: run.configure(run.settings)


def skills_in_use(run: Conversation) -> Callable[..., RunSkills]:
    """``skills_in_use(names, only)``: the skills whose text is in the system prompt.

    ``names`` (names and paths, as of --skill) join them from the next prompt on; with
    ``only`` they take their place. Raises what a start with --skill raises for them; then
    nothing has changed.
    """

    def use(names: tuple[str, ...] = (), *, only: bool = False) -> RunSkills:
        from pi.cli.run_skills import run_skills
        from pi.cli.skill_look import with_chosen

        given: Any = run.parsed.values["--skill"]
        before = given if run.chosen_skills is None else run.chosen_skills
        wanted = tuple(dict.fromkeys((*(() if only else before), *names)))
        parsed = with_chosen(run.parsed, wanted)
        can_read = "read" in run.settings.tools.names
        found = run_skills(parsed, run.host, run.cwd, can_read=can_read)
        if wanted != before:
            run.chosen_skills = wanted
            run.configure(run.settings)
        return found

    return use


def skills_selected(run: Conversation) -> Callable[[Catalogue], tuple[Skill, ...]]:
    """``skills_selected(found)``: those of ``found``, which are the skills there are, whose
    text is in the system prompt. Raises what a start with --skill raises for them."""

    def selected(found: Catalogue) -> tuple[Skill, ...]:
        from pi.cli.run_skills import run_skills
        from pi.cli.skill_look import with_chosen

        parsed = with_chosen(run.parsed, run.chosen_skills)
        return run_skills(parsed, run.host, run.cwd, can_read=False, found=found).selected

    return selected


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
