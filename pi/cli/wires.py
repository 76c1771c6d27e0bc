"""The ways out of a run: one pool of sockets for all models, recorded or replayed if asked."""

from __future__ import annotations

import os
from importlib import import_module

from pi import __version__
from pi.base.errors import ConfigError
from pi.base.text import is_credential, longest_first, secret_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pi.ai.providers import ProviderSpec
    from pi.base.cancel import Cancel
    from pi.base.cassette_player import ReplayTransport
    from pi.base.cassette_recorder import Recording
    from pi.base.errors import PiError
    from pi.base.host import Host
    from pi.base.http import Transport
    from pi.cli.settings import Settings


def load(name: str) -> Any:
    """The object a table row names as "module:attribute"."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


class Wires:
    """The transports of a run. Raises ConfigError, VerificationFailed for a bad cassette."""

    def __init__(self, settings: Settings, host: Host) -> None:
        self._network = settings.network
        self._host = host
        self._sockets: Transport | None = None
        self._recorder: Recording | None = None
        self._player: ReplayTransport | None = None
        self.typed_secrets = typed_secrets(settings)
        self.secrets = longest_first((*secret_values(host.environ), *self.typed_secrets))
        self._headers = settings.model.headers
        if self._network.replay:
            from pi.base.cassette_player import ReplayTransport, read_cassette

            self._player = ReplayTransport(
                read_cassette(self._network.replay),
                **self._not_kept(),
                lenient=self._network.replay_lenient,
            )

    @property
    def is_replay(self) -> bool:
        """Whether answers come from a cassette, so that no key is needed."""
        return self._player is not None

    def pause(self, ms: int, cancel: Cancel) -> None:
        """Wait, as between attempts. A replay has no reason to."""
        if self.is_replay:
            cancel.raise_if_set()
        else:
            self._host.pause(ms, cancel)

    def transport(self, spec: ProviderSpec) -> Transport:
        """The way to a provider: sockets, a cassette, or a part of pi itself."""
        if self._player is not None:
            return self._player
        make = load(spec.transport) if spec.transport else self._pool
        if not self._network.record:
            inner: Transport = make()
            return inner
        if self._recorder is None:
            from pi.base.cassette_recorder import Recording

            self._recorder = Recording(
                self._network.record,
                **self._not_kept(),
                pi=__version__,
                now_ms=self._host.now_ms,
                monotonic=self._host.monotonic,
            )
        return self._recorder.over(make)

    def _not_kept(self) -> dict[str, tuple[str, ...]]:
        """What a cassette must not hold, and a replay leaves out of the comparison."""
        from pi.base.cassette_secrets import of_user  # loaded anyway by what is to record

        names, values = of_user(self._headers)
        return {"secrets": (*self.secrets, *values), "hidden": names}

    def finish(self) -> PiError | None:
        """End the run's recording or replay. Returns what is wrong with it, if something is."""
        if self._sockets is not None:
            self._sockets.close()
        ending = self._player or self._recorder
        return ending.finish() if ending is not None else None

    def _pool(self) -> Transport:
        if self._sockets is None:
            from pi.base.urllib_http import HttpSettings, UrllibTransport  # not for the demo

            network = self._network
            check_bundle(network.ca_bundle)
            self._sockets = UrllibTransport(
                HttpSettings(
                    network.ca_bundle,
                    network.proxy,
                    self._host.environ,
                    client_cert=network.client_cert,
                    client_key=network.client_key,
                )
            )
        return self._sockets


def typed_secrets(settings: Settings) -> tuple[str, ...]:
    """The secrets of the command line: keys, and headers that hold one."""
    typed = (value for name, value in settings.model.headers if is_credential(name))
    return tuple(filter(None, map(str.strip, (*settings.model.keys.values(), *typed))))


def check_bundle(path: str) -> None:
    """Refuse a missing CA bundle before anything is written. Raises ConfigError."""
    if path and not os.path.isfile(path):
        raise ConfigError(
            f"the CA bundle {path} is not a file", hint="--ca-bundle names a PEM file"
        )
