"""Tool calls put together from the fragments servers send, well formed or not.

The rules, one per behaviour seen on real servers:
  * no index: the fragment continues the open call unless it brings a new id or a name;
  * one index for several calls: a new id together with a name opens a new call, and so
    does a name after a call that came whole in its first fragment;
  * an id seen before, without a name, belongs to its call; a missing, empty or "null" id
    is made up;
  * two calls never share an id, nor does a call with one of the history;
  * a name sent again changes nothing; a split name is joined if the whole is a tool.
"""

from __future__ import annotations

from pi.ai.events import CallDelta
from pi.ai.jsontext import dump, parse_strict_prefix
from pi.ai.surrogates import Joiner, repair
from pi.ai.types import ToolCall
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.ai.types import Message, ToolDefinition


class _Open:
    """A call whose fragments are still coming."""

    __slots__ = ("args", "id", "joiner", "name", "position", "wire_id")

    def __init__(self, position: int) -> None:
        self.position = position
        self.wire_id = ""  # as the server wrote it
        self.id = ""  # as we name the call, unique in the conversation
        self.name = ""
        self.args: list[str] = []
        self.joiner = Joiner()

    def came_whole(self) -> bool:
        """Whether the only fragment so far already held all arguments."""
        return len(self.args) == 1 and parse_arguments(self.args[0])[1] is None


class CallCollector:
    """Merges fragments into calls. Never raises, whatever the fragments are."""

    def __init__(self, tools: Iterable[ToolDefinition], history: Iterable[Message]) -> None:
        self._tools = tools
        self._history = history
        self._used: set[str] | None = None
        self._calls: list[_Open] = []
        self._by_index: dict[int, _Open] = {}
        self._by_wire_id: dict[str, _Open] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, fragment: Any) -> CallDelta | None:
        """Take one fragment; None if there is nothing in it for us."""
        if not isinstance(fragment, dict) or fragment.get("type") not in (None, "", "function"):
            return None
        function = fragment.get("function")
        if not isinstance(function, dict):
            function = {}
        index = fragment.get("index")
        index = index if type(index) is int else None
        wire_id = _word(fragment.get("id"))
        wire_id = "" if wire_id == "null" else wire_id
        name = _word(function.get("name"))
        args = _arguments_text(function.get("arguments"))
        call = self._find(index, wire_id, name, args)
        if call is None:
            call = self._open(index)
        if wire_id and not call.wire_id:
            call.wire_id = wire_id
            call.id = self._unique(wire_id)
            self._by_wire_id.setdefault(wire_id, call)
        if name:
            self._name(call, name)
        piece = call.joiner.feed(args)
        if piece:
            call.args.append(piece)
        return CallDelta(call.position, call.id, call.name, piece)

    def finish(self) -> tuple[ToolCall, ...]:
        """The calls in the order they were opened; those without a name are left out."""
        done = []
        for call in self._calls:
            call.args.append(call.joiner.finish())
            if not call.name.strip():
                continue
            raw = "".join(call.args)
            arguments, unparsed = parse_arguments(raw)
            identity = call.id or self._unique("")
            done.append(ToolCall(identity, call.name, arguments, unparsed))
        return tuple(done)

    def _find(self, index: int | None, wire_id: str, name: str, args: str) -> _Open | None:
        """The open call a fragment belongs to, or None if it opens one."""
        if index is not None:
            call = self._by_index.get(index)
            if call is None and not name:
                call = self._by_wire_id.get(wire_id)
        else:
            call = self._by_wire_id.get(wire_id) or (self._calls[-1] if self._calls else None)
        if call is None or (wire_id and wire_id == call.wire_id):
            return call
        if wire_id and call.wire_id and (name or index is None):
            return None
        if name and not wire_id and call.args and (index is None or (args and call.came_whole())):
            return None
        return call

    def _open(self, index: int | None) -> _Open:
        call = _Open(len(self._calls))
        self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call

    def _name(self, call: _Open, name: str) -> None:
        if not call.name:
            call.name = name
        elif name != call.name and not call.args:
            whole = call.name + name
            if any(tool.name == whole for tool in self._tools):
                call.name = whole

    def _unique(self, wanted: str) -> str:
        """``wanted``, or the next id like it that no call of the conversation has."""
        used = self._used
        if used is None:
            used = {call.id for message in self._history for call in message.tool_calls()}
            self._used = used
        identity, number = wanted, len(used) + 1
        while not identity or identity in used:
            identity = f"{wanted or 'call'}_{number}"
            number += 1
        used.add(identity)
        return identity


def parse_arguments(raw: str) -> tuple[dict[str, Any], str | None]:
    """Read a call's arguments: (arguments, None), or ({}, raw) if they are no JSON object.

    Blank means no arguments. A JSON string that holds an object counts as the object.
    What follows the object is ignored, unless it could be meant as more arguments.
    """
    if not raw.strip():
        return {}, None
    try:
        value, rest = parse_strict_prefix(raw)
        if isinstance(value, str):
            value, rest = parse_strict_prefix(value)
    except ValueError:
        return {}, raw
    if isinstance(value, dict) and rest[:1] not in ("{", "["):
        return value, None
    return {}, raw


def _word(value: Any) -> str:
    """An id or name: text as it is, a number as text, anything else as absent."""
    if isinstance(value, str):
        return repair(value).strip()
    return str(value) if type(value) is int and abs(value) < 10**18 else ""


def _arguments_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or value == {} else dump(value)
