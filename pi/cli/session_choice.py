"""Which session a run goes on with: the one named, the latest, one that is picked, a fork."""

from __future__ import annotations

import os

from pi.base.errors import Interrupted, UsageError
from pi.sessions.shelf import FOLDER, cards, latest, path_of, pick, text_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.host import Host
    from pi.cli.settings import SessionSettings


def choose(wanted: SessionSettings, host: Host) -> str:
    """The path of the session to go on with. Raises SessionError if there is none."""
    if wanted.which == "latest":
        return latest(FOLDER)
    if wanted.which == "picked":
        return _picked(host)
    assert wanted.path is not None
    # What is there under that very name is meant before a session of that name.
    return wanted.path if os.path.lexists(wanted.path) else path_of(wanted.path)


def show_sessions(host: Host, *, is_text: bool = True) -> int:
    """Print the sessions of this folder. Returns the exit code. Raises UsageError where a
    machine waits for something else."""
    if not is_text:
        raise UsageError(
            "--resume lets a person pick, and nobody is there",
            hint="name one with --session; /sessions --json lists them",
        )
    for line in _lines(host):
        print(line, file=host.stdout)
    return 0


def is_list_only(wanted: SessionSettings, host: Host) -> bool:
    """Whether nobody is there to pick: then the list is all there is."""
    return wanted.which == "picked" and not (host.stdin is not None and host.stdin.isatty())


def fork(path: str, new: str, host: Host, store_path: str, head: int | None) -> str:
    """Begin the session ``new`` with the branch up to ``head`` of the one at
    ``store_path``. Returns its path. Raises UsageError if it is there already."""
    from pi.base.files import replace_file
    from pi.sessions import export
    from pi.sessions.load_rows import load_rows, raw_of

    target = path_of(new)
    if os.path.lexists(target):
        raise UsageError(f"--fork {new}: {target} is already there", hint="choose another name")
    loaded = load_rows(store_path)
    header = {
        "record_type": "meta",
        "schema_version": 2,
        "session_id": host.random_bytes(16).hex(),
        "created_ms": host.now_ms(),
        "parent_session": path,
        "next_id": loaded.contents.next_id,
    }
    # The last entry of the file need not be the end of the branch.
    stand = {"record_type": "head", "id": head, "name": "main"}
    with open(loaded.path, "rb") as file:
        rows = export.chosen(loaded.rows, head)
        data = export.to_jsonl(header, rows, raw_of(file), [stand])
        try:
            os.makedirs(os.path.dirname(target) or ".", mode=0o700, exist_ok=True)
            replace_file(target, data, random_bytes=host.random_bytes, sync=True)
        except (OSError, ValueError) as exc:
            from pi.base.given_file import not_taken  # only on the way to an error

            what = f"--fork {new}: {target} cannot be written"
            raise not_taken(what, exc, hint="choose another name") from exc
    return target


def _picked(host: Host) -> str:
    found = cards(FOLDER)
    for line in _lines(host):
        print(line, file=host.stderr)
    if not found:
        raise UsageError(f"there is no session in {FOLDER}", hint="start one with -p")
    print("which one? ", end="", file=host.stderr, flush=True)
    assert host.stdin is not None
    answer = host.stdin.readline()
    if not answer.strip():
        raise Interrupted("no session was picked")
    return pick(found, answer).path


def _lines(host: Host) -> tuple[str, ...]:
    from pi.base.text import visible

    found = cards(FOLDER)
    times = {card.path: host.local_time(card.modified_ms) for card in found}
    return tuple(map(visible, text_lines(found, times)))
