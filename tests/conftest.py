"""What every pytest test may count on: a clean environment."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine makes examples says nothing about pi. In CI a run that failed can be
# run again and fails again; elsewhere each run draws other examples.
settings.register_profile(
    "pi",
    deadline=None,
    derandomize=os.environ.get("CI", "") not in ("", "false"),
    suppress_health_check=[
        *(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
    ],
)
settings.load_profile("pi")

# Started with nohup or in the background of a script, pytest would hand on to every pi that
# signals are ignored, and pi would rightly go on.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The laws come first: they take longest, and what is shared out last should be short."""
    items.sort(key=lambda item: "property" not in item.path.parts)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are no names: an archive has the time in it, and each worker its own."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No PI_* variable, no API key, no proxy of the machine reaches a test."""
    for name in list(os.environ):
        upper = name.upper()
        if upper.startswith("PI_") or upper.endswith(("_API_KEY", "_PROXY", "_TOKEN")):
            monkeypatch.delenv(name)
    return
