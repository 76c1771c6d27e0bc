"""HTTP as values, and the one seam through which pi talks to it.

``Transport.send(request, cancel) -> Response`` is implemented by the urllib transport,
by the demo model, and by scripted transports in tests. Nothing else opens a connection.

Contract of ``send``: returns as soon as the status line and headers are there, whatever
the status. Raises only ``Unreachable`` (no connection: ``code`` is "unknown-host",
"connection-refused", "tls-failed", "proxy-failed", "connect-timeout" or "unreachable"),
``ConnectionBroken`` (a connection that ended or stalled: "connection-lost",
"first-byte-timeout", "idle-timeout", "response-too-large", "not-http"), ``ConfigError``, or the
reason ``cancel`` was set with; a replay also ``VerificationFailed``. ``Response.read``
raises the same.
"""

from __future__ import annotations

from pi.base.errors import ProviderFailed
from pi.base.typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.base.cancel import Cancel


class ConnectionBroken(ProviderFailed):
    """The provider was reached, then the exchange broke off or stalled."""

    code = "connection-lost"


class Request(NamedTuple):
    """One HTTP request.

    ``headers`` may hold credentials: never print a Request. ``timeout_ms`` bounds each
    wait by itself: for the connection, for the first byte, between bytes.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timeout_ms: int = 120_000


class Response(Protocol):
    """An answer whose body is read as it arrives."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names in lower case."""

    def read(self, size: int = 65536) -> bytes:
        """Wait for at least one byte, return at most ``size``; b"" at the end."""

    def close(self, finished: bool = False) -> None:
        """Let go of the connection. Safe from any thread; a blocked ``read`` ends.

        ``finished``: nothing but the end of the body is still to come, so the connection
        may be kept for the next request.
        """


class Transport(Protocol):
    def send(self, request: Request, cancel: Cancel) -> Response: ...

    def close(self) -> None:
        """Close idle connections."""
