"""A loopback site of skills and registries, with pages that misbehave exactly as told."""

from __future__ import annotations

import ssl
from typing import NamedTuple

from tests.fakes.fault_server import FaultServer, Peer, Received


class Page(NamedTuple):
    """``claim`` is the Content-Length if it is not the true one; a page that claims more
    than it has is cut off there. ``stalls``: nothing is answered at all."""

    body: bytes = b""
    status: int = 200
    location: str = ""
    etag: str = ""
    claim: int | None = None
    stalls: bool = False


class Site(FaultServer):
    """``pages`` are by path (with query); what is not there is a 404."""

    def __init__(self, tls: ssl.SSLContext | None = None, **pages: bytes | Page) -> None:
        super().__init__(self._talk, tls)
        self.pages: dict[str, bytes | Page] = {f"/{name}": page for name, page in pages.items()}

    def __enter__(self) -> Site:
        super().__enter__()
        return self

    def asked(self, path: str = "") -> int:
        """How often ``path`` was asked for, or anything at all."""
        return sum(1 for one in self.requests if not path or one.target == path)

    def _talk(self, peer: Peer) -> None:
        while (received := peer.request()) is not None:
            page = self._page(received)
            if page.stalls:
                peer.wait()
                return
            peer.send(_response(page))
            if page.claim is not None and page.claim > len(page.body):
                return

    def _page(self, received: Received) -> Page:
        found = self.pages.get(received.target, Page(status=404))
        page = found if isinstance(found, Page) else Page(found)
        if page.etag and received.headers.get("if-none-match") == page.etag:
            return Page(status=304, etag=page.etag)
        return page


def _response(page: Page) -> bytes:
    length = len(page.body) if page.claim is None else page.claim
    head = [f"HTTP/1.1 {page.status} Told", f"Content-Length: {length}"]
    head += [f"Location: {page.location}"] if page.location else []
    head += [f"ETag: {page.etag}"] if page.etag else []
    return "\r\n".join([*head, "", ""]).encode() + page.body
