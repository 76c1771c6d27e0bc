"""The line mode on a real terminal: editing, history, Ctrl+C, the user's own commands."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import time
from collections.abc import Callable, Iterator
from types import TracebackType

import pytest

from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import STREAM, answers, call, delta, finish
from tests.fakes.fault_server import FaultServer, Peer

ASKING = b"pi> "
LIMIT_S = 60.0


class Terminal:
    """Pi on a terminal of its own."""

    def __init__(self, pi: Pi, *arguments: str, **environ: str) -> None:
        command = pi.command(*arguments)
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(pi.folder)
            os.execve(command[0], command, {**pi.environ, "TERM": "xterm", **environ})

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def until(self, words: bytes) -> bytes:
        """What is shown up to ``words``."""
        deadline = time.monotonic() + LIMIT_S
        while words not in self.seen:
            assert time.monotonic() < deadline, (words, self.seen)
            self._read(1)
        shown, _, self.seen = self.seen.partition(words)
        return shown + words

    def send(self, keys: bytes, until: bytes = ASKING) -> bytes:
        os.write(self.fd, keys)
        return self.until(until)

    def interrupt(self, until: bytes) -> bytes:
        """Ctrl+C, again if it is lost: a signal that comes after the interpreter has looked
        for one, and before it waits for a key, counts only with the next."""
        self._settle()
        for _ in range(5):
            os.write(self.fd, b"\x03")
            deadline = time.monotonic() + LIMIT_S / 5
            while until not in self.seen and time.monotonic() < deadline:
                self._read(1)
            if until in self.seen:
                break
        return self.until(until)

    def _settle(self) -> None:
        """Wait until it waits, where the system tells that."""
        deadline = time.monotonic() + LIMIT_S
        stat = f"/proc/{self.pid}/stat"
        while os.path.exists(stat) and time.monotonic() < deadline:
            with open(stat, encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "S":
                    return
            time.sleep(0.01)

    def end(self, again: Callable[[], object] = lambda: None) -> int:
        """Its exit code. ``again`` is called each time it has not ended by then."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            again()
            self._read(0.3)
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.pid = 0
                while self._read(LIMIT_S):  # its last words may come after its end
                    pass
                return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        raise AssertionError(self.seen)

    def _read(self, seconds: float) -> bool:
        """Whether there was something to read within the time."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            piece = os.read(self.fd, 65536)
        except OSError:  # the other end is gone
            return False
        self.seen += piece
        return bool(piece)


@pytest.fixture
def terminal(pi: Pi) -> Iterator[Terminal]:
    with Terminal(pi, "--model", "demo/tour") as found:
        found.until(ASKING)
        yield found


def history(pi: Pi) -> list[str]:
    path = pi.folder / ".local/state/pi/history"
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_text(encoding="utf-8").splitlines()


def test_tab_completes_and_a_beginning_is_enough(pi: Pi, terminal: Terminal) -> None:
    terminal.send(b"/session-s\t", b"/session-s")
    terminal.send(b"t\t\r", b"entries=0")
    terminal.until(ASKING)
    terminal.send(b"/resu\r", b"resumed at head none")
    terminal.until(ASKING)
    os.write(terminal.fd, b"\x04")
    assert terminal.end() == 0


def test_own_commands_are_shown_and_told_and_the_history_keeps_no_secret(pi: Pi) -> None:
    with FaultServer(answers((delta("seen"), finish()))) as server:
        flags = ("--api-base", server.url + "/v1")
        with Terminal(pi, *flags, **KEY) as terminal:
            terminal.until(ASKING)
            assert b"shown" in terminal.send(b"!echo sho''wn; echo $OPENAI_API_KEY; exit 3\r")
            assert b"aside" in terminal.send(b"!!echo as''ide\r")
            terminal.send(b"/auth login pass-word\r")
            # A pasted text is one prompt, and nothing in it is run.
            terminal.send(b"\x1b[200~look\n/quit\n!touch bad\x1b[201~", b"touch bad")
            assert b"seen" in terminal.send(b"\r")
            terminal.send(b"/quit\r", b"/quit")
            assert terminal.end() == 0
    told = [one["content"] for one in json.loads(server.requests[0].body)["messages"][1:]]
    assert told[0].startswith("Ran `echo sho''wn; echo $OPENAI_API_KEY; exit 3`\n```\nshown\n")
    assert "Command exited with code 3" in told[0]
    assert KEY["OPENAI_API_KEY"] not in json.dumps(told)
    assert told[1:] == ["look\n/quit\n!touch bad"]
    assert pi.roles() == ["user", "user", "assistant"]
    entries = [row for row in pi.session() if row["record_type"] == "entry"]
    assert entries[0]["kind"] == "shell"
    kept = history(pi)
    assert "look\\n/quit\\n!touch bad" in kept
    assert not any("pass-word" in line for line in kept)
    assert not (pi.folder / "bad").exists()


def test_ctrl_c_cancels_a_prompt_and_the_next_one_is_asked(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        if peer.request() is not None:
            peer.send(STREAM)
            peer.chunk(delta("a part"))
            peer.request()  # until the client goes away

    with FaultServer(script) as server:
        flags = ("--api-base", server.url + "/v1", "--no-history")
        with Terminal(pi, *flags, **KEY) as terminal:
            terminal.until(ASKING)
            terminal.send(b"hello\r", b"a part")
            assert b"request cancelled" in terminal.interrupt(ASKING)
            assert b"entries=2" in terminal.send(b"/session\r")
            terminal.send(b"!echo be''gun; sleep 100\r", b"begun")
            assert b"command cancelled" in terminal.interrupt(ASKING)
            terminal.send(b"half a line", b"half a line")
            assert b"leaves]" in terminal.interrupt(ASKING)
            assert terminal.end(lambda: os.write(terminal.fd, b"\x03")) == 130
    assert not (pi.folder / ".local").exists()


def test_a_dumb_terminal_gets_no_escape_sequences(pi: Pi) -> None:
    with Terminal(pi, "--no-session", TERM="dumb") as terminal:
        shown = terminal.until(ASKING) + terminal.send(b"/session\r")
    assert b"\x1b" not in shown


def test_a_hangup_ends_the_loop(terminal: Terminal) -> None:
    assert terminal.end(lambda: os.kill(terminal.pid, signal.SIGHUP)) == 130


def test_what_destroys_asks_first(pi: Pi) -> None:
    assert pi("--model", "demo/tour", "hello").returncode == 0
    with Terminal(pi, "--model", "demo/tour") as terminal:
        terminal.until(ASKING)
        terminal.send(b"/branch 1\r")
        terminal.send(b"/prompt other\r")
        before = pi.session()
        terminal.send(b"/session-compact\r", b"[y/N] ")
        assert b"not done" in terminal.send(b"\r")
        assert pi.session() == before
        terminal.send(b"/session-compact\r", b"[y/N] ")
        assert b"compact complete" in terminal.send(b"y\r")
        terminal.send(b"/exit\r", b"/exit")
        assert terminal.end() == 0
    assert "y" not in history(pi)


NO_ANSWER = b"[N]o: "


def bash_calls(*commands: str) -> tuple[tuple[bytes, ...], ...]:
    """The turns of a model that gives these commands, one after the other, and then ends."""
    turns = [
        (call("bash", {"command": command}, f"call_{number}"), finish("tool_calls"))
        for number, command in enumerate(commands)
    ]
    return (*turns, (delta("over"), finish()))


def test_a_command_that_is_not_listed_is_asked_about(pi: Pi) -> None:
    asked = ("uname && logname --version", "uname && logname --version", "uname; eval ls")
    with FaultServer(answers(*bash_calls(*asked), *bash_calls("uname"))) as server:
        flags = ("--api-base", server.url + "/v1", "--no-history")
        with Terminal(pi, *flags, **KEY) as terminal:
            terminal.until(ASKING)
            os.write(terminal.fd, b"go\r")
            shown = terminal.until(NO_ANSWER)
            assert b"  uname && logname --version\r\n" in shown
            assert b"Allow 'uname' and 'logname'?" in shown
            terminal.send(b"o\r", NO_ANSWER)  # the same again
            # What a rule refuses for a reason of its own is not asked about.
            assert NO_ANSWER not in terminal.send(b"\r", b"over")
            terminal.until(ASKING)
            terminal.send(b"go on\r", NO_ANSWER)
            assert b"request cancelled" in terminal.interrupt(ASKING)
    first, second, third = [
        row for row in pi.session() if row.get("message", {}).get("role") == "tool"
    ][:3]
    assert "logname (GNU coreutils)" in json.dumps(first)
    for refused in (second, third):
        assert "is not allowed by" in json.dumps(refused)


def test_a_command_for_another_folder_is_shown_with_it(pi: Pi) -> None:
    (pi.folder / "vendored").mkdir()
    asks = call("bash", {"command": "uname", "cwd": "vendored"}, "call_1")
    turns = ((asks, finish("tool_calls")), (delta("over"), finish()))
    with FaultServer(answers(*turns)) as server:
        flags = ("--api-base", server.url + "/v1", "--no-history")
        with Terminal(pi, *flags, **KEY) as terminal:
            terminal.until(ASKING)
            shown = terminal.send(b"go\r", NO_ANSWER)
            assert f"  uname\r\n  in {pi.folder}/vendored\r\n".encode() in shown
            assert b"error" not in terminal.send(b"o\r", b"over")


class Redirected(Pi):
    """Its stderr goes to a file."""

    def command(self, *arguments: str) -> list[str]:
        return ["/bin/sh", "-c", 'exec "$@" 2>errors.txt', "sh", *super().command(*arguments)]


def test_nobody_is_asked_where_the_command_would_not_be_seen(pi: Pi) -> None:
    with FaultServer(answers(*bash_calls("uname"))) as server:
        flags = ("--api-base", server.url + "/v1", "--no-history")
        with Terminal(Redirected(pi.archive, pi.folder), *flags, **KEY) as terminal:
            terminal.until(ASKING)
            os.write(terminal.fd, b"go\r")
            terminal.until(b"over")
    told = json.dumps([row for row in pi.session() if row.get("message", {}).get("role") == "tool"])
    assert "is not allowed by" in told


def test_a_command_that_was_allowed_in_a_project_is_not_asked_about_again(pi: Pi) -> None:
    turns = bash_calls("uname")
    with FaultServer(answers(*turns, *turns, *turns, *turns)) as server:
        flags = ("--api-base", server.url + "/v1")
        with Terminal(pi, *flags, **KEY) as terminal:
            terminal.until(ASKING)
            terminal.send(b"go\r", NO_ANSWER)
            terminal.send(b"p\r", b"over")
        runs = [
            pi.ask(server.url, "--session", "a"),
            pi.ask(server.url, "--session", "b", "--no-config"),
        ]
        report = json.loads(pi("--print-tool-policy").stdout)
        forgot = pi("--no-session", "--command-file", "-", stdin="/policy forget uname\n")
        runs.append(pi.ask(server.url, "--session", "c"))
    assert report["allowed_here"] == ["uname"]
    assert "policy forget: command=uname forgotten=true" in forgot.stdout
    assert [run.returncode for run in runs] == [0, 0, 0]
    said = [json.dumps(pi.session(f".pi/sessions/{name}.jsonl")) for name in "abc"]
    assert ["is not allowed by" in text for text in said] == [False, True, True]
