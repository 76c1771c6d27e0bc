"""Jobs that run at the same time, each in a thread of its own.

Whoever iterates learns what happens while it happens and keeps the thread it is in: a
signal handler runs there within ``TICK_SECONDS``, whatever a job does.

A cancel starts no further job. Those that run have some seconds of grace to end, then they
are left alone: threads cannot be stopped, and a job that hangs must not hang the run.
"""

from __future__ import annotations

from collections import deque
from threading import Event, Thread

from pi.agent.results import failed
from pi.agent.tool import ToolResult
from pi.base.errors import Interrupted
from pi.base.typing import NamedTuple, Union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from pi.base.cancel import Cancel

    Job = Callable[[Callable[[str], None]], ToolResult]

MAX_WORKERS = 8
TICK_SECONDS = 0.05
GRACE_SECONDS = 3.0
NO_THREAD = "the system has no room for one more thread"
LEFT_ALONE = (
    "cancelled by user while it ran, and it did not end in time: it may still take effect; "
    "check before repeating it"
)


class Update(NamedTuple):
    """What job number ``position`` says on its way."""

    position: int
    text: str


class Ended(NamedTuple):
    """``result`` is None for a job that was never started, because of a cancel."""

    position: int
    result: ToolResult | None
    duration_ms: int


class Stopping(NamedTuple):
    """The run was cancelled and these jobs have not ended yet. Said at most once."""

    positions: tuple[int, ...]


News = Union[Update, Ended, Stopping]


class _Voice:
    """Where a job's updates go: the latest waits, however fast a job talks."""

    def __init__(self, tell: Callable[[_Voice], None], position: int) -> None:
        self._tell = tell
        self._text = ""
        self._is_waiting = False
        self.position = position

    def emit(self, text: str) -> None:
        self._text = text
        if not self._is_waiting:
            self._is_waiting = True
            self._tell(self)

    def heard(self) -> Update:
        self._is_waiting = False
        return Update(self.position, self._text)


class _Crew:
    def __init__(
        self, jobs: Sequence[Job], cancel: Cancel, monotonic: Callable[[], float], grace: float
    ) -> None:
        self._jobs = jobs
        self._cancel = cancel
        self._monotonic = monotonic
        self._grace = grace
        self._waiting = deque(range(len(jobs)))
        self.running: set[int] = set()
        self._said: deque[_Voice | Ended] = deque()
        self._bell = Event()
        self._deadline = 0.0  # set when the cancel is seen
        self._stopping_told = False

    def work(self) -> Generator[News, None, None]:
        while self._waiting or self.running:
            yield from self._start()
            was_rung = self._bell.wait(TICK_SECONDS)
            self._bell.clear()
            for _ in range(len(self._said)):  # not all: a job may talk without end
                said = self._said.popleft()
                if isinstance(said, Ended):
                    self.running.discard(said.position)
                    yield said
                elif said.position in self.running:
                    yield said.heard()
            if self._cancel.why is not None and self.running:
                yield from self._wind_down(was_rung)

    def _start(self) -> Generator[News, None, None]:
        while self._waiting and (self._cancel.why is not None or len(self.running) < MAX_WORKERS):
            position = self._waiting.popleft()
            if self._cancel.why is not None:
                yield Ended(position, None, 0)
                continue
            self.running.add(position)
            worker = Thread(target=self._run, args=(position,), name="pi-tool", daemon=True)
            try:
                worker.start()
            except RuntimeError:
                self.running.discard(position)
                yield Ended(position, failed(NO_THREAD), 0)

    def _run(self, position: int) -> None:
        """In the job's thread."""
        began = self._monotonic()
        try:
            result = self._jobs[position](_Voice(self._tell, position).emit)
        except BaseException as exc:  # the border to threads: one must not end without a word
            result = failed(f"{type(exc).__name__}: {exc}")
        self._tell(Ended(position, result, int((self._monotonic() - began) * 1000)))

    def _tell(self, what: _Voice | Ended) -> None:
        self._said.append(what)
        self._bell.set()

    def _wind_down(self, was_rung: bool) -> Generator[News, None, None]:
        """Say who is waited for, once it is clear that there is a wait; in the end give up."""
        now = self._monotonic()
        if not self._deadline:
            self._deadline = now + self._grace
        if not (was_rung or self._stopping_told):
            self._stopping_told = True
            yield Stopping(tuple(sorted(self.running)))
        if now >= self._deadline:
            left, self.running = sorted(self.running), set()
            for position in left:
                yield Ended(position, failed(LEFT_ALONE), int(self._grace * 1000))


def run_jobs(
    jobs: Sequence[Job],
    cancel: Cancel,
    monotonic: Callable[[], float],
    *,
    grace: float = GRACE_SECONDS,
) -> Generator[News, None, None]:
    """Run all ``jobs``, at most ``MAX_WORKERS`` at once, and tell what becomes of them.

    One ``Ended`` for each, in the order in which they end. A job is called with what takes
    its updates. Closing the generator while jobs run sets ``cancel``.
    """
    crew = _Crew(jobs, cancel, monotonic, grace)
    try:
        yield from crew.work()
    finally:
        if crew.running:
            cancel.set(Interrupted("the run was closed before its end"))
