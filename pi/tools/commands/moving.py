"""Which directory a command runs in: what moves there, and what a loop does with it."""

from __future__ import annotations

from pi.tools.shell.pattern import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.tools.commands.places import Places
    from pi.tools.shell.syntax import Script, Word

MOVING = ("cd", "command", "builtin", "pushd", "popd")  # they change the folder, or may
# Looking for a word is far cheaper than any regular expression; the look back stands behind
# it, so that the search can skip to the word.
_LOOPS = {word: pattern(rf"{word}(?<!\w{word})\b") for word in ("for", "while", "until", "select")}


def first_loop(command: str) -> int:
    """Where the first loop may begin; the end of the command if it has none."""
    first = len(command)
    for word, loop in _LOOPS.items():
        if word in command:
            found = loop.search(command)
            if found is not None:
                first = min(first, found.start())
    return first


def follow_rounds(script: Script, loop: int, places: Places) -> None:
    """In a loop, which begins at ``loop``, a later ``cd`` may come before an earlier command,
    and each more than once."""
    moving = [
        each.words
        for each in script.commands
        if each.offset > loop and each.words and each.words[0].value in MOVING
    ]
    known: list[str] | None = []
    again = False
    while places.folders is not None and places.folders != known:
        known = places.folders
        for words in moving:
            change_folder(words, places, True, again)
        again = True


def change_folder(
    words: tuple[Word, ...], places: Places, in_loop: bool = False, again: bool = False
) -> None:
    """Take into account where this command, one of ``MOVING``, may leave the shell."""
    while words and words[0].value in ("command", "builtin"):
        words = words[1:]
        while words and (words[0].value or "").startswith("-"):
            words = words[1:]
    if words and words[0].value == "cd":
        places.change(words[1:], in_loop, again)
    elif words and words[0].value in MOVING:
        places.lose()
