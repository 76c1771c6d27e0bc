"""Commands about the conversation itself: a prompt, a new one, the model that answers."""

from __future__ import annotations

from pi.base.errors import PiError
from pi.base.typing import Any
from pi.commands.arguments import ArgumentError
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.agent.events import AgentEnd
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext


def prompt(arguments: Arguments, context: CommandContext) -> Result:
    """Run a prompt. Needs the services "prompt" and "answer"."""
    text = arguments.raw.strip()
    if arguments.as_json and text.startswith("--json"):  # understood only in front of it
        text = text[len("--json") :].lstrip()
    if not text:
        raise ArgumentError("something is missing", is_count=True)
    end: AgentEnd = _service(context, "prompt")(text)
    answer: str = _service(context, "answer")()
    usage = end.usage
    data = {
        "answer": answer,
        "status": end.status,
        "usage": {
            "input_tokens": usage.total - usage.output,
            "output_tokens": usage.output,
            "total_tokens": usage.total,
        },
    }
    # In the loop it was printed as it came.
    lines = () if context.interactive or not answer else (answer.rstrip("\n"),)
    return Result(lines, data, error=end.error, verbatim=True)


def new(arguments: Arguments, context: CommandContext) -> Result:
    """Begin a conversation without a past. Needs the service "new_session"."""
    path: str = _service(context, "new_session")(arguments.word())
    return Result((f"new session: path={path or 'none'}",), {"path": path or None})


def model(arguments: Arguments, context: CommandContext) -> Result:
    """Show the model that answers, or take another one. Needs "model_info"."""
    name = arguments.word()
    service = _service(context, "switch_model") if name else _service(context, "model_info")
    info: dict[str, Any] = service(name) if name else service()
    fallbacks = ",".join(info["fallbacks"]) or "none"
    begin = "model switched: " if name else "model: "
    return Result((f"{begin}{info['model']} fallbacks={fallbacks}",), info)


def _service(context: CommandContext, name: str) -> Callable[..., Any]:
    service = context.services.get(name)
    if service is None:
        raise PiError("there is no conversation here", code="no-conversation")
    return service
