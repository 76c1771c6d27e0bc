"""A model server by somebody else, over loopback, for tests.

from tests.fakes.aimock import aimock  # noqa: F401  (a pytest fixture)

def test_x(aimock):
    server = aimock([{"match": {}, "response": {"content": "hi"}}])
    ... server.url, server.requests() ...
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.fakes.aimock_process import Aimock, missing, running


@pytest.fixture
def aimock() -> Iterator[Callable[..., Aimock]]:
    """Start as many servers as the test asks for; all end with it.

    Without node the test is skipped, but on CI, which must have it, fails.
    """
    why = missing()
    if why and os.environ.get("CI"):
        pytest.fail(f"CI must have the published model server: {why}")
    if why:
        pytest.skip(why)
    with ExitStack() as servers:
        yield lambda fixtures, *options: servers.enter_context(running(fixtures, *options))
