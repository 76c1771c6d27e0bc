"""Checks that go out to the network, only when asked for: each provider once, for free.

A provider is asked for its list of models, with the key and the headers that a prompt would
send, over the same transport. Its answer also tells the time there.
"""

from __future__ import annotations

from pi.ai.providers import BY_NAME
from pi.ai.types import ChatRequest, Message, Text
from pi.base.cancel import Cancel
from pi.base.errors import PiError
from pi.base.http import Request
from pi.base.text import redact
from pi.base.typing import NamedTuple
from pi.cli.doctor_world import base_of
from pi.commands.doctor import FAIL, PASS, WARN, Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pi.ai.models import ModelRef
    from pi.base.http import Transport
    from pi.cli.doctor_world import World
    from pi.cli.settings import Settings

TIMEOUT_MS = 10_000
MAX_SKEW_S = 300  # signatures and certificates begin to fail around here
REGISTRY_FLAG = "--skill-registry-url"


class Answer(NamedTuple):
    """What one place said. ``status`` 0: nothing, for reason ``code`` and ``why``;
    ``date_ms`` is its clock, None if it told none."""

    name: str
    url: str
    status: int = 0
    code: str = ""
    why: str = ""
    hint: str = ""
    date_ms: int | None = None


class Answers(NamedTuple):
    answers: tuple[Answer, ...]
    now_ms: int


def answers(world: World) -> Answers:
    """Ask every provider of the run once, one after the other, and the registry of skills."""
    found: list[Answer] = []
    settings = world.settings
    if settings is None or settings.network.replay:
        code = "configuration" if settings is None else "replay"
        found = [Answer(ref.provider, "", code=code) for ref in world.providers]
        return Answers(tuple(found), world.host.now_ms())
    from pi.cli.signals import CancelOnSignals
    from pi.cli.wires import Wires

    wires = Wires(settings._replace(network=settings.network._replace(record="")), world.host)
    cancel = Cancel()
    try:
        with CancelOnSignals(cancel, 0):
            for ref in world.providers:
                spec = BY_NAME[ref.provider]
                if spec.transport:
                    found.append(Answer(spec.id, "", code="built_in"))
                    continue
                make = _list_request(ref, world, settings)
                found.append(ask(spec.id, make, wires.transport(spec), cancel, wires.secrets))
            registry = str(world.value(REGISTRY_FLAG, ""))
            if registry:
                make = _plain_request(registry)
                http = wires.transport(BY_NAME["openai"])
                found.append(ask("skill_registry", make, http, cancel, wires.secrets))
    finally:
        wires.finish()
    return Answers(tuple(found), world.host.now_ms())


def ask(
    name: str,
    make: Callable[[], Request],
    transport: Transport,
    cancel: Cancel,
    secrets: tuple[str, ...],
) -> Answer:
    """Send one request and take note of what came back. Raises the reason ``cancel`` is set."""
    try:
        request = make()
        response = transport.send(request, cancel)
    except PiError as exc:
        cancel.raise_if_set()
        why = redact(exc.message, secrets)
        return Answer(name, "", code=exc.code, why=why, hint=redact(exc.hint, secrets))
    status, date = response.status, response.headers.get("date", "")
    response.close()  # that it answered is all that matters here
    url = redact(request.url.partition("?")[0], secrets)
    return Answer(name, url, status, date_ms=date_ms(date))


def _plain_request(url: str) -> Callable[[], Request]:
    return lambda: Request("GET", url, (), timeout_ms=TIMEOUT_MS)


def _list_request(ref: ModelRef, world: World, settings: Settings) -> Callable[[], Request]:
    """How the list of models is asked for: as a prompt would be, with another address."""

    def make() -> Request:
        from pi.ai.providers.codec import Options
        from pi.auth.resolve import resolve_key
        from pi.cli.routes import is_local, load_codec, wire_format

        spec, model = BY_NAME[ref.provider], settings.model
        base = base_of(ref, world)
        key = resolve_key(
            spec,
            model.keys,
            world.host.environ,
            is_primary=ref.provider == model.ref.provider,
            is_local=is_local(base),
        )
        options = Options(
            base_url=base,
            api_key=key,
            timeout_ms=TIMEOUT_MS,
            extra_headers=model.headers,
            provider=spec.id,
            azure_api_version=model.azure_api_version,
        )
        codec = load_codec(model.api_format or wire_format(spec, ref.model, None, base))
        chat = ChatRequest(ref.model, "", (Message("user", (Text("hi"),)),))
        prompt = codec.encode(chat, options)
        headers = tuple(
            (name, value)
            for name, value in prompt.headers
            if name.lower() not in ("content-type", "content-length", "accept")
        )
        return Request("GET", models_url(base, prompt.url), headers, timeout_ms=TIMEOUT_MS)

    return make


def models_url(base: str, prompt_url: str) -> str:
    """Where a provider lists its models. Azure's list is a folder above a deployment, and
    wants the version that stands in the address of a prompt."""
    path, _, query = base.strip().partition("?")
    path = path.rstrip("/")
    head, deployment, _ = path.partition("/openai/deployments/")
    if deployment:
        query = prompt_url.partition("?")[2]
        path = f"{head}/openai"
    return f"{path}/models" + (f"?{query}" if query else "")


def date_ms(text: str) -> int | None:
    """A Date header as Unix milliseconds, None if it is none."""
    from email.utils import mktime_tz, parsedate_tz

    try:
        found = parsedate_tz(text)
        return None if found is None else int(mktime_tz(found) * 1000)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def judge_answers(facts: Answers) -> Iterator[Check]:
    """Whether each place answers, takes the key, and has the same time."""
    for answer in facts.answers:
        yield _judge(answer)
    skews = [facts.now_ms - each.date_ms for each in facts.answers if each.date_ms is not None]
    if not skews:
        yield Check("clock", PASS, "not_checked")
        return
    skew = min(skews, key=abs) // 1000
    if abs(skew) > MAX_SKEW_S:
        yield Check("clock", WARN, f"skew_s:{skew}", action="set this machine's clock")
    else:
        yield Check("clock", PASS, f"skew_s:{skew}")


def _judge(answer: Answer) -> Check:
    key, status = f"online.{answer.name}", answer.status
    if not status:
        if answer.code in ("built_in", "replay", "configuration"):
            return Check(key, PASS, f"not_asked:{answer.code}")
        return Check(key, FAIL, f"{answer.code}:{answer.why}", answer.url, answer.hint)
    if 200 <= status < 300:
        return Check(key, PASS, f"answered:{status}", answer.url)
    if status in (401, 403):
        return Check(key, FAIL, f"key_refused:{status}", answer.url, "check the key")
    if status == 429:
        return Check(key, WARN, f"rate_limited:{status}", answer.url, "wait, or check the plan")
    if status >= 500:
        return Check(key, WARN, f"server_error:{status}", answer.url, "try again later")
    # A server that lists no models is still there.
    return Check(key, PASS, f"reachable:{status}", answer.url)
