"""Cutting a conversation: what stays is whole, what goes is summarised, nothing is lost."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.agent.events import AgentEnd, AutoCompactionEnd, MessageAdded
from pi.agent.loop import Agent, AgentSettings
from pi.ai.cost import estimate_message, estimate_tokens
from pi.ai.events import ReplyDone, StreamEvent
from pi.ai.summaries import summary_message, summary_of, without_thinking
from pi.ai.types import (
    Block,
    ChatRequest,
    Message,
    Reply,
    Text,
    Thinking,
    ToolCall,
    Usage,
    tool_message,
    user_message,
)
from pi.base.cancel import Cancel
from pi.base.errors import ProviderFailed
from pi.compaction.compactor import Compactor
from pi.compaction.cut import find_cut
from pi.compaction.pruning import prune_results
from pi.compaction.sizes import CompactionSettings, context_tokens, is_due, plan
from pi.compaction.transcript import (
    MAX_PIECES,
    SYSTEM,
    Files,
    pieces,
    request,
    split_summary,
    summary_text,
    touched_files,
    transcript,
)
from pi.runtime.recorder import Recorder
from pi.sessions.store import SessionStore
from tests.fakes.examples import few
from tests.fakes.scripted import ScriptedModel, text_reply

words = st.text(st.sampled_from("ab \né"), min_size=1, max_size=200)


@st.composite
def conversations(draw: st.DrawFn, bulk: int = 1) -> list[Message]:
    """Turns of a user, and answers with calls and their results, these ``bulk`` times."""
    messages: list[Message] = []
    for number in range(draw(st.integers(0, 4))):
        messages.append(user_message(draw(words)))
        for step in range(draw(st.integers(0, 3))):
            names = draw(st.lists(st.sampled_from(["read", "write", "edit", "bash"]), max_size=3))
            calls = tuple(
                ToolCall(f"{number}-{step}-{at}", name, {"path": draw(words)}, signature="s")
                for at, name in enumerate(names)
            )
            blocks: tuple[Block, ...] = (Thinking(draw(words), "sig"), Text(draw(words)), *calls)
            messages.append(Message("assistant", blocks))
            messages += [tool_message(call, draw(words) * bulk) for call in calls]
    return messages


@settings(max_examples=few(300), deadline=None)
@given(conversations(), st.integers(0, 200), st.integers(0, 3))
def test_what_is_kept_begins_where_no_call_loses_its_result(
    messages: list[Message], keep: int, start: int
) -> None:
    """The kept part is a suffix after ``start`` that begins with no tool result; each kept
    result has its call in the kept part; the turn's beginning lies before it."""
    cut = find_cut(messages, keep, start)
    if cut is None:
        return
    assert start < cut.kept < len(messages)
    assert start <= cut.turn <= cut.kept
    kept = messages[cut.kept :]
    assert kept[0].role != "tool"
    known = {call.id for message in kept for call in message.tool_calls()}
    assert all(m.tool_call_id in known for m in kept if m.role == "tool")
    if cut.turn < cut.kept:
        assert messages[cut.turn].role == "user"
        assert all(message.role != "user" for message in messages[cut.turn + 1 : cut.kept])
    else:
        assert kept[0].role == "user" or cut.turn == cut.kept


@settings(max_examples=few(300), deadline=None)
@given(conversations(), st.integers(1, 400))
def test_as_much_is_kept_as_fits_and_no_more(messages: list[Message], keep: int) -> None:
    """Beyond the first place that may be cut, the kept part is within the allowance."""
    cut = find_cut(messages, keep)
    total = sum(map(estimate_message, messages))
    if total <= keep:
        assert cut is None
    if cut is None:
        return
    kept = messages[cut.kept :]
    later = [at for at, message in enumerate(kept) if at and message.role != "tool"]
    if later:  # it could have been cut later: then what is kept fits
        assert sum(map(estimate_message, kept)) <= keep


@settings(max_examples=few(100), deadline=None)
@given(conversations())
def test_kept_messages_lose_their_thinking_and_nothing_else(messages: list[Message]) -> None:
    """Text and calls stay, without signatures; reasoning goes."""
    for message in messages:
        sent = without_thinking(message)
        assert sent.text() == message.text()
        assert [c[:3] for c in sent.tool_calls()] == [c[:3] for c in message.tool_calls()]
        assert not any(isinstance(block, Thinking) for block in sent.blocks)
        assert not any(call.signature for call in sent.tool_calls())
        assert without_thinking(sent) == sent


@settings(max_examples=few(100), deadline=None)
@given(conversations(), st.integers(0, 500))
def test_pruning_frees_what_was_asked_for_or_all_there_is(
    messages: list[Message], to_free: int
) -> None:
    """Only tool results change, none of the last ones, and never for the longer."""
    pruned = prune_results(messages, to_free)
    assert len(pruned) == len(messages)
    assert list(pruned[-4:]) == messages[-4:]
    for before, after in zip(messages, pruned):
        assert estimate_message(after) <= estimate_message(before)
        assert before == after or before.role == "tool"
        assert (before.role, before.tool_call_id) == (after.role, after.tool_call_id)
    again = prune_results(pruned, to_free)
    freed = sum(map(estimate_message, messages)) - sum(map(estimate_message, pruned))
    assert freed >= to_free or again == pruned
    seen = len(messages)
    while seen and messages[seen - 1].role == "tool":
        seen -= 1
    assert list(pruned[seen:]) == messages[seen:]  # what the model has not seen yet


@settings(max_examples=few(100), deadline=None)
@given(conversations())
def test_files_are_carried_over_and_a_changed_one_is_not_listed_as_read(
    messages: list[Message],
) -> None:
    """Gathering in two steps gives the same as in one."""
    half = len(messages) // 2
    whole = touched_files(messages)
    assert touched_files(messages[half:], touched_files(messages[:half])) == whole
    assert not set(whole.read) & set(whole.modified)


def test_a_transcript_is_labelled_text_with_long_results_cut() -> None:
    call = ToolCall("c", "read", {"path": "a.py"})
    messages = [
        user_message("look"),
        Message("assistant", (Thinking("hm"), Text("yes"), call)),
        tool_message(call, "x" * 5000),
    ]
    text = transcript(messages)
    assert text.startswith("[User]: look\n\n[Assistant]: yes\n\n[Assistant calls a tool]: read ")
    assert "[... 3000 characters cut]" in text
    assert "hm" not in text
    asked = request(text, "old summary", "the tests", 70)
    assert "<earlier-summary>\nold summary\n" in asked
    assert "Look especially at: the tests" in asked
    assert "at most 70 words" in asked
    told = summary_text("done", "half", Files(("a",), ("b",)))
    assert told.startswith("done\n\n<beginning-of-this-turn>\nhalf\n")
    assert "<read-files>\na\n</read-files>" in told


def test_it_is_due_when_less_than_the_reserve_is_left() -> None:
    settings_ = CompactionSettings(reserve_tokens=100)
    assert not is_due(900, 1000, settings_)
    assert is_due(901, 1000, settings_)
    assert not is_due(901, 1000, settings_._replace(enabled=False))
    assert is_due(51, 100, settings_)  # of a small window half is kept free
    assert not is_due(50, 100, settings_)
    assert context_tokens([user_message("a" * 400)] * 3, 50, 2) == 150


@settings(max_examples=few(200), deadline=None)
@given(conversations(), st.integers(8, 200))
def test_a_transcript_in_pieces_is_the_whole_one_and_no_piece_is_too_long(
    messages: list[Message], most: int
) -> None:
    """Joined they are the transcript, but for what is longer than a piece and for the
    middle of too many."""
    found = pieces(messages, most)
    assert len(found) <= MAX_PIECES
    whole = transcript(messages)
    if whole and 2 * estimate_tokens(whole) <= most:  # parts are rounded up
        assert found == [whole]
    joined = "\n\n".join(found)
    if "characters cut]" not in joined and "left out here ...]" not in joined:
        assert joined == whole
    for piece in found:
        notes = piece.count("characters cut]") + piece.count("left out here ...]")
        assert estimate_tokens(piece) <= most + 20 * notes + piece.count("\n\n") + 1


paths = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1)


@settings(max_examples=few(200), deadline=None)
@given(words, words, st.lists(paths, max_size=4), st.lists(paths, max_size=4))
def test_a_summary_gives_back_its_text_and_its_files(
    summary: str, turn: str, read: list[str], modified: list[str]
) -> None:
    """What was put into the message comes out of it, so that the next one can go on."""
    files = Files(tuple(read), tuple(modified))
    whole = summary_text(summary, turn, files)
    assert summary_of(summary_message(whole)) == whole
    text, found = split_summary(whole)
    assert found == files
    assert text == summary_text(summary, turn, Files())


@settings(max_examples=few(200), deadline=None)
@given(st.integers(1, 2_000_000), st.integers(0, 100_000), st.integers(0, 100_000))
def test_a_plan_leaves_room_for_what_it_keeps(window: int, reserve: int, overhead: int) -> None:
    """What stays is at most half of what may be filled, whatever the window."""
    found = plan(window, CompactionSettings(reserve_tokens=reserve), overhead)
    assert window - window // 2 <= found.limit <= window
    assert found.keep == 1 or found.keep <= (found.limit - overhead) // 2
    assert found.output >= 128
    assert found.input >= 256


SMALL = 500  # the window of the property below


class Unsure(ScriptedModel):
    """Refuses every conversation as too long, unless it is one for a summary."""

    def summaries(self, reply: Reply) -> None:
        self._replies = [reply] * 40

    def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]:
        if chat.system == SYSTEM:
            return super().stream(chat, cancel)
        error = ProviderFailed("too long", code="context-overflow")
        message = Message("assistant", (), stop_reason="error")
        return iter([ReplyDone(Reply(message, "error", error=error))])


@settings(max_examples=few(150), deadline=None)
@given(
    st.lists(st.tuples(conversations(100), st.booleans(), st.sampled_from([0, 50])), max_size=4),
    st.integers(1, 150),
)
def test_the_context_read_from_the_file_is_the_one_in_memory(
    parts: list[tuple[list[Message], bool, int]], keep: int
) -> None:
    """After any conversation with compactions on demand, and after refusals that end in a
    compaction, in shortened results or in nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s.jsonl")

        def opened() -> SessionStore:
            return SessionStore.open(path, now_ms=lambda: 5, random_bytes=bytes, fsync="never")

        store = opened()
        model = Unsure()
        wanted = CompactionSettings(keep_recent_tokens=keep, fallback="prune")
        agent = Agent(
            model,
            AgentSettings("m", "be good", "/"),
            (),
            monotonic=lambda: 0.0,
            compaction=Compactor(model, wanted, lambda: SMALL),
        )
        recorder = Recorder(store, lambda error: None)
        for part, on_demand, length in parts:
            for message in part:
                agent.messages.append(message)
                reply = Reply(message, "stop", Usage(7, 3)) if message.role == "assistant" else None
                recorder(MessageAdded(message, reply))
            recorder(AgentEnd("completed", 0, Usage()))
            model.summaries(text_reply("s" * length))
            made = False
            events = agent.compact("", Cancel()) if on_demand else agent.run("go", Cancel())
            for event in events:
                recorder(event)
                made = made or (isinstance(event, AutoCompactionEnd) and event.result is not None)
            assert recorder.failure is None
            for each in (store, opened()):
                context = each.context()
                assert list(context.messages) == agent.messages
                assert len(context.ids) == len(context.messages)
                assert not made or context.used == 0
                assert not made or context.just_compacted
            assert not [m for m in agent.messages if made and without_thinking(m) != m]
