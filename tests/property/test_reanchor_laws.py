"""A conversation whose file is rewritten under it: nothing is lost, nothing comes twice."""

from __future__ import annotations

import json
import os
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.types import user_message
from pi.sessions.store import SessionStore
from tests.fakes.examples import few

# A tree: the parent of entry n+2 is one of the entries before it, or none.
trees = st.lists(st.integers(0, 10), min_size=1, max_size=10)


def store(path: str) -> SessionStore:
    return SessionStore.open(path, now_ms=lambda: 5, random_bytes=bytes, fsync="never")


def grow(path: str, tree: list[int]) -> SessionStore:
    session = store(path)
    for number, choice in enumerate(tree):
        parent = choice % (number + 1)
        session.head = parent or None
        session.append([user_message(f"m{number}")])
    return session


@given(tree=trees, kept=st.sets(st.integers(1, 10)), foreign=st.integers(0, 3), place=st.data())
@settings(max_examples=few(150), deadline=None)
def test_the_conversation_goes_on_whatever_was_taken_out(
    tree: list[int], kept: set[int], foreign: int, place: st.DataObject
) -> None:
    """After any entries were removed and any others added: the conversation in memory is the
    one before; after the next append it is in the file with that, what was kept of it from
    its root on is not there twice, and no id is given twice."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s")
        session = grow(path, tree)
        session.head = place.draw(st.integers(1, len(tree)))
        before = session.messages()
        lineage = [entry.id for entry in session.lineage()]
        with open(path, "rb") as file:
            header, *lines = file.read().splitlines()
        lines = [line for line in lines if json.loads(line)["id"] in kept]
        # Somebody else's entries, one of them under an id of ours.
        for number in range(foreign):
            entry_id = 90 + number if number else lineage[0]
            if entry_id not in kept:
                message = {"role": "user", "content": []}
                record = {"id": entry_id, "parent_id": None, "message": message}
                lines.append(json.dumps(record).encode())
        with open(path + ".new", "wb") as file:
            file.write(b"\n".join([header, *lines, b""]))
        os.replace(path + ".new", path)

        assert session.messages() == before
        session.refresh()
        assert session.messages() == before
        (new,) = session.append([user_message("on")])
        found = session.messages()
        assert found == store(path).messages() == (*before, user_message("on"))
        prefix = next((at for at, each in enumerate(lineage) if each not in kept), len(lineage))
        assert [entry.id for entry in session.lineage()][:prefix] == lineage[:prefix]
        assert len(session) == len(lines) + len(lineage) - prefix + 1
        assert len(session.news()) == (prefix < len(lineage))
        with open(path, "rb") as file:
            ids = [json.loads(line).get("id") for line in file.read().splitlines()[1:]]
        assert len(ids) == len(set(ids))
        assert new.id > max([*lineage, 0])
