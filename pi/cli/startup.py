"""Puts the layers together: client, session, tools, agent. The only place that knows all."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from pi import __version__
from pi.agent.loop import Agent, AgentSettings
from pi.ai.client import Client, Clock
from pi.ai.providers import BY_NAME, CODECS
from pi.ai.providers.codec import Options
from pi.auth.resolve import resolve_key
from pi.base.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.base.host import Host
    from pi.base.http import Transport
    from pi.cli.settings import Settings
    from pi.sessions.store import SessionStore


def load(name: str) -> Any:
    """The object a table row names as "module:attribute"."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def build_client(settings: Settings, host: Host) -> Client:
    """A client for the chosen model. Raises MissingKey, ConfigError."""
    model = settings.model
    spec = BY_NAME[model.ref.provider]
    base = model.api_base or spec.base_url
    key = resolve_key(spec, model.keys, host.environ, is_local=is_local(base))
    transport: Transport
    if spec.transport:
        transport = load(spec.transport)()
    else:
        from pi.base.urllib_http import HttpSettings, UrllibTransport

        network = settings.network
        check_bundle(network.ca_bundle)
        transport = UrllibTransport(HttpSettings(network.ca_bundle, network.proxy, host.environ))
    return Client(
        load(CODECS[spec.api])(),
        Options(base_url=base, api_key=key, timeout_ms=model.request_timeout_ms, provider=spec.id),
        transport,
        clock=Clock(host.now_ms, host.monotonic, host.pause, host.draw),
        user_agent=f"pi/{__version__} (python {sys.version_info[0]}.{sys.version_info[1]})",
        retry=model.retry,
    )


def check_bundle(path: str) -> None:
    """Refuse a missing CA bundle before anything is written. Raises ConfigError."""
    if path and not os.path.isfile(path):
        raise ConfigError(
            f"the CA bundle {path} is not a file", hint="--ca-bundle names a PEM file"
        )


def is_local(base: str) -> bool:
    """Whether a base URL points at this machine, where a server may ask for no key."""
    from urllib.parse import urlsplit  # loaded by the transport anyway

    host = urlsplit(base).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def open_session(settings: Settings, host: Host) -> SessionStore | None:
    """The session of this run, or None for a run that keeps nothing."""
    if settings.session.path is None:
        return None
    from pi.sessions.store import SessionStore

    return SessionStore.open(
        settings.session.path,
        now_ms=host.now_ms,
        random_bytes=host.random_bytes,
        lock_wait_ms=settings.session.lock_wait_ms,
        cwd=working_directory(host),
        app_version=__version__,
    )


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
    client: Client,
    system: str,
    store: SessionStore | None,
    progress: Callable[[str], None],
) -> Agent:
    """The agent with its tools and the conversation so far."""
    from pi.tools import load_tools
    from pi.tools.toolkit import ToolLimits

    cwd = working_directory(host)
    tools = settings.tools
    limits = ToolLimits(
        max_file_read_bytes=tools.max_file_read_bytes,
        max_file_write_bytes=tools.max_file_write_bytes,
        max_command_output_bytes=tools.max_command_output_bytes,
        bash_timeout_ms=tools.bash_timeout_ms,
        max_command_length=tools.max_command_length,
    )
    return Agent(
        client,
        AgentSettings(
            settings.model.ref.model,
            f"{system.rstrip()}\n\nWorking directory: {cwd}" if system.strip() else "",
            cwd,
            settings.max_turns,
        ),
        load_tools(
            limits=limits,
            roots=(cwd, *tools.allow_paths),
            environ=host.environ,
            random_bytes=host.random_bytes,
            monotonic=host.monotonic,
        ),
        monotonic=host.monotonic,
        messages=store.messages() if store is not None else (),
        started_calls=started_calls(store),
    )


def started_calls(store: SessionStore | None) -> frozenset[str]:
    """Ids of calls of the last answer whose tool had begun when an earlier run ended."""
    if store is None:
        return frozenset()
    answers = (entry.id for entry in reversed(store.lineage()) if entry.message.role == "assistant")
    return store.started_calls(since=next(answers, None))
