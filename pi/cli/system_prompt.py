"""The system prompt: named parts in a fixed order, joined by blank lines.

    base          --system-prompt-file, else --system-prompt, else pi's own
    append        --append-system-prompt, in the order given
    context       AGENTS.md files
    skills        what other parts of pi hand in
    place         the working directory

Who gives a base of their own gets that and what they asked for, nothing else: no context
files (unless --context-files) and no working directory. There is no date in it: a prompt
that is the same tomorrow can be cached by the provider and replayed from a recording.
"""

from __future__ import annotations

from pi.base.errors import UsageError
from pi.base.text import visible
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.base.host import Host
    from pi.cli.parse import Parsed
    from pi.cli.settings import PromptSettings

HEADING = "# Instructions from "


class Part(NamedTuple):
    """A piece of the system prompt; ``name`` is for people and records."""

    name: str
    text: str


class Composed(NamedTuple):
    """``text`` is "" for a run without a system prompt; ``notes`` are for the user."""

    text: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    def record(self) -> dict[str, object]:
        """What a session says of it: enough to see that it changed, and by what."""
        from hashlib import sha256  # loaded anyway where requests are sent

        digest = sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()
        return {"sha256": digest, "parts": [part.name for part in self.parts]}


def compose(parts: Sequence[Part]) -> str:
    """The parts as one text. Pure."""
    texts = (part.text.strip() if index else part.text.rstrip() for index, part in enumerate(parts))
    return "\n\n".join(text for text in texts if text.strip())


def system_prompt(
    prompt: PromptSettings, parsed: Parsed, host: Host, cwd: str, skills: Sequence[Part] = ()
) -> Composed:
    """The system prompt of a run. Raises UsageError for a file that cannot be used."""
    parts = [Part("base", base_text(prompt)), *appended(prompt)]
    notes: list[str] = []
    if prompt.context_files:
        more, notes = context_parts(parsed, host, cwd)
        parts += more
    parts += skills
    if not prompt.own:
        parts.append(Part("place", f"Working directory: {visible(cwd)}"))
    parts = [part for part in parts if part.text.strip()]
    return Composed(compose(parts), tuple(parts), tuple(notes))


def base_text(prompt: PromptSettings) -> str:
    """The first part. Raises UsageError for a file that cannot be used."""
    if prompt.system_file is None:
        return prompt.system
    return _file(prompt.system_file, "system prompt file")


def appended(prompt: PromptSettings) -> list[Part]:
    """The texts of --append-system-prompt: ``@FILE`` is read, ``@@`` begins with one @."""
    parts = []
    for text in prompt.append:
        if text.startswith("@@"):
            text = text[1:]
        elif text.startswith("@"):
            text = _file(text[1:], "--append-system-prompt file")
        parts.append(Part("append", text))
    return parts


def context_parts(parsed: Parsed, host: Host, cwd: str) -> tuple[list[Part], list[str]]:
    """The instruction files as parts, and what to say of them."""
    from pi.base.homes import find_project
    from pi.cli.context_files import read_context_files

    project = find_project(cwd, host.environ)
    found = read_context_files(project, cwd, host.environ, trusted=False)
    if project is not None and any("leads out" in note for note in found.notes):
        from pi.cli.folder_trust import is_trusted  # asked only where it matters

        if is_trusted(project, parsed, host.environ):
            found = read_context_files(project, cwd, host.environ, trusted=True)
    parts = [Part(file.path, f"{HEADING}{file.shown}\n\n{file.text}") for file in found.files]
    names = ", ".join(file.shown for file in found.files)
    return parts, [*([f"instructions: {names}"] if names else []), *found.notes]


def _file(path: str, what: str) -> str:
    """A text file that is not blank. Raises UsageError. It may be a pipe: the user named it."""
    from pi.cli.oneshot import read_text  # loaded anyway by a single prompt

    text = read_text(path, what)
    if not text.strip():
        raise UsageError(f"{what} {path} is empty")
    return text
