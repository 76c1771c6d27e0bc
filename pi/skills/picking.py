"""Which skills are meant by words: by their file, else by their name. Pure."""

from __future__ import annotations

from pi.base.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_SHOWN = 80


def shown(word: str) -> str:
    """A word for a message: a very long one is cut."""
    return word if len(word) <= MAX_SHOWN else f"{word[:MAX_SHOWN]}..."


def pick(words: Sequence[str], names: Mapping[str, str], where: str) -> tuple[str, ...]:
    """The files that ``words`` mean, each once, in their order. ``names`` are those of
    skills by file. Nothing is made of a word but comparisons, so none leads elsewhere.

    Raises UsageError for a word that means no skill of ``where``, or two.
    """
    found: dict[str, None] = {}
    for word in words:
        files = [word] if word in names else [file for file in names if names[file] == word]
        if not files:
            raise UsageError(
                f"there is no skill '{shown(word)}' in {where}",
                hint="/skills-list shows what there is",
                code="unknown-skill",
            )
        if len(files) > 1:
            raise UsageError(
                f"two skills are called '{shown(word)}'",
                cause=", ".join(files),
                hint="name the file of the one that is meant",
            )
        found[files[0]] = None
    return tuple(found)
