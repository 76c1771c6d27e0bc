"""The lines of a tree that match, in the order of paths."""

from __future__ import annotations

import os

from pi.base.typing import NamedTuple
from pi.tools.outcome import ToolFailure
from pi.tools.places import Folder, Place
from pi.tools.search.git_files import GitFiles
from pi.tools.search.lines import FIRST, LineFinder
from pi.tools.search.names import NameFilter
from pi.tools.search.walk import Walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from pi.tools.search.lines import Found
    from pi.tools.search.pattern import Pattern
    from pi.tools.search.walk import Run

    # Of the files below a directory (its path, then theirs) those that may hold a text;
    # None if that cannot be told.
    Narrow = Callable[[str, list[str], str], "set[str] | None"]

CHECK_EVERY = 64  # files
# From so many files on another program's start pays; fewer are searched in that time.
ALONE = 2000
_BATCH_BYTES = 500_000  # of names, as arguments; macOS takes 1 MiB with the environment


class Job(NamedTuple):
    """What is searched for and where. Survives JSON as a list."""

    place: Place
    is_file: bool
    text: str
    literal: bool
    ignore_case: bool
    glob: str
    context: int


class Search:
    """One search. ``check`` is called often and may raise to end it.

    ``unreadable`` counts directories and files that could not be opened, ``too_deep``
    directories that were left out. ``timed_out`` is for the caller to set.
    """

    def __init__(
        self,
        job: Job,
        pattern: Pattern,
        environ: Mapping[str, str],
        check: Callable[[], None],
        narrow: Narrow | None = None,
    ) -> None:
        self._job = job
        self._check = check
        self._narrow = narrow if pattern.needle.isascii() and pattern.needle else None
        self._needle = pattern.needle
        self._finder = LineFinder(pattern, job.context, check)
        self._filter = NameFilter(job.glob) if job.glob else None
        self._walk = Walk(job.place, GitFiles(environ), check, listing=False)
        self.timed_out = False
        self._files = 0
        self._unreadable = 0

    @property
    def unreadable(self) -> int:
        return self._unreadable + self._walk.unreadable

    @property
    def too_deep(self) -> int:
        return self._walk.too_deep

    def found(self) -> Generator[Found, None, None]:
        """The lines to show. Raises ToolFailure or OSError if the place cannot be opened."""
        place = self._job.place
        if self._job.is_file:
            with Folder(place) as folder:
                descriptor, _ = folder.open_regular()
            try:
                yield from self._finder.in_file(os.path.basename(place.resolved), descriptor)
            finally:
                os.close(descriptor)
            return
        runs = self._walk.runs()
        try:
            for run in runs:
                yield from self._in_run(run)
                if self._narrow is not None and self._files >= ALONE:
                    yield from self._in_rest(runs, self._narrow)
        finally:
            runs.close()

    def _in_run(self, run: Run) -> Iterator[Found]:
        finder = self._finder
        is_candidate = finder.is_candidate
        for name in self._wanted(run):
            self._files += 1
            if not self._files % CHECK_EVERY:
                self._check()
            try:
                descriptor = run.open(name)
            except OSError:
                self._unreadable += 1
                continue
            try:
                data = os.read(descriptor, FIRST)
                if len(data) == FIRST:
                    yield from finder.in_large(run.prefix + name, descriptor, data)
                elif is_candidate(data):
                    yield from finder.in_whole(run.prefix + name, data)
            except OSError:
                self._unreadable += 1
            finally:
                os.close(descriptor)

    def _wanted(self, run: Run) -> list[str]:
        if self._filter is None:
            return run.names
        return self._filter.among(run.prefix, run.names)

    def _in_rest(self, runs: Iterator[Run], narrow: Narrow) -> Iterator[Found]:
        """The files still to come, most of them ruled out by another program."""
        batch: list[str] = []
        size = 0
        for run in runs:
            names = [run.prefix + name for name in self._wanted(run)]
            batch += names
            size += sum(map(len, names)) + 8 * len(names)
            if size > _BATCH_BYTES:
                yield from self._in_batch(batch, narrow)
                batch, size = [], 0
        yield from self._in_batch(batch, narrow)

    def _in_batch(self, batch: list[str], narrow: Narrow) -> Iterator[Found]:
        if not batch:
            return
        place = self._job.place
        likely = narrow(place.resolved, batch, self._needle)
        for path in batch:
            if likely is not None and path not in likely:
                continue
            self._check()
            try:
                with Folder(place._replace(parts=(*place.parts, *path.split("/")))) as folder:
                    data_from, _ = folder.open_regular()
            except (OSError, ToolFailure):
                self._unreadable += 1
                continue
            try:
                yield from self._finder.in_file(path, data_from)
            except OSError:
                self._unreadable += 1
            finally:
                os.close(data_from)
