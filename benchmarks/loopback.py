"""A model server that answers at once, for benchmarks. A process of its own.

POST /answer/v1/chat/completions   one short answer
POST /tools/v1/chat/completions    three rounds of ``bash echo``, then an answer

Prints its port, keeps connections alive, ends when its standard input does.
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading

TOOL_ROUNDS = 3
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Cache-Control: no-cache\r\nContent-Length: %d\r\n\r\n"
)


def chunk(delta: dict[str, object], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return b"data: " + json.dumps({**body, "choices": [choice]}).encode() + b"\n\n"


def answer(path: str, body: bytes) -> bytes:
    rounds = [m for m in json.loads(body)["messages"] if m["role"] == "assistant"]
    if path.startswith("/tools/") and len(rounds) < TOOL_ROUNDS:
        arguments = json.dumps({"command": f"echo {len(rounds)}"})
        function = {"name": "bash", "arguments": arguments}
        call = {"index": 0, "id": f"call_{len(rounds)}", "type": "function", "function": function}
        events = chunk({"role": "assistant", "tool_calls": [call]}, None) + chunk({}, "tool_calls")
    else:
        events = chunk({"role": "assistant", "content": "hello"}, None) + chunk({}, "stop")
    return events + b"data: [DONE]\n\n"


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while True:
            request = self.rfile.readline().split()
            if len(request) < 2:
                return
            length = 0
            while True:
                line = self.rfile.readline().strip()
                if not line:
                    break
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            events = answer(request[1].decode(), self.rfile.read(length))
            self.wfile.write(HEAD % len(events) + events)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def main() -> None:
    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
