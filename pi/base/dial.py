"""Opening a connection: name lookup, TCP, the proxy's CONNECT, TLS.

All of it together is bounded by one deadline, and every wait ends at once when the
request is cancelled. Every failure leaves as ``Unreachable`` (or the cancel's reason);
no socket is left open.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
from time import monotonic

from pi.base.errors import Unreachable
from pi.base.http_head import HeadReader, NotHttp, request_head
from pi.base.target import bracketed
from pi.base.trust import CA_HINT
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Any

    from pi.base.proxies import Proxy
    from pi.base.target import Target
    from pi.base.trust import Trust
    from pi.base.watch import Watch

# An address that has not answered the third SYN (sent after 3 s) is given up if there is
# another one to try.
ADDRESS_PATIENCE_S = 5.0
# How long a cancel may go unnoticed by a connect that shutdown does not wake (BSD, macOS), and
# by a lookup if a signal came just before its wait.
SLICE_S = 0.05

_STARTED = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)


class Limit(NamedTuple):
    """The time by which the connection must stand, and how long that was when it began."""

    until: float
    timeout_s: float

    def left(self) -> float:
        """Seconds left, never 0 (which would mean "do not wait" to a socket)."""
        return max(self.until - monotonic(), 0.001)

    @property
    def passed(self) -> bool:
        return monotonic() >= self.until

    def error(self, where: str, doing: str) -> Unreachable:
        return Unreachable(
            f"no connection to {where} within {self.timeout_s:g} s",
            cause=f"still {doing}",
            hint="check the network and the proxy settings; --request-timeout-ms sets the limit",
            code="connect-timeout",
        )


def dial(
    target: Target,
    proxy: Proxy | None,
    tls: Callable[[], tuple[ssl.SSLContext, Trust]],
    timeout_s: float,
    watch: Watch,
) -> socket.socket:
    """Open a connection over which ``target`` can be asked; ``watch`` is left over it."""
    limit = Limit(monotonic() + timeout_s, timeout_s)
    trusted = tls() if target.scheme == "https" else None  # a bad bundle is told first
    sock = _reach(target, proxy, limit, watch)
    if trusted is None:
        return sock
    try:
        if proxy is not None:
            _ask_proxy(sock, target, proxy, limit, watch)
        return _secure(sock, target, trusted, limit, watch)
    except BaseException:
        watch.release()
        sock.close()  # wrapped, it is already detached, and this does nothing
        raise


def _secure(
    sock: socket.socket,
    target: Target,
    trusted: tuple[ssl.SSLContext, Trust],
    limit: Limit,
    watch: Watch,
) -> socket.socket:
    """Wrap ``sock`` in TLS, the handshake done under the watch. Raises Unreachable."""
    context, trust = trusted
    wrapped: ssl.SSLSocket | None = None
    try:
        wrapped = context.wrap_socket(
            sock, server_hostname=target.host.rstrip("."), do_handshake_on_connect=False
        )
        watch.over(wrapped)
        watch.patiently(wrapped, limit.left(), wrapped.do_handshake)
        watch.cancel.raise_if_set()
        return wrapped
    except BaseException as exc:
        watch.release()
        if wrapped is not None:
            wrapped.close()
        if not isinstance(exc, (OSError, ValueError)):
            raise
        watch.cancel.raise_if_set()
        if isinstance(exc, socket.timeout):
            raise limit.error(target.authority, "waiting for the TLS handshake") from exc
        raise _tls_error(target, exc, trust) from exc


def _reach(target: Target, proxy: Proxy | None, limit: Limit, watch: Watch) -> socket.socket:
    """Connect to the proxy if there is one, else to the server."""
    host, port = (proxy.host, proxy.port) if proxy else (target.host, target.port)
    where = f"the proxy {proxy.shown}" if proxy else target.authority
    tried: list[str] = []
    refused = True
    addresses = _look_up(host, port, where, limit, watch, proxy is not None)
    for index, info in enumerate(addresses):
        last = index == len(addresses) - 1
        place = f"{bracketed(info[4][0])} port {port}"
        try:
            return _connect(info, limit.left() if last else ADDRESS_PATIENCE_S, limit, watch)
        except socket.timeout:
            if limit.passed or last:
                raise limit.error(where, f"connecting to {place}") from None
            tried.append(f"{place}: no answer")
            refused = False
        except OSError as exc:
            tried.append(f"{place}: {exc.strerror or exc}")
            refused = refused and exc.errno == errno.ECONNREFUSED
    code = "proxy-failed" if proxy else "connection-refused" if refused else "unreachable"
    raise Unreachable(
        f"nothing answers at {where}" if refused else f"cannot connect to {where}",
        cause="; ".join(tried[-4:]),
        hint="is the address right, and does the server run?",
        code=code,
    )


def _look_up(
    host: str, port: int, where: str, limit: Limit, watch: Watch, is_proxy: bool
) -> list[Any]:
    """The addresses of ``host``. The resolver cannot be interrupted, so a thread asks it."""
    name = host.encode("ascii")  # given text, Python would load its IDNA tables first (3 ms)
    try:
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        pass  # a name, not an address
    answers: list[Any] = []
    ready = threading.Lock()  # a bare lock may be released in a signal handler
    ready.acquire()

    def wake() -> None:
        try:
            ready.release()
        except RuntimeError:
            pass  # already awake

    def ask() -> None:
        try:
            answers.append(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as exc:
            answers.append(exc)
        wake()

    threading.Thread(target=ask, name="name-lookup", daemon=True).start()
    watch.over_wait(wake)
    while not (came := ready.acquire(timeout=min(SLICE_S, limit.left()))) and not limit.passed:
        pass
    watch.release()
    watch.cancel.raise_if_set()
    if not came or not answers:
        raise limit.error(where, f"looking up the name {host!r}")
    answer = answers[0]
    if isinstance(answer, list):
        return answer
    raise Unreachable(
        f"cannot find the host '{host}'" + (f" of {where}" if is_proxy else ""),
        cause=getattr(answer, "strerror", None) or str(answer),
        hint="check the address and this machine's DNS; where only a proxy reaches the "
        "internet, set HTTPS_PROXY",
        code="proxy-failed" if is_proxy else "unknown-host",
    )


def _connect(info: Any, patience_s: float, limit: Limit, watch: Watch) -> socket.socket:
    """Connect to one address. Raises OSError, socket.timeout, or the cancel's reason."""
    family, kind, protocol, _, address = info
    sock = socket.socket(family, kind, protocol)
    try:
        watch.over(sock)
        sock.setblocking(False)
        problem = sock.connect_ex(address)
        if problem in _STARTED:
            until = min(monotonic() + patience_s, limit.until)
            while not _writable(sock, min(SLICE_S, max(until - monotonic(), 0.0))):
                watch.cancel.raise_if_set()
                if monotonic() >= until:
                    raise socket.timeout("timed out")
            problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        watch.cancel.raise_if_set()
        if problem:
            raise OSError(problem, os.strerror(problem))
        sock.settimeout(limit.left())
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A reasoning model may be silent for minutes: routers forget silent connections.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except BaseException:
        watch.release()
        sock.close()
        raise
    return sock


def _writable(sock: socket.socket, seconds: float) -> bool:
    if not hasattr(select, "poll"):  # Windows, where a failed connect shows as exceptional
        return any(select.select([], [sock], [sock], seconds))
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))


def _ask_proxy(
    sock: socket.socket, target: Target, proxy: Proxy, limit: Limit, watch: Watch
) -> None:
    """Have the proxy connect through. Raises Unreachable."""
    place = f"{bracketed(target.host)}:{target.port}"
    headers = [("Host", place)]
    if proxy.authorization:
        headers.append(("Proxy-Authorization", proxy.authorization))
    reader = HeadReader()
    head = None
    try:
        sock.sendall(request_head("CONNECT", place, headers))
        while head is None:
            data = watch.patiently(sock, limit.left(), sock.recv, 4096)
            watch.cancel.raise_if_set()
            if not data:
                raise ConnectionResetError("it closed the connection")
            head = reader.feed(data)
    except socket.timeout:
        watch.cancel.raise_if_set()
        raise limit.error(f"the proxy {proxy.shown}", "waiting for its answer") from None
    except (OSError, NotHttp) as exc:
        watch.cancel.raise_if_set()
        raise Unreachable(
            f"the proxy {proxy.shown} broke off",
            cause=f"{exc}",
            hint="is it an HTTP proxy, and is the port right?",
            code="proxy-failed",
        ) from exc
    if not 200 <= head.status < 300:
        raise proxy_refusal(proxy, target, head.status, head.reason)


def proxy_refusal(proxy: Proxy, target: Target, status: int, reason: str) -> Unreachable:
    """What a proxy's own refusal means. 407 is about the credentials in the proxy's URL."""
    words = "".join(char if char.isprintable() else "?" for char in reason[:80])
    hint = "ask who runs the proxy whether it lets this host through"
    if status == 407:
        given = "those given were refused" if proxy.authorization else "none were given"
        hint = f"it wants credentials and {given}: {proxy.source}=http://USER:PASSWORD@HOST:PORT"
    return Unreachable(
        f"the proxy {proxy.shown} refuses the way to {target.authority}",
        cause=f"HTTP {status} {words}".rstrip(),
        hint=hint,
        code="proxy-failed",
    )


def _tls_error(target: Target, exc: Exception, trust: Trust) -> Unreachable:
    """Say why no secure connection came about, and against what it was checked."""
    verify = getattr(exc, "verify_message", "")
    reason = getattr(exc, "reason", "") or ""
    hint = CA_HINT
    if verify:
        cause = f"{verify}; certificates are checked against {trust.label}"
        if "expired" in verify or "not yet valid" in verify:
            hint = "is this machine's clock right? " + CA_HINT
        elif "mismatch" in verify:
            hint = "the server's certificate is for another name: is the address right?"
    elif reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
        cause = "the server answers without TLS on this port"
        hint = "should the address start with http://, or is the port wrong?"
    else:
        words = reason.lower().replace("_", " ") or getattr(exc, "strerror", None) or str(exc)
        cause = f"{words}; certificates are checked against {trust.label}"
    return Unreachable(
        f"no secure connection to {target.authority}", cause=cause, hint=hint, code="tls-failed"
    )
