"""Keeps a conversation within the model's window, with the model's help.

Implements the loop's ``Compaction``. It holds no conversation: what was summarised before
is read from the conversation's first message, so that it works on whatever it is given,
resumed or moved to another branch.

Rules: the usage of an answer counts only while that very answer is where it was (a
compaction, an undo or another branch end that); what was just compacted is not compacted
again; a summary that is not smaller than what it stands for is refused; after a failure
the next try waits until the conversation has grown by a tenth of the window, unless the
model refuses it or the user asks.
"""

from __future__ import annotations

from pi.agent.compaction import MANUAL, OVERFLOW, Room, Summarised
from pi.ai.cost import estimate_message, estimate_request
from pi.ai.events import Warned
from pi.ai.types import Usage
from pi.base.errors import PiError
from pi.compaction.sizes import UNKNOWN_WINDOW, context_tokens, is_due, plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pi.agent.compaction import Progress
    from pi.agent.loop import Model
    from pi.ai.types import ChatRequest, Message
    from pi.base.cancel import Cancel
    from pi.compaction.cut import Cut
    from pi.compaction.sizes import CompactionSettings, Plan

MAX_FOCUS = 2000


class _Mark:
    """A place in a conversation: so many messages, this one the last of them."""

    __slots__ = ("last", "size")

    def __init__(self, messages: Sequence[Message]) -> None:
        self.size = len(messages)
        self.last = messages[-1]

    def is_in(self, messages: Sequence[Message]) -> bool:
        return self.size <= len(messages) and messages[self.size - 1] is self.last


class Compactor:
    """``model`` writes the summaries: the one that answers, so that they count into its
    caps. ``window`` is asked each time, because a refusal may correct it; None is unknown."""

    def __init__(
        self,
        model: Model,
        settings: CompactionSettings,
        window: Callable[[], int | None],
    ) -> None:
        self._model = model
        self._settings = settings
        self._window_of = window
        self._used = 0
        self._measured: _Mark | None = None
        self._compacted: _Mark | None = None
        self._not_before = 0

    def measured(self, messages: Sequence[Message], usage: Usage) -> None:
        """All ``messages`` are as large as ``usage`` says. Nothing reported is not known."""
        self._used = usage.total
        self._measured = _mark(messages) if usage.total else None

    def resumed(
        self, messages: Sequence[Message], used: int, after: int, *, just_compacted: bool = False
    ) -> None:
        """Go on with a stored conversation: its first ``after`` messages took ``used``
        tokens (0 is unknown)."""
        self._used = used
        self._measured = _mark(messages[:after]) if used else None
        self._compacted = _mark(messages) if just_compacted else None

    @property
    def is_automatic(self) -> bool:
        return self._settings.enabled

    def tokens(self, chat: ChatRequest) -> int:
        """How full the window will be with this request."""
        if self._measured is not None and self._measured.is_in(chat.messages):
            return context_tokens(chat.messages, self._used, self._measured.size)
        return estimate_request(chat)

    def is_due(self, chat: ChatRequest) -> bool:
        tokens = self.tokens(chat)
        if not is_due(tokens, self._window, self._settings) or tokens < self._not_before:
            return False
        return self._settings.fallback == "prune" or self._cut(chat, "", tokens) is not None

    def make_room(
        self, chat: ChatRequest, reason: str, cancel: Cancel, focus: str = ""
    ) -> Generator[Progress, None, Room]:
        tokens = self.tokens(chat)
        if reason == OVERFLOW:  # then what it said before is not to be relied on
            tokens = max(tokens, estimate_request(chat))
        cut = self._cut(chat, reason, tokens)
        if cut is None:
            room = Room(error=PiError("there is nothing to compact", code="nothing-to-compact"))
        else:
            room = yield from self._summarised(chat, cut, tokens, cancel, focus)
        if room.messages is None and cancel.why is None and reason != MANUAL:
            room = self._pruned(chat, tokens, room)
        if room.messages is not None:
            self._measured = None
            tokens = estimate_request(chat._replace(messages=room.messages))
        if room.messages is None or room.summarised is None:
            self._not_before = tokens + self._window // 10
        else:
            self._not_before = 0
            self._compacted = _mark(room.messages)
        return room

    @property
    def _window(self) -> int:
        return self._window_of() or UNKNOWN_WINDOW

    def _plan(self, chat: ChatRequest) -> Plan:
        overhead = estimate_request(chat._replace(messages=()))
        return plan(self._window, self._settings, overhead)

    def _cut(self, chat: ChatRequest, reason: str, tokens: int) -> Cut | None:
        from pi.ai.summaries import summary_of  # most runs never get here
        from pi.compaction.cut import find_cut

        messages = chat.messages
        last = self._compacted
        if not messages or (last and last.size == len(messages) and last.is_in(messages)):
            return None
        keep = self._plan(chat).keep
        if reason == OVERFLOW:
            # What the model counts is more than the estimate: keep less by as much.
            keep = max(1, keep * min(tokens, self._window) // self._window)
        if reason == MANUAL:
            keep = min(keep, sum(map(estimate_message, messages)) // 2)
        start = 0 if summary_of(messages[0]) is None else 1
        return find_cut(messages, keep, start)

    def _summarised(
        self, chat: ChatRequest, cut: Cut, tokens: int, cancel: Cancel, focus: str
    ) -> Generator[Progress, None, Room]:
        from pi.ai.summaries import summary_message, summary_of, without_thinking
        from pi.compaction import skill_texts
        from pi.compaction.summarise import Summariser
        from pi.compaction.transcript import Files, split_summary, summary_text, touched_files

        messages = chat.messages
        earlier = summary_of(messages[0])
        start = 0 if earlier is None else 1
        previous, files = ("", Files()) if earlier is None else split_summary(earlier)
        files = touched_files(messages[start : cut.kept], files)
        previous, texts = skill_texts.split_texts(previous)
        allowed = self._plan(chat)
        most = skill_texts.room_for(allowed, estimate_request(chat._replace(messages=())))
        skills = skill_texts.choose(texts, messages[start : cut.kept], messages[cut.kept :], most)
        if skills.left:
            yield Warned(skill_texts.told(skills, most))
        old = skill_texts.without_texts(messages[: cut.kept], skills.texts)
        writer = Summariser(self._model, chat.model, allowed, cancel)
        try:
            summary = yield from writer.update(
                previous, old[start : cut.turn], focus.strip()[:MAX_FOCUS]
            )
            turn = yield from writer.turn(old[cut.turn :])
        except PiError as error:
            return Room(error=error, usage=writer.usage)
        whole = summary_text(summary, turn, files, skills)
        first = summary_message(whole)
        if estimate_message(first) >= sum(map(estimate_message, messages[: cut.kept])):
            why = "the summary is not smaller than what it stands for"
            return Room(error=PiError(why, code="summary-too-large"), usage=writer.usage)
        kept = tuple(map(without_thinking, messages[cut.kept :]))
        after = (first, *kept)
        size = estimate_request(chat._replace(messages=after))
        done = Summarised(whole, len(kept), tokens, size, files.read, files.modified)
        return Room(after, done, usage=writer.usage)

    def _pruned(self, chat: ChatRequest, tokens: int, room: Room) -> Room:
        """The conversation without its oldest tool results, if that is wanted and helps."""
        if self._settings.fallback != "prune":
            return room
        from pi.ai.summaries import without_thinking
        from pi.compaction.pruning import prune_results

        allowed = self._plan(chat)
        # More than is needed at this moment, so that the next requests stay the same.
        to_free = max(tokens - allowed.limit, 0) + allowed.keep // 2
        pruned = prune_results(chat.messages, to_free)
        changed = [at for at, pair in enumerate(zip(pruned, chat.messages)) if pair[0] != pair[1]]
        if not changed:
            return room
        whole = len(pruned) - changed[-1] - 1
        return room._replace(messages=tuple(map(without_thinking, pruned)), whole=whole)


def _mark(messages: Sequence[Message]) -> _Mark | None:
    return _Mark(messages) if messages else None
