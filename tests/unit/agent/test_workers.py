"""Jobs in threads of their own."""

from __future__ import annotations

import threading
import time
from typing import Any

from pi.agent.results import failed
from pi.agent.tool import ToolResult
from pi.agent.workers import MAX_WORKERS, Ended, Stopping, Update, run_jobs
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from tests.fakes.agents import PATIENCE, wait_for


def news(*jobs: Any, cancel: Cancel | None = None, **more: Any) -> list[Any]:
    return list(run_jobs(jobs, cancel or Cancel(), time.monotonic, **more))


def say(text: str) -> ToolResult:
    return ToolResult(text, {})


def test_no_jobs_are_done_at_once() -> None:
    assert news() == []


def test_each_job_ends_once_in_the_order_of_time() -> None:
    go = threading.Event()

    def first(emit: Any) -> ToolResult:
        wait_for(go)
        return say("first")

    seen = []
    for one in run_jobs((first, lambda emit: say("second")), Cancel(), time.monotonic):
        assert isinstance(one, Ended)
        seen.append(one.position)
        go.set()
    assert seen == [1, 0]


def test_jobs_run_at_the_same_time_but_not_more_than_allowed() -> None:
    together = threading.Barrier(MAX_WORKERS)
    now: list[int] = []
    most: list[int] = []

    def job(emit: Any) -> ToolResult:
        now.append(1)
        together.wait(PATIENCE)
        most.append(len(now))
        together.wait(PATIENCE)
        now.pop()
        return say("")

    assert len(news(*[job] * (2 * MAX_WORKERS))) == 2 * MAX_WORKERS
    assert max(most) <= MAX_WORKERS


def test_updates_come_while_the_job_runs_and_the_latest_counts() -> None:
    heard = threading.Event()

    def job(emit: Any) -> ToolResult:
        for number in range(10_000):
            emit(str(number))
        wait_for(heard)
        return say("done")

    seen: list[str] = []
    for one in run_jobs((job,), Cancel(), time.monotonic):
        if isinstance(one, Update):
            seen.append(one.text)
            if one.text == "9999":
                heard.set()
    assert seen[-1] == "9999"
    assert seen == sorted(seen, key=int)


def test_what_is_emitted_after_the_end_is_not_told() -> None:
    kept: list[Any] = []

    def job(emit: Any) -> ToolResult:
        kept.append(emit)
        return say("done")

    for one in run_jobs((job, lambda emit: say("")), Cancel(), time.monotonic):
        assert isinstance(one, Ended)
        for emit in kept:
            emit("late")


def test_a_job_that_raises_anything_ends_with_an_error() -> None:
    def leave(emit: Any) -> ToolResult:
        raise SystemExit(3)

    (ended,) = news(leave)
    assert ended.result == failed("SystemExit: 3")


def test_a_cancel_starts_no_further_job() -> None:
    cancel = Cancel()

    def job(emit: Any) -> ToolResult:
        cancel.set(Interrupted("stop"))
        return say("ran")

    seen = news(*[job] * (MAX_WORKERS + 3), cancel=cancel)
    results = {one.position: one.result for one in seen if isinstance(one, Ended)}
    assert sorted(results) == list(range(MAX_WORKERS + 3))
    assert results[0] == say("ran")
    assert results[MAX_WORKERS + 2] is None
    assert [one.result for one in news(job, cancel=cancel)] == [None]


def test_a_job_that_does_not_end_is_named_soon_and_left_alone_in_time() -> None:
    cancel, stuck = Cancel(), threading.Event()

    def silent(emit: Any) -> ToolResult:
        stuck.wait(PATIENCE)
        return say("late")

    def talking(emit: Any) -> ToolResult:
        cancel.set(Interrupted("stop"))
        while not stuck.is_set():
            emit("still here")  # must not keep the grace from passing
        return say("late")

    began = time.monotonic()
    all_news = news(silent, talking, cancel=cancel, grace=0.3)
    seen = [one for one in all_news if isinstance(one, Ended)]
    assert time.monotonic() - began > 0.2
    stuck.set()  # nobody has waited for the end of the jobs
    assert [one.position for one in seen] == [0, 1]
    assert all(one.result is not None and "did not end" in one.result.text for one in seen)


def test_who_is_waited_for_is_said_once_and_long_before_the_end() -> None:
    cancel, end = Cancel(), threading.Event()

    def job(emit: Any) -> ToolResult:
        cancel.set(Interrupted("stop"))
        wait_for(end)
        return say("ended")

    seen = []
    for one in run_jobs((job,), cancel, time.monotonic, grace=2 * PATIENCE):
        seen.append(one)
        if isinstance(one, Stopping):
            end.set()
    assert [type(one) for one in seen] == [Stopping, Ended]


def test_closing_while_jobs_run_sets_the_cancel() -> None:
    cancel, ended = Cancel(), threading.Event()

    def job(emit: Any) -> ToolResult:
        emit("x")
        cancel.on_set(ended.set)
        wait_for(ended)
        return say("")

    running = run_jobs((job,), cancel, time.monotonic)
    assert isinstance(next(running), Update)
    running.close()
    wait_for(ended)
    assert isinstance(cancel.why, Interrupted)
