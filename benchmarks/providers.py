"""What each wire format costs: streaming against a minimal reader, encoding, connections.

    python3 benchmarks/providers.py            the table
    python3 benchmarks/providers.py --check    the same; exit 1 if a target is missed
    python3 benchmarks/providers.py --quick    few repetitions; only shows that it all runs

The streams come from the third-party server of tests/node, 20,000 text deltas each. The
minimal reader is a process that asks the same and only splits lines and calls json.loads.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import DELTAS, Bench, Row, at_most, run_benchmark  # noqa: E402
from pi.ai.types import (  # noqa: E402
    ChatRequest,
    Message,
    Text,
    ToolCall,
    tool_message,
    user_message,
)
from pi.cli.routes import load_codec  # noqa: E402
from tests.fakes import aimock_process  # noqa: E402
from tests.fakes.fault_server import FaultServer, Peer  # noqa: E402
from tests.fakes.wires import WIRES, Wire  # noqa: E402

MINIMAL_READER = """
import http.client, json, sys
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
headers = dict(zip(*[iter(sys.argv[4:])] * 2))
headers["Content-Type"] = "application/json"
c.request("POST", sys.argv[2], sys.argv[3].encode(), headers)
r = c.getresponse()
rest, events = b"", 0
while True:
    data = r.read1(65536)
    if not data:
        break
    lines = (rest + data).split(b"\\n")
    rest = lines.pop()
    for line in lines:
        if line.startswith(b"data: {"):
            json.loads(line[6:])
            events += 1
print(events)
"""


def question(wire: Wire, base: str) -> tuple[str, str, list[str]]:
    """The path, body and headers of pi's own request, for the reader to send."""
    from pi.ai.providers.codec import Options

    chat = ChatRequest("model-1", "", (user_message("hi"),))
    request = load_codec(wire.api).encode(chat, Options(base_url=base + wire.base, api_key="key"))
    headers = [part for header in request.headers for part in header if "ontent" not in header[0]]
    return request.url[len(base) :], request.body.decode(), headers


def streams(bench: Bench) -> Iterator[Row]:
    fixture = {"match": {}, "response": {"content": "word " * DELTAS}}
    with aimock_process.running([fixture], "-c", "5") as server:
        port = server.url.rpartition(":")[2]
        for wire in WIRES.values():
            path, body, headers = question(wire, server.url)
            reader = bench.code(MINIMAL_READER, port, path, body, *headers)
            events = int(subprocess.run(reader, check=True, stdout=subprocess.PIPE).stdout)
            if events < DELTAS:
                raise SystemExit(f"error: {wire.api}: the server sent {events} events")
            bench.env[wire.key_variable] = "key-0123456789"
            flags = ["--model", f"{wire.provider}/model-1", "--api-format", wire.api]
            flags += [wire.base_flag, server.url + wire.base, "--no-session", "-p", "hi"]
            whole = subprocess.run(bench.pi(*flags), check=True, capture_output=True, env=bench.env)
            if whole.stdout.count(b"word") != DELTAS:
                raise SystemExit(f"error: {wire.api}: pi did not print the whole answer")
            found = bench.medians({"reader": reader, "pi": bench.pi(*flags)})
            ratio = found["pi"].cpu_ms / found["reader"].cpu_ms
            shown = f" ({found['pi'].cpu_ms:.0f} / {found['reader'].cpu_ms:.0f} ms)"
            yield at_most(f"{wire.api}, {DELTAS:,} deltas, CPU", ratio, 2.5, "x a reader", shown)


def history(messages: int) -> tuple[Message, ...]:
    """A conversation of about so many messages, with tool calls."""
    rows: list[Message] = []
    for at in range(messages // 4):
        call = ToolCall(f"call_{at}", "read", {"path": f"file_{at}.py"})
        rows.append(user_message(f"question {at} " + "word " * 50))
        rows.append(Message("assistant", (Text("let me look"), call), stop_reason="tool_use"))
        rows.append(tool_message(call, "line of the file\n" * 40))
        rows.append(Message("assistant", (Text("answer " * 40),), stop_reason="stop"))
    return tuple(rows)


def encoding(repetitions: int) -> Iterator[Row]:
    from pi.ai.providers.codec import Options

    for api, wire in WIRES.items():
        codec = load_codec(api)
        options = Options(base_url="http://host" + wire.base, api_key="key")
        took = {}
        for size in (200, 800):
            chat = ChatRequest("m", "system", history(size))
            best = float("inf")
            for _ in range(repetitions):
                began = time.perf_counter()
                codec.encode(chat, options)
                best = min(best, time.perf_counter() - began)
            took[size] = best * 1000
        shown = f" ({took[200]:.2f} ms for 200)"
        ratio = took[800] / took[200]
        # Linear is 4; caches and the collector add a little.
        yield at_most(f"{api}, encoding 800 messages", ratio, 6.5, "x 200 messages", shown)


def connections(bench: Bench) -> Iterator[Row]:
    """Ten turns of each format, and how many TCP connections they took."""
    turns = 10
    for api, wire in WIRES.items():

        def script(peer: Peer, wire: Wire = wire) -> None:
            while peer.request() is not None:
                is_last = len(server.requests) == turns
                call = wire.call("bash", {"command": "true"})
                body = b"".join(wire.text(["done"]) if is_last else call)
                head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: "
                peer.send(f"{head}{len(body)}\r\n\r\n".encode() + body)

        with FaultServer(script) as server:
            bench.env[wire.key_variable] = "key-0123456789"
            flags = ["--model", f"{wire.provider}/m", "--api-format", api, "--no-session", "-q"]
            flags += [wire.base_flag, server.url + wire.base, "-p", "hi"]
            subprocess.run(bench.pi(*flags), check=True, capture_output=True, env=bench.env)
            shown = f" for {len(server.requests)} requests"
            yield at_most(f"{api}, connections", server.connections, 1, "TCP", shown)


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, archive, repetitions)
        yield from connections(bench)
        yield from encoding(repetitions)
        missing = aimock_process.missing()
        if missing:
            yield Row("streams", f"not measured: {missing}", "", True)
        else:
            yield from streams(bench)


if __name__ == "__main__":
    sys.exit(run_benchmark("Measure what each wire format costs.", rows, repetitions=10))
