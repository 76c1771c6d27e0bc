"""Asks the model for summaries: requests of their own, without tools and without the
conversation as messages, so that the model has nothing to go on with."""

from __future__ import annotations

from pi.ai.events import Fallback, ReplyDone, Retrying, Warned
from pi.ai.recovery import OVERFLOW
from pi.ai.types import ChatRequest, Usage, user_message
from pi.base.errors import ProviderFailed
from pi.compaction.transcript import SYSTEM, pieces, request, turn_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pi.agent.compaction import Progress
    from pi.agent.loop import Model
    from pi.ai.types import Message, Reply
    from pi.base.cancel import Cancel
    from pi.compaction.sizes import Plan

TRIES = 3  # each with pieces half as long, for a model that counts more than is estimated
TOLD = (Retrying, Fallback, Warned)


class Summariser:
    """The requests of one compaction; ``usage`` is what they took."""

    def __init__(self, model: Model, name: str, plan: Plan, cancel: Cancel) -> None:
        self._model = model
        self._name = name
        self._plan = plan
        self._cancel = cancel
        self._words = max(50, plan.output // 2)  # a word is more than a token
        self.usage = Usage()

    def update(
        self, previous: str, messages: Sequence[Message], focus: str
    ) -> Generator[Progress, None, str]:
        """The summary of all that was before, ``messages`` included. Raises PiError."""

        def ask(text: str, summary: str) -> str:
            return request(text, summary, focus, self._words)

        return (yield from self._fold(messages, previous, ask))

    def turn(self, messages: Sequence[Message]) -> Generator[Progress, None, str]:
        """A few lines on the beginning of a turn; "" if it has none. Raises PiError."""

        def ask(text: str, summary: str) -> str:
            before = f"[Found so far]: {summary}\n\n" if summary else ""
            return turn_request(before + text, self._words // 2)

        return (yield from self._fold(messages, "", ask))

    def _fold(
        self, messages: Sequence[Message], summary: str, ask: Callable[[str, str], str]
    ) -> Generator[Progress, None, str]:
        """One request where it fits, else one after the other, each going on from the last."""
        most = self._plan.input
        for left in reversed(range(TRIES)):
            found = summary
            for text in pieces(messages, most):
                reply = yield from self._ask(ask(text, found))
                error = reply.error
                if error is not None and error.code == OVERFLOW and left:
                    break
                found = self._words_of(reply)
            else:
                return found
            most //= 2
        raise AssertionError("the last try ends in a summary or an error")

    def _ask(self, text: str) -> Generator[Progress, None, Reply]:
        self._cancel.raise_if_set()
        chat = ChatRequest(self._name, SYSTEM, (user_message(text),), max_tokens=self._plan.output)
        for event in self._model.stream(chat, self._cancel):
            if isinstance(event, ReplyDone):
                self.usage = self.usage.plus(event.reply.usage)
                return event.reply
            if isinstance(event, TOLD):
                yield event
        raise AssertionError("a model stream ended without ReplyDone")

    def _words_of(self, reply: Reply) -> str:
        """The summary in an answer. Raises PiError for one that is none."""
        self._cancel.raise_if_set()
        if reply.error is not None:
            raise reply.error
        text = reply.message.text().strip()
        if not text or reply.message.tool_calls():
            raise ProviderFailed(
                "the model wrote no summary",
                cause=f"stop reason {reply.stop_reason!r}",
                code="no-summary",
            )
        return text if reply.stop_reason != "length" else f"{text}\n[the summary was cut off here]"
