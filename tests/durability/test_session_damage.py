"""Damaged session files: intact lines load, the damage is told, nothing is destroyed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from pi.ai.types import user_message
from pi.sessions.errors import SessionError
from pi.sessions.warnings import warnings
from tests.durability.conftest import opened

META = b'{"record_type":"meta","schema_version":2,"session_id":"s","next_id":1}\n'


def line(entry_id: Any, parent: Any = None, text: str = "hi", **more: Any) -> bytes:
    message = {"role": "user", "content": [{"type": "text", "text": text}], "is_error": False}
    record = {"record_type": "entry", "id": entry_id, "parent_id": parent, "message": message}
    return json.dumps({**record, **more}).encode() + b"\n"


GOOD = META + line(1, None, "one") + line(2, 1, "two")
WRONG_ID = "entry id is not an integer from 0 to 2^63-1"
CASES: dict[str, tuple[bytes, str]] = {
    "id is a string": (line("3", 2), WRONG_ID),
    "id is a float": (line(3.0, 2), WRONG_ID),
    "id is a bool": (line(True, 2), WRONG_ID),
    "id is negative": (line(-3, 2), WRONG_ID),
    "id is 2^63": (line(2**63, 2), WRONG_ID),
    "id is 2^64": (line(2**64, 2), WRONG_ID),
    "id has 10,000 digits": (b'{"id":' + b"9" * 10_000 + b',"message":{}}\n', "too many digits"),
    "id is missing": (line(3, 2).replace(b'"id"', b'"di"'), WRONG_ID),
    "parent is a string": (line(3, "2"), "parent_id is not null or an integer"),
    "parent is a list": (line(3, [2]), "parent_id is not null or an integer"),
    "message is a string": (line(3, 2, message="hi"), "entry without a message object"),
    "role is unknown": (line(3, 2, message={"role": "god", "content": []}), "role is not"),
    "content is a string": (
        line(3, 2, message={"role": "user", "content": "hi"}),
        "content is not",
    ),
    "a block is a string": (line(3, 2, message={"role": "user", "content": ["hi"]}), "block"),
    "text block has no text": (
        line(3, 2, message={"role": "user", "content": [{"type": "text", "text": 1}]}),
        "text block",
    ),
    "header has no version": (b'{"record_type":"meta"}\n', "header without a schema_version"),
    "header has a wrong version": (
        b'{"record_type":"meta","schema_version":"2"}\n',
        "header without a schema_version",
    ),
    "NUL bytes": (b"\0" * 5000 + b"\n", "not JSON"),
    "NUL bytes within": (line(3, 2).replace(b"hi", b"h\0i"), "not JSON"),
    "not UTF-8": (line(3, 2).replace(b"hi", b"h\xffi"), "not UTF-8"),
    "nested too deeply": (b'{"a":' + b"[" * 100_000 + b"\n", "nested too deeply"),
    "not an object": (b"[1, 2]\n", "not a JSON object"),
    "another record": (b'{"name":"x"}\n', "not a record of a session"),
    "two lines in one": (line(3, 2).rstrip() + line(4, 3), "not JSON"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("at_end", [True, False])
def test_a_bad_line_costs_itself_and_is_told(tmp_path: Path, name: str, at_end: bool) -> None:
    bad, reason = CASES[name]
    content = GOOD + bad + (b"" if at_end else line(9, 2, "nine"))
    path = tmp_path / "s.jsonl"
    path.write_bytes(content)
    session = opened(path)
    wanted = ["one", "two"] + ([] if at_end else ["nine"])
    assert [message.text() for message in session.messages()] == wanted
    (told,) = warnings(session)
    assert f"line 4 (byte {len(GOOD)}) is damaged" in told
    assert reason in told
    (new,) = session.append([user_message("on")])
    assert new.id > (3 if at_end else 9)  # the bad line may have been entry 3
    assert path.read_bytes().startswith(content)
    assert [message.text() for message in opened(path).messages()] == [*wanted, "on"]


def test_an_intact_line_of_fifty_megabytes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(GOOD + line(3, 2, "x" * 50_000_000) + line(4, 3, "four"))
    session = opened(path)
    assert session.damage == ()
    assert [len(message.text()) for message in session.messages()] == [3, 3, 50_000_000, 4]


def test_a_torn_line_of_fifty_megabytes_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with open(path, "wb") as file:
        file.write(GOOD + line(3, 2, "x" * 50_000_000)[:-10])
    session = opened(path)
    assert [message.text() for message in session.messages()] == ["one", "two"]
    (told,) = warnings(session)
    assert len(told) < 300
    session.append([user_message("on")])
    assert [message.text() for message in opened(path).messages()] == ["one", "two", "on"]


def test_of_two_headers_both_count(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    second = META.replace(b'"next_id":1', b'"next_id":50').replace(b'"s"', b'"other"')
    path.write_bytes(META + line(1) + second + line(2, 1) + META)
    session = opened(path)
    assert (session.damage, session.session_id, session.next_id) == ((), "s", 50)
    assert [entry.id for entry in session.append([user_message("on")])] == [50]


def test_of_an_id_given_twice_the_last_counts(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(GOOD + line(2, 1, "two again"))
    session = opened(path)
    assert [message.text() for message in session.messages()] == ["one", "two again"]
    assert [entry.id for entry in session.append([user_message("on")])] == [3]


@pytest.mark.parametrize(
    ("lines", "reached", "problem"),
    [
        (line(1, 1, "self"), ["self"], "cycle"),
        (line(1, 3, "a") + line(2, 1, "b") + line(3, 2, "c"), ["a", "b", "c"], "cycle"),
        (line(1, None, "a") + line(5, 4, "e"), ["e"], "missing parent id 4"),
    ],
)
def test_a_broken_tree_gives_what_is_reached_and_a_word(
    tmp_path: Path, lines: bytes, reached: list[str], problem: str
) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(META + lines)
    session = opened(path)
    assert sorted(message.text() for message in session.messages()) == reached
    (told,) = warnings(session)
    assert problem in told
    session.append([user_message("on")])
    assert path.read_bytes().startswith(META + lines)
    assert session.messages()[-1].text() == "on"


@pytest.mark.parametrize("version", [3, 10**6, 2**63 - 1])
def test_a_newer_version_is_read_only(tmp_path: Path, version: int) -> None:
    path = tmp_path / "s.jsonl"
    content = GOOD.replace(b'"schema_version":2', b'"schema_version":%d' % version)
    path.write_bytes(content)
    session = opened(path)
    assert len(session.messages()) == 2
    assert f"schema version {version}" in warnings(session)[0]
    with pytest.raises(SessionError) as caught:
        session.append([user_message("on")])
    assert caught.value.code == "session-newer-schema"
    assert path.read_bytes() == content


def test_a_reader_of_version_1_refuses_a_continued_file_and_gets_the_old_one_by_a_cut(
    tmp_path: Path,
) -> None:
    def read_v1(data: bytes) -> list[int]:
        ids = []
        for each in data.split(b"\n"):
            record = json.loads(each) if each.strip() else {}
            if record.get("record_type") == "meta" and record["schema_version"] > 1:
                raise ValueError("unsupported session schema version")
            if record.get("record_type") == "entry":
                ids.append(record["id"])
        return ids

    path = tmp_path / "s.jsonl"
    content = b'{"record_type":"meta","schema_version":1}\n' + line(1) + line(2, 1)
    path.write_bytes(content)
    session = opened(path)
    assert path.read_bytes() == content
    session.append([user_message("on")])
    whole = path.read_bytes()
    with pytest.raises(ValueError, match="unsupported session schema version"):
        read_v1(whole)
    cut = whole.index(b'{"record_type":"meta","schema_version":2')
    assert whole[:cut] == content
    assert read_v1(whole[:cut]) == [1, 2]


def test_flipped_bits_anywhere_cost_only_the_lines_they_hit(tmp_path: Path) -> None:
    draw = random.Random(5)
    path = tmp_path / "s.jsonl"
    whole = META + b"".join(line(n, n - 1 or None, f"text {n}") for n in range(1, 21))
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(draw.randrange(1, 6)):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data)
        (tmp_path / "s.jsonl.lock").unlink(missing_ok=True)
        untouched = {each for each in bytes(data).split(b"\n") if each in whole.split(b"\n")}
        session = opened(path)
        texts = {entry.message.text() for entry in session.snapshot().entries}
        ids = {entry.id for entry in session.snapshot().entries}
        for each in untouched:
            record = json.loads(each) if each else {}
            if record.get("record_type") == "entry":
                # Another line may have become a second entry of this id.
                assert record["message"]["content"][0]["text"] in texts or record["id"] in ids
        if not session.read_only:
            session.append([user_message("on")])
        assert path.read_bytes().startswith(bytes(data))
