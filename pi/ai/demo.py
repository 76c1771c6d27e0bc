"""``demo/tour``: a scripted model inside pi, for a first try with no key and no network.

It is a transport: it gets the same HTTP request a provider would get, in the OpenAI chat
format, and answers with the same kind of event stream. So the loop, the codec, the tools
and the policy are the real ones; only the wits are scripted, and every answer says so.

What it does with the last user message, decided by ``next_step`` alone:

1. "run `COMMAND`" runs that command with the bash tool.
2. Otherwise words that may name files or folders are looked up with one ``ls``; those
   that exist are read or listed; with none, the working directory is looked round.
3. The answer reports what the tools returned: sizes, headings, first lines, output.
"""

from __future__ import annotations

import json
import re

from pi.base.errors import Bug
from pi.base.typing import Any, NamedTuple, Union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.base.cancel import Cancel
    from pi.base.http import Request

SCRIPTED = (
    "(demo/tour is a scripted model inside pi: there is no AI behind this answer, "
    "only the real tools it ran.)"
)
MAX_WORDS = 40
MAX_READS = 4
MAX_HEADINGS = 12
MAX_QUOTED = 100
MAX_OUTPUT_LINES = 40
LIST_COMMAND = "ls -ldp --"
# Most words of a prompt name nothing; what ls says of those is noise, in no fixed order.
HUSH = "2>/dev/null"
LOOK_ROUND = "pwd && ls -lAp"


class Say(NamedTuple):
    text: str


class Use(NamedTuple):
    """Tool calls to make next: (name, arguments) each."""

    calls: tuple[tuple[str, dict[str, Any]], ...]


class Listed(NamedTuple):
    """One line of ``ls -l``."""

    name: str
    is_folder: bool
    size: int


Step = Union[Say, Use]


def next_step(messages: Sequence[Mapping[str, Any]], tools: Sequence[str]) -> Step:
    """Decide what a scripted model does next, from the wire messages alone. Pure."""
    last_user = max(
        (at for at, message in enumerate(messages) if message.get("role") == "user"), default=-1
    )
    if last_user < 0:
        return Say(f"There is no question here.\n\n{SCRIPTED}")
    prompt = _text(messages[last_user])
    done = _exchanges(messages[last_user + 1 :])
    command = re.search(r"\brun\s+`([^`\n]+)`", prompt, re.IGNORECASE)
    if command and "bash" in tools:
        if not done:
            return Use((("bash", {"command": command.group(1)}),))
        return Say(_report(done))
    if not done:
        return _first_look(prompt, tools)
    first_name, first_arguments, first_output = done[0]
    if first_name == "bash" and len(done) == 1:
        follow_up = _reads(str(first_arguments.get("command", "")), first_output, prompt)
        if follow_up and "read" in tools:
            return Use(tuple(("read", {"path": name}) for name in follow_up))
        if not follow_up and str(first_arguments.get("command", "")) != LOOK_ROUND:
            return Use((("bash", {"command": LOOK_ROUND}),))
    return Say(_report(done))


def _first_look(prompt: str, tools: Sequence[str]) -> Step:
    words = candidates(prompt)
    if "bash" not in tools:
        paths = tuple(word for word in words if _looks_like_path(word))[:MAX_READS]
        if paths and "read" in tools:
            return Use(tuple(("read", {"path": path}) for path in paths))
        return Say(f"I have no tool to look at anything with.\n\n{SCRIPTED}")
    if not words:
        return Use((("bash", {"command": LOOK_ROUND}),))
    quoted = " ".join(_quoted(word) for word in words)
    return Use((("bash", {"command": f"{LIST_COMMAND} {quoted} {HUSH}"}),))


def candidates(prompt: str) -> list[str]:
    """Words of a prompt that may name a file or folder, in order, each once."""
    found: dict[str, None] = {}
    for match in re.finditer(r"`([^`\n]+)`|\"([^\"\n]+)\"|(\S+)", prompt):
        word = match.group(1) or match.group(2) or match.group(3).strip("'()[]{}<>,;:!?*")
        word = word.rstrip(".") or word
        if word and "\0" not in word and len(word) <= 255 and (match.group(1) or len(word) > 1):
            found[word] = None
    # Paths first, so that a long prompt does not crowd them out.
    return sorted(found, key=lambda word: not _looks_like_path(word))[:MAX_WORDS]


def _looks_like_path(word: str) -> bool:
    return "/" in word or bool(re.search(r"\w\.\w{1,8}$", word))


def _quoted(word: str) -> str:
    if re.fullmatch(r"[\w./@%+=:,-]+", word, re.ASCII):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def listing(output: str) -> list[Listed]:
    """The entries of an ``ls -l`` output; lines of another shape are passed over."""
    rows = []
    for line in output.split("\n"):
        parts = line.split(None, 8)
        if len(parts) == 9 and re.match(r"[-dlbcps][-rwxsStT]{9}", parts[0]):
            name = parts[8].split(" -> ")[0]
            size = int(parts[4]) if parts[4].isdigit() else 0
            rows.append(Listed(name.rstrip("/") or "/", parts[0][0] == "d", size))
    return rows


def _reads(command: str, output: str, prompt: str) -> list[str]:
    """What to read after the first look: the files and folders that exist."""
    rows = listing(output)
    if command == LOOK_ROUND:
        readme = [row.name for row in rows if row.name.lower().startswith("readme")]
        return readme[:1]
    missing = [word for word in candidates(prompt) if re.search(r"\w\.\w{1,8}$", word)]
    present = [row.name for row in rows]
    named = present or missing  # a path that is not there is read to show the tool's error
    return named[:MAX_READS]


def _report(done: Sequence[tuple[str, Mapping[str, Any], str]]) -> str:
    sizes: dict[str, Listed] = {}
    parts = []
    for name, arguments, output in done:
        if name == "bash":
            command = str(arguments.get("command", ""))
            rows = listing(output)
            sizes.update((row.name, row) for row in rows)
            if command == LOOK_ROUND:
                parts.append(_round(rows, output))
            elif not command.startswith(LIST_COMMAND):
                parts.append(f"I ran `{command}`. It said:\n{_clip(output)}")
        elif name == "read":
            path = str(arguments.get("path", ""))
            parts.append(_file(path, output, sizes.get(path)))
    return "\n\n".join([*parts, SCRIPTED])


def _round(rows: Sequence[Listed], output: str) -> str:
    where = output.split("\n", 1)[0]
    files = [row for row in rows if not row.is_folder]
    folders = [row.name + "/" for row in rows if row.is_folder]
    shown = ", ".join(folders + [f"{row.name} ({row.size:,} bytes)" for row in files][:20])
    head = f"I looked round {where}: {len(files)} files, {len(folders)} folders."
    return f"{head}\n{shown}" if shown else head


def _file(path: str, text: str, row: Listed | None) -> str:
    if text.startswith("error:"):
        return f"I could not read {path}: {text[len('error:') :].strip()}"
    lines = text.split("\n")
    if row is not None and row.is_folder:
        return f"{path} is a folder. It holds:\n{_clip(text)}"
    counted = len(lines) - (not lines[-1])
    size = f"{row.size:,} bytes, " if row is not None else ""
    said = [f"I read {path} ({size}{counted:,} lines as the tool returned them)."]
    first = next((line.strip() for line in lines if line.strip()), "")
    if first:
        said.append(f"First line: {first[:MAX_QUOTED]}")
    headings = [line.strip() for line in lines if re.match(r"#{1,6} \S", line)]
    if headings:
        said.append("Headings:")
        said.extend(f"  {heading[:MAX_QUOTED]}" for heading in headings[:MAX_HEADINGS])
        if len(headings) > MAX_HEADINGS:
            said.append(f"  and {len(headings) - MAX_HEADINGS} more")
    return "\n".join(said)


def _clip(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    more = [f"... and {len(lines) - MAX_OUTPUT_LINES} more lines"]
    return "\n".join(lines[:MAX_OUTPUT_LINES] + (more if len(lines) > MAX_OUTPUT_LINES else []))


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _exchanges(
    messages: Sequence[Mapping[str, Any]],
) -> list[tuple[str, Mapping[str, Any], str]]:
    """Tool calls and what came back: (tool, arguments, text) in order."""
    calls: dict[str, tuple[str, Mapping[str, Any]]] = {}
    done = []
    for message in messages:
        for call in message.get("tool_calls") or ():
            function = call["function"]
            calls[call["id"]] = (function["name"], json.loads(function["arguments"]))
        if message.get("role") == "tool" and message.get("tool_call_id") in calls:
            name, arguments = calls[message["tool_call_id"]]
            done.append((name, arguments, _text(message)))
    return done


def wire(step: Step, turn: int) -> bytes:
    """A step as an OpenAI chat completion stream."""
    chunks: list[dict[str, Any]] = []
    if isinstance(step, Say):
        # Words, so that it streams as a model does.
        chunks += [{"content": piece} for piece in re.findall(r"\S+\s*|\s+", step.text)]
        reason = "stop"
    else:
        for at, (name, arguments) in enumerate(step.calls):
            function = {"name": name, "arguments": json.dumps(arguments)}
            call = {"index": at, "id": f"demo_{turn}_{at + 1}", "function": function}
            chunks.append({"tool_calls": [{**call, "type": "function"}]})
        reason = "tool_calls"
    payloads: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": d}]} for d in chunks]
    payloads.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    lines = [f"data: {json.dumps(payload)}\n\n" for payload in payloads]
    return ("".join(lines) + "data: [DONE]\n\n").encode()


class DemoResponse:
    """An answer that is already there."""

    status = 200

    def __init__(self, body: bytes) -> None:
        self.headers = {"content-type": "text/event-stream"}
        self._body = body

    def read(self, size: int = 65536) -> bytes:
        piece, self._body = self._body[:size], self._body[size:]
        return piece

    def close(self, finished: bool = False) -> None:
        self._body = b""


class DemoTransport:
    """Answers chat completion requests from the script; opens no connection."""

    def send(self, request: Request, cancel: Cancel) -> DemoResponse:
        cancel.raise_if_set()
        try:
            body = json.loads(request.body)
            messages = body["messages"]
            tools = [tool["function"]["name"] for tool in body.get("tools", ())]
        except (ValueError, KeyError, TypeError) as exc:
            raise Bug("the demo model got a request it cannot read", cause=str(exc)) from exc
        return DemoResponse(wire(next_step(messages, tools), len(messages)))

    def close(self) -> None:
        pass
