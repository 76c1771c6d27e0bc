"""Google's Gemini, by ``generateContent``.

Requests are append-only: the same settings give the same bytes, and ``contents`` is the
last key, so a longer history only adds bytes at the end and prompt caches hit.
"""

from __future__ import annotations

from pi.ai.jsontext import dump_bytes, parse
from pi.ai.providers.codec import Change
from pi.ai.providers.failure import broken_answer, is_error
from pi.ai.providers.google_adapt import refused_names
from pi.ai.providers.google_answer import API, Answer
from pi.ai.providers.google_config import declarations, generation_config
from pi.ai.providers.google_contents import rules_for, system_text, wire_contents
from pi.ai.providers.google_stream import GoogleStreamDecoder
from pi.ai.providers.shared import JsonCodec, body_text, is_stream_text, not_json
from pi.ai.surrogates import repair
from pi.base.http import Request
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.codec import Options
    from pi.ai.types import ChatRequest, Reply

_WHOLE, _STREAM = ":generateContent", ":streamGenerateContent"


class GoogleCodec(JsonCodec):
    """Implements ``Codec``."""

    api = API

    def encode(self, chat: ChatRequest, options: Options) -> Request:
        return Request(
            "POST",
            _url(options.base_url, chat.model, options.stream),
            _headers(options),
            dump_bytes(_body(chat, options)),
            options.timeout_ms,
        )

    def decode(self, body: bytes, chat: ChatRequest, options: Options) -> Reply:
        text = body_text(body)
        if is_stream_text(text):
            return self.decode_stream(body, chat, options)
        try:
            payload = parse(text)
            what = "the answer holds no candidates"
        except ValueError:
            payload = None
            what = not_json(text)
        if isinstance(payload, list) or is_error(payload) or _is_answer(payload):
            return self.decoder(chat, options).take_whole(payload)
        answer = Answer(chat, options)
        return answer.failed(broken_answer(answer.target, "malformed-answer", what, text))

    def decoder(self, chat: ChatRequest, options: Options) -> GoogleStreamDecoder:
        return GoogleStreamDecoder(chat, options)

    def adapt(self, status: int, body: bytes, chat: ChatRequest, options: Options) -> Change | None:
        """Leave out, or say otherwise, the first thing we sent that the refusal names."""
        for name in refused_names(status, body):
            changed = options._replace(without=options.without | {name})
            if _body(chat, changed) != _body(chat, options):
                return Change(changed)
        return None


def _body(chat: ChatRequest, options: Options) -> dict[str, Any]:
    body: dict[str, Any] = {}
    contents: list[dict[str, Any]] = []
    system = system_text(chat)
    if system and "systemInstruction" in options.without:
        contents.append({"role": "user", "parts": [{"text": system}]})
    elif system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    if chat.tools:
        body["tools"] = [{"functionDeclarations": declarations(chat, options)}]
    config = generation_config(chat, options)
    if config:
        body["generationConfig"] = config
    contents.extend(wire_contents(chat, rules_for(chat, options)))
    body["contents"] = contents
    return body


def _is_answer(payload: Any) -> bool:
    return isinstance(payload, dict) and ("candidates" in payload or "promptFeedback" in payload)


def _url(base_url: str, model: str, stream: bool) -> str:
    """Where the request goes. A base that names the method is a template for ``{model}``."""
    path, _, query = base_url.strip().partition("?")
    path = path.rstrip("/")
    method = _STREAM if stream else _WHOLE
    if _WHOLE in path or _STREAM in path:
        path = path.replace(_STREAM, _WHOLE).replace(_WHOLE, method)
        path = path.replace("{model}", _quoted(model))
    else:
        folder = "" if model.startswith(("models/", "tunedModels/")) else "models/"
        path = f"{path}/{folder}{_quoted(model)}{method}"
    pairs = [pair for pair in query.split("&") if pair and not pair.startswith("alt=")]
    if stream:
        pairs.append("alt=sse")
    return "?".join(filter(None, (path, "&".join(pairs))))


def _quoted(model: str) -> str:
    """Percent-encoded but for "/" and ":"."""
    if model.isascii() and model.replace("-", "").replace(".", "").isalnum():
        return model
    from urllib.parse import quote  # 7 ms that the usual names do not need

    return quote(repair(model), safe="/:")


def _headers(options: Options) -> tuple[tuple[str, str], ...]:
    """The key goes into a header: an address ends up in logs and error messages."""
    own = {"Content-Type": "application/json"}
    if options.api_key:
        own["x-goog-api-key"] = options.api_key
    given = {name.lower() for name, _ in options.extra_headers}
    kept = tuple(pair for pair in own.items() if pair[0].lower() not in given)
    return kept + options.extra_headers
