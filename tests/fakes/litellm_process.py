"""The LiteLLM gateway as a process of ours: a second opinion on three wire formats.

It is a large program by somebody else, so it lives in an environment of its own:
``PI_LITELLM_PYTHON`` names an interpreter with ``litellm[proxy]``, unless the one of the
tests has it. It takes some ten seconds to start and ends with ``running``'s block or with
the process that started it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVE = Path(__file__).with_name("litellm_serve.py")
VARIABLE = "PI_LITELLM_PYTHON"
KEY = "sk-0123456789abcdef0123456789abcdef"  # it refuses to serve without one
NEEDED = ("litellm", "fastapi", "uvicorn")
READY_S = 120.0  # 10 s alone, 20 s beside other tests on two processors
END_S = 10.0


def missing() -> str:
    """Why the gateway cannot be started here, or "" if it can."""
    python = os.environ.get(VARIABLE, "")
    if not python:
        if all(importlib.util.find_spec(name) for name in NEEDED):
            return ""
        return f"litellm[proxy] is not installed, and {VARIABLE} names no Python that has it"
    look = f"import importlib.util as u; assert all(map(u.find_spec, {NEEDED!r}))"
    try:
        found = subprocess.run([python, "-c", look], capture_output=True, check=False)
    except OSError as exc:
        return f"{VARIABLE}={python}: {exc.strerror}"
    return f"{VARIABLE}={python} has no litellm[proxy]" if found.returncode else ""


@contextmanager
def running(models: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Start a gateway to ``models`` (its ``model_list``). Gives its address, without /v1."""
    settings = {"num_retries": 0}
    config = {"model_list": list(models), "litellm_settings": settings, "router_settings": settings}
    with tempfile.TemporaryDirectory() as folder, open(Path(folder, "log"), "w+b") as log:
        file = Path(folder, "config.yaml")  # JSON is YAML, but for escaped surrogates
        file.write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
        environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": folder,
            "LANG": "C.UTF-8",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or it asks the net for prices
            "LITELLM_MASTER_KEY": KEY,
            "NO_PROXY": "127.0.0.1",
        }
        process = subprocess.Popen(
            [os.environ.get(VARIABLE) or sys.executable, str(SERVE), str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environ,
            cwd=folder,
        )
        try:
            yield _ready(process)
        except RuntimeError as exc:
            log.seek(0)
            raise RuntimeError(f"{exc}: {log.read()[-2000:].decode(errors='replace')}") from exc
        finally:
            _end(process)


def _ready(process: subprocess.Popen[bytes]) -> str:
    """Wait until the gateway answers. Its address."""
    assert process.stdout is not None
    url = process.stdout.readline().decode().rpartition("listening on ")[2].strip()
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    give_up = time.monotonic() + READY_S
    while url and process.poll() is None and time.monotonic() < give_up:
        try:
            # The system takes the connection at once; the answer comes when all is set up.
            with direct.open(url + "/health/liveliness", timeout=READY_S):
                return url
        except (urllib.error.URLError, OSError):
            continue
    raise RuntimeError("the gateway did not start")


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
