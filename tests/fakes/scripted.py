"""Stand-ins that enter through arguments: a model and a transport that answer from lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pi.agent.tool import Effect, ToolContext, ToolResult
from pi.ai.events import ReplyDone, StreamEvent, TextDelta
from pi.ai.types import ChatRequest, Message, Reply, Text, ToolCall, ToolDefinition, Usage
from pi.base.cancel import Cancel
from pi.base.errors import PiError, ProviderFailed
from pi.base.http import Request

ECHO_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
ALONE = Effect(runs=True)  # of two such calls the second waits for the first


def text_reply(text: str, stop_reason: str = "stop", **fields: Any) -> Reply:
    """An answer in words."""
    message = Message("assistant", (Text(text),) if text else (), stop_reason=stop_reason)
    return Reply(message, stop_reason, usage=Usage(1, 2), **fields)


def call_reply(*calls: ToolCall, stop_reason: str = "tool_use") -> Reply:
    """An answer that wants tools."""
    return Reply(Message("assistant", calls, stop_reason=stop_reason), stop_reason)


def broken_reply(text: str, error: PiError | None = None) -> Reply:
    """What arrived of an answer that broke off."""
    error = error or ProviderFailed("it broke off", code="connection-lost")
    return text_reply(text, "error", error=error)


class ScriptedModel:
    """Answers with replies, in order; what was asked is in ``requests``.

    A list instead of a reply is the events to yield, without the ``ReplyDone`` if it
    ends with a reply.
    """

    def __init__(self, *replies: Reply | Sequence[StreamEvent | Reply]) -> None:
        self._replies = list(replies)
        self.requests: list[ChatRequest] = []

    def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]:
        self.requests.append(chat)
        reply = self._replies.pop(0)
        if not isinstance(reply, Reply):
            for event in reply:
                yield ReplyDone(event) if isinstance(event, Reply) else event
            return
        if reply.message.text():
            yield TextDelta(reply.message.text())
        yield ReplyDone(reply)


class EchoTool:
    """Returns its argument. ``then(arguments, context)`` runs during the call; a result it
    gives takes the place of the echo."""

    def __init__(
        self,
        then: Any = None,
        *,
        name: str = "echo",
        effect: Effect | None = None,
        schema: Any = ECHO_SCHEMA,
    ) -> None:
        self.definition = ToolDefinition(name, "Say it back", schema)
        self.ran: list[str] = []
        self._then = then
        self._effect = effect or Effect()

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return self._effect

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        text = arguments.get("text", "")
        self.ran.append(text)
        result = None if self._then is None else self._then(arguments, context)
        return result if isinstance(result, ToolResult) else ToolResult(text, {"text": text})


class ScriptedResponse:
    """A response from byte strings; an exception among them is raised when reached."""

    def __init__(self, status: int, headers: Mapping[str, str], *chunks: bytes | Exception) -> None:
        self.status = status
        self.headers = dict(headers)
        self._chunks = list(chunks)
        self.closed = False

    def read(self, size: int = 65536) -> bytes:
        if not self._chunks:
            return b""
        chunk = self._chunks.pop(0)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    def close(self, finished: bool = False) -> None:
        self.closed = True


class ScriptedTransport:
    """Answers from a list, in order; what was asked is in ``requests``."""

    def __init__(self, *answers: ScriptedResponse | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []

    def send(self, request: Request, cancel: Cancel) -> ScriptedResponse:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass
