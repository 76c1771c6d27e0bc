"""The transport that reaches the network: urllib's opener with our own handlers in it.

What is ours and why: connections are kept (urllib opens one per request), redirects are
handed back instead of followed (urllib follows a POST as a GET and sends the key to the
other host), every status is an answer and no exception, and every wait can be cancelled.
Nothing here reads the process environment or retries a fresh connection.
"""

from __future__ import annotations

import urllib.request
from threading import Lock

from pi.base.dial import dial, proxy_refusal
from pi.base.exchange import Exchange, LiveResponse, Stale
from pi.base.files import resource
from pi.base.http_head import request_head
from pi.base.keepalive import Line, Place, Pool
from pi.base.proxies import choose_proxy
from pi.base.target import check_headers, parse_target
from pi.base.trust import make_context
from pi.base.typing import NamedTuple
from pi.base.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from pi.base.cancel import Cancel
    from pi.base.http import Request, Response
    from pi.base.proxies import Proxy
    from pi.base.trust import Trust

MAX_BODY_BYTES = 256 * 1024 * 1024  # a model's answer is below 10 MB, an archive below 100


class HttpSettings(NamedTuple):
    """``environ`` is where proxy and CA variables are looked up; "" means not given."""

    ca_bundle: str
    proxy: str
    environ: Mapping[str, str]
    user_agent: str = "pi"
    client_cert: str = ""
    client_key: str = ""
    max_body_bytes: int = MAX_BODY_BYTES


class UrllibTransport:
    """``pi.base.http.Transport`` over real sockets. Safe from any thread."""

    def __init__(self, settings: HttpSettings) -> None:
        self._pool = Pool()
        self._opener = urllib.request.OpenerDirector()  # bare: no cookies, no redirects
        self._opener.add_handler(KeepAliveHandler(settings, self._pool))

    def send(self, request: Request, cancel: Cancel) -> Response:
        """Ask, and return as soon as the answer's headers are there."""
        call = Call(request, cancel)
        response: Response = self._opener.open(call)
        return response

    def close(self) -> None:
        self._pool.close()


class Call(urllib.request.Request):
    """A request on its way through the opener, with what urllib has no words for."""

    def __init__(self, request: Request, cancel: Cancel) -> None:
        self.target = parse_target(request.url)
        check_headers(request.headers)
        super().__init__(request.url, data=request.body, method=request.method)
        self.ours = request
        self.cancel = cancel


class KeepAliveHandler(urllib.request.BaseHandler):
    """Answers http and https calls over kept connections, through a proxy if there is one."""

    def __init__(self, settings: HttpSettings, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._lock = Lock()  # over the making of the one TLS context
        self._trusted: tuple[ssl.SSLContext, Trust] | None = None

    def http_open(self, call: Call) -> LiveResponse:
        call.cancel.raise_if_set()
        proxy = choose_proxy(call.target, self._settings.environ, self._settings.proxy)
        watch = Watch(call.cancel)
        try:
            return self._answer(call, proxy, watch)
        except BaseException:
            watch.end()
            raise

    https_open = http_open

    def _answer(self, call: Call, proxy: Proxy | None, watch: Watch) -> LiveResponse:
        target = call.target
        data = self._message(call, proxy)
        timeout_s = max(call.ours.timeout_ms, 1) / 1000
        via = proxy and (proxy.host, proxy.port, proxy.authorization)
        place = Place(target.scheme, target.host, target.port, via)
        line = self._pool.take(place, watch)
        if line is not None:
            try:
                return self._ask(call, proxy, Exchange(line, target.shown, timeout_s, watch), data)
            except Stale:
                pass  # the server gave it up while it was idle: once more, on a new one
        sock = dial(target, proxy, self._trust, timeout_s, watch)
        exchange = Exchange(Line(sock, place), target.shown, timeout_s, watch)
        return self._ask(call, proxy, exchange, data)

    def _ask(
        self, call: Call, proxy: Proxy | None, exchange: Exchange, data: bytes
    ) -> LiveResponse:
        head, rest = exchange.ask(data)
        if head.status == 407 and proxy is not None and call.target.scheme == "http":
            exchange.drop()
            raise proxy_refusal(proxy, call.target, head.status, head.reason)
        limit = self._settings.max_body_bytes
        return LiveResponse(exchange, self._pool, head, rest, call.ours.method, limit)

    def _message(self, call: Call, proxy: Proxy | None) -> bytes:
        """The whole request as bytes. What the caller set is not set again."""
        target, request = call.target, call.ours
        headers = [("Host", target.authority), *request.headers]
        given = {name.lower() for name, _ in request.headers}
        ours = [
            ("User-Agent", self._settings.user_agent),
            ("Accept-Encoding", "identity"),  # compressed events would arrive in lumps
        ]
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            ours.append(("Content-Length", str(len(request.body))))
        headers += [(name, value) for name, value in ours if name.lower() not in given]
        path = target.path
        if proxy is not None and target.scheme == "http":
            path = f"http://{target.authority}{path}"
            if proxy.authorization:
                headers.append(("Proxy-Authorization", proxy.authorization))
        return request_head(request.method, path, headers) + request.body

    def _trust(self) -> tuple[ssl.SSLContext, Trust]:
        with self._lock:
            if self._trusted is None:
                settings = self._settings
                self._trusted = make_context(
                    settings.ca_bundle,
                    settings.environ,
                    lambda: resource("data/cacert.pem"),
                    settings.client_cert,
                    settings.client_key,
                )
            return self._trusted
