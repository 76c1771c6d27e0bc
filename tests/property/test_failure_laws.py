"""Laws of what a failure shows: no key, however the provider wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.providers.codec import Options
from pi.ai.providers.failure import broken_answer, http_failure, target_of
from tests.fakes.examples import few

keys = st.text('abXY09/+=-_.~%\\"&', min_size=8, max_size=40)
writers = st.sampled_from(
    [
        str,
        quote_plus,
        lambda key: quote(key, safe=""),
        lambda key: re.sub("%..", lambda match: match[0].lower(), quote(key, safe="")),
        lambda key: json.dumps(key)[1:-1],
        lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    ]
)


@settings(max_examples=few(300), deadline=None)
@given(key=keys, write=writers, before=st.text("<( ", max_size=3))
def test_no_failure_shows_the_key_as_anybody_writes_it(
    key: str, write: Callable[[str], str], before: str
) -> None:
    """An echoed key is gone from every line, in an error body and in what was no answer."""
    written = write(key)
    target = target_of(Options("http://x", key), "m")
    bodies = [f"{before}{written}>".encode(), json.dumps({"error": {"message": written}}).encode()]
    errors = [http_failure(target, 400, {"x-request-id": written}, body) for body in bodies]
    errors.append(broken_answer(target, "malformed-answer", "odd", f"{before}{written}>"))
    for error in errors:
        shown = "\n".join(error.lines())
        assert written not in shown
        assert key not in shown
