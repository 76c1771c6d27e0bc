"""What --record costs a long streamed answer, and what its replay takes.

    python3 benchmarks/cassettes.py            the table
    python3 benchmarks/cassettes.py --check    the same; exit 1 if a target is missed
    python3 benchmarks/cassettes.py --quick    few repetitions; only shows that it all runs

The same answer is given in two ways: as fast as the line takes it (a read brings some
hundred events), and event by event, each in a read of its own, as a model that thinks
does; there the figure is shown without a target, because what the machine makes of twenty
thousand short waits weighs more than what pi does. Runs with and without --record
alternate; compared are the fastest eighths of both, in CPU time of whole processes.
Some secrets are set: looking for them is part of the cost. Standard library only.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import DELTAS, MB, Bench, Row, Run, at_most, run_benchmark  # noqa: E402

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
SECRETS = {
    "OPENAI_API_KEY": "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz",
    "GITHUB_TOKEN": "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "DATABASE_PASSWORD": "correct horse battery staple",
}
PACE_S = 0.00005  # longer than pi takes for one event, so that none of them share a read


def event(delta: object, finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    chunk = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": 1741570283,
        "model": "bench",
        "choices": [choice],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


EVENTS = [event({"content": f"word{n % 997} "}, None) for n in range(DELTAS)]
EVENTS += [event({}, "stop"), b"data: [DONE]\n\n"]


class CassetteBench(Bench):
    """Takes the cassette of the run before away: a recording is never overwritten."""

    def __init__(self, folder: str, archive: str, repetitions: int) -> None:
        super().__init__(folder, archive, repetitions)
        self.env.update(SECRETS)
        self.runs: list[Run] = []
        self.file = os.path.join(folder, "run.cassette")

    def once(self, argv: Sequence[str], null: int) -> Run:
        if "--record" in argv and os.path.exists(self.file):
            os.unlink(self.file)
        self.runs.append(super().once(argv, null))
        return self.runs[-1]

    def fastest(self, one: Sequence[str], other: Sequence[str]) -> tuple[float, float]:
        """CPU times of two commands run in turn: of each the mean of its fastest eighth.

        Whatever else the machine does can only add to them.
        """
        self.runs = []
        self.medians({"one": one, "other": other})
        times = [run.cpu_ms for run in self.runs[2:]]  # the first two only warm up
        few = max(1, self.repetitions // 8)
        first, second = (statistics.mean(sorted(times[at::2])[:few]) for at in (0, 1))
        return first, second


def serve(listener: socket.socket, slowly: threading.Event) -> None:
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        with sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.recv(1 << 20)
            sock.sendall(HEAD)
            if not slowly.is_set():
                sock.sendall(b"".join(EVENTS))
                continue
            for each in EVENTS:
                sock.sendall(each)
                time.sleep(PACE_S)


@contextmanager
def server(slowly: threading.Event) -> Iterator[int]:
    """A model server that gives the answer to whatever it is asked; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, slowly), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    slowly = threading.Event()
    with tempfile.TemporaryDirectory() as folder, server(slowly) as port:
        bench = CassetteBench(folder, archive, repetitions)
        ask = bench.prompt(f"http://127.0.0.1:{port}/v1")
        what, over, shown = recording("many in a read", bench, ask)
        yield at_most(what, over, 10, "% over not recorded", shown)
        size, whole = os.path.getsize(bench.file), sum(map(len, EVENTS))
        shown = f"{size / MB:.1f} MB of {whole / MB:.1f} MB received"
        yield Row("size of the cassette", shown, "", True)
        found = bench.medians({"replayed": [*ask, "--replay", bench.file]})
        yield Row("replayed, CPU", f"{found['replayed'].cpu_ms:,.0f} ms", "", True)
        slowly.set()
        bench.repetitions = max(2, repetitions // 4)
        what, over, shown = recording("one in a read", bench, ask)
        yield Row(what, f"{over:,.1f} % over not recorded{shown}", "", True)


def recording(how: str, bench: CassetteBench, live: list[str]) -> tuple[str, float, str]:
    """What it adds, in per cent."""
    without, with_it = bench.fastest(live, [*live, "--record", bench.file])
    over = 100 * (with_it / without - 1)
    return f"{DELTAS:,} deltas, {how}, CPU", over, f" ({without:,.0f} / {with_it:,.0f} ms)"


if __name__ == "__main__":
    sys.exit(run_benchmark("Measure what --record costs.", rows, repetitions=40))
