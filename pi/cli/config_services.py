"""Services about configuration: reading it anew, templates, whom the user trusts."""

from __future__ import annotations

from pi.base.errors import PiError, UsageError
from pi.base.homes import find_project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pi.cli.conversation import Conversation
    from pi.cli.template_files import Templates
    from pi.commands.expansion import Template

# Groups of settings that a run can take up while it goes on; the others are read at its start.
LIVE = ("prompt", "tools", "output", "compaction", "max_turns", "turn_timeout_ms")


def trusted(run: Conversation) -> Callable[[], bool]:
    """``trusted()``: whether what this folder brings along counts."""

    def answer() -> bool:
        from pi.cli.folder_trust import trusts_here

        project = find_project(run.cwd, run.host.environ)
        return trusts_here(project, run.cwd, run.parsed, run.host.environ)

    return answer


def trust_state(run: Conversation) -> Callable[[], dict[str, Any]]:
    """``trust_state()``: the project, whether it is trusted, and all answers."""

    def state() -> dict[str, Any]:
        from pi.cli.folder_trust import read_answers, things_in

        answers = read_answers(run.host.environ)
        project = find_project(run.cwd, run.host.environ)
        return {
            "root": project.root if project is not None else None,
            "trusted": trusted(run)(),
            "things": list(things_in(project)) if project is not None else [],
            "folders": {root: answers[root]["trusted"] for root in sorted(answers)},
        }

    return state


def trust(run: Conversation) -> Callable[[bool | None], bool]:
    """``trust(answer)``: keep the answer for this project, None forgets it. Returns whether
    that changed anything. Raises UsageError outside of a project, ConfigError."""

    def change(answer: bool | None) -> bool:
        from pi.cli.folder_trust import write_answer

        host = run.host
        project = find_project(run.cwd, host.environ)
        if project is None:
            raise UsageError("this is no project")
        now, random_bytes = host.now_ms(), host.random_bytes
        return write_answer(host.environ, project.root, answer, now, random_bytes)

    return change


def ask_for_trust(run: Conversation, confirm: Callable[[str], bool]) -> list[str]:
    """On a terminal, at the start: ask about a folder that brings something along and was
    never judged; a yes counts at once, and is kept only if what the folder brings along can
    be used. Returns sentences for the user. Never fails."""
    from pi.cli.folder_trust import ask_once

    host = run.host
    project = find_project(run.cwd, host.environ)
    try:
        yes = ask_once(project, run.parsed, host.environ, confirm, host.now_ms(), host.random_bytes)
        return _reloaded_or_not_trusted(run) if yes else []
    except PiError as exc:  # a damaged file: the run goes on without what it says
        return [f"{exc.message} ({exc.cause})" if exc.cause else exc.message]


def _reloaded_or_not_trusted(run: Conversation) -> list[str]:
    """``reload`` right after a yes, which is forgotten again if that fails: the next start
    asks anew instead of failing."""
    try:
        return reload(run)()
    except BaseException:
        trust(run)(None)
        raise


def templates(run: Conversation) -> Callable[[], Mapping[str, Template]]:
    """``templates()``: the prompt templates by name, read when first asked for."""
    return lambda: loaded_templates(run).by_name


def loaded_templates(run: Conversation) -> Templates:
    """The templates of a run, with what was passed over."""
    if run.templates is None:
        from pi.cli.template_files import load_templates

        run.templates = load_templates(run.parsed, run.host, run.cwd)
        for note in run.templates.notes:
            run.printer.note(note)
    return run.templates


def reload(run: Conversation) -> Callable[[], list[str]]:
    """``reload()``: read settings files, instructions and templates anew.

    What cannot change while a run goes on keeps its value, and so does what a command
    changed meanwhile. Returns sentences for the user. Raises ConfigError and UsageError for
    files that cannot be used; then nothing has changed.
    """

    def read_anew() -> list[str]:
        from pi.cli.config_files import configured
        from pi.cli.parse import parse
        from pi.cli.settings import build_settings

        parsed = configured(parse(run.parsed.argv, run.host.environ), run.host)
        old, new = build_settings(run.parsed), build_settings(parsed)
        changed = [name for name in new._fields if getattr(new, name) != getattr(old, name)]
        live = {name: getattr(new, name) for name in changed if name in LIVE}
        notes = [f"{_words(name)} changed" for name in live]
        notes += [
            f"{_words(name)} changed: that counts from the next start on"
            for name in changed
            if name not in LIVE
        ]
        run.parsed = parsed
        if "tools" in live:
            run.loaded.clear()  # what a profile said of them holds no more
        run.configure(run.settings._replace(**live))
        found = loaded_templates(run)
        return [*notes, f"templates: {len(found.by_name)}"]

    return read_anew


def _words(name: str) -> str:
    return name.replace("_", " ")
