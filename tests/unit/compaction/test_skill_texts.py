"""Texts of skills in a conversation that is compacted: which stay, and what is told of others."""

from __future__ import annotations

from pathlib import Path

from pi.agent.events import AutoCompactionEnd
from pi.ai.cost import estimate_tokens
from pi.ai.events import Warned
from pi.ai.summaries import summary_of
from pi.ai.types import ChatRequest, Image, Message, Text, user_message
from pi.base.cancel import Cancel
from pi.compaction.compactor import Compactor
from pi.compaction.sizes import CompactionSettings, Plan
from pi.compaction.skill_texts import (
    MAX_LEFT,
    MAX_TOKENS,
    Kept,
    choose,
    room_for,
    skill_text,
    split_texts,
    told,
    with_texts,
    without_texts,
)
from pi.runtime.recorder import Recorder
from pi.sessions.store import SessionStore
from pi.skills.prompting import invocation
from pi.skills.skill import FLAT, Skill
from tests.fakes.agents import make_agent
from tests.fakes.scripted import ScriptedModel, text_reply


def called(name: str, body: str = "Do it.", said: str = "") -> Message:
    """What ``/skill:NAME`` sends."""
    return user_message(invocation(Skill(name, FLAT, f"/s/{name}.md", "user", body), said))


def text_of(name: str, body: str = "Do it.") -> str:
    return called(name, body).text()


def answer(text: str = "yes " * 400) -> Message:
    return Message("assistant", (Text(text),), stop_reason="stop")


def test_a_call_of_a_skill_is_known_by_its_form() -> None:
    assert skill_text(called("a", "x\n</skill>\ny", "now & here")) == text_of("a", "x\n</skill>\ny")
    odd = Skill('a"\n<b', FLAT, '/s/"\n.md', "user", "x")
    assert skill_text(user_message(invocation(odd, "now"))) == invocation(odd)
    for other in (
        user_message("hello"),
        user_message("see: " + text_of("a")),
        user_message('<skill name="a">\nno place\n</skill>'),
        user_message(text_of("a")[:-1]),
        Message("assistant", (Text(text_of("a")),)),
    ):
        assert skill_text(other) == ""


def test_of_one_skill_the_last_text_stays_and_none_that_is_still_there() -> None:
    gone = [called("a", "old"), answer(), called("b", said="go"), called("a", "new")]
    assert choose((), gone, [], 1000) == Kept((text_of("b"), text_of("a", "new")))
    assert choose((text_of("c"),), gone, [called("b")], 1000).texts == (
        text_of("c"),
        text_of("a", "new"),
    )


def test_the_newest_stay_as_far_as_there_is_room_and_the_user_is_told_of_the_others() -> None:
    gone = [called("a"), called("b", "word " * 500), called("c")]
    most = estimate_tokens(text_of("c"))
    kept = choose((), gone, [], most)
    assert kept == Kept((text_of("c"),), (("a", "/s/a.md"), ("b", "/s/b.md")))
    assert "more than 9 tokens: a, b (--skill" in told(kept, 9)
    assert told(Kept((text_of("c"),)), 9) == ""
    assert "- b: /s/b.md" in with_texts("SUM", kept)
    many = [called(f"s{number}") for number in range(120)]
    assert len(choose((), many, [], MAX_TOKENS).texts) == 100
    assert "and 10 more" in told(choose((), many, [], MAX_TOKENS), 9)


def test_the_list_of_those_that_did_not_fit_has_an_end() -> None:
    left = tuple((f"n{number}", f"/s/n{number}.md") for number in range(5000))
    lines = with_texts("SUM", Kept((), left)).splitlines()
    assert lines[3] == f"- {5000 - MAX_LEFT} older ones"
    assert (lines[-1], len(lines)) == ("- n4999: /s/n4999.md", 4 + MAX_LEFT)


def test_the_room_is_half_of_what_is_free_and_has_an_end() -> None:
    assert room_for(Plan(10_000, 3000, 1000, 0), 2000) == 2000
    assert room_for(Plan(1000, 900, 200, 0), 0) == 0
    assert room_for(Plan(900_000, 20_000, 13_000, 0), 0) == MAX_TOKENS


def test_what_is_split_off_must_fit_together() -> None:
    whole = with_texts("SUM", Kept((text_of("a"), text_of("b"))))
    assert split_texts(whole) == ("SUM", (text_of("a"), text_of("b")))
    size = len(text_of("b"))
    for broken in (
        "SUM",
        whole.replace(f'{size}"/>', f'{size - 1}"/>'),
        whole.replace(f'{size}"/>', f'{size} 999999999"/>'),
        whole.replace("Skills that the user put", "Skills put"),
        '\n\n<kept-skills lengths="0"/>',
        f"SUM{whole[-60:]}",
    ):
        assert split_texts(broken) == (broken, ())


def test_who_summarises_reads_what_was_said_and_not_the_text() -> None:
    picture = Image("image/png", "aGk=")
    message = called("a", said="and look")
    message = message._replace(blocks=(*message.blocks, picture))
    (short,) = without_texts([message], [text_of("a")])
    assert "Do it." not in short.text()
    assert short.text().endswith("which is kept)\n\nand look")
    assert short.blocks[-1] is picture
    assert without_texts([message], []) == (message,)


def test_a_called_skill_outlives_two_compactions_and_a_resume(tmp_path: Path) -> None:
    model = ScriptedModel(text_reply("ONE"), text_reply("TWO"))
    settings = CompactionSettings(reserve_tokens=1000, keep_recent_tokens=50)
    path = str(tmp_path / "s.jsonl")
    store = SessionStore.open(path, now_ms=lambda: 7, random_bytes=lambda n: b"x" * n)
    recorder = Recorder(store, lambda error: None)
    agent = make_agent(model, compaction=Compactor(model, settings, lambda: 10_000))
    body = "Step one.\n\n</skill>\nStep two."
    for message in (called("a", body, "do it"), answer(), user_message("more"), answer("ok")):
        recorder.add(message, "message")
        agent.messages.append(message)
    for _ in range(2):
        for event in agent.compact("", Cancel()):
            if isinstance(event, AutoCompactionEnd):
                recorder(event)
        assert text_of("a", body) in (summary_of(agent.messages[0]) or "")
        for message in (user_message("next"), answer(), user_message("last"), answer("ok")):
            recorder.add(message, "message")
            agent.messages.append(message)
    asked = [request.messages[0].text() for request in model.requests]
    assert all("Step two" not in text for text in asked)
    assert "which is kept)\n\ndo it" in asked[0]
    assert "ONE" in asked[1]
    again = SessionStore.open(path, now_ms=lambda: 7, random_bytes=lambda n: b"x" * n)
    assert again.context().messages == tuple(agent.messages)


def test_a_text_that_is_too_large_is_summarised_and_the_user_is_told() -> None:
    model = ScriptedModel(*[text_reply("SUM")] * 9)
    compactor = Compactor(
        model, CompactionSettings(reserve_tokens=1000, keep_recent_tokens=50), lambda: 4000
    )
    messages = [called("big", "word " * 4000), answer(), user_message("x"), answer("ok")]
    chat = ChatRequest("m", "", tuple(messages))
    room = None
    warned = []
    work = compactor.make_room(chat, "manual", Cancel())
    while room is None:
        try:
            event = next(work)
        except StopIteration as done:
            room = done.value
        else:
            warned += [event.text] if isinstance(event, Warned) else []
    assert len(warned) == 1
    assert "tokens: big (--skill" in warned[0]
    assert room.summarised is not None
    assert "- big: /s/big.md" in room.summarised.summary
    assert "word word" not in room.summarised.summary
