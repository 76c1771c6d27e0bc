"""Puts the layers together: models, session, tools, agent. The only place that knows all."""

from __future__ import annotations

import os
from functools import cache

from pi import __version__
from pi.agent.hooks import Hooks
from pi.agent.loop import Agent, AgentSettings
from pi.ai.catalog import check_model
from pi.ai.catalog_store import load_catalog
from pi.ai.cost import require_price
from pi.ai.fallback import FallbackModel, Route
from pi.ai.meter import Meter, MeteredModel
from pi.base.cancel import Cancel
from pi.base.errors import ConfigError, PiError
from pi.base.retry import TurnRetry
from pi.base.text import hiding, plain_text, redact
from pi.base.typing import NamedTuple
from pi.cli.list_models import catalog_settings, world
from pi.cli.routes import build_client
from pi.cli.wires import Wires

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.ai.catalog import Entry
    from pi.ai.models import ModelRef
    from pi.base.host import Host
    from pi.cli.command_question import Question
    from pi.cli.parse import Parsed
    from pi.cli.settings import SessionSettings, Settings
    from pi.sessions.store import SessionStore


class Asked(NamedTuple):
    """Whom a run asks. ``notes`` are sentences for the user."""

    model: FallbackModel
    wires: Wires
    meter: Meter
    notes: tuple[str, ...]

    def totals(self) -> dict[str, object]:
        """What the run has used: requests, tokens, dollars (None where a price is unknown)."""
        return {
            "requests": self.model.requests_made,
            "total_tokens": self.meter.spent.tokens,
            "cost_usd": self.meter.usd,
        }


def build_model(
    parsed: Parsed, settings: Settings, host: Host, before: Asked | None = None
) -> Asked:
    """The model of a run under its caps. ``before`` was asked until now: what it has spent
    counts, and recordings go on.

    Raises MissingKey, ConfigError and UsageError; whatever can be wrong is found here,
    before anything is written or sent.
    """
    wanted = catalog_settings(parsed)
    if settings.network.replay:
        wanted = wanted._replace(offline=True)
    loaded = load_catalog(wanted, world(parsed, host), Cancel())
    notes = list(loaded.notes)
    if parsed.given("--model-catalog-url") or parsed.given("--model-catalog-cache"):
        notes.append(loaded.line())
    ref = settings.model.ref
    for known in (ref, *settings.model.fallbacks):
        entry = loaded.catalog.find(*known)
        warnings = check_model(entry, str(known), host.today())
        # That a local or private model is in no catalog is normal.
        if entry is not None or parsed.given("--model-catalog-url"):
            notes += warnings
        require_price(settings.caps, entry, str(known))
    meter = before.meter if before is not None else Meter(settings.caps)
    wires = before.wires if before is not None else Wires(settings, host)
    find = loaded.catalog.find
    model = FallbackModel(
        [
            route(settings, host, wires, known, find(*known))
            for known in (ref, *settings.model.fallbacks)
        ],
        wrap=lambda client, known: MeteredModel(client, meter, find(*known)),
    )
    return Asked(model, wires, meter, tuple(notes))


def route(
    settings: Settings, host: Host, wires: Wires, ref: ModelRef, entry: Entry | None
) -> Route:
    """A model that may be asked; its client is built when it is."""
    window = entry.context_window_tokens if entry is not None else None
    return Route(ref, lambda: build_client(settings, host, wires, ref, entry), window)


def open_session(settings: Settings, host: Host) -> SessionStore | None:
    """The session of this run, or None for a run that keeps nothing.

    Raises SessionError for a file that is none, or lacks the entry of --branch-from.
    """
    wanted = settings.session
    if wanted.path is None:
        return None
    from pi.sessions.store import SessionStore

    def opened(path: str) -> SessionStore:
        return SessionStore.open(
            path,
            now_ms=host.now_ms,
            random_bytes=host.random_bytes,
            lock_wait_ms=wanted.lock_wait_ms,
            lock_stale_ms=wanted.lock_stale_ms,
            cwd=working_directory(host),
            app_version=__version__,
            fsync=wanted.sync,
        )

    path = session_path(wanted, host)
    refuse_way_out(path, wanted, host)
    try:
        store = opened(path)
    except PiError as exc:
        if exc.code != "not-a-session" or not adopt_foreign(path, wanted, host):
            raise
        store = opened(path)
    if wanted.branch_from is not None:
        try:
            store.switch(wanted.branch_from)
        except PiError as exc:
            if exc.code == "unknown-session-id":
                raise
            # It stands there in memory; that nothing can be written is told when it matters.
    if wanted.fork:
        from pi.cli.session_choice import fork

        store = opened(fork(path, wanted.fork, host, store.path, store.head))
    return store


def session_path(wanted: SessionSettings, host: Host) -> str:
    """The file of the session that was asked for."""
    assert wanted.path is not None
    if wanted.which == "named" and os.sep in wanted.path:
        return wanted.path
    from pi.cli.session_choice import choose  # only for names and choices

    return choose(wanted, host)


def refuse_way_out(path: str, wanted: SessionSettings, host: Host) -> None:
    """Raise ConfigError for a session that is a link out of the project, in a folder that
    nobody trusts: a repository could have what is said here written into any new file of
    the user's. A path that the user gave is meant as it is."""
    is_given = wanted.asked_for and wanted.which == "named" and path == wanted.path
    cwd = os.path.realpath(working_directory(host))
    real = os.path.realpath(path)
    if wanted.links or is_given or real == os.path.join(cwd, path):
        return
    from pi.base.homes import find_project
    from pi.cli.folder_trust import answer_for

    project = find_project(cwd, host.environ)
    if project is None or os.path.commonpath((real, project.root)) == project.root:
        return
    if not answer_for(project, host.environ):
        raise ConfigError(
            f"the session {path} is a link that leads out of the project",
            cause=f"it leads to {real}",
            hint="--session FILE names that file if it is meant; --trust-project follows the link",
            code="untrusted-link",
        )


def adopt_foreign(path: str, wanted: SessionSettings, host: Host) -> bool:
    """Make a session of the TypeScript ancestor one of ours; a backup is kept."""
    from pi.sessions.rewrite import Rewriter
    from pi.sessions.sources import adopt

    rewriter = Rewriter(
        path,
        now_ms=host.now_ms,
        random_bytes=host.random_bytes,
        lock_wait_ms=wanted.lock_wait_ms,
        lock_stale_ms=wanted.lock_stale_ms,
    )
    done = adopt(path, rewriter)
    if done is not None and host.stderr is not None:
        print(f"session converted; the original is kept at {done.backup}", file=host.stderr)
    return done is not None


def working_directory(host: Host) -> str:
    """The working directory. Raises ConfigError if it was removed."""
    try:
        return host.cwd()
    except OSError as exc:
        raise ConfigError(
            "the working directory does not exist any more", cause=str(exc), hint="cd to another"
        ) from exc


def build_agent(
    settings: Settings,
    host: Host,
    asked: Asked,
    system: str,
    store: SessionStore | None,
    warn: Callable[[str], None],
    readable: Sequence[str] = (),
    ask: Question | None = None,
) -> Agent:
    """The agent with its tools and the conversation so far. ``readable``: see toolbox.
    ``ask`` asks a person about commands that are not on the list."""
    from pi.cli.toolbox import build_tools, command_judge  # with it come all tools
    from pi.compaction.compactor import Compactor

    cwd = working_directory(host)
    tools = settings.tools
    secrets = asked.wires.secrets
    judge = cache(lambda: command_judge(tools, host, cwd, secrets, warn))
    kept = store.context() if store is not None else None
    compactor = Compactor(asked.model, settings.compaction, lambda: asked.model.context_window)
    if kept is not None:
        compactor.resumed(kept.messages, kept.used, kept.after, just_compacted=kept.just_compacted)
    return Agent(
        asked.model,
        AgentSettings(
            settings.model.ref.model,
            system,
            cwd,
            settings.max_turns,
            max_tool_calls=tools.max_calls,
            sequential=tools.sequential,
            tool_result_format=tools.result_format,
            discard_on_cancel=tools.discard_on_cancel,
        ),
        build_tools(
            tools,
            host,
            cwd,
            secrets,
            judge=judge,
            keeps=store is not None,
            warn=warn,
            readable=readable,
        ),
        hooks=Hooks(
            before=() if ask is None else (ask.hook(judge),),
            redact=hiding(secrets),
            broke=(lambda exc: tell_bug(exc, host, secrets)) if settings.output.debug else None,
        ),
        monotonic=host.monotonic,
        pause=asked.wires.pause if may_repeat(settings, host) else None,
        retry=TurnRetry() if settings.model.retry.max_retries else TurnRetry(0),
        messages=kept.messages if kept is not None else (),
        compaction=compactor,
        started_calls=started_calls(store),
    )


def tell_bug(exc: Exception, host: Host, secrets: Sequence[str]) -> None:
    """Where in a tool something went wrong: for who asked with --debug, not for the model."""
    import traceback  # 5 ms, and only after a bug

    if host.stderr is not None:
        lines = traceback.format_exception(type(exc), exc, exc.__traceback__)
        host.stderr.write(plain_text(redact("".join(lines), secrets)))


def may_repeat(settings: Settings, host: Host) -> bool:
    """Whether a broken answer may be asked for again after part of it was shown.

    On a terminal the two are told apart by a note; a pipe or a file would hold both, so
    there only what was not yet printed can be repeated.
    """
    output = settings.output
    is_terminal = host.stdout is not None and host.stdout.isatty()
    return output.form == "json" or not output.stream or is_terminal


def started_calls(store: SessionStore | None) -> frozenset[str]:
    """Ids of calls of the last answer whose tool had begun when an earlier run ended."""
    if store is None:
        return frozenset()
    answers = (entry.id for entry in reversed(store.lineage()) if entry.message.role == "assistant")
    return store.started_calls(since=next(answers, None))
