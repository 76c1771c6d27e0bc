"""What --record costs a long streamed answer, and what its replay takes.

    python3 benchmarks/cassettes.py            the table
    python3 benchmarks/cassettes.py --check    the same; exit 1 if a target is missed
    python3 benchmarks/cassettes.py --quick    few repetitions; only shows that it all runs

The same answer is given in two ways: as fast as the line takes it (a read brings some
hundred events), and event by event, each in a read of its own, as a model that thinks
does. Runs with and without --record alternate; shown are medians of their whole CPU time.
Some secrets are set, because looking for them is part of the cost. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from startup import DELTAS, MB, Bench, Row, Run, at_most

ROOT = Path(__file__).resolve().parents[1]
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
    chunk = {"id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion.chunk"}
    chunk = {**chunk, "created": 1741570283, "model": "bench", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


EVENTS = [event({"content": "word "}, None)] * DELTAS + [event({}, "stop"), b"data: [DONE]\n\n"]


class CassetteBench(Bench):
    """Takes the cassette of the run before away: a recording is never overwritten."""

    def __init__(self, folder: str, archive: str, repetitions: int) -> None:
        super().__init__(folder, archive, repetitions)
        self.env.update(SECRETS)
        self.file = os.path.join(folder, "run.cassette")

    def once(self, argv: Sequence[str], null: int) -> Run:
        if "--record" in argv and os.path.exists(self.file):
            os.unlink(self.file)
        return super().once(argv, null)


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
        commands = {"live": ask, "recorded": [*ask, "--record", bench.file]}
        yield cost("many events per read", bench, commands)
        size = os.path.getsize(bench.file)
        whole = sum(map(len, EVENTS))
        shown = f"{size / MB:.1f} MB of {whole / MB:.1f} MB received"
        yield Row("size of the cassette", shown, "", True)
        found = bench.medians({"replayed": [*ask, "--replay", bench.file]})
        yield Row("replayed, CPU", f"{found['replayed'].cpu_ms:,.0f} ms", "", True)
        slowly.set()
        bench.repetitions = max(2, repetitions // 4)
        yield cost("one event per read", bench, commands)


def cost(how: str, bench: Bench, commands: dict[str, list[str]]) -> Row:
    found = bench.medians(commands)
    live, recorded = found["live"].cpu_ms, found["recorded"].cpu_ms
    shown = f" ({live:,.0f} / {recorded:,.0f} ms)"
    what = f"{DELTAS:,} deltas, {how}, CPU"
    return at_most(what, 100 * (recorded / live - 1), 10, "% over not recorded", shown)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure what --record costs.")
    parser.add_argument("--archive", default=str(ROOT / "dist" / "pi.pyz"), metavar="PATH")
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    parser.add_argument("--quick", action="store_true", help="few repetitions, a smoke test")
    options = parser.parse_args(argv)
    archive = os.path.abspath(options.archive)
    if not os.path.isfile(archive):
        print(f"error: no {archive}; run: python3 build_zipapp.py", file=sys.stderr)
        return 2
    repetitions = 3 if options.quick else 20
    print(f"CPython {sys.version.split()[0]}, medians of {repetitions} alternating runs")
    missed = 0
    for row in rows(archive, repetitions):
        verdict = "" if not row.target else "ok" if row.met else "MISSED"
        missed += not row.met
        print(f"{row.what:48} {row.reached:48} {row.target:>8}  {verdict}", flush=True)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
