"""Runs the LiteLLM gateway on a free port of the loopback: python litellm_serve.py CONFIG.

For an interpreter that has litellm, which need not be the one of the tests: nothing of ours
is imported here. The address stands on stdout before anything is served; the gateway ends
when its stdin does, so it never outlives whoever started it.
"""

from __future__ import annotations

import os
import socket
import sys
import threading


def main() -> None:
    os.environ["CONFIG_FILE_PATH"] = sys.argv[1]
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        import uvicorn  # both take seconds
        from litellm.proxy.proxy_server import app

        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
