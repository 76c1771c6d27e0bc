"""Transports that write every exchange to a cassette while it happens.

The caller gets the real answer; secrets are taken out of what is written only. Each line
is handed to the system at once, so a crash keeps what was recorded. A cassette that cannot
be written on (a full disk) never breaks the run: recording stops there and ``finish`` says so.
"""

from __future__ import annotations

import hashlib
import os
import stat
from threading import RLock

from pi.base import cassette
from pi.base.cassette_secrets import Secrets
from pi.base.cassette_stream import StreamRedactor
from pi.base.errors import ConfigError, as_pi_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pi.base.cancel import Cancel
    from pi.base.errors import PiError
    from pi.base.http import Request, Response, Transport

# No waiting on a pipe; no other newlines on Windows. Neither flag is known everywhere.
EXTRA_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Recording:
    """The cassette of a run, over all its transports. Safe from any thread.

    The file is made at the first request, so a start that fails leaves none behind; it is
    readable for its owner only. Raises ConfigError if ``path`` cannot become a cassette or
    already holds something: a recording is never overwritten. ``hidden`` are names of headers
    whose values are not kept either.
    """

    needs_no_key = False

    def __init__(
        self,
        path: str,
        *,
        secrets: Iterable[str],
        hidden: Iterable[str] = (),
        pi: str,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._file = CassetteFile(path)
        self._secrets = Secrets(secrets, hidden)
        self._pi = pi
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._begun = 0.0
        self._count = 0
        self._lock = RLock()  # over the count and the opening

    def over(self, make: Callable[[], Transport]) -> Transport:
        """A transport that records what goes over the one ``make`` gives."""
        return RecordingTransport(make(), self)

    def next_tape(self, request: Request) -> Tape:
        """Write down that ``request`` is about to be sent. Raises ConfigError."""
        with self._lock:
            if not self._count:
                self._file.open()
                self._file.write(cassette.header_line(self._pi, self._now_ms()))
                self._begun = self._monotonic()
            self._count += 1
            number, since = self._count, self._monotonic()
            tape = Tape(number, self._file, self._secrets, lambda: _ms(self._monotonic() - since))
            clean = self._secrets.request(request)
            tape.write(cassette.request_line(number, _ms(since - self._begun), clean))
            return tape

    def finish(self) -> PiError | None:
        """End the recording. Returns why it is not whole, if it is not."""
        with self._lock:
            if self._count:
                self._file.write(cassette.footer_line(self._count))
            return self._file.close()


class RecordingTransport:
    def __init__(self, inner: Transport, recording: Recording) -> None:
        self._inner = inner
        self._recording = recording

    def send(self, request: Request, cancel: Cancel) -> Response:
        tape = self._recording.next_tape(request)
        try:
            response = self._inner.send(request, cancel)
        except BaseException as exc:
            tape.fail(exc)
            raise
        tape.answered(response.status, response.headers)
        return RecordingResponse(response, tape)

    def close(self) -> None:
        self._inner.close()


class Tape:
    """The lines of one exchange, as they come."""

    def __init__(
        self, number: int, file: CassetteFile, secrets: Secrets, elapsed_ms: Callable[[], int]
    ) -> None:
        self._number = number
        self._file = file
        self._secrets = secrets
        self._elapsed_ms = elapsed_ms
        self._body = StreamRedactor(secrets, is_events=False)
        self._digest = hashlib.sha256()
        self._ended = False
        self._lock = RLock()

    def write(self, line: bytes) -> None:
        self._digest.update(line)
        self._file.write(line)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        is_events = "text/event-stream" in headers.get("content-type", "").lower()
        self._body = StreamRedactor(self._secrets, is_events=is_events)
        shown = self._secrets.headers(headers.items())
        self.write(cassette.response_line(self._number, status, shown))

    def data(self, data: bytes) -> None:
        with self._lock:
            safe = self._body.feed(data)
            if safe and not self._ended:
                self.write(cassette.chunk_line(self._number, self._elapsed_ms(), safe))

    def fail(self, exc: BaseException) -> None:
        """The exchange ended with ``exc``, whatever kind that is."""
        record = cassette.failure_record(as_pi_error(exc))
        self.end("error", {key: self._secrets.text(value) for key, value in record.items()})

    def end(self, how: str, error: Mapping[str, str] | None = None) -> None:
        """Write how the exchange ended. The first end counts."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            at = self._elapsed_ms()
            rest = self._body.finish()
            if rest:
                self.write(cassette.chunk_line(self._number, at, rest))
            digest = self._digest.hexdigest()
            self._file.write(cassette.end_line(self._number, at, how, digest, error))


class RecordingResponse:
    """Passes an answer on and writes down what passes (see ``pi.base.http.Response``)."""

    def __init__(self, inner: Response, tape: Tape) -> None:
        self._inner = inner
        self._tape = tape
        self.status = inner.status
        self.headers = inner.headers

    def read(self, size: int = 65536) -> bytes:
        try:
            data = self._inner.read(size)
        except BaseException as exc:
            self._tape.fail(exc)
            raise
        if data:
            self._tape.data(data)
        else:
            self._tape.end("complete")
        return data

    def close(self, finished: bool = False) -> None:
        self._inner.close(finished)
        self._tape.end("closed")


class CassetteFile:
    """A file that grows by whole lines; after a failure it takes no more and keeps the error."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._size = 0
        self._failure: ConfigError | None = None
        self._lock = RLock()
        self._check()

    def open(self) -> None:
        """Raises ConfigError if that cannot be done, or the file was filled meanwhile."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | EXTRA_FLAGS
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as exc:
            raise self._refused(exc.strerror or str(exc)) from exc
        self._descriptor = descriptor
        try:
            self._check()
            if hasattr(os, "fchmod"):  # not on Windows
                os.fchmod(descriptor, 0o600)  # it may have been there, empty
        except OSError as exc:
            self.close()
            raise self._refused(exc.strerror or str(exc)) from exc
        except ConfigError:
            self.close()
            raise

    def write(self, line: bytes) -> None:
        with self._lock:
            if self._failure is not None or self._descriptor is None:
                return
            try:
                done = os.write(self._descriptor, line)
                while done < len(line):
                    done += os.write(self._descriptor, line[done:])
                self._size += len(line)
            except OSError as exc:
                self._fail(self._descriptor, exc)

    def close(self) -> PiError | None:
        """Returns the failure to write, if there was one."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
            return self._failure

    def _fail(self, descriptor: int, exc: OSError) -> None:
        self._failure = ConfigError(
            f"cassette {self._path} is incomplete: it could not be written on",
            cause=exc.strerror or str(exc),
            code="cassette-not-written",
        )
        try:
            os.ftruncate(descriptor, self._size)  # the lines before the torn one are good
        except OSError:
            pass

    def _check(self) -> None:
        """Refuse what is there already, by name or, once it is open, by descriptor."""
        try:
            found = os.stat(self._path if self._descriptor is None else self._descriptor)
        except FileNotFoundError:
            if os.path.isdir(os.path.dirname(self._path) or "."):
                return
            raise self._refused("its folder does not exist") from None
        except (OSError, ValueError) as exc:
            raise self._refused(getattr(exc, "strerror", None) or str(exc)) from exc
        if not stat.S_ISREG(found.st_mode):
            raise self._refused("it is there already and not a regular file")
        if found.st_size:
            raise ConfigError(
                f"cassette {self._path} holds something already",
                hint="remove it first, or record to another file",
                code="cassette-exists",
            )

    def _refused(self, cause: str) -> ConfigError:
        return ConfigError(
            f"cassette {self._path} cannot be written", cause=cause, code="cassette-not-written"
        )


def _ms(seconds: float) -> int:
    return max(0, int(seconds * 1000))
